"""Names of ARKit's shapes in the spellings that are met with."""

import pytest

from facegen.motion.shape_names import NAMES, apple_name


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_known_however_it_is_spelled(name):
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    title = "_".join(word.capitalize() for word in snake.split("_"))
    short = name.removesuffix("Left").removesuffix("Right")
    side = f"{short}_{name[len(short)]}" if short != name and short in ("eyeBlink", "mouthSmile") else name
    spelled = (name, name[0].upper() + name[1:], name.lower(), name.upper(), snake, title, f"A07_{title}", side)
    for said in (*spelled, f"blendShape1.{name}", f"head:{title}", f"Wolf3D|{snake}"):
        assert apple_name(said) == name, said


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("EyeBlinkL", "eyeBlinkLeft"),
        ("mouthSmile-R", "mouthSmileRight"),
        ("Nose_Sneer_L", "noseSneerLeft"),
        ("browInnerUp_R", "browInnerUpRight"),  # halves of what ARKit has in one
        ("CheekPuffLeft", "cheekPuffLeft"),
        ("lower_mouth_left", None),  # another part of the mouth
        ("lowerMouthLeft", None),
        ("notjawOpen", None),
        ("jaw", None),
        ("smile", None),
        ("happy", None),
        ("target_3", None),
        ("", None),
        ("é_42", None),
    ],
)
def test_what_is_meant_and_what_is_not(said, name):
    assert apple_name(said) == name

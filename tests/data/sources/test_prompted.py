"""Takes that words describe, on trees in the published forms of Express4D and KeyframeFace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from live_link_files import bumps, write_take

from facegen.cli import run
from facegen.data.sources import open_source
from facegen.data.sources.express4d import PEOPLE
from facegen.data.sources.keyframeface import emotion_of
from facegen.data.sources.prompted import dealt, expression_of, words_of
from facegen.data.sources.source import Source
from facegen.errors import DataError, FacegenError
from facegen.inspection.dataset import inspect_dataset

TEXTS = (
    "Smile warmly, then raise the left eyebrow.",
    "Scowl in anger at something far away.",
    "Look from left to right.",
    "Smile through tears of sadness.",
    "Laugh out loud.",
    "Furious, press the lips together.",
)


def write_express4d(root: Path) -> Path:
    (root / "texts").mkdir(parents=True)
    for number, text in enumerate(TEXTS, start=1):
        name = f"MySlate_{number}_iPhone_cal"
        write_take(root / "data" / f"{name}.csv", bumps(60, ("MouthSmile", 0.5, 0.7)), 60, first=7)
        (root / "texts" / f"{name}.txt").write_text(f"{text}#smile/VERB warmly/ADV\n")
    (root / "train.txt").write_text("\n".join(f"MySlate_{n}_iPhone_cal" for n in (1, 2, 3, 4)))
    (root / "test.txt").write_text("\n".join(f"MySlate_{n}_iPhone_cal" for n in (5, 6)))
    return root


def write_keyframeface(root: Path) -> Path:
    for number, emotion in enumerate(("Joy, barely hidden.", "Growing anger.", "Joy", "Anger", "Boredom"), start=1):
        path = write_take(root / "takes" / f"script_{number}.csv", bumps(30, ("MouthSmile", 0.5, 0.7)), 30)
        header, *rows = path.read_text().splitlines()
        path.write_text("\n".join([header.replace("BlendShapeCount", "BlendshapeCount"), *rows]))
        said = f"Background: A student waits outside a room.\nEmotion: {emotion}\n\nTask Instruction: Generate."
        record = {"messages": [{"role": "system", "content": "You animate."}, {"role": "user", "content": said}]}
        path.with_suffix(".jsonl").write_text("\n".join([json.dumps(record)] * 2) + "\n")
    return root


def opened(name: str, root: Path, clone: Path, **options: object) -> Source:
    return open_source(name, {"root": root, "basis": clone, "region": "narrow", "seed": 0} | options)


def numbers(source: Source) -> dict[int, str]:
    return {int(key.name.split("_")[1]): key.expression for key in source.keys}


def test_express4d_takes_what_its_texts_name(tmp_path: Path, clone: Path) -> None:
    source = opened("express4d", write_express4d(tmp_path), clone)
    assert numbers(source) == {1: "happy", 2: "angry", 5: "happy", 6: "angry"}
    assert source.expressions == ("happy", "angry")
    reasons = {key.name.split("_")[1]: reason for key, reason in source.left_out}
    assert reasons["3"].startswith("its text names no expression: 'Look from left to right.'")
    assert reasons["4"].startswith("its text names several expressions, happy and sad: ")
    # Who recorded what is unknown: those who act test takes act no others.
    assert {key.subject for key in source.keys if key.name.split("_")[1] in "56"} == set(source.test_subjects)
    assert (source.read(source.keys[0]).fps, source.habits.fps) == (60, 30)


def test_express4d_prefers_labels_and_finds_texts_by_number(tmp_path: Path, clone: Path) -> None:
    root = write_express4d(tmp_path)
    (root / "labels").mkdir()
    (root / "labels" / "MySlate_3_iPhone_cal.txt").write_text("surprise#surprise/NOUN\n")
    for path in (root / "texts").iterdir():
        path.unlink()
    (root / "texts_plain.txt").write_text("\n".join(TEXTS))
    assert numbers(opened("express4d", root, clone)) == {1: "happy", 2: "angry", 3: "surprise", 5: "happy", 6: "angry"}
    (root / "subjects.csv").write_text(
        "take,subject\n" + "".join(f"MySlate_{n}_iPhone_cal,{'ab'[n % 2]}\n" for n in (1, 2, 3, 5))
    )
    source = opened("express4d", root, clone, test_subjects=["a"])
    assert {key.name.split("_")[1]: key.subject for key in source.keys} == {"1": "b", "2": "a", "3": "b", "5": "b"}
    assert ("6", "subjects.csv does not say who recorded it") in [
        (key.name.split("_")[1], reason) for key, reason in source.refused
    ]
    (root / "subjects.csv").write_text("who,what\n")
    with pytest.raises(DataError, match="expected the header take,subject"):
        opened("express4d", root, clone)


def test_words_are_the_user_s_where_a_file_gives_them(tmp_path: Path, clone: Path) -> None:
    root = write_express4d(tmp_path / "data")
    (tmp_path / "words.yaml").write_text("look: gaze\nsmil: mirth\nlaugh: mirth\nscowl: ire\nfuri: ire\n")
    source = opened("express4d", root, clone, mapping=tmp_path / "words.yaml")
    assert numbers(source) == {1: "mirth", 2: "ire", 3: "gaze", 4: "mirth", 5: "mirth", 6: "ire"}
    (tmp_path / "words.yaml").write_text("nothing: gaze\n")
    with pytest.raises(DataError, match="no take can be used; the first, MySlate_1_iPhone_cal: its text names no expr"):
        opened("express4d", root, clone, mapping=tmp_path / "words.yaml")
    (tmp_path / "words.yaml").write_text("[a]\n")
    with pytest.raises(DataError, match="expected lines of `what: expression`, such as `smil: happy`"):
        words_of(tmp_path / "words.yaml")
    (tmp_path / "words.yaml").write_text("smil: mirth\nSmil: mirth\n")
    assert words_of(tmp_path / "words.yaml") == {"smil": "mirth"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("smil: mirth\nSmil: ire\n", "'Smil' is there twice, in other letters and for another expression"),
        (
            "".join(f"w{number}: mirth\n" for number in range(1001)),
            "expected at most 1,000 words of 1 to 100 letters",
        ),
        (f"{'w' * 101}: mirth\n", "expected at most 1,000 words of 1 to 100 letters"),
        ("'': mirth\n", "expected at most 1,000 words of 1 to 100 letters"),
        ("smil: ''\n", "expected a name that every system takes for a file"),
    ],
)
def test_words_that_would_be_lost_or_take_long_are_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "words.yaml").write_text(text)
    with pytest.raises(DataError, match=said):
        words_of(tmp_path / "words.yaml")


def test_names_that_differ_in_case_alone_are_told_of_takes_too(tmp_path: Path) -> None:
    root = write_express4d(tmp_path / "data")
    (tmp_path / "words.yaml").write_text("smil: mirth\nscowl: Mirth\n")
    _, problems = inspect_dataset(root, "express4d", {"mapping": tmp_path / "words.yaml"})
    assert "expressions Mirth and mirth differ in case or spaces alone; give them one name" in problems


def test_keyframeface_takes_the_emotion_of_the_record(tmp_path: Path, clone: Path) -> None:
    root = write_keyframeface(tmp_path)
    source = opened("keyframeface", root, clone)
    assert {key.name: key.expression for key in source.keys} == {
        "takes/script_1": "happy",
        "takes/script_2": "angry",
        "takes/script_3": "happy",
        "takes/script_4": "angry",
    }
    assert [key.name for key, _ in source.left_out] == ["takes/script_5"]
    assert source.read(source.keys[0]).vertices.shape == (90, 6706, 3)
    (root / "takes" / "script_4.jsonl").unlink()
    (root / "label").mkdir()
    (root / "label" / "script_4.json").write_text(json.dumps({"script": {"Emotion": "sorrow"}}))
    (root / "takes" / "script_1.jsonl").unlink()
    source = opened("keyframeface", root, clone)
    assert {key.name: key.expression for key in source.keys}["takes/script_4"] == "sad"
    assert [key.name for key, _ in source.refused] == ["takes/script_1"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("Emotion: joy", "cannot be read as JSON, whole or line by line"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("{}", "expected a key `emotion` or a line `Emotion: ...`, found neither"),
        ('{"a": "' + "x" * 2_000_000 + '"}', "expected a line or two of text, found 2,0"),
    ],
)
def test_a_record_that_says_nothing_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "take.json").write_text(content)
    with pytest.raises(DataError, match=reason):
        emotion_of(tmp_path / "take.json")


def test_words_go_by_how_they_begin() -> None:
    words = words_of(None)
    for text, wanted in (
        ("Grinning", "happy"),
        ("ANGER", "angry"),
        ("in grief", "sad"),
        ("astonished", "surprise"),
        ("Terrified", "fear"),
        ("revulsion", "disgust"),
        ("strange", ""),  # no word that begins with anger or range
        ("fear and anger", ""),
    ):
        assert expression_of(text, words)[0] == wanted, text


def test_takes_are_dealt_and_test_takes_apart() -> None:
    cast, testing = dealt([f"t{i}" for i in range(40)], ["t3", "t4"], PEOPLE)
    assert len(testing) == 3 and len(set(cast.values())) == 15 + 2
    assert {cast["t3"], cast["t4"]} <= set(testing)
    assert not {cast[f"t{i}"] for i in range(40) if i not in (3, 4)} & set(testing)
    assert dealt(["a", "b"], (), 20) == ({"a": "000", "b": "001"}, ())


def test_a_folder_that_is_none_is_refused(tmp_path: Path, clone: Path) -> None:
    for name, reason in (("express4d", r"expected data/\*.csv below it"), ("keyframeface", "expected <take>.csv")):
        with pytest.raises(FacegenError, match=reason):
            opened(name, tmp_path, clone)


@pytest.mark.parametrize("name", ["express4d", "keyframeface"])
def test_inspecting_knows_each_by_its_files(tmp_path: Path, capsys: pytest.CaptureFixture, name: str) -> None:
    root = (write_express4d if name == "express4d" else write_keyframeface)(tmp_path)
    assert run(["inspect", str(root), "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert (seen["source"], seen["recordings"], seen["sound"]) == (name, 4, True)
    assert sorted(seen["expressions"]) == ["angry", "happy"]

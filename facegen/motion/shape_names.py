"""ARKit's 52 blendshapes by name, however a modeller spells them."""

from __future__ import annotations

import re

from facegen.motion.live_link import SHAPES

NAMES = tuple(name[0].lower() + name[1:] for name in SHAPES)
"""Apple's names of the 52, `jawOpen`, in the order of Live Link Face."""
SIDES = {"l": "left", "r": "right"}
"""How the last word of a name spells the sides for short."""
GAZE = "eyeLook"
"""How Apple's names of the shapes begin that turn the eyes."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PLAIN = {name.lower(): name for name in NAMES}
_PARTS = frozenset(word.lower() for name in NAMES for word in _WORD.findall(name))
"""Words of Apple's names; before one of these names they make it another shape's."""


def apple_name(said: str) -> str | None:
    """Apple's name of the shape that a name means, or None.

    Upper and lower case, underscores, what stands before a point or a number, and `L` or `Left` do not count:
    `Jaw_Open`, `blendShape1.jawOpen` and `A25_Jaw_Open` are `jawOpen`, `eyeBlink_L` is `eyeBlinkLeft`. Half of a shape
    that Apple has in one is named after it, as `browInnerUpLeft`.

    Args:
        said: the name in a file.

    Examples:
        >>> apple_name("blendShape1.eyeBlink_R"), apple_name("smile")
        ('eyeBlinkRight', None)
    """
    words = [(match.group().lower(), match.start()) for match in _WORD.finditer(said)]
    if words and words[-1][0] in SIDES:
        words[-1] = SIDES[words[-1][0]], words[-1][1]
    for first, (_, begin) in enumerate(words):
        name = _named("".join(word for word, _ in words[first:]))
        if name is None:
            continue
        before = {word for word, _ in words[:first]}
        apart = not first or not said[begin - 1].isalpha()
        return name if apart and not before & _PARTS else None
    return None


def _named(plain: str) -> str | None:
    """Apple's name of one in lower case, or of the half of one."""
    if plain in _PLAIN:
        return _PLAIN[plain]
    for side in SIDES.values():
        whole = _PLAIN.get(plain.removesuffix(side))
        if plain.endswith(side) and whole is not None and not whole.lower().endswith(tuple(SIDES.values())):
            return whole + side.capitalize()
    return None

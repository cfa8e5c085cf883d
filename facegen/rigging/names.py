"""Names of ARKit's shapes as people spell them."""

from __future__ import annotations

from collections.abc import Iterable

from facegen.motion.live_link import SHAPES

NAMES = tuple(name[0].lower() + name[1:] for name in SHAPES)
"""Apple's names of the 52, `jawOpen`, in the order of Live Link Face."""
SIDES = {"l": "left", "r": "right"}
"""How ends of names of shapes spell the sides, and how ARKit does."""
_APPLE = {name.lower(): name for name in NAMES}


def plain(name: str) -> str:
    """A shape's name in lower case, its side spelled out, with letters and digits alone: `eyeBlink_L` is
    `eyeblinkleft`."""
    words = [word for word in "".join(c if c.isalnum() else " " for c in name.lower()).split() if word]
    if len(words) > 1 and words[-1] in SIDES:
        words[-1] = SIDES[words[-1]]
    return "".join(words)


def apple_name(name: str) -> str | None:
    """Apple's name of a shape that is spelled in another way, such as `JawOpen`, `eye_blink_L` or
    `Face.browInnerUp`; None where it is none of the 52."""
    for said in (name, name.rsplit(".", 1)[-1], name.rsplit(":", 1)[-1]):
        found = _APPLE.get(plain(said))
        if found is not None:
            return found
    return None


def apple_names(names: Iterable[str]) -> set[str]:
    """Those of the 52 that are among some names."""
    return {found for found in map(apple_name, names) if found is not None}

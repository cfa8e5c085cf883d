"""Blinks and gaze as weights of shapes that an avatar has of its own."""

from __future__ import annotations

import numpy as np

from facegen.alive.life import Living
from facegen.rigging.eyes import LOOKS

BLINKS = {
    "Left": ("eyeblinkleft", "blinkleft", "blink_l"),
    "Right": ("eyeblinkright", "blinkright", "blink_r"),
    "both": ("blink",),
}
"""What ARKit, and VRM in both versions, call shapes that shut the left eye, the right one, and both; in lower case."""
LOOK = "eyeLook"
"""How ARKit's names of the shapes begin that turn the eyes."""


def shape_weights(state: Living, names: list[str]) -> dict[str, np.ndarray]:
    """The weights (N,), in [0, 1], of those shapes that blink or look, by their names.

    Args:
        state: what is done at N times.
        names: of shapes, ARKit's or a VRM's. A shape for both eyes is left where there are two for one each.
    """
    found: dict[str, np.ndarray] = {}
    small = {name.lower(): name for name in names}
    sides = [next((small[said] for said in BLINKS[side] if said in small), None) for side in ("Left", "Right")]
    for number, name in enumerate(sides):
        if name is not None:
            found[name] = state.closure[:, number]
    if sides == [None, None]:
        found |= {small[said]: state.closure.mean(axis=1) for said in BLINKS["both"] if said in small}
    left, up = np.radians(state.in_head).T
    for look, (down, out) in LOOKS.items():
        for side, sign in (("Left", 1), ("Right", -1)):
            name = f"{LOOK}{look}{side}"
            if name in names:
                turn = -up / down if down else sign * left / out
                found[name] = np.clip(turn, 0, 1)
    return found


def blinking(names: list[str]) -> list[str]:
    """Those of the names that are of shapes which shut an eye, or both."""
    return [name for name in names if name.lower() in {said for each in BLINKS.values() for said in each}]


def kinds_of(names: list[str]) -> set[str]:
    """Which of blinks and gaze shapes with these names can do."""
    kinds = {"blinks"} if blinking(names) else set()
    return kinds | ({"gaze"} if any(name.startswith(LOOK) for name in names) else set())

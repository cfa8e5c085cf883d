"""VRM's expressions as combinations of ARKit's shapes."""

from __future__ import annotations

PRESETS: dict[str, dict[str, float]] = {
    "happy": {"mouthSmile": 0.8, "cheekSquint": 0.6, "eyeSquint": 0.3},
    "angry": {"browDown": 1.0, "eyeWide": 0.3, "eyeSquint": 0.4, "mouthPress": 0.6, "noseSneer": 0.2},
    "sad": {"browInnerUp": 0.8, "browDown": 0.2, "mouthFrown": 0.8, "mouthShrugLower": 0.3},
    "relaxed": {"mouthSmile": 0.4, "eyeBlink": 0.25, "browInnerUp": 0.1},
    "surprised": {"browInnerUp": 0.8, "browOuterUp": 0.8, "eyeWide": 0.7, "jawOpen": 0.4},
    "aa": {"jawOpen": 0.6, "mouthLowerDown": 0.2},
    "ih": {"jawOpen": 0.15, "mouthStretch": 0.3, "mouthSmile": 0.2, "mouthUpperUp": 0.1},
    "ou": {"jawOpen": 0.1, "mouthPucker": 0.8},
    "ee": {"jawOpen": 0.25, "mouthSmile": 0.4, "mouthStretch": 0.2},
    "oh": {"jawOpen": 0.35, "mouthFunnel": 0.6},
    "blink": {"eyeBlink": 1.0},
    "blinkLeft": {"eyeBlinkLeft": 1.0},
    "blinkRight": {"eyeBlinkRight": 1.0},
    "lookUp": {"eyeLookUp": 1.0},
    "lookDown": {"eyeLookDown": 1.0},
    "lookLeft": {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0},
    "lookRight": {"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0},
}
"""Weights of shapes for each of VRM 1.0's presets but `neutral`, which is rest; a shape without a side stands for both.

Emotions are made of the action units that Ekman and Friesen (EMFACS, 1983) give them: happy 6 and 12, angry 4, 5, 7
and 23, sad 1, 4 and 15, surprised 1, 2, 5 and 26; relaxed, which they do not have, is a faint smile under heavy lids.
The shapes of the units are those of ICT-FaceKit's README. Vowels are opened and rounded as the chart of the
International Phonetic Association orders them: aa open, oh half open and rounded, ou close and rounded, ih and ee
spread. Weights were chosen by eye, on ICT-FaceKit's head.
"""
VERSION_0 = {
    "joy": "happy", "angry": "angry", "sorrow": "sad", "fun": "relaxed", "a": "aa", "i": "ih", "u": "ou", "e": "ee",
    "o": "oh", "blink": "blink", "blink_l": "blinkLeft", "blink_r": "blinkRight", "lookup": "lookUp",
    "lookdown": "lookDown", "lookleft": "lookLeft", "lookright": "lookRight",
}  # fmt: skip
"""Presets of VRM 0 and what VRM 1.0 calls them; it has none for surprise."""


def preset_weights(preset: str) -> dict[str, float]:
    """The weight of each of ARKit's shapes in a preset, by Apple's names; a shape of both sides is two of them."""
    from facegen.motion.shape_names import NAMES

    found = {}
    for shape, weight in PRESETS[preset].items():
        for name in (shape, f"{shape}Left", f"{shape}Right"):
            if name in NAMES:
                found[name] = weight
    return found

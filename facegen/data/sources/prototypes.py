"""The several faces that one expression has, as action units."""

from __future__ import annotations

PROTOTYPES: dict[str, tuple[tuple[float, dict[str, float]], ...]] = {
    "happy": (
        (0.30, {"AU6": 0.8, "AU12": 1.0}),
        (0.35, {"AU6": 0.9, "AU12": 1.0, "AU25": 0.8, "AU16": 0.3, "AU11": 0.3}),
        (0.15, {"AU6": 1.0, "AU12": 1.0, "AU25": 0.7, "AU16": 0.2, "AU11": 0.3, "AU27": 0.3}),
        (0.20, {"AU12": 0.9, "AU25": 0.6, "AU16": 0.2}),
    ),
    "angry": (
        (0.50, {"AU4": 1.0, "AU5": 0.5, "AU7": 0.8, "AU24": 1.0, "AU17": 0.4}),
        (0.20, {"AU4": 1.0, "AU7": 1.0, "AU24": 0.8}),
        (0.30, {"AU4": 1.1, "AU5": 0.5, "AU7": 0.9, "AU9": 0.6, "AU10": 0.35, "AU11": 0.25, "AU16": 0.4, "AU20": 0.4,
                "AU22": 0.1, "AU25": 0.4}),
    ),
    "sad": (
        (0.45, {"AU1": 1.0, "AU4": 0.5, "AU15": 1.0, "AU17": 0.8}),
        (0.30, {"AU1": 1.0, "AU4": 0.5, "AU15": 1.0}),
        (0.25, {"AU1": 0.9, "AU4": 0.6, "AU6": 0.6, "AU7": 0.3, "AU11": 0.3, "AU15": 1.0, "AU17": 0.5}),
    ),
    "surprise": (
        (0.45, {"AU1": 1.0, "AU2": 1.0, "AU5": 0.9, "AU25": 0.4, "AU27": 0.4}),
        (0.35, {"AU1": 1.0, "AU2": 1.0, "AU5": 1.0, "AU27": 0.85}),
        (0.20, {"AU1": 1.0, "AU2": 1.0, "AU5": 0.8}),
    ),
    "fear": (
        (0.45, {"AU1": 1.0, "AU2": 0.5, "AU4": 0.5, "AU5": 1.0, "AU20": 1.0, "AU25": 0.7, "AU16": 0.3}),
        (0.30, {"AU1": 1.0, "AU2": 0.6, "AU4": 0.5, "AU5": 1.0, "AU20": 0.9, "AU25": 0.5, "AU27": 0.35}),
        (0.25, {"AU1": 1.0, "AU4": 0.7, "AU5": 1.0, "AU7": 0.4, "AU20": 1.0}),
    ),
    "disgust": (
        (0.40, {"AU9": 1.0, "AU4": 0.5, "AU7": 0.5, "AU10": 0.3, "AU11": 0.4, "AU17": 0.6}),
        (0.30, {"AU10": 1.0, "AU11": 0.7, "AU7": 0.3, "AU17": 0.7, "AU15": 0.4}),
        (0.30, {"AU9": 1.0, "AU10": 0.6, "AU11": 0.4, "AU4": 0.6, "AU6": 0.5, "AU7": 0.4, "AU15": 0.3, "AU16": 0.4,
                "AU25": 0.5}),
    ),
}  # fmt: skip
"""By expression, its prototypes: how often people show it, and its units at its strongest.

Units are those of the prototypes in Ekman and Friesen's Facial Action Coding System (1978, table 11-1): smiles with
lips closed and apart, anger with pressed and with bared teeth, sadness with and without the chin raised, surprise with
the jaw dropped little, far or not, fear with lips apart, jaw dropped or lips closed, disgust by nose, by upper lip and
with the mouth open. That people differ so has been counted: of 230 people who posed these expressions, units beyond the
core of each were shown by a part (Du, Tao and Martinez, 2014, doi:10.1073/pnas.1322355111); how often, and weights, are
chosen. Faces differ in what they have of jaw and lips: AU26 is a little of AU27, AU23 is AU24, and a unit that a face
lacks is left out.
"""

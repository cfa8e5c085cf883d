"""The ICT Face Model Light as a source: real face geometry, six expressions acted by its FACS shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.data.sources.acting import ActedSource, Casting, LinearActor
from facegen.data.sources.ict_face import NOSE_TIP, ICTFace

SIDED = {
    "AU1": "browInnerUp",
    "AU2": "browOuterUp",
    "AU4": "browDown",
    "AU5": "eyeWide",
    "AU6": "cheekSquint",
    "AU7": "eyeSquint",
    "AU9": "noseSneer",
    "AU11": "mouthUpperUp",
    "AU12": "mouthSmile",
    "AU15": "mouthFrown",
    "AU16": "mouthLowerDown",
    "AU20": "mouthStretch",
    "AU24": "mouthPress",
}
"""Shapes that the model has for each side, by action unit, as its README relates them."""
CENTRAL = {"AU10": "mouthShrugUpper", "AU17": "mouthShrugLower", "AU22": "mouthFunnel", "AU27": "jawOpen"}
"""Shapes of both sides at once, by action unit. Of all that the model has, these are what the six expressions need."""


class ICTFaceKitSource(ActedSource):
    """Subjects drawn from the identity modes, acting by the expression shapes (Li et al., "Learning Formation of
    Physically-Based Face Attributes", CVPR 2020; MIT licence).

    The model's expression shapes are linear and the same for everybody, so every subject scales them by the size of
    their own face and acts in a style of their own; numbers measured on it are not those of recorded people.

    Args:
        casting: how many act, how long.
        root: an unchanged clone of the ICT-FaceKit repository.
        region: narrow, face or head.
        vertices: wished count, reached by splitting the longest edges; None keeps the model's own.

    Raises:
        DataError: `root` is no such clone, or a setting is out of range.

    Statistics:
        narrow 6,706, face 9,409, head 11,248 vertices; 100 identity modes in a full clone, at least one needed.
    """

    def __init__(self, casting: Casting, root: str | Path, region: str = "face", vertices: int | None = None) -> None:
        super().__init__(casting)
        self.face = ICTFace(root, region, vertices)
        self.template, self.reference = self.face.template, NOSE_TIP
        names = [f"{shape}_{side}" for shape in SIDED.values() for side in "LR"] + list(CENTRAL.values())
        units = [f"{unit}_{side}" for unit in SIDED for side in "LR"] + list(CENTRAL)
        self.units = dict(zip(units, self.face.shapes(names), strict=True))

    def person(self, generator: np.random.Generator) -> LinearActor:
        face, neutral = self.face, self.face.draw(generator)
        size = face.size(neutral)
        return LinearActor(face.lift(neutral), {unit: face.lift(shape * size) for unit, shape in self.units.items()})

    def options(self) -> dict[str, object]:
        face = self.face
        more = {"region": face.region, "vertices": len(face.template.vertices), "identity_modes": len(face.identities)}
        return super().options() | more

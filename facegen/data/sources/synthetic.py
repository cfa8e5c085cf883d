"""The built-in faces as a source."""

from __future__ import annotations

import numpy as np

from facegen.data.sources.acting import ActedSource, Casting
from facegen.data.sources.built_in.face import face_template
from facegen.data.sources.built_in.landmarks import landmarks
from facegen.data.sources.built_in.people import draw_person, variety
from facegen.data.sources.built_in.skin import Head
from facegen.data.sources.built_in.temperament import Temperament, draw_blinks


class SyntheticSource(ActedSource):
    """Heads made by formulas, whose muscles act: for a first look, for tests, and as expressions without data.

    Args:
        casting: how many act, how long.
        vertices: V, any count from 400.
        blinks: whether people blink, which no label tells of.

    Statistics:
        any number of subjects; six expressions of 45 to 75 frames at 25 frames a second, unless asked otherwise.
    """

    def __init__(self, casting: Casting, vertices: int = 2000, blinks: bool = False) -> None:
        super().__init__(casting)
        self.template = face_template(vertices)
        self.kinds = variety(vertices)  # goes with the source to other processes, which would have to make it anew
        self.blinks = blinks
        self.reference = landmarks(vertices)["prn"]

    def person(self, generator: np.random.Generator) -> Head:
        return draw_person(self.kinds, generator)

    def style(self, generator: np.random.Generator) -> Temperament:
        return Temperament.draw(generator)

    def beside(
        self, weights: dict[str, np.ndarray], frames: int, generator: np.random.Generator
    ) -> dict[str, np.ndarray]:
        if not self.blinks:
            return weights
        closed = draw_blinks(frames, self.casting.fps, generator)
        return weights | {"AU45_L": closed, "AU45_R": closed}

    def options(self) -> dict[str, object]:
        return super().options() | {"vertices": len(self.template.vertices), "blinks": self.blinks}

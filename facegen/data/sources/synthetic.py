"""The built-in faces as a source."""

from __future__ import annotations

import numpy as np

from facegen.data.sources.acting import ActedSource, Casting
from facegen.data.sources.built_in_face import action_units, draw_neutral, face_template
from facegen.data.sources.built_in_layout import layout


class SyntheticSource(ActedSource):
    """Faces made by formulas: for a first look and for tests, needs no data.

    Args:
        casting: how many act, how long.
        vertices: V, any count from 400.
    """

    def __init__(self, casting: Casting, vertices: int = 2000) -> None:
        super().__init__(casting)
        self.template = face_template(vertices)
        self.plan = layout(vertices)  # goes with the source to other processes, which would have to lay out anew
        # The tip of the nose stands out furthest.
        self.reference = int(self.template.vertices[:, 2].argmax())

    def person(self, generator: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        neutral = draw_neutral(self.template, generator)
        return neutral, action_units(self.template, neutral, self.plan)

    def options(self) -> dict[str, object]:
        return super().options() | {"vertices": len(self.template.vertices)}

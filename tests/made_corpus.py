"""A corpus in memory, whose sequences a test writes down."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from facegen.data.corpus import Corpus
from facegen.data.manifest import Entry
from facegen.motion.intensity import APEX_FLOOR, deformation
from facegen.motion.label import Phases


class MadeCorpus(Corpus):
    """What the evaluation asks a corpus for, without files.

    Args:
        takes: by (subject, expression), phases and displacement (T, V, 3) mm.
        test: the test subjects.
        expressions: in their order.
        intensity: s_i of all.
    """

    def __init__(
        self,
        takes: Mapping[tuple[str, str], tuple[Phases, np.ndarray]],
        test: tuple[str, ...],
        expressions: tuple[str, ...] = ("happy", "sad"),
        intensity: float = 1.0,
    ) -> None:
        self.path, self.digest, self.fps, self.floor = Path("made"), "0" * 64, 25.0, APEX_FLOOR
        self.expressions, self.test_subjects, self.val_subjects = expressions, test, ()
        self.takes = [displacement for _, displacement in takes.values()]
        self.entries = tuple(
            Entry(
                *key,
                recording=key[1],
                first=0,
                frames=len(moved),
                phases=(phases.onset, phases.apex_start, phases.apex_end, phases.offset),
                confidence=None,
                envelope=None,
                deformation=deformation(moved),
                intensity=intensity,
                array="",
                scale=1.0,
                sha256="",
            )
            for key, (phases, moved) in takes.items()
        )
        vertices = self.takes[0].shape[1]
        self.hierarchy = SimpleNamespace(template=SimpleNamespace(vertices=np.zeros((vertices, 3))))

    def displacement(self, index: int) -> np.ndarray:
        return self.takes[index]

    def neutral(self, index: int) -> np.ndarray:
        return np.zeros(self.takes[index].shape[1:], np.float32)

"""What every source of data gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from facegen.mesh.tri_mesh import TriMesh
from facegen.motion import Phases


@dataclass(frozen=True, eq=False)
class Recording:
    """One sequence as the dataset has it, converted to mm.

    Args:
        subject: who.
        expression: one of the source's expressions.
        vertices: (T, V, 3) mm.
        neutral: (V, 3) mm, the subject at rest; None where the dataset has none.
        phases: from annotations; None where they have to be found.
        fps: frames a second.
    """

    subject: str
    expression: str
    vertices: np.ndarray
    neutral: np.ndarray | None
    phases: Phases | None
    fps: float


class Source(ABC):
    """A dataset: its topology, its people and its recordings, one at a time.

    Attributes:
        template: the mesh that fixes the topology, mm; nothing of a test subject is in it.
        reference: the vertex that spirals start towards, the tip of the nose; None where it is not known.
        expressions: E names, in the order of the label's columns.
        test_subjects: subjects kept for testing; the others are for training.
        keys: (subject, expression) of every recording, in order.
    """

    template: TriMesh
    reference: int | None = None
    expressions: tuple[str, ...]
    test_subjects: tuple[str, ...]
    keys: tuple[tuple[str, str], ...]

    @abstractmethod
    def read(self, key: tuple[str, str]) -> Recording:
        """The recording of one key.

        Raises:
            DataError: it is missing or damaged; the message says where.
        """

    @property
    def subjects(self) -> tuple[str, ...]:
        """All subjects, in order of appearance."""
        return tuple(dict.fromkeys(subject for subject, _ in self.keys))

    def options(self) -> dict[str, object]:
        """What the source was made with, for the corpus's provenance; no paths of this machine."""
        return {}

"""What every source of data gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from facegen.mesh.tri_mesh import TriMesh
from facegen.motion.label import Phases


class Key(NamedTuple):
    """Which recording.

    Args:
        subject: who.
        expression: one of the source's expressions.
        name: what the dataset calls the recording; several of a subject may show one expression.
    """

    subject: str
    expression: str
    name: str

    def __str__(self) -> str:
        return f"{self.subject}/{self.name}"


@dataclass(frozen=True, eq=False)
class Recording:
    """One recording as the dataset has it, converted to mm.

    Args:
        vertices: (T, V, 3) mm.
        neutral: (V, 3) mm, the subject at rest; None where the dataset has none.
        phases: from annotations; None where they have to be found.
        fps: frames a second.
        curves: (T,) in [0, 1] by expression: how far each is shown in each frame; None where the source does not know.
    """

    vertices: np.ndarray
    neutral: np.ndarray | None
    phases: Phases | None
    fps: float
    curves: Mapping[str, np.ndarray] | None = None


@dataclass(frozen=True)
class Habits:
    """How recordings of a source are prepared unless something else is asked for; see `facegen.data.prepare.Recipe`."""

    fps: float | None = None
    neutral: str = "first"
    align: str = "none"
    label: str = "phases"


class Source(ABC):
    """A dataset: its topology, its people and its recordings, one at a time.

    Attributes:
        template: the mesh that fixes the topology, mm; nothing of a test or validation subject is in it.
        reference: the vertex that spirals start towards, the tip of the nose; None where it is not known.
        expressions: E names, in the order of the label's columns.
        test_subjects: subjects kept for testing.
        val_subjects: subjects kept for validation; those in neither are for training.
        keys: of every recording, in order.
        habits: how they are prepared by default.
        refused: recordings that are known to be unusable without reading them, with the reason.
        left_out: recordings that their user leaves out, with the reason.
    """

    template: TriMesh
    reference: int | None = None
    expressions: tuple[str, ...]
    test_subjects: tuple[str, ...]
    val_subjects: tuple[str, ...] = ()
    keys: tuple[Key, ...]
    habits: Habits = Habits()
    refused: tuple[tuple[Key, str], ...] = ()
    left_out: tuple[tuple[Key, str], ...] = ()

    @abstractmethod
    def read(self, key: Key) -> Recording:
        """The recording of one key.

        Raises:
            FacegenError: it is missing or damaged; the message says where.
        """

    def glance(self, key: Key) -> Recording | None:
        """What `read` gives of a recording, with its first frame alone; None where that would cost as much.

        Raises:
            FacegenError: `read` would refuse the recording too.
        """
        return None

    def rest(self, subject: str) -> np.ndarray | None:
        """The subject at rest, (V, 3) mm, by all their recordings together; None where the source cannot tell."""
        return None

    @property
    def subjects(self) -> tuple[str, ...]:
        """All subjects, in order of appearance."""
        return tuple(dict.fromkeys(key.subject for key in self.keys))

    @property
    def train_subjects(self) -> tuple[str, ...]:
        """Those on whom alone anything is fitted, in order of appearance."""
        held_out = {*self.test_subjects, *self.val_subjects}
        return tuple(subject for subject in self.subjects if subject not in held_out)

    def options(self) -> dict[str, object]:
        """What the source was made with, for the corpus's provenance; no paths of this machine."""
        return {}

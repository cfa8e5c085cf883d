"""Somebody whom recorded ARKit weights move: the ICT Face Model's shapes on a face of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from facegen.data.sources.ict_face import NOSE_TIP, ICTFace
from facegen.errors import DataError
from facegen.mesh.alignment import rigid_transform
from facegen.mesh.formats.io import read_mesh
from facegen.mesh.units import millimetres
from facegen.motion.live_link import SHAPES
from facegen.motion.repair import Stretch
from facegen.rigging.basis import ShapeFiles

SIZE_RATIO = 3.0
"""Largest ratio of a neutral's size to the generic face's. Chosen: people differ by far less, units by ten at least."""
LARGEST_MISFIT = 0.25
"""Share of the face's size by which a neutral may miss the generic face, once both lie on each other. Chosen: people
differ by less, and meshes of the same vertices in another order by more."""
NECK = np.array([0.0, -35.0, -120.0])
"""mm from the tip of the nose to where the head turns, between skull and neck. Chosen after an adult's."""
CHIN_LINE, CHIN_SLOPE, NECK_LENGTH = -115.0, 0.3, 90.0
"""mm: how far below the tip of the nose the part begins that does not turn with the head as a whole, 20 mm behind it;
how much higher it begins for each mm farther back; and over how much it comes to rest. Chosen after the ICT head."""


@dataclass(frozen=True, eq=False)
class Performer:
    """A face and its shapes.

    Args:
        neutral: (V, 3) mm.
        shapes: (K, V, 3) mm.
        size: of the face over the generic one's.
    """

    neutral: np.ndarray
    shapes: np.ndarray
    size: float


class RecordedFace:
    """The ICT Face Model as what recorded weights move.

    Shapes go by ARKit's names. One that the model has in two halves and ARKit in one (`browInnerUp`, `cheekPuff`) is
    their sum; the tongue, which the model lacks, stays where it is. Everybody's shapes are the generic face's, turned
    and scaled as it comes to lie on their own, which is how `ArkitBasis` finds weights back in a face.

    Args:
        face: the model's geometry.
        keep_head: turn the head as it was recorded.

    Attributes:
        shown: (K,) which of `SHAPES` the model has.
    """

    def __init__(self, face: ICTFace, keep_head: bool = False) -> None:
        self.face, self.keep_head = face, keep_head
        files = ShapeFiles.find(face.folder).shapes
        self.shown = np.array([k for k, name in enumerate(SHAPES) if name in files])
        halves = ([path.stem for path in files[SHAPES[k]]] for k in self.shown)
        self._shapes = np.array([face.shapes(names).sum(axis=0) for names in halves])
        below = CHIN_LINE - CHIN_SLOPE * (face.template.vertices[:, 2] - face.coarse[NOSE_TIP, 2] + 20)
        depth = (below - (face.template.vertices[:, 1] - face.coarse[NOSE_TIP, 1])) / NECK_LENGTH
        level = 1 - depth.clip(0, 1)
        self._turning = (level * level * (3 - 2 * level))[:, None]

    def drawn(self, generator: np.random.Generator) -> Performer:
        """Somebody drawn from the identity modes."""
        return self._performer(self.face.draw(generator))

    def given(self, path: Path, units: str) -> Performer:
        """Somebody whose neutral is a mesh: of the region's vertices, or of the whole model, whose first ones they are.

        Raises:
            FacegenError: it cannot be read, or is no such mesh; the message says what was expected.
        """
        face, scale = self.face, millimetres(units)
        vertices = read_mesh(path).vertices * scale
        known = {len(face.template.vertices), face.count, face.whole_count}
        if len(vertices) not in known:
            counts = " or ".join(f"{count:,}" for count in sorted(known))
            raise DataError(
                f"{path}: expected a face of the ICT Face Model's topology, {counts} vertices for the region "
                f"{face.region}, found {len(vertices):,}"
            )
        ratio = _spread(vertices[: face.count]) / _spread(face.coarse)
        if not 1 / SIZE_RATIO < ratio < SIZE_RATIO:
            raise DataError(
                f"{path}: {ratio:.3g} times the size of a face if its units are {units}; say with --units or in "
                "dataset.yaml which they are (mm, cm, m)"
            )
        rotation, shift = rigid_transform(vertices[: face.count], face.coarse)
        placed = vertices @ rotation.T + shift
        middle = face.coarse.mean(axis=0)
        missed = float(np.linalg.norm((placed[: face.count] - middle) / ratio - (face.coarse - middle)))
        missed /= _spread(face.coarse)
        if missed > LARGEST_MISFIT:
            raise DataError(
                f"{path}: {100 * missed:.0f} % of a face's size off the ICT Face Model; it must have its vertices in "
                "its order"
            )
        if len(placed) == len(face.template.vertices) != face.count:  # subdivided as the template is
            performer = self._performer(placed[: face.count])
            return Performer(placed, performer.shapes, performer.size)
        return self._performer(placed[: face.count])

    def _performer(self, neutral: np.ndarray) -> Performer:
        coarse, lift = self.face.coarse, self.face.lift
        size = _spread(neutral) / _spread(coarse)
        rotation, _ = rigid_transform(coarse * size, neutral)
        # Not a product by BLAS, whose last bits depend on the number of threads.
        shapes = np.einsum("kvc,dc->kvd", self._shapes * size, rotation)
        return Performer(lift(neutral), np.array([lift(shape) for shape in shapes], dtype=np.float32), size)

    def perform(self, performer: Performer, stretch: Stretch) -> np.ndarray:
        """(T, V, 3) float32 mm: the face with the weights of a stretch, and its head turned if that is kept."""
        frames = np.empty((len(stretch), *performer.neutral.shape), dtype=np.float32)
        turns = self._turns(stretch) if self.keep_head else None
        neck = performer.neutral[NOSE_TIP] + NECK * performer.size
        # A frame at a time: it stays in the processor's cache. No product by BLAS, whose last bits depend on threads.
        for t, weights in enumerate(stretch.weights[:, self.shown]):
            pose = performer.neutral.copy()
            for weight, shape in zip(weights, performer.shapes, strict=True):
                if weight:
                    pose += weight * shape
            if turns is not None:
                local = pose - neck
                pose += self._turning * (np.einsum("ij,vj->vi", turns[t], local) - local)
            frames[t] = pose
        return frames

    def _turns(self, stretch: Stretch) -> np.ndarray:
        """(T, 3, 3) rotations of the head: yaw turns it to its own right, pitch down, roll tilts it to its right."""
        yaw, pitch, roll = stretch.rotations[:, :3].astype(np.float64).T
        return Rotation.from_euler("YXZ", np.column_stack([-yaw, pitch, roll])).as_matrix()


def _spread(points: np.ndarray) -> float:
    """How far points (V, 3) lie from their middle, all together."""
    return float(np.linalg.norm(points - points.mean(axis=0)))

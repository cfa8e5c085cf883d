"""Coordinates that belong to a face, and its jaw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from facegen.landmarks.points import LEFT_EYE, RIGHT_EYE

HINGE = np.array([0.0, -0.13, -0.30])
"""From between the eyes to the axis of the jaw, in units of the face's size: left, up, out of the face. Chosen after an
adult's: 30 mm down and 69 mm back, which is just before the ears."""

EDGE_FOLLOWS = (0.4, 0.6)
"""How far the edge of the jaw turns as a share of what the chin does: below the first, the jaw stays, from the second
on, it turns as the chin says. Chosen after ICT-FaceKit's shapes, where a lip drawn down has less and an open jaw more.
Not sharp."""
LIP_ASIDE = (2.0, 1.3)
"""How far the lower lip moves to a side as a share of the chin: from the first on, the jaw stays, up to the second, it
moves. Chosen as `EDGE_FOLLOWS`: 4.2 where a mouth is drawn aside, 1.0 where a jaw is."""
CHIN_RAISED, LIP_FORWARD = (0.8, 0.35), (0.5, 0.9)
"""The chin's way up or down as a share of its way forwards, and the lower lip's way forwards as a share of that: the
jaw stays at the first of each and moves at the second. Chosen as `EDGE_FOLLOWS`: 0.15 and 1.0 where a jaw is pushed
forwards; muscles of the chin raise it more than that."""
ASIDE_TURN = 1.2
"""Radians by which a jaw turns about the vertical while it slides to a side by the face's size: it swings from the
joint of the other side. Chosen after ICT-FaceKit's shapes, whose teeth move by 3 % less for each 6 mm farther back."""
JAW_AHEAD = 1.15
"""How far a jaw turns for each radian by which the skin of its chin does, which slides over it. Chosen after
ICT-FaceKit's shapes, whose teeth turn by 1.2 times as much."""
DIVISOR_FLOOR = 1e-9
"""Smallest angle, and smallest way as a share of a jaw's size, that is divided by."""


@dataclass(frozen=True, eq=False)
class FaceFrame:
    """A face's own frame, in which its features lie: +x to its left, +y up, +z out, in units of its size.

    Args:
        rotation: (3, 3) from the mesh's axes to the face's.
        origin: (3,) between the eyes, in the mesh's units.
        size: of the face, in the mesh's units.
        landmarks: (468, 3) in the mesh's units.
    """

    rotation: np.ndarray
    origin: np.ndarray
    size: float
    landmarks: np.ndarray

    @classmethod
    def of(cls, landmarks: np.ndarray, rotation: np.ndarray, size: float) -> FaceFrame:
        """The frame of a face with landmarks (468, 3), NaN where unknown."""
        eyes = np.nanmean(landmarks[list(LEFT_EYE)], axis=0) + np.nanmean(landmarks[list(RIGHT_EYE)], axis=0)
        return cls(rotation, eyes / 2, size, landmarks)

    def local(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) from the mesh's frame into the face's."""
        return (points - self.origin) @ self.rotation.T / self.size

    def world(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) from the face's frame into the mesh's."""
        return self.size * points @ self.rotation + self.origin

    def middle(self, names: tuple[int, ...]) -> np.ndarray:
        """(3,) mean of landmarks, in the face's frame."""
        return self.local(np.nanmean(self.landmarks[list(names)], axis=0))


@dataclass(frozen=True, eq=False)
class Jaw:
    """The lower jaw: the axis about which it turns, and the landmarks that say by how much, and how far it slides.

    Skin of chin and lower lip moves by muscles alone too, while the jaw stays: then the edge of the jaw hardly follows
    the chin, or the lip moves farther than the chin.

    Args:
        hinge: (3,) on the axis.
        axes: (3, 3) unit rows, to the face's left, which is the axis, up, and out of it.
        chin: sparse (J, V), from the template to the landmarks on its chin.
        at: (J, 3) where those are on the mesh.
        edge: sparse (E, V) to landmarks on the jaw's edge beside the chin; None where they are unknown.
        beside: (E, 3) where those are on the mesh.
        lip: sparse (L, V) to landmarks below the lower lip; None where they are unknown.
        size: of the face, in the mesh's units.
    """

    hinge: np.ndarray
    axes: np.ndarray
    chin: csr_matrix
    at: np.ndarray
    edge: csr_matrix | None = None
    beside: np.ndarray | None = None
    lip: csr_matrix | None = None
    size: float = 1.0

    @classmethod
    def of(
        cls,
        head: FaceFrame,
        chin: csr_matrix,
        at: np.ndarray,
        edge: csr_matrix | None = None,
        beside: np.ndarray | None = None,
        lip: csr_matrix | None = None,
    ) -> Jaw:
        """The jaw of a face whose size is known; for the other arguments see the class."""
        hinge = head.origin + head.size * HINGE @ head.rotation
        return cls(hinge, head.rotation, chin, at, edge, beside, lip, head.size)

    @property
    def axis(self) -> np.ndarray:
        """(3,) unit, to the face's left."""
        return self.axes[0]

    def motion(self, displacement: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(T,) radians by which the jaw is open, and (T, 3) by which it slides forwards and to the sides.

        Args:
            displacement: (T, V, 3) of the template, in the mesh's frame and units.
        """
        angle = JAW_AHEAD * self.angle(displacement)
        if not len(self.at) or self.lip is None:
            return angle, np.zeros((len(displacement), 3))
        chin, edge, lip = (
            np.stack([(marks @ frame).mean(axis=0) for frame in displacement]) @ self.axes.T
            for marks in (self.chin, self.chin if self.edge is None else self.edge, self.lip)
        )
        floor = DIVISOR_FLOOR * float(np.abs(self.at - self.hinge).max())
        slide = np.zeros_like(chin)
        aside = np.abs(chin[:, 0]).clip(floor)
        slide[:, 0] = _share(lip[:, 0] * np.sign(chin[:, 0]) / aside, LIP_ASIDE) * edge[:, 0]
        forward = chin[:, 2].clip(floor)
        level = _share(np.abs(chin[:, 1]) / forward, CHIN_RAISED) * _share(lip[:, 2] / forward, LIP_FORWARD)
        slide[:, 1:] += level[:, None] * (chin + edge)[:, 1:] / 2
        return angle, slide @ self.axes

    def angle(self, displacement: np.ndarray) -> np.ndarray:
        """(T,) radians by which the jaw is open; see `motion`."""
        if not len(self.at):
            return np.zeros(len(displacement))
        chin = self._turns(displacement, self.chin, self.at)
        # A chin that is raised is muscle alone: the teeth are closed already.
        opened = np.maximum(chin, 0)
        if self.edge is None or self.beside is None:
            return opened
        edge = self._turns(displacement, self.edge, self.beside)
        return opened * _share(edge / np.maximum(opened, DIVISOR_FLOOR), EDGE_FOLLOWS)

    def _turns(self, displacement: np.ndarray, marks: csr_matrix, at: np.ndarray) -> np.ndarray:
        way = np.cross(self.axis, at - self.hinge)
        moved = np.stack([marks @ frame for frame in displacement])
        return np.median(np.einsum("tjc,jc->tj", moved, way) / np.square(way).sum(axis=1), axis=1)

    def rotate(self, vectors: np.ndarray, angle: float) -> np.ndarray:
        """(N, 3) vectors turned about the axis."""
        along = (vectors @ self.axis)[:, None] * self.axis
        return along + np.cos(angle) * (vectors - along) + np.sin(angle) * np.cross(self.axis, vectors)

    def turn(self, points: np.ndarray, angle: float) -> np.ndarray:
        """(N, 3) points turned about the axis."""
        return self.hinge + self.rotate(points - self.hinge, angle)

    def slides(self, points: np.ndarray, slide: np.ndarray, back: bool = False) -> np.ndarray:
        """(N, 3) where points come to as the jaw, at the depth of the eyes, slides by (3,), or come from."""
        eyes = self.hinge - self.size * HINGE @ self.axes
        turn = ASIDE_TURN * float(slide @ self.axis) / self.size
        up = self.axes[1]
        off = points - eyes - slide if back else points - eyes
        turn = -turn if back else turn
        along = (off @ up)[:, None] * up
        off = along + np.cos(turn) * (off - along) + np.sin(turn) * np.cross(up, off)
        return eyes + off if back else eyes + off + slide

    def swing(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) by which points move for each radian, as the jaw begins to open."""
        return np.cross(self.axis, points - self.hinge)


def _share(ratio: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    """From 0 at the first bound to 1 at the second."""
    return np.clip((ratio - bounds[0]) / (bounds[1] - bounds[0]), 0, 1)

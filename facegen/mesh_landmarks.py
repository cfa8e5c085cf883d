"""Landmarks on the surface of any face mesh: seen in pictures of it, and cast back along the rays of the camera."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.similarity import robust_similarity
from facegen.mesh.tri_mesh import TriMesh
from facegen.render import render
from facegen.views import Shape, camera_at, contact_sheet

SEARCH, CLOSE = 320, 448
"""Pixels of the pictures in which a face is looked for, and of those in which it is measured."""
ACROSS = ((33, 263), (133, 362), (61, 291), (50, 280), (70, 300), (205, 425), (48, 278))
"""Landmarks of the face's right and left: eyes, mouth, cheeks, brows, nose."""
UPWARD = ((152, 10), (17, 8), (164, 168), (149, 67), (378, 297))
"""Landmarks below and above, likewise."""
TURNS = ((0.0, 0.0), (12.0, 0.0), (-12.0, 0.0), (0.0, 10.0), (0.0, -8.0))
"""Degrees to the side and up of the views that are averaged; each alone is off by about 1 % of a face."""
SPINS = np.array([np.diag([-1.0, -1, 1]), [[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]], [[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]])
"""A face that was found may be one on its head or side."""
UNLIKE = 0.035
"""In units of the face's size: landmarks of two faces lie no farther apart, by the median; people differ by 0.01."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Points of a face on its surface.

    Args:
        points: (468, 3) in the mesh's units, numbered as FaceMesh does; NaN where a landmark is not on the surface.
        rotation: (3, 3); `points @ rotation.T` has +y up and +z out of the face.
        picture: (H, W, 3) uint8, what they were seen in; None where a file gave them.
        flipped: the mesh's triangles run clockwise seen from outside.
    """

    points: np.ndarray
    rotation: np.ndarray
    picture: np.ndarray | None = None
    flipped: bool = False

    @property
    def known(self) -> np.ndarray:
        """(468,) bool: those on the surface."""
        return np.isfinite(self.points).all(axis=1)


class SeenError(MeshError):
    """A mesh in which no face is found, or onto which no face fits; with what was seen of it.

    Args:
        message: one line.
        picture: (H, W, 3) uint8, what was looked at.
    """

    def __init__(self, message: str, picture: np.ndarray) -> None:
        super().__init__(message)
        self.picture = picture


def find_landmarks(mesh: TriMesh, name: str, like: np.ndarray | None = None) -> Landmarks:
    """Look at a mesh from all sides, upright and from the front first, until a face is seen; then look closely.

    Args:
        mesh: (V, 3) in any units, anyhow turned; triangles may all run the wrong way round.
        name: what messages call it.
        like: (468, 3) landmarks of another face in any units. The detector also sees a face in one that stands on
            its head, but a less likely one; without `like`, +y has to be up.

    Raises:
        SeenError: no view shows a face.
        FacegenError: the packages of the extra `photo` are missing.
    """
    shape = Shape(mesh)
    seen, every = [], orientations()
    for number, rotation in enumerate(np.concatenate([every, every[:24]])):
        if number == len(every):
            shape.flip()  # perhaps the outside is the inside
        picture, points = shape.look(camera_at(shape.shown, rotation), SEARCH)
        seen.append(picture)
        found = None if points is None else _closely(shape, points)
        if found is None:
            continue
        if like is None:
            return found
        turns = [turn @ found.rotation for turn in SPINS]
        looks = [shape.look(camera_at(found.points, turn), SEARCH)[1] for turn in turns]
        rivals = [found] + [_closely(shape, points) for points in looks if points is not None]
        best = min((one for one in rivals if one is not None), key=lambda one: unlikeness(one.points, like))
        if unlikeness(best.points, like) < UNLIKE:
            return best
    raise SeenError(
        f"{name}: no face is seen in it from any of {len(every)} sides; expected a mesh of one face or head with open "
        "eyes and its features modelled; give --landmarks FILE if it is one",
        contact_sheet(seen[:24]),
    )


def unlikeness(points: np.ndarray, like: np.ndarray) -> float:
    """How far landmarks (468, 3) are from those of another face, by the median, in units of the face's size."""
    both = np.isfinite(points).all(axis=1) & np.isfinite(like).all(axis=1)
    return float(np.median(robust_similarity(like[both], points[both])[1]))


def orientations() -> np.ndarray:
    """(48, 3, 3) rotations: the 24 that take axes to axes, those first that leave +y up, then as many oblique ones."""
    turns = []
    for order, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        matrix = np.zeros((3, 3))
        matrix[np.arange(3), order] = signs
        if np.linalg.det(matrix) > 0:
            turns.append(matrix)
    turns.sort(key=lambda matrix: (-matrix[1, 1] - 0.1 * matrix[2, 2], -matrix[1, 2], matrix.tolist()))
    # Half-way between the 24, by 60 degrees about a diagonal, are those farthest from all of them.
    cross = np.cross(np.eye(3), np.ones(3) / np.sqrt(3))
    oblique = np.eye(3) + np.sin(np.pi / 3) * cross + (1 - np.cos(np.pi / 3)) * cross @ cross
    return np.array(turns + [matrix @ oblique for matrix in turns])


def facing(points: np.ndarray) -> np.ndarray:
    """(3, 3) rotation that turns landmarks (468, 3) so that +x is the face's left, +y up and +z out of it.

    Raises:
        MeshError: too few of the landmarks that say so are known.
    """
    right, up = (_mean_direction(points, pairs) for pairs in (ACROSS, UPWARD))
    right /= np.linalg.norm(right)
    up -= (up @ right) * right
    up /= np.linalg.norm(up)
    return np.stack([right, up, np.cross(right, up)])


def _mean_direction(points: np.ndarray, pairs: tuple[tuple[int, int], ...]) -> np.ndarray:
    start, stop = np.array(pairs).T
    steps = points[stop] - points[start]
    steps = steps[np.isfinite(steps).all(axis=1)]
    if not len(steps):
        raise MeshError("the landmarks do not say which way the face looks; give those of both eyes, nose and mouth")
    return steps.mean(axis=0)


def _closely(shape: Shape, points: np.ndarray) -> Landmarks | None:
    """Landmarks as the mean of several close views, after the face has been turned to the front; None if it is none."""
    for _ in range(2):
        try:
            points = shape.look(camera_at(points, facing(points)), CLOSE)[1]
        except MeshError:
            return None
        if points is None:
            return None
    rotation, rounds, middle = facing(points), [points], None
    for side, up in TURNS:
        picture, again = shape.look(camera_at(points, _turned(rotation, side, up)), CLOSE)
        if again is not None:
            rounds.append(again)
            middle = picture if middle is None else middle
    views = np.stack(rounds)
    known = np.isfinite(views).all(axis=2).sum(axis=0) > len(views) / 2
    with np.errstate(all="ignore"):
        merged = np.where(known[:, None], np.nanmedian(np.where(known[:, None], views, 0), axis=0), np.nan)
    return Landmarks(merged, facing(merged), picture if middle is None else middle, shape.flipped)


def _turned(rotation: np.ndarray, side: float, up: float) -> np.ndarray:
    turn, lift = np.radians([side, up])
    across = np.array([[np.cos(turn), 0, -np.sin(turn)], [0, 1, 0], [np.sin(turn), 0, np.cos(turn)]])
    upward = np.array([[1, 0, 0], [0, np.cos(lift), -np.sin(lift)], [0, np.sin(lift), np.cos(lift)]])
    return upward @ across @ rotation


def outwards(mesh: TriMesh, points: np.ndarray) -> Landmarks:
    """Landmarks that a user gave, (468, 3) in the mesh's units, NaN where unknown."""
    return Landmarks(points, facing(points), None, Shape(mesh).flipped)


def small_picture(mesh: TriMesh, seen: Landmarks) -> np.ndarray:
    """(H, W, 3) uint8: the face of a mesh."""
    return render(mesh.vertices, mesh.faces, camera_at(seen.points, seen.rotation), size=CLOSE)


def mark(mesh: TriMesh, seen: Landmarks, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(H, 2 H, 3) uint8: a mesh, and beside it a template (V, 3) that was laid onto it."""
    camera = camera_at(seen.points, seen.rotation)
    return np.concatenate([small_picture(mesh, seen), render(vertices, faces, camera, size=CLOSE)], axis=1)

"""Landmarks on any face mesh: seen in pictures of it, then cast back onto the surface along the camera's rays."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, permutations, product

import numpy as np

from facegen.detection.look import Shape, camera_at
from facegen.errors import MeshError
from facegen.landmarks.likeness import Likeness
from facegen.landmarks.points import Landmarks, facing, unlikeness
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.whereabouts import box
from facegen.progress import following

SEARCH_SIZE, CLOSE_SIZE = 320, 320
"""Pixels of the pictures in which a face is looked for, and of those in which it is measured. Chosen: larger ones take
longer."""
HEAD_SHARES = (0.16, 0.35)
"""What a head takes of a body's height, and of a bust's with its base, and a little more. Chosen: an adult is seven to
eight heads tall."""
VIEW_TURNS = ((0.0, 0.0), (12.0, 0.0), (-12.0, 0.0), (0.0, 10.0), (0.0, -8.0))
"""Degrees to the side and up of the views that are averaged; each alone is off by about 1 % of a face. Chosen small,
since the detector errs more where a face is turned."""
SPINS = np.array([np.diag([-1.0, -1, 1]), [[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]], [[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]])
"""(3, 3, 3) turns by 180 and 90 degrees: a face that was found may stand on its head or lie on its side."""
MIXED_WINDING = 0.05
"""Share of edges that two triangles run along in the same direction, above which a mesh is said to be wound both ways.
Chosen: a flipped triangle or two do no harm."""
TURNS_TO_FRONT = 2
"""Times that a face is turned to the front and looked at again. Chosen: seen aslant, the first only nearly finds it."""
CERTAIN_UNLIKENESS = 0.022
"""The same, below which a face is not looked at on its head. Chosen: of people seen upright few reach it."""
LARGEST_UNLIKENESS = 0.035
"""In units of the face's size: the landmarks of two faces lie no farther apart, by the median. Chosen: people differ by
0.01, and a face that is seen in one on its head by far more."""


MOST_REFUSED = 12
"""What the detector took for a face and is none, so many times, until a mesh is given up. Chosen: heads of the table of
`tests/detection/false_faces.py` take one, and each takes a second."""

MOST_ACROSS = 300
"""Boxes of triangles that a ray through a mesh meets on average, above which it is no surface, and looking at it takes
minutes. Chosen: heads have 3 to 6, one with hair of many strips some hundred, 1,000 triangles of random corners 250."""


class UnseenError(MeshError):
    """A mesh in which no face is found, with what was seen of it.

    Args:
        message: one line.
        views: pictures, (H, W, 3) uint8 each, in the order in which they were looked at.
    """

    def __init__(self, message: str, views: list[np.ndarray]) -> None:
        super().__init__(message)
        self.views = views


def find_landmarks(mesh: TriMesh, name: str, like: np.ndarray | None = None) -> Landmarks:
    """Look at a mesh from all sides, first upright and from the front, until a face is seen; then look closely.

    Args:
        mesh: (V, 3) in any units and any orientation; its triangles may all run the wrong way round.
        name: what messages call it.
        like: (468, 3) landmarks of another face in any units. The detector also sees a face in one that stands on
            its head, but a less likely one; without `like`, +y has to be up.

    Raises:
        UnseenError: no view shows a face.
        MeshError: its triangles lie across each other all over.
        FacegenError: the packages of the extra `photo` are missing.
    """
    _require_surface(mesh, name)
    shape, seen = Shape(mesh), []
    best: Likeness | None = None
    for found, judged in islice(candidates(shape, like, seen), MOST_REFUSED):
        # The detector lays a face into anything round; what it laid is judged where it came to lie.
        if judged is None or not judged.refusal:
            return found
        if best is None or judged.doubt < best.doubt:
            best = judged
    false = "" if best is None else f" (what is most like one is none: {best.refusal})"
    raise UnseenError(
        f"{name}: no face is seen in it from any side{false}; expected a mesh of one face or "
        f"head with open eyes and its features modelled{_mixed(mesh)}; give --landmarks FILE if it is one",
        seen,
    )


def _require_surface(mesh: TriMesh, name: str) -> None:
    """Refuse triangles that lie across each other all over, by what a ray through them has to be compared with.

    Of rays that meet a convex body, as many meet one inside it as its surface is smaller (Cauchy; MacDonald and Booth
    1990, by which trees of boxes are built).
    """
    corners = mesh.vertices[mesh.faces]
    low, high = box(corners.reshape(-1, 3))
    each, whole = _half_surface(corners.max(axis=1) - corners.min(axis=1)), _half_surface(high - low)
    if each.sum() > MOST_ACROSS * whole:
        raise MeshError(
            f"{name}: expected the surface of a face or head, found {len(mesh.faces)} triangles that lie across each "
            "other all over; export it again, or give --landmarks FILE if it is one"
        )


def _half_surface(sides: np.ndarray) -> np.ndarray:
    """(...) of boxes with these sides (..., 3)."""
    return (sides * np.roll(sides, 1, axis=-1)).sum(axis=-1)


def candidates(
    shape: Shape, like: np.ndarray | None, seen: list[np.ndarray]
) -> Iterator[tuple[Landmarks, Likeness | None]]:
    """What the detector takes for a face, from one side after the other, and how like a face it is.

    Args:
        shape: what is looked at.
        like: (468, 3) landmarks of another face; without it nothing is compared.
        seen: gets each picture that was looked at.
    """
    guess = shape.flipped
    for rotation, part, flipped in following(_tries(), "looking", "side"):
        if (shape.flipped != guess) != flipped:
            shape.flip()
        picture, points = _seen_from(shape, rotation, part)
        seen.append(picture)
        if points is not None and like is not None:
            points = _upright(shape, points, like)
        if points is not None:
            found, views = _averaged(shape, points)
            yield found, None if like is None else Likeness.of(found.points, like, views)


def _seen_from(shape: Shape, rotation: np.ndarray, part: float) -> tuple[np.ndarray, np.ndarray | None]:
    """A picture of the uppermost part of a mesh, and the landmarks of the face in it, seen again from nearby."""
    picture, points = shape.look(camera_at(shape.top(rotation, part), rotation), SEARCH_SIZE)
    return picture, _nearby(shape, points)


def seen_from_front(mesh: TriMesh) -> Landmarks | None:
    """The landmarks of a mesh with +y up and +z out of the face, seen from the front alone; None if no face is seen.

    Args:
        mesh: (V, 3) in any units.

    Raises:
        FacegenError: the packages of the extra `photo` are missing.
    """
    shape = Shape(mesh)
    _, points = _seen_from(shape, np.eye(3), 1.0)
    return None if points is None else _averaged(shape, points)[0]


def _mixed(mesh: TriMesh) -> str:
    """What a message says of triangles wound both ways, of which some are drawn dark; nothing where there are none."""
    start, stop = mesh.faces.ravel(), np.roll(mesh.faces, -1, axis=1).ravel()
    _, times = np.unique(start * len(mesh.vertices) + stop, return_counts=True)
    if (times > 1).mean() < MIXED_WINDING:
        return ""
    return " (its triangles are wound both ways: recalculate normals in a mesh editor first)"


def _tries() -> list[tuple[np.ndarray, float, bool]]:
    """Rotations, how much of the mesh's height is looked at, and whether its inside is taken for the outside."""
    every = orientations()
    whole = [(rotation, 1.0, False) for rotation in every]
    heads = [(rotation, part, False) for part in HEAD_SHARES for rotation in every[:24]]
    return whole + heads + [(rotation, 1.0, True) for rotation in every[:24]]


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


def _nearby(shape: Shape, points: np.ndarray | None) -> np.ndarray | None:
    """Landmarks (468, 3) seen again from nearby, with the face turned to the front; None if no face is seen there."""
    for _ in range(TURNS_TO_FRONT):
        if points is None:
            return None
        try:
            points = shape.look(camera_at(points, facing(points)), CLOSE_SIZE)[1]
        except MeshError:  # too few are known to say where the front is
            return None
    return points


def _upright(shape: Shape, points: np.ndarray, like: np.ndarray) -> np.ndarray | None:
    """The landmarks most like a face's, as it stands or turned by `SPINS`; None if they are unlike a face's."""
    if unlikeness(points, like) < CERTAIN_UNLIKENESS:
        return points
    seen = (shape.look(camera_at(points, turn @ facing(points)), SEARCH_SIZE)[1] for turn in SPINS)
    rivals = [points, *(_nearby(shape, each) for each in seen)]
    best = min((each for each in rivals if each is not None), key=lambda each: unlikeness(each, like))
    return best if unlikeness(best, like) < LARGEST_UNLIKENESS else None


def _averaged(shape: Shape, points: np.ndarray) -> tuple[Landmarks, np.ndarray]:
    """The median of landmarks (468, 3) over several close views, and these, (N, 468, 3)."""
    rounds = [points]
    for side, up in VIEW_TURNS:
        again = shape.look(camera_at(points, _turned(facing(points), side, up)), CLOSE_SIZE)[1]
        rounds += [] if again is None else [again]
    views = np.stack(rounds)
    known = (np.isfinite(views).all(axis=2).sum(axis=0) > len(views) / 2)[:, None]
    merged = np.where(known, np.nanmedian(np.where(known, views, 0), axis=0), np.nan)
    return Landmarks(merged, facing(merged), shape.flipped), views


def _turned(rotation: np.ndarray, side: float, up: float) -> np.ndarray:
    turn, lift = np.radians([side, up])
    across = np.array([[np.cos(turn), 0, -np.sin(turn)], [0, 1, 0], [np.sin(turn), 0, np.cos(turn)]])
    upward = np.array([[1, 0, 0], [0, np.cos(lift), -np.sin(lift)], [0, np.sin(lift), np.cos(lift)]])
    return upward @ across @ rotation


def outwards(mesh: TriMesh, points: np.ndarray) -> Landmarks:
    """What a user's landmarks, (468, 3) in the mesh's units and NaN where unknown, say of the way the face looks."""
    return Landmarks(points, facing(points), Shape(mesh).flipped)

"""Landmarks on the surface of any face mesh: seen in pictures of it, and cast back along the rays of the camera."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product
from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.face_landmarks import detect
from facegen.mesh.registration import robust_similarity
from facegen.mesh.tri_mesh import TriMesh
from facegen.optional import require
from facegen.render import Camera, render

SEARCH, CLOSE = 320, 448
"""Pixels of the pictures in which a face is looked for, and of those in which it is measured."""
NEARBY = np.array([(0, 0)] + [(r * x, r * y) for r in (2, 4) for x, y in ((0, -1), (0, 1), (-1, 0), (1, 0))])
"""Pixels beside a landmark where a ray is tried next if there is no surface behind it."""
LEAST = 150
"""Of 468 landmarks, as many must lie on the surface."""
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
FEATURES = (33, 133, 263, 362, 61, 291, 1, 4, 6, 9, 164, 0, 17)
"""Landmarks without which nothing can be aligned: corners of eyes and mouth, the nose, the lips."""


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
    shape = _Shape(mesh)
    seen = []
    for rotation in orientations():
        picture, points = shape.look(_camera(shape.vertices, rotation), SEARCH)
        seen.append(picture)
        found = None if points is None else _closely(shape, points)
        if found is None:
            continue
        if like is None:
            return found
        turns = [turn @ found.rotation for turn in SPINS]
        looks = [shape.look(_camera(found.points, turn), SEARCH)[1] for turn in turns]
        rivals = [found] + [_closely(shape, points) for points in looks if points is not None]
        best = min((one for one in rivals if one is not None), key=lambda one: unlikeness(one.points, like))
        if unlikeness(best.points, like) < UNLIKE:
            return best
    raise SeenError(
        f"{name}: no face is seen in it from any of {len(seen)} sides; expected a mesh of one face or head with open "
        "eyes and its features modelled; give --landmarks FILE if it is one",
        _sheet(seen[:24]),
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


def _closely(shape: _Shape, points: np.ndarray) -> Landmarks | None:
    """Landmarks as the mean of several close views, after the face has been turned to the front; None if it is none."""
    for _ in range(2):
        points = shape.look(_camera(points, facing(points)), CLOSE)[1]
        if points is None:
            return None
    rotation, rounds, middle = facing(points), [points], None
    for side, up in TURNS:
        picture, again = shape.look(_camera(points, _turned(rotation, side, up)), CLOSE)
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


def _camera(points: np.ndarray, rotation: np.ndarray) -> Camera:
    """Looks at all finite `points` (N, 3) along the z axis of a rotated frame."""
    points = points[np.isfinite(points).all(axis=1)]
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    size = np.ptp(points @ rotation.T, axis=0)
    # Looked at from so far that depth within the face hardly changes its shape.
    camera = Camera.framing(points @ rotation.T, "front", margin=0.18)
    distance = max(camera.position[2] - (middle @ rotation.T)[2], 3 * size.max())
    return Camera(middle + rotation.T @ [0, 0, distance], rotation, camera.field_of_view)


class _Shape:
    """A mesh to be looked at, its triangles turned outwards."""

    def __init__(self, mesh: TriMesh) -> None:
        self.vertices = mesh.vertices
        self.scale = float(np.ptp(mesh.vertices, axis=0).max()) or 1.0
        self.scene = require("embreex.rtcore_scene", "render").EmbreeScene()
        build = require("embreex.mesh_construction", "render").TriangleMesh
        self.middle = mesh.vertices.mean(axis=0)
        local = ((mesh.vertices - self.middle) / self.scale).astype(np.float32)
        build(self.scene, local, np.ascontiguousarray(mesh.faces, np.int32))
        self.faces = self.cast_faces = mesh.faces
        self.flipped = self._inside_out()
        if self.flipped:
            self.faces = np.ascontiguousarray(mesh.faces[:, ::-1])

    def _cast(self, origins: np.ndarray, directions: np.ndarray) -> dict[str, np.ndarray]:
        local = ((origins - self.middle) / self.scale).astype(np.float32)
        return self.scene.run(np.ascontiguousarray(local), np.ascontiguousarray(directions, np.float32), output=1)

    def _inside_out(self) -> bool:
        """Do rays from all around meet more back sides than front sides?"""
        rng = np.random.default_rng(0)
        outward = rng.normal(size=(4000, 3))
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        aims = self.vertices[rng.integers(0, len(self.vertices), len(outward))]
        found = self._cast(aims + 3 * self.scale * outward, -outward)
        hit = found["primID"] >= 0
        back = np.einsum("ij,ij->i", found["Ng"][hit], -outward[hit]) > 0
        # An open face shows its inside to half of all directions, so only a clear majority counts.
        return bool(hit.any() and back.mean() > 0.5)

    def look(self, camera: Camera, size: int) -> tuple[np.ndarray, np.ndarray | None]:
        """A picture, and landmarks (468, 3) on the surface, or None where no face is seen."""
        picture = render(self.vertices, self.faces, camera, size=size)
        found = detect(picture)
        if not found:
            return picture, None
        points = self._hit(camera, found[0], size)
        enough = np.isfinite(points[:, 0]).sum() >= LEAST and np.isfinite(points[list(FEATURES), 0]).sum() >= 8
        return picture, points if enough else None

    def _hit(self, camera: Camera, pixels: np.ndarray, size: int) -> np.ndarray:
        """(N, 3) points on the surface behind (N, 2) pixels, NaN where there are none.

        A ray that slips through beside an edge, such as between lid and eyeball, has others close by tried for it.
        """
        points = np.full((len(pixels), 3), np.nan)
        slope = np.tan(np.radians(camera.field_of_view) / 2) * 2 / size
        for offset in NEARBY:
            missed = np.flatnonzero(np.isnan(points[:, 0]))
            shift = pixels[missed] + offset - size / 2
            rays = np.column_stack([shift * [slope, -slope], np.full(len(shift), -1.0)]) @ camera.axes
            hits = self._cast(np.repeat(camera.position[None], len(rays), axis=0), rays)
            outside = np.einsum("ij,ij->i", hits["Ng"], rays) * (-1 if self.flipped else 1) < 0
            on = (hits["primID"] >= 0) & outside  # not seen through a hole
            corners = self.vertices[self.cast_faces[hits["primID"][on]]]
            u, v = hits["u"][on, None], hits["v"][on, None]
            points[missed[on]] = corners[:, 0] * (1 - u - v) + corners[:, 1] * u + corners[:, 2] * v
        return points


def _sheet(pictures: list[np.ndarray], columns: int = 6) -> np.ndarray:
    """Pictures of one size, beside and below each other."""
    small = [picture[::2, ::2] for picture in pictures]
    small += [np.full_like(small[0], 255)] * (-len(small) % columns)
    rows = [np.concatenate(small[i : i + columns], axis=1) for i in range(0, len(small), columns)]
    return np.concatenate(rows)


def outwards(mesh: TriMesh, points: np.ndarray) -> Landmarks:
    """Landmarks that a user gave, (468, 3) in the mesh's units, NaN where unknown."""
    return Landmarks(points, facing(points), None, _Shape(mesh).flipped)


def small_picture(mesh: TriMesh, seen: Landmarks) -> np.ndarray:
    """(H, W, 3) uint8: the face of a mesh."""
    return render(mesh.vertices, mesh.faces, _camera(seen.points, seen.rotation), size=CLOSE)


def mark(mesh: TriMesh, seen: Landmarks, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(H, 2 H, 3) uint8: a mesh, and beside it a template (V, 3) that was laid onto it."""
    camera = _camera(seen.points, seen.rotation)
    return np.concatenate([small_picture(mesh, seen), render(vertices, faces, camera, size=CLOSE)], axis=1)


def write_picture(path: str | Path, picture: np.ndarray) -> None:
    """Write (H, W, 3) uint8 as `.png`."""
    from facegen.files import new_file

    with new_file(path) as aside:
        require("PIL.Image", "render").fromarray(picture).save(aside)

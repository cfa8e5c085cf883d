"""Looking at a mesh: pictures of it, and the points on its surface behind what is seen in them."""

from __future__ import annotations

import numpy as np

from facegen.detection.detector import detect
from facegen.landmarks.points import FEATURES, FEWEST_ON_SURFACE
from facegen.mesh.tri_mesh import TriMesh
from facegen.optional import require
from facegen.pictures.render import Camera, Turntable, render

VIEW_SLACK = 1.1
"""Of a dense mesh, so much more than the picture shows is drawn, so that triangles at its border are whole. Chosen."""
NEARBY = np.array([(0, 0)] + [(r * x, r * y) for r in (2, 4) for x, y in ((0, -1), (0, 1), (-1, 0), (1, 0))])
"""Pixels (x, y) from a landmark at which a ray is tried if there is no surface behind the ones before. Chosen."""
DENSE_FROM, DENSE_GRAIN = 60_000, 2.5
"""A mesh with so many vertices or more is drawn with vertices merged that lie within so many pixels. Chosen: a picture
then differs by half a step of 255, on average."""
MARGIN = 0.18
"""Share of a picture that stays free at each border, so that the detector sees a whole head. Chosen."""
SIZES_AWAY = 3
"""Sizes of a mesh from which it is looked at, at least, so that depth hardly changes its shape. Chosen."""
FEWEST_FEATURES = 8
"""Of the 13 landmarks of `FEATURES`, those that must lie on the surface. Chosen: an eye, the nose and the mouth may
do."""
LIT_AGAIN = 0.9
"""Cosine between the directions of two cameras, and between what is up for them, below which the mesh is lit anew.
Chosen, 26 degrees: further views of a face lie within."""
RAYS_FROM_AROUND = 4000
"""Rays by which it is told whether a mesh is inside out. Chosen: the share that meets back sides is known to 1 %."""


def camera_at(points: np.ndarray, rotation: np.ndarray) -> Camera:
    """A camera that has all finite `points` (N, 3) in its picture and looks along the z axis of a rotated frame."""
    points = points[np.isfinite(points).all(axis=1)]
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    size = np.ptp(points @ rotation.T, axis=0)
    # Looked at from so far that depth within the face hardly changes its shape.
    camera = Camera.framing(points @ rotation.T, "front", margin=MARGIN)
    distance = max(camera.position[2] - (middle @ rotation.T)[2], SIZES_AWAY * size.max())
    return Camera(middle + rotation.T @ [0, 0, distance], rotation, camera.field_of_view)


class Shape:
    """A mesh to look at, with its triangles turned outwards.

    Args:
        mesh: (V, 3) in any units.
    """

    def __init__(self, mesh: TriMesh) -> None:
        self.vertices = mesh.vertices
        used = np.zeros(len(mesh.vertices), dtype=bool)
        used[mesh.faces] = True
        self.shown = mesh.vertices[used]
        self.scale = float(np.ptp(self.shown, axis=0).max()) or 1.0
        self.scene = require("embreex.rtcore_scene", "render").EmbreeScene()
        build = require("embreex.mesh_construction", "render").TriangleMesh
        self.middle = self.shown.mean(axis=0)
        local = ((mesh.vertices - self.middle) / self.scale).astype(np.float32)
        build(self.scene, local, np.ascontiguousarray(mesh.faces, np.int32))
        self.faces = self.cast_faces = mesh.faces
        self.flipped = False
        self.lit: Turntable | None = None
        if self._inside_out():
            self.flip()

    def flip(self) -> None:
        """Take the other side of the triangles for the outside."""
        self.flipped = not self.flipped
        self.faces = np.ascontiguousarray(self.faces[:, ::-1])
        self.lit = None

    def top(self, rotation: np.ndarray, part: float) -> np.ndarray:
        """(N, 3) vertices in the uppermost `part` of the height of the rotated mesh."""
        height = self.shown @ rotation[1]
        return self.shown[height >= height.max() - part * np.ptp(height)]

    def _cast(self, origins: np.ndarray, directions: np.ndarray) -> dict[str, np.ndarray]:
        local = ((origins - self.middle) / self.scale).astype(np.float32)
        return self.scene.run(np.ascontiguousarray(local), np.ascontiguousarray(directions, np.float32), output=1)

    def _inside_out(self) -> bool:
        """Whether rays from all around meet more back sides than front sides; a guess where a mesh is open."""
        rng = np.random.default_rng(0)
        outward = rng.normal(size=(RAYS_FROM_AROUND, 3))
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        aims = self.shown[rng.integers(0, len(self.shown), len(outward))]
        found = self._cast(aims + 3 * self.scale * outward, -outward)
        hit = found["primID"] >= 0
        back = np.einsum("ij,ij->i", found["Ng"][hit], -outward[hit]) > 0
        return bool(hit.any() and back.mean() > 0.5)

    def look(self, camera: Camera, size: int) -> tuple[np.ndarray, np.ndarray | None]:
        """A picture (size, size, 3), and landmarks (468, 3) on the surface, or None where no face is seen."""
        picture = self._picture(camera, size)
        found = detect(picture)
        if not found:
            return picture, None
        points = self._hit(camera, found[0], size)
        known = np.isfinite(points[:, 0])
        enough = known.sum() >= FEWEST_ON_SURFACE and known[list(FEATURES)].sum() >= FEWEST_FEATURES
        return picture, points if enough else None

    def _picture(self, camera: Camera, size: int) -> np.ndarray:
        if len(self.shown) >= DENSE_FROM:
            return render(*self._drawn(camera, size), camera, size=size)
        if self.lit is None or (np.einsum("ij,ij->i", self.lit.camera.axes, camera.axes) < LIT_AGAIN).any():
            self.lit = Turntable(self.vertices, self.faces, camera)
        return self.lit.picture(camera, size)

    def _drawn(self, camera: Camera, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Vertices and faces to draw: of a dense mesh only those in the picture, and no finer than its pixels."""
        if len(self.shown) < DENSE_FROM:
            return self.vertices, self.faces
        local = (self.vertices - camera.position) @ camera.axes.T
        slope = np.tan(np.radians(camera.field_of_view) / 2)
        inside = (np.abs(local[:, :2]) < -VIEW_SLACK * slope * local[:, 2:]).all(axis=1)
        faces = self.faces[inside[self.faces].all(axis=1)]
        if not len(faces):
            return self.vertices, self.faces
        inside[:] = False
        inside[faces] = True
        used, faces = np.flatnonzero(inside), (np.cumsum(inside) - 1)[faces]
        cell = np.rint(local[used] / (DENSE_GRAIN * 2 * slope / size * -local[used, 2].mean())).astype(np.int64)
        cell -= cell.min(axis=0)
        side = cell.max(axis=0) + 1
        key = (cell[:, 0] * side[1] + cell[:, 1]) * side[2] + cell[:, 2]
        _, spot, count = np.unique(key, return_inverse=True, return_counts=True)
        points = np.stack([np.bincount(spot, self.vertices[used, axis]) / count for axis in range(3)], axis=1)
        faces = spot[faces].reshape(-1, 3)
        whole = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
        return (points, faces[whole]) if whole.any() else (self.vertices, self.faces)

    def _hit(self, camera: Camera, places: np.ndarray, size: int) -> np.ndarray:
        """(N, 3) points on the surface behind (N, 2) places in pixels, NaN where there are none.

        A ray that slips through beside an edge, such as between lid and eyeball, has others close by tried for it.
        """
        points = np.full((len(places), 3), np.nan)
        slope = np.tan(np.radians(camera.field_of_view) / 2) * 2 / size
        for offset in NEARBY:
            missed = np.flatnonzero(np.isnan(points[:, 0]))
            shift = places[missed] + offset - size / 2
            rays = np.column_stack([shift * [slope, -slope], np.full(len(shift), -1.0)]) @ camera.axes
            hits = self._cast(np.repeat(camera.position[None], len(rays), axis=0), rays)
            outside = np.einsum("ij,ij->i", hits["Ng"], rays) * (-1 if self.flipped else 1) < 0
            on = (hits["primID"] >= 0) & outside  # not seen through a hole
            corners = self.vertices[self.cast_faces[hits["primID"][on]]]
            u, v = hits["u"][on, None], hits["v"][on, None]
            points[missed[on]] = corners[:, 0] * (1 - u - v) + corners[:, 1] * u + corners[:, 2] * v
        return points

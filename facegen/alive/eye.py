"""An eye's own frame, and the ball in it, which may be thought where a mesh has none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter, maximum_filter
from scipy.spatial import KDTree

from facegen.fitting.head import FaceFrame
from facegen.mesh.tri_mesh import TriMesh
from facegen.rigging.eyes import Eyeball

CENTRE_BEHIND = 0.055
"""In units of the face's size: where no ball is, its centre is thought so far behind the lids. Chosen, 12.6 mm on an
adult's face, near an eyeball's radius of 12."""
GRID, WIDE = 161, 2.4
"""Directions in which a ball's radius is known, in rows and columns, and how far they reach, twice the tangent of half
the angle from where the eye looks at rest. Chosen: 100 degrees, and 1.7 between them in front."""
ROUGH = 1.5
"""Directions of the grid over which a ball's radius is averaged where skin slides on it. Chosen: wider than its
triangles."""
BESIDE = 16
"""Triangles that are tried in each direction. Chosen: two shells, as a white and a cornea, have some each."""


@dataclass(frozen=True, eq=False)
class Eye:
    """One eye.

    Args:
        side: Left or Right, the person's.
        centre: (3,) mm, about which it turns.
        axes: (3, 3) unit rows: along its corners to the person's left, up, and out.
        members: (N,) vertices that turn; none where a mesh has no ball.
        reach: (H, W) mm, the ball's radius by directions upwards and to the left of where it looks at rest; None
            without a ball.
        smooth: the same without its roughness.
    """

    side: str
    centre: np.ndarray
    axes: np.ndarray
    members: np.ndarray
    reach: np.ndarray | None
    smooth: np.ndarray | None

    @classmethod
    def of(cls, ball: Eyeball | None, side: str, corners: np.ndarray, lids: np.ndarray, head: FaceFrame) -> Eye:
        """An eye with the corners (2, 3) and landmarks (N, 3) of its lids; `ball` is what `find_eyes` found of it."""
        out = head.rotation[2]
        middle = (lids.mean(axis=0) + corners.mean(axis=0)) / 2
        centre = middle - CENTRE_BEHIND * head.size * out if ball is None else ball.centre
        left = corners[1] - corners[0]
        left /= np.linalg.norm(left)
        out = middle - centre
        out -= (out @ left) * left
        out /= np.linalg.norm(out)
        axes = np.stack([left, np.cross(out, left), out])
        members = np.zeros(0, np.int64) if ball is None else ball.members
        return cls(side, centre, axes, members, None, None)

    def with_ball(self, mesh: TriMesh) -> Eye:
        """The same with its ball's radius in all directions, where the mesh, at rest, has one."""
        if not len(self.members):
            return self
        reach = self._reach(mesh)
        return replace(self, reach=reach, smooth=gaussian_filter(reach, ROUGH, mode="nearest"))

    def local(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) from the mesh into the eye's frame, mm."""
        return (points - self.centre) @ self.axes.T

    def cylinder(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of points (..., 3): mm along the axis of the lids, radians about it upwards from the front, mm from it."""
        x, y, z = np.moveaxis(self.local(points), -1, 0)
        return x, np.arctan2(y, z), np.hypot(y, z)

    def raised(self, points: np.ndarray, angle: np.ndarray, grow: np.ndarray | float = 1.0) -> np.ndarray:
        """Points (..., 3) turned upwards about the axis of the lids by (...) radians, and `grow` times as far from
        it."""
        x, y, z = np.moveaxis(self.local(points), -1, 0)
        cos, sin = np.cos(angle), np.sin(angle)
        local = np.stack([x, grow * (cos * y + sin * z), grow * (cos * z - sin * y)], axis=-1)
        return self.centre + local @ self.axes

    def rotations(self, turn: np.ndarray, head: FaceFrame) -> np.ndarray:
        """(N, 3, 3) by which the eye turns, `points @ rotation.T` about its centre.

        Args:
            turn: (N, 2) radians to the person's left and up.
            head: the face's frame.
        """
        left, up = turn.T
        zero, one = np.zeros_like(left), np.ones_like(left)
        yaw = np.array([[np.cos(left), zero, np.sin(left)], [zero, one, zero], [-np.sin(left), zero, np.cos(left)]])
        pitch = np.array([[one, zero, zero], [zero, np.cos(up), np.sin(up)], [zero, -np.sin(up), np.cos(up)]])
        both = np.einsum("ijn,jkn->nik", yaw, pitch)
        return head.rotation.T @ both @ head.rotation

    def _reach(self, mesh: TriMesh) -> np.ndarray:
        inside = np.zeros(len(mesh.vertices), bool)
        inside[self.members] = True
        corners = self.local(mesh.vertices[mesh.faces[inside[mesh.faces].all(axis=1)]])
        line = np.linspace(-WIDE, WIDE, GRID)
        row, column = np.meshgrid(line, line, indexing="ij")
        square = (row**2 + column**2) / 4
        way = np.stack([column, row, 1 - square], axis=-1) / (1 + square)[..., None]
        found = outermost(corners, way.reshape(-1, 3)).reshape(row.shape)
        while (found == 0).any() and found.any():  # beyond the edges of a shell that is not closed
            found = np.where(found == 0, maximum_filter(found, 3), found)
        return found

    def _cells(self, points: np.ndarray, rotation: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(2, ...) rows and columns, not whole, of the directions of points (T, N, 3) on the grid, as seen by the ball
        that is turned by (T, 3, 3); and (T, N) their distance."""
        axes = self.axes.T if rotation is None else rotation @ self.axes.T
        local = (points - self.centre) @ axes
        x, y, z = np.moveaxis(local, -1, 0)
        far = np.sqrt(x * x + y * y + z * z)
        # A stereographic map, from where it looks: equal angles stay equal, and no angle is computed.
        scale = (GRID - 1) / WIDE / np.maximum(far + z, 1e-9)
        return np.stack([y * scale, x * scale]) + (GRID - 1) / 2, far

    def clearance(self, points: np.ndarray, rotation: np.ndarray | None = None) -> np.ndarray:
        """How far points lie outside the ball, mm; infinite behind it, and without a ball.

        Args:
            points: (T, N, 3) mm.
            rotation: (T, 3, 3) by which the ball is turned; None is not.
        """
        if self.reach is None:
            return np.full(points.shape[:-1], np.inf)
        cells, far = self._cells(points, rotation)
        known = ((cells >= 0) & (cells <= len(self.reach) - 1)).all(axis=0)
        return np.where(known, far - _on_grid(self.reach, cells), np.inf)

    def radius(self, points: np.ndarray, rotation: np.ndarray | None = None) -> np.ndarray:
        """(T, N) mm, of the ball in the directions of points, made smooth; 0 without a ball. As `clearance`."""
        if self.smooth is None:
            return np.zeros(points.shape[:-1])
        return _on_grid(self.smooth, self._cells(points, rotation)[0])


def outermost(corners: np.ndarray, way: np.ndarray) -> np.ndarray:
    """(N,) how far from the origin rays in unit directions (N, 3) leave the outermost of triangles (F, 3, 3) around it;
    0 where they hit none of those `BESIDE` that lie nearest to their direction.

    Moeller and Trumbore, "Fast, minimum storage ray-triangle intersection", J. Graph. Tools 2 (1997).
    """
    middles = corners.mean(axis=1)
    middles /= np.maximum(np.linalg.norm(middles, axis=1, keepdims=True), 1e-12)
    a, b, c = np.moveaxis(corners[KDTree(middles).query(way, k=min(BESIDE, len(middles)))[1]], 2, 0)
    one, two = b - a, c - a
    across = np.cross(way[:, None], two)
    size = np.einsum("nkc,nkc->nk", one, across)
    size = np.where(np.abs(size) < 1e-12, 1e-12, size)
    turned = np.cross(-a, one)
    u = -np.einsum("nkc,nkc->nk", a, across) / size
    v = np.einsum("nc,nkc->nk", way, turned) / size
    reach = np.einsum("nkc,nkc->nk", two, turned) / size
    hit = (u > -1e-6) & (v > -1e-6) & (u + v < 1 + 1e-6) & (reach > 0)
    return np.where(hit, reach, 0).max(axis=1)


def _on_grid(values: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """(...) values (H, W) at rows and columns (2, ...), between whole ones too."""
    height, width = values.shape
    cells = np.clip(cells, 0, height - 1.001)
    whole = cells.astype(np.int32)
    down, right = cells - whole
    at, flat = whole[0] * width + whole[1], values.ravel()
    low = flat[at] + right * (flat[at + 1] - flat[at])
    high = flat[at + width] + right * (flat[at + width + 1] - flat[at + width])
    return low + down * (high - low)

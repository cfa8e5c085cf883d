"""The camera of a photograph: where it stands, and where it sees points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from facegen.pictures.render import Camera

SMALLEST_DEPTH = 0.05
"""Depth, in units of the camera's distance, that a point is given at least, so that nothing behind the camera is
divided by 0. Chosen: no point of a face comes so near."""

STEP_VALUES = 7
"""Numbers of a step of `changed`."""


@dataclass(frozen=True, eq=False)
class PhotoCamera:
    r"""A perspective camera that looks at a face, described by what can be seen in a picture.

    .. math:: p = c + s \frac{(x, -y)}{1 - k z}, \quad (x, y, z) = R X

    A weak perspective has :math:`k = 0`. Points are of a face whose middle is near the origin.

    Args:
        rotation: (3, 3), the camera's right, up and back as rows.
        center: (2,) pixels, x to the right and y down, of the origin.
        scale: pixels for a mm at the origin.
        nearness: 1 / mm, one over the camera's distance from the origin.
    """

    rotation: np.ndarray
    center: np.ndarray
    scale: float
    nearness: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) pixels of (..., 3) mm."""
        seen = points @ self.rotation.T
        depth = np.maximum(1 - self.nearness * seen[..., 2:], SMALLEST_DEPTH)
        return self.center + self.scale * seen[..., :2] * [1, -1] / depth

    def by_point(self, points: np.ndarray) -> np.ndarray:
        """The derivatives of `project` by the points (..., 3) mm, (..., 2, 3) in pixels / mm."""
        seen = points @ self.rotation.T
        depth = np.maximum(1 - self.nearness * seen[..., 2:], SMALLEST_DEPTH)[..., None]
        shift = self.nearness * seen[..., :2, None] / depth * self.rotation[2]
        return self.scale / depth * (self.rotation[:2] + shift) * [[1], [-1]]

    def by_step(self, points: np.ndarray) -> np.ndarray:
        """The derivatives of `project` of points (N, 3) mm by the step of `changed`, at no step, (N, 2, 7)."""
        seen = points @ self.rotation.T
        depth = np.maximum(1 - self.nearness * seen[:, 2:], SMALLEST_DEPTH)
        flat = self.scale * seen[:, :2] * [1, -1] / depth
        by_point = self.by_point(points)
        made = np.zeros((len(points), 2, STEP_VALUES))
        for number, axis in enumerate(self.rotation):  # about which a step turns
            made[:, :, number] = np.einsum("npc,nc->np", by_point, np.cross(axis, points))
        made[:, :, 3:5] = np.eye(2)
        made[:, :, 5] = flat
        made[:, :, 6] = flat * seen[:, 2:] / depth / 1000
        return made

    def towards(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) unit directions from points (..., 3) mm to the camera."""
        away = self.rotation[2] - self.nearness * points
        return away / np.linalg.norm(away, axis=-1, keepdims=True)

    def pinhole(self, half: float) -> Camera:
        """The renderer's camera, whose square picture reaches `half` pixels from the centre to each side."""
        slope = half * self.nearness / self.scale
        angle = float(np.degrees(2 * np.arctan(slope)))
        return Camera(self.rotation[2] / self.nearness, self.rotation, angle)


def first_camera(points: np.ndarray, goals: np.ndarray, nearness: float) -> PhotoCamera:
    """The weak perspective that brings points (N, 3) mm nearest to goals (N, 2), pixels, at a given nearness, 1 / mm.

    Reference:
        DeMenthon and Davis, "Model-based object pose in 25 lines of code", IJCV 1995, its first iteration.
    """
    middle, center = points.mean(axis=0), goals.mean(axis=0)
    rows = np.linalg.lstsq(points - middle, (goals - center) * [1, -1], rcond=None)[0].T
    scale = float(np.linalg.norm(rows, axis=1).mean())
    left, _, right = np.linalg.svd(rows, full_matrices=False)
    across, up = left @ right  # the nearest two rows at right angles
    rotation = np.stack([across, up, np.cross(across, up)])
    return PhotoCamera(rotation, center - scale * (rotation @ middle)[:2] * [1, -1], scale, nearness)


def changed(camera: PhotoCamera, step: np.ndarray) -> PhotoCamera:
    """The camera after a step (7,): turn in radians, shift in pixels, log of the scale; then its nearness in 1 / m."""
    turn = Rotation.from_rotvec(step[:3]).as_matrix()
    return PhotoCamera(
        turn @ camera.rotation, camera.center + step[3:5], camera.scale * float(np.exp(step[5])), step[6] / 1000
    )

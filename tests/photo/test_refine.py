"""What landmarks tell of a person beyond the identity model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facegen.photo import refine
from facegen.photo.camera import PhotoCamera, changed
from facegen.photo.refine import View, beyond

SIZE = 240.0


@dataclass
class Cap:
    """Half an ellipsoid in the place of a face, with landmarks all over it, seen by a camera."""

    vertices: np.ndarray
    own: np.ndarray
    camera: PhotoCamera

    @classmethod
    def seen(cls, side: float = 0.0) -> Cap:
        rng = np.random.default_rng(0)
        points = rng.normal(size=(900, 3))
        points = points / np.linalg.norm(points, axis=1, keepdims=True)
        points = points[points[:, 2] > 0] * [70, 90, 60]
        turn = Rotation.from_rotvec([0, -np.radians(side), 0]).as_matrix()
        return cls(points, points[:220], PhotoCamera(turn, np.array([300.0, 200.0]), 2.0, 0.001))

    def facing(self) -> np.ndarray:
        normals = self.own / np.square([70, 90, 60])
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return np.einsum("kc,kc->k", normals, self.camera.towards(self.own))

    def left(self, field: np.ndarray) -> np.ndarray:
        """(K, 2) pixels by which landmarks of a displaced face are beside those of this one."""
        return self.camera.project(self.own + field[: len(self.own)]) - self.camera.project(self.own)

    def solve(self, left: np.ndarray) -> np.ndarray:
        return beyond([View(self.camera, self.own, left, self.facing())], self.vertices, self.own, SIZE)


def bump(points: np.ndarray, at: list[float], move: list[float], width: float = 22.0) -> np.ndarray:
    return np.exp(-np.square(points - at).sum(axis=1) / (2 * width**2))[:, None] * move


def size(field: np.ndarray) -> float:
    return float(np.sqrt(np.square(field).sum(axis=1).mean()))


def test_a_smooth_difference_is_taken_up() -> None:
    """Some of it: the detector may err by as much, with neighbours together."""
    cap = Cap.seen()
    true = bump(cap.vertices, [0, -20, 55], [0, 6, 0])
    found = cap.solve(cap.left(true))
    front = cap.vertices[:, 2] > 30
    assert size((true - found)[front]) < 0.9 * size(true[front])  # 0.85
    assert np.abs(found[:, 2]).max() < 0.1 * np.abs(found[:, 1]).max()


def test_the_cameras_pose_is_no_shape() -> None:
    cap = Cap.seen()
    moved = PhotoCamera(cap.camera.rotation, cap.camera.center + [9, -5], cap.camera.scale * 1.04, 0.001)
    left = moved.project(cap.own) - cap.camera.project(cap.own)
    assert np.linalg.norm(left, axis=1).mean() > 8
    assert size(cap.solve(left)) < 0.05


def test_the_detectors_noise_makes_no_lumps() -> None:
    """It errs by 1 % of a face's height, here 180 mm."""
    cap = Cap.seen()
    noise = np.random.default_rng(1).normal(size=(len(cap.own), 2)) * 1.8 / np.sqrt(2)
    found = cap.solve(noise * cap.camera.scale)
    assert size(found) < 0.25 * size(noise)
    near = np.linalg.norm(cap.vertices[:, None] - cap.vertices[None], axis=2) < 6
    assert np.linalg.norm(found[:, None] - found[None], axis=2)[near].max() < 0.5


def test_a_landmark_that_is_far_off_hardly_pulls() -> None:
    cap = Cap.seen()
    first = int(np.argmax(cap.own[:, 2]))
    left = np.zeros((len(cap.own), 2))
    pulls = []
    for off in (3.0, 60.0):
        left[first] = [off * cap.camera.scale, 0]
        pulls.append(np.abs(cap.solve(left)).max())
    assert pulls[1] < 2 * pulls[0]
    assert pulls[1] < 1.0


def test_landmarks_that_turn_away_do_not_count() -> None:
    cap = Cap.seen(40.0)
    away = cap.facing() < refine.FACING
    assert away.sum() > 10
    left = np.where(away[:, None], [50.0, 50.0], 0.0)
    assert size(cap.solve(left)) < 1e-9


def test_one_half_of_the_face_tells_of_the_other() -> None:
    cap = Cap.seen()
    found = cap.solve(cap.left(bump(cap.vertices, [30, 0, 50], [4, 0, 0], 15.0)))
    right, left = (found[np.argmin(np.linalg.norm(cap.vertices - [x, 0, 50], axis=1)), 0] for x in (30, -30))
    assert right > 0.5
    assert -0.7 * right < left < -0.1 * right


def test_a_field_is_the_posterior_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the equation written out, landmark by landmark, and in parts of the mesh."""
    cap = Cap.seen(15.0)
    cap.vertices = np.tile(cap.vertices, (12, 1))
    keep = np.flatnonzero(cap.facing() > refine.FACING)[:25]
    cap.own = cap.own[keep]
    monkeypatch.setattr(refine, "HALF_WEIGHT_NOISE", 1e6)
    left = np.random.default_rng(2).normal(size=(len(keep), 2))
    left -= np.median(left, axis=0)
    near = lambda x, y, length: np.exp(-np.square(x - y).sum() / (2 * (length * SIZE) ** 2))  # noqa: E731
    mirror, facing = np.diag([-1.0, 1, 1]), cap.facing()
    derivative = cap.camera.by_point(cap.own) / cap.camera.scale

    def k(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        same, other = near(x, y, refine.LENGTH), near(x, mirror @ y, refine.LENGTH)
        return (refine.AMPLITUDE * SIZE) ** 2 * (same * np.eye(3) + refine.MIRRORED * other * mirror)

    system = refine.POSE_VARIANCE * refine._by_pose(cap.camera, cap.own) @ refine._by_pose(cap.camera, cap.own).T
    for i, x in enumerate(cap.own):
        for j, y in enumerate(cap.own):
            block = derivative[i] @ k(x, y) @ derivative[j].T
            block += SIZE**2 * refine.SHARED_NOISE**2 * near(x, y, refine.NOISE_LENGTH) * np.eye(2)
            if i == j:
                block += SIZE**2 * refine.OWN_NOISE**2 / facing[i] ** 2 * np.eye(2)
            system[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] += block
    pull = np.linalg.solve(system, left.ravel() / cap.camera.scale).reshape(-1, 2)
    found = cap.solve(left)
    for v in (0, 17, len(cap.vertices) - 1):
        wanted = sum(k(cap.vertices[v], y) @ d.T @ p for y, d, p in zip(cap.own, derivative, pull, strict=True))
        np.testing.assert_allclose(found[v], wanted, atol=1e-6)


def test_derivatives_of_the_projection() -> None:
    camera = PhotoCamera(Rotation.from_rotvec([0.2, -0.4, 0.1]).as_matrix(), np.array([300.0, 200.0]), 2.5, 0.0012)
    points = np.random.default_rng(0).normal(size=(5, 3)) * 50
    step = 1e-4 * np.eye(3)
    wanted = [(camera.project(points + each) - camera.project(points - each)) / 2e-4 for each in step]
    np.testing.assert_allclose(camera.by_point(points), np.stack(wanted, axis=2), atol=1e-6)


def test_derivatives_of_a_step() -> None:
    camera = PhotoCamera(Rotation.from_rotvec([0.2, -0.4, 0.1]).as_matrix(), np.array([300.0, 200.0]), 2.5, 0.0012)
    points = np.random.default_rng(0).normal(size=(5, 3)) * 50
    here, step = np.array([0, 0, 0, 0, 0, 0, 1.2]), 1e-5 * np.eye(7)
    wanted = [
        (changed(camera, here + e).project(points) - changed(camera, here - e).project(points)) / 2e-5 for e in step
    ]
    np.testing.assert_allclose(camera.by_step(points), np.stack(wanted, axis=2), atol=1e-5)


def test_a_second_picture_tells_more() -> None:
    """Depth, which one from the front does not show."""
    front, side = Cap.seen(), Cap.seen(35.0)
    true = bump(front.vertices, [0, -20, 55], [0, 0, 5])
    views = [View(each.camera, each.own, each.left(true), each.facing()) for each in (front, side)]
    alone, both = (beyond(some, front.vertices, front.own, SIZE) for some in (views[:1], views))
    assert size(true - both) < 0.9 * size(true - alone)

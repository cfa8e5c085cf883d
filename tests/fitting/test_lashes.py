"""Lashes turn as the lid that they stand on rolls."""

import numpy as np
import pytest

from facegen.fitting.head import FaceFrame
from facegen.fitting.lashes import Lashes
from facegen.landmarks.points import LEFT_LIDS
from facegen.mesh.tri_mesh import TriMesh

SIZE = 230.0
SIDE = 9


def _grid(along: np.ndarray, across: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A sheet (N * M, 3) over two directions (N, 3) and (M, 3), and its triangles."""
    points = (along[:, None] + across).reshape(-1, 3)
    number = np.arange(len(points)).reshape(len(along), len(across))
    a, b, c, d = number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]
    return points, np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))])


def _lid(gap: float) -> tuple[TriMesh, np.ndarray, np.ndarray, Lashes | None]:
    """A sheet of skin with a row of lashes on it, so far from the lid's landmarks; skin and roots by number."""
    along, up, out = np.eye(3)
    skin, faces = _grid(np.outer(np.arange(SIDE), along), np.outer(np.arange(SIDE) - SIDE // 2, up))
    lash, hairs = _grid(np.outer(np.arange(SIDE), along), np.outer([0, 2, 4, 6], out))
    mesh = TriMesh(np.concatenate([skin, lash]), np.concatenate([faces, hairs + len(skin)]))
    piece = np.repeat([0, 1], [len(skin), len(lash)])
    landmarks = np.full((468, 3), np.nan)
    landmarks[list(LEFT_LIDS)] = [SIDE / 2, gap, 0]
    roots = len(skin) + np.arange(0, len(lash), 4)
    head = FaceFrame(np.eye(3), np.zeros(3), SIZE, landmarks)
    return mesh, np.arange(len(skin)), roots, Lashes.of(mesh, np.arange(len(skin)), roots, piece, head)


@pytest.mark.parametrize(("skin", "lash"), [(3.0, 0.0), (25.0, 50.0), (45.0, 60.0)])
def test_lashes_turn_about_their_roots_where_skin_rolls_and_only_there(skin: float, lash: float) -> None:
    mesh, sheet, roots, lashes = _lid(gap=0.0)
    assert lashes is not None
    turns = []
    for degrees in (skin, lash):
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turns.append(np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]))
    frame = np.zeros_like(mesh.vertices)
    frame[sheet] = mesh.vertices[sheet] @ turns[0].T - mesh.vertices[sheet]
    frame[len(sheet) :] = [0.0, 1.0, 0.0]
    lashes(mesh.vertices, frame)
    rest = mesh.vertices[len(sheet) :]
    np.testing.assert_allclose(frame[len(sheet) :], rest @ turns[1].T - rest + [0, 1, 0], atol=1e-6)
    np.testing.assert_array_equal(frame[roots], np.tile([0.0, 1.0, 0.0], (len(roots), 1)))


def test_what_stands_far_from_lids_is_no_lash() -> None:
    assert _lid(gap=30.0)[3] is None

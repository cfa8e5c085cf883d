"""The head that comes with facegen around another person's face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import facegen
from facegen.animation import neutral_of, ready
from facegen.cli import run
from facegen.mesh import TriMesh
from facegen.mesh.formats.io import read_mesh, write_mesh
from facegen.rigging.known_head import known_head
from facegen.rigging.shipped_head import COUNT, FILE_COUNT, MOUTH, SKIN_END, eyes, shown_rows
from facegen.rigging.whole_head import WholeHead


@pytest.fixture(scope="module")
def model():
    return facegen.load()


@pytest.fixture(scope="module")
def head(model) -> WholeHead:
    found = WholeHead.around(model.hierarchy.template)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def wide(head: WholeHead) -> np.ndarray:
    """(V, 3) of the head of somebody with a wider and longer face."""
    return head.fitted(head.mesh.vertices[: head.face] * [1.1, 1.05, 1.0])


def test_its_parts_are_where_the_tables_say(head: WholeHead) -> None:
    assert len(head.mesh.vertices) == COUNT == shown_rows(FILE_COUNT).sum()
    left, right = (head.mesh.vertices[part].mean(axis=0) for part in eyes())
    assert left[0] > 25 > 5 > abs(left[0] + right[0]) and eyes()[1].stop == COUNT
    assert MOUTH.start == SKIN_END and MOUTH.stop == eyes()[0].start


def test_around_its_own_face_it_is_the_head_as_it_comes(head: WholeHead) -> None:
    np.testing.assert_allclose(head.fitted(head.mesh.vertices[: head.face]), head.mesh.vertices, atol=1e-6)


def test_eyes_stay_round_and_lie_where_the_lids_are(head: WholeHead, wide: np.ndarray) -> None:
    for part in eyes():
        one, other = head.mesh.vertices[part], wide[part]
        sizes = np.ptp(other, axis=0) / np.ptp(one, axis=0)
        np.testing.assert_allclose(sizes, sizes[0], rtol=1e-6)  # larger, but a ball
        assert 1.02 < sizes[0] < 1.1
        assert other.mean(axis=0)[0] == pytest.approx(1.1 * one.mean(axis=0)[0], rel=0.02)
    back = np.arange(head.face, SKIN_END)
    assert np.linalg.norm(wide[back] - head.mesh.vertices[back], axis=1).max() < 25  # skin goes on


@pytest.mark.parametrize("turn", [np.eye(3), np.array([[0, 0, 1.0], [0, 1, 0], [-1, 0, 0]])])
def test_a_head_is_moved_without_a_fit_however_it_is_turned(
    turn: np.ndarray, model, head: WholeHead, wide: np.ndarray
) -> None:
    face = ready(TriMesh(wide @ turn / 10, head.mesh.faces), model)  # in cm
    assert face.fit is None and face.units == "cm"
    moved = np.zeros((1, head.face, 3), np.float32)
    moved[0, :, 1] = -3 * (head.mesh.vertices[: head.face, 1] < -40)
    np.testing.assert_allclose(face.carry(moved), head.led(moved) @ turn, atol=0.05)  # as well as shapes tell a turn
    assert face.carry(moved).shape == (1, COUNT, 3)
    neutral = neutral_of(face, model)[0]
    away = neutral - neutral.mean(axis=0) - (wide[: head.face] - wide[: head.face].mean(axis=0))
    assert np.abs(away).max() < 1.0


def test_other_meshes_are_not_known(model, head: WholeHead) -> None:
    other = TriMesh(head.mesh.vertices, head.mesh.faces[:, ::-1])
    assert known_head(model.hierarchy.template, other) is None
    assert known_head(model.hierarchy.template, model.hierarchy.template) is None
    small = TriMesh(np.eye(3), np.array([[0, 1, 2]]))
    assert known_head(small, head.mesh) is None


def test_the_command_line_knows_it_too(head: WholeHead, wide: np.ndarray, tmp_path: Path, capsys) -> None:
    write_mesh(tmp_path / "me.ply", TriMesh(wide, head.mesh.faces))
    out = tmp_path / "a.npz"
    assert (
        run(["animate", str(tmp_path / "me.ply"), "--expression", "surprise", "--frames", "6", "--out", str(out)]) == 0
    )
    assert "distance to the mesh" not in capsys.readouterr().out  # nothing was fitted
    made = facegen.Sequence.load(out).vertices
    assert made.shape == (6, COUNT, 3) and np.abs(made[3] - wide).max() > 5
    assert read_mesh(tmp_path / "me.ply").digest == head.mesh.digest

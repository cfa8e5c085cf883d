"""What `facegen bench own-face` reads and how it measures; the heads themselves take minutes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmark.own_face_bounds import missed, summary
from shapes import grid, sphere

from facegen.benchmark.artist_heads import DECIMETRE, OWN_UNITS, read_makehuman
from facegen.benchmark.contact import _depth
from facegen.benchmark.own_face import poses
from facegen.cli import run
from facegen.mesh.surface import Surface


@pytest.fixture
def makehuman(tmp_path: Path) -> Path:
    """A square of the body between two things that are no part of it, and units that move its corner 7."""
    rows = [f"v {x} {y} 0" for x in range(4) for y in range(3)]
    lines = [*rows, "g helper-hair", "f 1 2 5 4", "g body", "f 7 8 11 10", "g joint-jaw", "f 2 3 6 5"]
    (tmp_path / "base.obj").write_text("\n".join(lines) + "\n")
    (tmp_path / "units").mkdir()
    for name in {name for names in OWN_UNITS.values() for name in names}:
        (tmp_path / "units" / f"{name}.target").write_text("# a comment\n1 9 9 9\n6 0 .5 -.25\n")
    return tmp_path


def test_the_body_alone_is_read_with_its_units_in_mm(makehuman: Path) -> None:
    sample = read_makehuman(makehuman)
    np.testing.assert_allclose(sample.mesh.vertices / DECIMETRE, [[2, 0, 0], [2, 1, 0], [3, 0, 0], [3, 1, 0]])
    assert len(sample.mesh.faces) == 2
    np.testing.assert_allclose(sample.shapes["jawOpen"], [[0, 50, -25], [0, 0, 0], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(sample.shapes["eyeBlink"][0], [0, 100, -50])  # both eyes


def test_poses_are_units_alone_and_expressions_of_those_that_are_there() -> None:
    found = poses(["browDown", "jawOpen"])
    assert found["browDown"] == {"browDown": 1.0}
    assert found["angry"] == {"browDown": 1.0}
    assert found["surprise"] == {"jawOpen": 0.75}
    assert "happy" not in found


def test_depth_is_measured_behind_a_surface_and_not_beside_it() -> None:
    ball, plate = sphere(2000), grid(2, 2)
    round_one = ball.with_vertices(ball.vertices / np.linalg.norm(ball.vertices[0]) * 100)
    points = np.array([[0.0, 0, 97], [0, 0, 104]])
    np.testing.assert_allclose(_depth(points, Surface(round_one, 0.0)), [3, 0], atol=0.5)
    np.testing.assert_allclose(_depth(np.array([[0.5, 0.5, -0.5], [3, 3, -0.5]]), Surface(plate, 0.0)), [0.5, 0])


def test_bounds_name_what_is_missed_and_nothing_else() -> None:
    row = {"cosine": 0.99, "turned": 10, "true_turned": 0, "lips": 0.2, "true_lips": 0.0, "lids": None}
    head = {"vertices": 3, "poses": {"jawOpen": row}, "mean": {"units": {"cosine": 0.98, "unexplained": 0.2}}}
    assert missed("ict", head) == []
    row |= {"turned": 11, "lips": 0.4}
    head["mean"]["units"] |= {"cosine": 0.979, "unexplained": 0.21}
    assert [line.split(",")[0].split(":")[0] for line in missed("ict", head)] == [
        "mean cosine 0.9790",
        "mean unexplained share 0.2100",
        "jawOpen",
        "jawOpen",
    ]
    assert "lips 0.40 mm" in summary("ict", head)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("own-face", "give a clone of ICT-FaceKit as --root"),
        ("own-face --root {empty}", "no ICT Face Model in"),
        ("own-face --root {empty} --region head", "narrow"),
        ("decoder --root {empty}", "--root is of own-face"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    arguments: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", *arguments.format(empty=tmp_path).split()]) == 2
    assert said in capsys.readouterr().err

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facegen.errors import MeshError
from facegen.landmarks.file import OF_68, read_landmarks

FEW = "33 -3 0 1\n133,-1,0,1 # inner corner\n\n362 1 0 1\n263 3 0 1\n61 -2 -4 1\n291 2 -4 1\n4 0 -2 2\n"


def test_points_by_number(tmp_path: Path) -> None:
    (tmp_path / "few.txt").write_text(FEW)
    points = read_landmarks(tmp_path / "few.txt")
    assert points.shape == (468, 3)
    assert np.flatnonzero(np.isfinite(points[:, 0])).tolist() == [4, 33, 61, 133, 263, 291, 362]
    assert points[133].tolist() == [-1, 0, 1]


def test_the_68_points_of_multi_pie(tmp_path: Path) -> None:
    rows = np.arange(68 * 3).reshape(68, 3) ** [1, 2, 1]
    (tmp_path / "many.csv").write_text("\n".join(",".join(map(str, row)) for row in rows))
    points = read_landmarks(tmp_path / "many.csv")
    assert len(OF_68) == 68
    assert np.isfinite(points[:, 0]).sum() == 52
    assert points[33].tolist() == rows[36].tolist()
    assert points[4].tolist() == rows[30].tolist()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "expected lines `number x y z`"),
        ("1 2\n", "expected lines `number x y z`"),
        ("eye 1 2 3\n", "line 1: expected numbers"),
        (FEW + "468 1 2 3\n", "numbered 0 to 467"),
        (FEW + "1.5 1 2 3\n", "numbered 0 to 467"),
        (FEW + "5 1 2 nan\n", "finite ones"),
        (FEW + "nan 1 2 3\n", "finite ones"),
        (FEW + "5 1 2 1e39\n", "within 1,000,000,000 units"),
        ("33 1 2 " + 5000 * "9", "line 1: expected coordinates within"),
        (FEW + "33 -3 0 2\n", "landmark 33 comes twice; leave one of them out"),
        (68 * "1 2 3\n", "at one place or on a line; give those of both eyes, nose and mouth"),
        ("".join(f"{k} {k} {k} 1\n" for k in range(468)), "at one place or on a line"),
        ("".join(f"{k} {k % 7}e-200 {k % 5}e-200 0\n" for k in range(468)), "at one place or on a line"),
        (FEW.replace("61 ", "62 "), "the mouth's corners"),
        (FEW.replace("\n4 ", "\n5 "), "the nose's tip"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "bad.txt").write_text(text)
    with pytest.raises(MeshError, match="bad.txt") as error:
        read_landmarks(tmp_path / "bad.txt")
    assert part in str(error.value)
    assert len(str(error.value)) < 400 + len(str(tmp_path))


def test_a_mark_of_the_order_of_bytes_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "few.txt").write_text("\ufeff" + FEW, encoding="utf-8")
    assert read_landmarks(tmp_path / "few.txt")[33].tolist() == [-3, 0, 1]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="no such file"):
        read_landmarks(tmp_path / "no.txt")
    with pytest.raises(MeshError, match="this is a folder"):
        read_landmarks(tmp_path)

"""The examples of the page on extending work, and the lines that they change are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mesh_trees import moving, one_peak, write_frames
from shapes import plate_with_hole

from facegen.exporters.point_cache import write_pc2
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.spiral_conv import SpiralConv

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
CHANGES = re.findall(r"^--- (\S+)\n(.*?)(?=^--- |^```)", TEXT, re.S | re.M)


def defined(name: str) -> Any:
    """What the block that defines `name` defines."""
    (code,) = (
        block
        for block in re.findall(r"```python\n(.*?)```", TEXT, re.S)
        if re.search(rf"^(class|def) {name}\b", block, re.M)
    )
    there: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, "extending.md", "exec"), there)
    return there[name]


@pytest.mark.parametrize(("path", "change"), CHANGES)
def test_the_lines_that_are_changed_are_there(path: str, change: str) -> None:
    there = (ROOT / path).read_text(encoding="utf-8").splitlines()
    assert change
    for line in change.splitlines():
        if not line.startswith("+"):
            assert line[1:] in there


def test_the_convolution_is_the_other_with_weights_that_are_products() -> None:
    hierarchy = MeshHierarchy.build(plate_with_hole(21), depth=1, factor=4)
    spiral = torch.from_numpy(hierarchy.spirals[0].copy())
    spiral[3, 4:] = -1
    one, other = defined("SeparableConv")(4, 3, spiral).double(), SpiralConv(4, 3, spiral).double()
    torch.nn.init.normal_(one.gain)
    with torch.no_grad():
        other.weight.copy_(one.gain[..., None] * one.map.weight.t())
        other.bias.copy_(one.map.bias)
    x = torch.randn(5, len(spiral), 4, dtype=torch.float64)
    torch.testing.assert_close(one(x), other(x))


def test_the_source_reads_a_tree(tmp_path: Path) -> None:
    for person, subject in enumerate(("ann", "bob", "cleo")):
        for number, name in enumerate(("smile", "gasp")):
            poses = moving(person, number, one_peak())
            folder = tmp_path / subject / "takes" / name
            write_frames([folder / f"{frame}.ply" for frame in range(len(poses))], poses, 0.1)
    source = defined("StudioSource")(tmp_path)
    assert (source.subjects, source.expressions) == (("ann", "bob", "cleo"), ("happy", "surprise"))
    recording = source.read(next(key for key in source.keys if key.expression == "happy"))
    np.testing.assert_allclose(recording.vertices, moving(0, 0, one_peak()), atol=0.02)
    assert recording.fps == 60


@pytest.mark.parametrize(("half", "kind"), [(False, np.float32), (True, np.float16)])
def test_the_format_is_read_by_numpy(half: bool, kind: type, tmp_path: Path) -> None:
    from facegen.sequence.sequence import Sequence

    vertices = np.random.default_rng(0).normal(0, 50, (70, 9, 3)).astype(np.float32)
    sequence = Sequence(vertices, np.array([[0, 1, 2]]), 25.0, np.zeros((70, 0)), ())
    report = defined("write_npy")(sequence, tmp_path / "a.npy", half=half)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), vertices.astype(kind))
    assert report.startswith("70 frames, ")
    assert write_pc2(sequence, tmp_path / "a.pc2").split(",")[0] == report.split(",")[0]

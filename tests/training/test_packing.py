"""What of a run's checkpoint comes with facegen."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch

import facegen
from facegen.errors import FacegenError
from facegen.training import packing
from facegen.training.packing import pack_model


def test_a_packed_run_acts_the_same_and_has_the_same_bytes_each_time(checkpoint_path: Path, tmp_path: Path) -> None:
    for name in ("a.ckpt", "b.ckpt"):
        pack_model(checkpoint_path, tmp_path / name)
    assert (tmp_path / "a.ckpt").read_bytes() == (tmp_path / "b.ckpt").read_bytes()
    assert set(torch.load(tmp_path / "a.ckpt", weights_only=True)) == {"facegen", "state_dict", "epoch"}
    label = np.eye(6, dtype=np.float32)
    before, after = (facegen.load(path).generator.together(label) for path in (checkpoint_path, tmp_path / "a.ckpt"))
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("step", ["pack_model", "pack_shapes"])
def test_what_ships_stays_where_either_file_cannot_be_made(
    step: str, full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    ships = [tmp_path / name for name in ("face.ckpt", "shapes.npz")]
    for path in ships:
        path.write_bytes(b"what ships")

    def written(*given: object) -> None:
        Path(str(given[-1])).write_bytes(b"anew")

    def fails(*given: object) -> None:
        written(*given)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(given[-1])) if full else FacegenError("no shapes")

    for name in ("pack_model", "pack_shapes"):
        monkeypatch.setattr(packing, name, fails if name == step else written)
    monkeypatch.setattr(packing.pack, "__defaults__", tuple(ships))
    monkeypatch.setattr("sys.argv", ["packing", "run.ckpt", "ICT-FaceKit"])
    with pytest.raises(SystemExit) as ended:
        packing.main()
    told = capsys.readouterr().err
    assert ended.value.code == 2 and told.count("\n") == 1 and ("No space" if full else "no shapes") in told
    assert [path.read_bytes() for path in ships] == [b"what ships"] * 2
    assert sorted(tmp_path.iterdir()) == ships


def test_without_the_head_nothing_is_packed(checkpoint_path: Path, tmp_path: Path) -> None:
    with pytest.raises(FacegenError, match="no such folder"):
        packing.pack(checkpoint_path, tmp_path / "ICT-FaceKit", tmp_path / "face.ckpt", tmp_path / "shapes.npz")
    assert not list(tmp_path.iterdir())

"""What of a run's checkpoint comes with facegen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

import facegen
from facegen.training.packing import pack_model


def test_a_packed_run_acts_the_same_and_has_the_same_bytes_each_time(checkpoint_path: Path, tmp_path: Path) -> None:
    for name in ("a.ckpt", "b.ckpt"):
        pack_model(checkpoint_path, tmp_path / name)
    assert (tmp_path / "a.ckpt").read_bytes() == (tmp_path / "b.ckpt").read_bytes()
    assert set(torch.load(tmp_path / "a.ckpt", weights_only=True)) == {"facegen", "state_dict", "epoch"}
    label = np.eye(6, dtype=np.float32)
    before, after = (facegen.load(path).generator.together(label) for path in (checkpoint_path, tmp_path / "a.ckpt"))
    np.testing.assert_array_equal(before, after)

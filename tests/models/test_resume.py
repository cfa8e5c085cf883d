"""A run that was killed, resumed, ends as if nothing had happened."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from facegen.training import CheckpointFile


def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before(tmp_path: Path) -> None:
    path, files = tmp_path / "checkpoints" / "last.ckpt", CheckpointFile()
    files.save_checkpoint({"epoch": 1}, path)
    for _ in range(2):
        child = os.fork()
        if not child:

            def half(content: Any, name: Path) -> None:
                Path(name).write_bytes(b"half of a checkpoint")
                os.kill(os.getpid(), signal.SIGKILL)

            torch.save = half
            files.save_checkpoint({"epoch": 2}, path)
            os._exit(0)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
        assert files.load_checkpoint(path) == {"epoch": 1}
        assert len(list(path.parent.iterdir())) == 2  # what was left aside does not pile up
    files.save_checkpoint({"epoch": 3}, path)
    assert files.load_checkpoint(path) == {"epoch": 3}
    assert list(path.parent.iterdir()) == [path]


def test_resuming_runs_nothing_that_a_checkpoint_holds(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple:
            return os.system, (f"touch {tmp_path / 'owned'}",)

    torch.save({"state_dict": Evil()}, tmp_path / "evil.ckpt")
    for weights_only in (None, False):
        with pytest.raises(Exception, match="Weights only load failed"):
            CheckpointFile().load_checkpoint(tmp_path / "evil.ckpt", weights_only=weights_only)
    assert not (tmp_path / "owned").exists()

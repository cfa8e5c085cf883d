"""A run leaves the process as it found it, so that a notebook is as it was."""

from __future__ import annotations

import logging
import os
import random
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from facegen.cli import run
from facegen.training import run as _imported  # noqa: F401  (libraries add filters of their own when they are imported)
from facegen.training.run_state import run_state


def _state() -> dict[str, object]:
    return {
        "filters": list(warnings.filters),
        "level": logging.getLogger("lightning_fabric.utilities.seed").level,
        "memory": torch.utils.deterministic.fill_uninitialized_memory,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "environment": dict(os.environ),
        "torch": torch.get_rng_state().tolist(),
        "numpy": np.random.get_state()[1].tolist(),  # noqa: NPY002
        "python": random.getstate(),
    }


@pytest.mark.parametrize("epochs", ["1", "none"])
def test_a_run_leaves_the_process_as_it_was(fit_arguments: list[str], tmp_path: Path, epochs: str) -> None:
    """Whether it ends well or is refused."""
    before = _state()
    arguments = [*fit_arguments, f"--trainer.logger.save_dir={tmp_path}", f"--trainer.max_epochs={epochs}"]
    assert run(["fit", *arguments]) == (0 if epochs == "1" else 2)
    after = _state()
    for name, value in before.items():
        assert after[name] == value, name


def test_within_a_run_its_settings_hold() -> None:
    with run_state():
        assert not torch.utils.deterministic.fill_uninitialized_memory
        assert logging.getLogger("lightning_fabric.utilities.seed").level == logging.WARNING
        with warnings.catch_warnings(record=True) as said:
            warnings.warn("The 'train_dataloader' does not have many workers which may be a bottleneck", stacklevel=1)
        assert not said


def test_nothing_is_sent_unless_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with run_state():
        assert os.environ["WANDB_MODE"] == "offline"
    assert "WANDB_MODE" not in os.environ
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password secret")
    with run_state():
        assert "WANDB_MODE" not in os.environ

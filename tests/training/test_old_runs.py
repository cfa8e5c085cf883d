"""What an earlier version left behind, whose modules lay elsewhere, is still of use."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import yaml

import facegen
from facegen.cli import run

CHECKPOINT = Path(__file__).parent / "before_rooms.ckpt.gz"
"""Of `facegen fit --model=SpiralGenerator "--model.channels=[4, 4, 4]" --model.latent=8 --trainer.max_epochs=1` on the
corpus of `facegen prepare synthetic --subjects 4 --vertices 400 --frames 8 9 --fps 10 --depth 3`, the optimiser's state
left out, by the last version in which `facegen/training.py` was one file."""
CONFIG = """
seed_everything: 0
trainer:
  accelerator: cpu
  logger:
    class_path: pytorch_lightning.loggers.CSVLogger
    init_args: {save_dir: SAVED, name: null, version: run}
  callbacks:
    class_path: facegen.callbacks.EpochLine
  max_epochs: 1
  enable_progress_bar: false
  enable_model_summary: false
  deterministic: true
  use_distributed_sampler: false
  plugins:
  - class_path: facegen.training.CheckpointFile
model:
  class_path: facegen.models.SpiralGenerator
  init_args: {latent: 8, channels: [4, 4, 4]}
data:
  corpus: CORPUS
  workers: 0
"""


@pytest.fixture
def old_checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "old.ckpt"
    path.write_bytes(gzip.decompress(CHECKPOINT.read_bytes()))
    return path


def test_a_checkpoint_of_an_earlier_version_animates(old_checkpoint: Path) -> None:
    model = facegen.load(old_checkpoint)
    assert model.landmarks == {}  # it was written before checkpoints held them
    motion = facegen.motion_label(12, "surprise", facegen.Phases(1, 4, 7, 10), 1.0, model.expressions)
    moved = np.asarray(facegen.animate(model, model.hierarchy.template, motion, fps=10).vertices)
    assert moved.shape == (12, 400, 3)
    assert np.abs(moved[5] - moved[0]).max() > 0.1


def test_a_config_that_an_earlier_version_saved_trains_and_tests(
    corpus_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.replace("SAVED", str(tmp_path / "runs")).replace("CORPUS", str(corpus_path)))
    assert run(["fit", "--config", str(config)]) == 0
    assert "epoch 1/1" in capsys.readouterr().err  # the callback of the old name was at work
    saved = yaml.safe_load((tmp_path / "runs" / "run" / "config.yaml").read_text())
    assert saved["trainer"]["plugins"] == [{"class_path": "facegen.training.CheckpointFile"}]
    checkpoint = tmp_path / "runs" / "run" / "checkpoints" / "last.ckpt"
    assert run(["test", "--config", str(config), "--ckpt_path", str(checkpoint)]) == 0

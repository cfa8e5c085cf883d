"""How checkpoints get onto the disk and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins import TorchCheckpointIO

from facegen.checkpoint_digest import with_digest
from facegen.checkpoint_networks import read_by_torch
from facegen.files import new_file


class CheckpointFile(TorchCheckpointIO):
    """Checkpoints as files that are whole at every moment, and that are read without running anything they hold."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write aside, then rename: a run that is killed meanwhile leaves the checkpoint before."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with new_file(path, replaced=True) as aside:
            torch.save(with_digest(checkpoint), aside)

    def load_checkpoint(
        self, path: str | Path, map_location: Any = "cpu", weights_only: bool | None = True
    ) -> dict[str, Any]:
        """Read tensors, numbers and strings only, even where `weights_only` is false.

        Raises:
            CheckpointError: the file is none, holds anything else, or is not as it was written.
        """
        return read_by_torch(Path(path), map_location)

"""How checkpoints get onto the disk and back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins import TorchCheckpointIO

from facegen.checkpoint_digest import AGAIN, DIGEST, digest_of, with_digest
from facegen.checkpoint_format import KEY
from facegen.checkpoint_networks import read_by_torch
from facegen.errors import CheckpointError
from facegen.files import new_file
from facegen.schema import WrongValueError
from facegen.tables import TRAINING

STATE = "training/"
"""Before the names of the digests of what a training goes on with, beside those of what a model computes with."""


class CheckpointFile(TorchCheckpointIO):
    """Checkpoints as files that are whole at every moment, and that are read without running anything they hold."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write aside, then rename: a run that is killed meanwhile leaves the checkpoint before."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        content = with_digest(checkpoint)
        if DIGEST in content.get(KEY, {}):
            with suppress(ValueError, TypeError, AttributeError):  # a callback of the user's own may keep what it likes
                content[KEY][DIGEST] |= _digests(content)
        packed = BytesIO()
        torch.save(content, packed)  # a file's name, aside with its process's number, would be part of what is in it
        with new_file(path) as aside:
            aside.write_bytes(packed.getbuffer())

    def load_checkpoint(
        self, path: str | Path, map_location: Any = "cpu", weights_only: bool | None = True
    ) -> dict[str, Any]:
        """Read tensors, numbers and strings only, even where `weights_only` is false.

        Raises:
            CheckpointError: the file is none, holds anything else, or is not as it was written; or a training could not
                go on with it.
        """
        content = read_by_torch(Path(path), map_location)
        try:
            TRAINING.check(content, "")
            wanted = content.get(KEY, {}).get(DIGEST, {})
            # What somebody left out, to keep the weights alone, is not missed.
            if any(wanted.get(name, digest) != digest for name, digest in _digests(content).items()):
                raise CheckpointError(f"{path}: the state of training in it is not as it was written (digest); {AGAIN}")
            if not _finite(content.get("optimizer_states")):
                raise CheckpointError(f"{path}: the optimiser's state in it is not finite; take an earlier checkpoint")
        except (WrongValueError, ValueError, TypeError, AttributeError) as error:
            raise CheckpointError(f"{path}: the state of training in it is damaged ({error}); {AGAIN}") from error
        return content


def _digests(content: Mapping[str, Any]) -> dict[str, str]:
    # The weights have a digest of their own.
    parts = [name for name in TRAINING.optional if name in content and name != "state_dict"]
    return {STATE + name: digest_of(content[name]) for name in parts}


def _finite(value: Any) -> bool:
    """Whether all numbers in a value are, in tables and lists too."""
    if isinstance(value, Mapping):
        return all(map(_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_finite, value))
    if isinstance(value, torch.Tensor):
        return bool(value.isfinite().all())
    return not isinstance(value, float) or isfinite(value)

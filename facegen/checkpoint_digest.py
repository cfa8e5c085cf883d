"""A digest of what a checkpoint computes with: written into every checkpoint, and looked at whenever one is read.

The archive that torch writes has check sums of its own, which torch does not look at; they are looked at here where it
reads (`require_sound_archive`). The digest stays with the numbers wherever they are copied to.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

import numpy as np

from facegen.checkpoint_format import KEY
from facegen.errors import CheckpointError

DIGEST = "digest"
"""Name of the digest in facegen's entry of a checkpoint."""
AGAIN = "copy it again from where it is whole, or train it again"
MOST_COPIES = 4
"""Bytes of all arrays over those of the file, at most. Chosen: several may share their numbers, a few do."""
DEEPEST, MOST_VALUES = 32, 100_000
"""Tables and lists within each other, and values in them all. Chosen far above what a checkpoint holds."""
_told: set[str] = set()
"""Files without a digest that were spoken of."""


def with_digest(content: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint's dictionary with the digest in its entry; as it is, where it has no such entry."""
    if KEY not in content or "state_dict" not in content:
        return dict(content)
    return {**content, KEY: {**content[KEY], DIGEST: digest_of(content)}}


def digest_of(content: Mapping[str, Any], most_bytes: int = sys.maxsize) -> str:
    """Hex digest of weights and entry, tensors or arrays.

    Args:
        content: a checkpoint's dictionary.
        most_bytes: of all arrays together.

    Raises:
        ValueError: there are more, or tables are too deep in each other.
    """
    state = _Digest(most_bytes)
    state.add(content["state_dict"])
    state.add({name: value for name, value in content[KEY].items() if name != DIGEST})
    return state.sha256.hexdigest()


class _Digest:
    def __init__(self, most_bytes: int) -> None:
        self.sha256, self.bytes, self.values = hashlib.sha256(), most_bytes, MOST_VALUES

    def add(self, value: Any, depth: int = 0) -> None:
        """Take in a value, so that no other gives the same bytes."""
        self.values -= 1
        if depth > DEEPEST or self.values < 0:
            raise ValueError("too many values, or too deep in each other")
        if isinstance(value, Mapping):
            self.sha256.update(b"{%d" % len(value))
            for key in sorted(value, key=str):
                self.add(str(key))
                self.add(value[key], depth + 1)
        elif isinstance(value, list | tuple):
            self.sha256.update(b"[%d" % len(value))
            for each in value:
                self.add(each, depth + 1)
        elif value is None or isinstance(value, bool | int | float | str):
            text = repr(value).encode(errors="surrogatepass")
            self.sha256.update(b"%d %s" % (len(text), text))
        else:
            self._add_array(value)

    def _add_array(self, value: Any) -> None:
        kind = str(value.dtype).removeprefix("torch.")
        shape = tuple(value.shape)
        self.bytes -= value.nbytes
        if self.bytes < 0:
            raise ValueError("more numbers than the file holds")
        self.sha256.update(f"{kind}{shape}".encode())
        array = value if isinstance(value, np.ndarray) else _array(value)
        self.sha256.update(np.ascontiguousarray(array).data)


def _array(tensor: Any) -> np.ndarray:
    import torch

    tensor = tensor.detach().cpu().contiguous()
    # numpy has no bfloat16, and the bytes are the same.
    return (tensor.view(torch.int16) if tensor.dtype is torch.bfloat16 else tensor).numpy()


def require_digest(path: Path, content: Mapping[str, Any]) -> None:
    """Require that weights and entry are those that were written; a file without a digest gets a line, once.

    Raises:
        CheckpointError: they are not.
    """
    wanted = content[KEY].get(DIGEST)
    if wanted is None:
        if str(path) not in _told:
            _told.add(str(path))
            older = "it has no digest, as earlier versions wrote it, so that damage in it cannot be told"
            print(f"facegen: {path}: {older}", file=sys.stderr)
        return
    try:
        found = digest_of(content, MOST_COPIES * path.stat().st_size)
    except (ValueError, TypeError, AttributeError, RuntimeError, OSError):  # of whatever an entry may hold
        found = None
    if found != wanted:
        raise CheckpointError(f"{path}: weights or tables are not those that were written (digest); {AGAIN}")


def require_sound_archive(path: Path) -> None:
    """Require, of an archive of torch, that every part of it has the check sum that stands beside it.

    Raises:
        CheckpointError: one has not.
    """
    try:
        if not is_zipfile(path):
            return  # an older form, or no checkpoint, as torch will say
        with ZipFile(path) as archive:
            broken = archive.testzip()
    except Exception as error:  # each part of an archive has ways of its own to be malformed
        raise CheckpointError(f"{path}: the archive is damaged; {AGAIN}") from error
    if broken is not None:
        raise CheckpointError(f"{path}: {broken[:80]!a} in it is damaged (check sum); {AGAIN}")

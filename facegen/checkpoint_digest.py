"""Digests of what a checkpoint computes with: written into every checkpoint, and looked at whenever one is read.

The archive that torch writes has check sums of its own, which torch does not look at; they are looked at here where it
reads (`require_sound_archive`). The digests stay with the numbers wherever they are copied to.
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
from facegen.standard_streams import note

DIGEST = "digests"
"""Name of the digests in facegen's entry of a checkpoint. A part that is not there needs none, as in older files."""
AGAIN = "copy it again from where it is whole, or train it again"
MOST_COPIES = 4
"""Bytes of all arrays over those of the file, at most. Chosen: several may share their numbers, a few do."""
DEEPEST, MOST_VALUES = 32, 100_000
"""Tables and lists within each other, and values in them all. Chosen far above what a checkpoint holds."""
_told: set[str] = set()
"""Files without a digest that were spoken of."""


def with_digest(content: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint's dictionary with the digests in its entry; as it is, where it has no such entry."""
    if KEY not in content or "state_dict" not in content:
        return dict(content)
    return {**content, KEY: {**content[KEY], DIGEST: digests_of(content)}}


def digests_of(content: Mapping[str, Any], most_bytes: int = sys.maxsize) -> dict[str, str]:
    """Hex digests of the weights and of each part of the entry, tensors or arrays, by name.

    Args:
        content: a checkpoint's dictionary.
        most_bytes: of all arrays together.

    Raises:
        ValueError: there are more, or tables are too deep in each other.
    """
    state = _Digest(most_bytes)
    parts = {"state_dict": content["state_dict"]}
    parts |= {name: value for name, value in content[KEY].items() if name != DIGEST}
    return {name: state.of(value) for name, value in parts.items()}


def digest_of(value: Any) -> str:
    """Hex digest of tables, lists, plain values, tensors and arrays.

    Raises:
        ValueError: tables are too deep in each other, or too many.
        AttributeError: it holds something else.
    """
    return _Digest(sys.maxsize).of(value)


class _Digest:
    def __init__(self, most_bytes: int) -> None:
        self.sha256, self.bytes, self.values = hashlib.sha256(), most_bytes, MOST_VALUES

    def of(self, value: Any) -> str:
        """Hex digest of one value."""
        self.sha256 = hashlib.sha256()
        self.add(value)
        return self.sha256.hexdigest()

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
            note(f"{path}: {older}")
        return
    try:
        found = digests_of(content, MOST_COPIES * path.stat().st_size)
        wrong = [name for name in found if found[name] != wanted.get(name)]
    except (ValueError, TypeError, AttributeError, RuntimeError, OSError):  # of whatever an entry may hold
        wrong = ["its digest"]
    if wrong == ["state_dict"] and not _finite(content["state_dict"]):
        return  # which is refused with a better reason
    if wrong:
        what = {"state_dict": "weights"}.get(wrong[0], ascii(str(wrong[0]))[1:-1][:40])
        raise CheckpointError(f"{path}: {what} of it is not as it was written (digest); {AGAIN}")


def _finite(weights: Mapping[str, Any]) -> bool:
    arrays = (value if isinstance(value, np.ndarray) else _array(value) for value in weights.values())
    return all(bool(np.isfinite(array).all()) for array in arrays if array.dtype.kind == "f")


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

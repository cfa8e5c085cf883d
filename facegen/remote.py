"""Files behind a URL, such as those of an object store: read in parts, each when it is wanted, and never written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from facegen.errors import FacegenError
from facegen.optional import require

URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s:]+(?::\d+)?[^\s:]*")
"""No chain of them: of `simplecache::s3://...` whole files would be copied."""


@dataclass(frozen=True)
class RemotePlace:
    """A file or folder behind a URL, with as much of `pathlib.Path` as readers of a corpus need.

    It holds no connection, so that it can go to other processes.

    Args:
        url: such as `s3://bucket/corpus`.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str) -> RemotePlace:
        return RemotePlace(f"{self.url.rstrip('/')}/{name}")

    def joinpath(self, *names: str) -> RemotePlace:
        return self / "/".join(names) if names else self

    def is_file(self) -> bool:
        return self.size() is not None

    def require_known(self) -> None:
        """Require a URL that can be asked; nothing is asked yet.

        Raises:
            FacegenError: it is no URL, or what its kind needs is not installed.
        """
        self._store()

    def size(self) -> int | None:
        """Bytes of a file; None where there is none.

        Raises:
            FacegenError: the store cannot be asked.
        """
        try:
            found = self._asked(lambda files, path: files.info(path))
        except FileNotFoundError:
            return None
        return found["size"] if found["type"] == "file" else None

    def read_bytes(self) -> bytes:
        """All of a file.

        Raises:
            FileNotFoundError: there is none.
            FacegenError: the store cannot be asked.
        """
        return self._asked(lambda files, path: files.cat_file(path))

    def read_text(self, encoding: str) -> str:
        """All of a file, see `read_bytes`."""
        return self.read_bytes().decode(encoding)

    def open(self) -> BinaryIO:
        """A file to read parts of, see `read_bytes`."""
        return self._asked(lambda files, path: files.open(path, "rb"))

    def _store(self) -> tuple[Any, str]:
        # Anew each time: a connection is not to be used by a process that was forked.
        fsspec = require("fsspec", "remote")
        if not URL.fullmatch(self.url):
            raise FacegenError(f"{self.url[:80]}: expected a URL such as s3://bucket/corpus")
        try:
            return fsspec.core.url_to_fs(self.url)
        except ImportError as error:
            scheme = self.url.partition("://")[0]
            raise FacegenError(
                f"{self.url}: a package for {scheme}:// is not installed; for s3://: pip install 'facegen[remote]'"
            ) from error
        except ValueError as error:
            raise FacegenError(f"{self.url}: nothing is known of such URLs; expected s3://bucket/corpus") from error

    def _asked(self, question: Callable[[Any, str], Any]) -> Any:
        store, path = self._store()
        try:
            return question(store, path)
        except FileNotFoundError:
            raise
        except Exception as error:  # each kind of store fails in ways of its own
            raise FacegenError(
                f"{self.url}: the store does not answer, or does not let it be read; look at its address and your keys"
            ) from error


Place = Path | RemotePlace
"""Where a corpus may lie."""


def place_of(name: str | Place) -> Place:
    """A URL as a place behind it, and everything else as a path."""
    if isinstance(name, str) and "://" in name:
        return RemotePlace(name)
    return name if isinstance(name, RemotePlace) else Path(name)


def size_of(place: Place) -> int | None:
    """Bytes of a file; None where there is none.

    Raises:
        OSError, FacegenError: it cannot be looked at.
    """
    if isinstance(place, RemotePlace):
        return place.size()
    return place.stat().st_size if place.is_file() else None

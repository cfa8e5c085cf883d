"""Files dropped onto the page: bounded, under plain names, in a folder of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_exceptions import HTTPException

from facegen.errors import FacegenError
from facegen.studio.names import PICTURES

LARGEST_DROP = 1 << 30
"""Bytes of what is dropped at once, at most. Chosen: a mesh of five million vertices as text."""
LARGEST_FOLDER = 4 << 30
"""Bytes of all that was dropped since the studio began, at most. Chosen."""
MOST_FILES = 64
"""Files dropped at once, at most. Chosen: an asset with its textures."""
NAME = re.compile(r"[^\W_][\w .()+-]{0,120}")
"""Names that are kept: letters and digits first, no slash anywhere."""
ONCE = 1 << 18
"""Bytes that are read at once."""


@contextmanager
def readable() -> Iterator[None]:
    """In here a request is read: one that is not as HTTP or a form has it is a mistake of whoever sent it.

    Raises:
        FacegenError: it is none.
    """
    try:
        yield
    except (FacegenError, OSError, HTTPException):
        raise
    except (
        HttpProcessingError,
        web.RequestPayloadError,
        ValueError,
        LookupError,
        RecursionError,
        AssertionError,
    ) as error:
        raise FacegenError("expected a whole request of the page; reload it, and try again") from error


def plain(name: str) -> str:
    """The name of a dropped file, as it is kept; one that says a place loses it.

    Raises:
        FacegenError: nothing of it can be kept.
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    if not NAME.fullmatch(last) or ".." in last:
        raise FacegenError(f"a file is called {last[:40]!r}; rename it with letters, digits, - and . and drop it again")
    return last


async def received(request: web.Request, folder: Path, held: int) -> list[Path]:
    """The files of a request, written to a folder.

    Args:
        request: a form with files.
        folder: empty.
        held: bytes that earlier ones take.

    Raises:
        FacegenError: they are too many or too large, there is none, or a name cannot be kept.
    """
    if not request.content_type.startswith("multipart/"):
        raise FacegenError("expected files; drop them onto the page")
    with readable():
        found = await _written(request, folder, held)
    if not found:
        raise FacegenError("expected files, found none; drop them onto the page")
    return found


async def _written(request: web.Request, folder: Path, held: int) -> list[Path]:
    found: list[Path] = []
    size = 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.filename is None:
            continue
        if len(found) == MOST_FILES:
            raise FacegenError(f"more than {MOST_FILES} files at once; drop the mesh and what belongs to it")
        path = folder / plain(part.filename)
        if path.exists():
            raise FacegenError(f"two files are called {path.name}; rename one of them, and drop them again")
        with path.open("xb") as file:
            while chunk := await part.read_chunk(ONCE):
                size += len(chunk)
                if size > LARGEST_DROP or held + size > LARGEST_FOLDER:
                    raise FacegenError(
                        f"expected up to {LARGEST_DROP >> 20} MB at once and {LARGEST_FOLDER >> 30} GB in all; drop "
                        "less, or start the studio again"
                    )
                file.write(chunk)
        found.append(path)
    return found


def main_file(files: list[Path]) -> Path:
    """The mesh among dropped files, or else the photograph.

    Raises:
        FacegenError: there is none, or several meshes.
    """
    from facegen.mesh.formats.io import READERS

    meshes = [path for path in files if path.suffix.lower() in READERS]
    pictures = [path for path in files if path.suffix.lower() in PICTURES]
    if len(meshes) > 1:
        raise FacegenError(f"{len(meshes)} meshes at once; drop one, with what belongs to it")
    if not meshes and len(pictures) != 1:
        kinds = " ".join([*READERS, *PICTURES, ".yaml", ".csv"])
        raise FacegenError(f"{files[0].name}: expected one file of {kinds}; export it as one of them")
    return (meshes or pictures)[0]

"""Files that a mesh file names: read from its own folder or below it, and from nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from facegen.errors import MeshError
from facegen.files import plain_name
from facegen.inputs import note_read
from facegen.mesh.material import LARGEST_TEXTURE, Texture

FOLDERS_BELOW = 8
"""Last folders of a name that are looked for below the mesh's own. Chosen; a texture lies one or two below."""
ENTRIES_LISTED = 10_000
"""Entries of a folder among which a name in another case is looked for. Chosen; each costs a microsecond or two."""


def read_texture(place: Path) -> Texture:
    """The picture at a place that `find_beside` found.

    Raises:
        MeshError: it is no PNG or JPEG of a size that is taken.
    """
    data = read_found(place, LARGEST_TEXTURE)
    try:
        return Texture(data, place.stem)
    except MeshError as error:
        raise MeshError(f"{place.name[:80]!a}: {error}") from error


def find_beside(folder: Path, name: str, near: Path | None = None) -> Path:
    """Where a file lies that another file in `folder` names: in that folder or below it.

    Names come from other machines: of a path that leads elsewhere, its last parts are looked for here, `skin.png` of
    `C:\\work\\skin.png`; and where nothing has exactly this name, one that differs in the case of letters alone.

    Args:
        folder: of the mesh; nothing outside of it is looked at.
        name: as the file has it, with slashes or backslashes.
        near: a folder below it to look into too, of a material library that names pictures beside itself.

    Raises:
        MeshError: nothing of that name is there.
    """
    home = folder.resolve()
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    elsewhere = ".." in parts or ":" in name or name.startswith(("/", "\\"))
    parts = [part for part in parts if part != ".." and ":" not in part][-FOLDERS_BELOW:]
    try:
        for first in range(len(parts)):
            for start in dict.fromkeys((home, (near or home).resolve())):
                found = _below(start, parts[first:])
                if found is not None and found.is_relative_to(home) and found.is_file():
                    return found
                elsewhere = elsewhere or not (found is None or found.is_relative_to(home))
    except (OSError, ValueError, RuntimeError) as error:  # too long, with what no name holds, a link in a circle
        raise MeshError(f"{name[:80]!a}: no such file in the mesh's folder") from error
    if elsewhere:
        raise MeshError(
            f"{name[:80]!a} does not lie in the mesh's folder, and is not read; put the file beside the mesh"
        )
    raise MeshError(f"{name[:80]!a}: no such file in the mesh's folder")


def _below(start: Path, parts: list[str]) -> Path | None:
    """The place of these names below a folder, each as it is or with other cases; None where one is not there."""
    place = start
    for part in parts:
        if not (place / part).exists():
            listed = islice(_entries(place), ENTRIES_LISTED)
            alike = [entry for entry in listed if plain_name(entry) == plain_name(part)]
            if len(alike) != 1:
                return None
            part = alike[0]
        place = place / part
    return place.resolve()


def _entries(folder: Path) -> Iterator[str]:
    return (entry.name for entry in folder.iterdir()) if folder.is_dir() else iter(())


def read_found(place: Path, largest: int) -> bytes:
    """The bytes of a file that `find_beside` found.

    Raises:
        MeshError: it is larger than `largest` bytes, or cannot be read.
    """
    note_read(place)
    try:
        size = place.stat().st_size
        if size > largest:
            raise MeshError(f"{place.name[:80]!a} has {size >> 20} MB; up to {largest >> 20} MB are read")
        return place.read_bytes()
    except OSError as error:
        raise MeshError(f"{place.name[:80]!a} cannot be read ({error.strerror})") from error

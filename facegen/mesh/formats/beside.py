"""Files that a mesh file names: read from its own folder, and from nowhere else."""

from __future__ import annotations

from pathlib import Path

from facegen.errors import MeshError
from facegen.mesh.material import LARGEST_TEXTURE, Texture


def read_texture(folder: Path, name: str) -> Texture:
    """A picture that a file in `folder` names, from that folder or below it and from nowhere else.

    Raises:
        MeshError: the name leads elsewhere, nothing is there, or it is no PNG or JPEG of a size that is taken.
    """
    data = read_beside(folder, name, LARGEST_TEXTURE)
    return Texture(data, Path(name.replace("\\", "/")).stem)


def read_beside(folder: Path, name: str, largest: int) -> bytes:
    """The bytes of a file that another file in `folder` names, from that folder or below it and from nowhere else.

    Raises:
        MeshError: the name leads elsewhere, nothing is there, or the file is larger than `largest` bytes.
    """
    place = name.replace("\\", "/")
    home = folder.resolve()
    try:
        found = (home / place).resolve()
        inside = not Path(place).is_absolute() and ".." not in Path(place).parts and found.is_relative_to(home)
        if not inside or ":" in place:
            raise MeshError(f"{name[:80]!a} does not lie in the mesh's folder, and is not read")
        if not found.is_file():
            raise MeshError(f"{name[:80]!a}: no such file in the mesh's folder")
        size = found.stat().st_size
        if size > largest:
            raise MeshError(f"{name[:80]!a} has {size >> 20} MB; up to {largest >> 20} MB are read")
        return found.read_bytes()
    except (OSError, ValueError) as error:
        raise MeshError(f"{name[:80]!a} cannot be read ({error})") from error

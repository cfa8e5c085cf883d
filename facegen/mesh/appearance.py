"""What a surface looks like: texture coordinates, and a base colour or picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.errors import MeshError

LARGEST_TEXTURE = 64 << 20  # bytes
MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}


@dataclass(frozen=True, eq=False)
class Texture:
    """A picture as a file holds it.

    Args:
        data: its bytes, PNG or JPEG.

    Raises:
        MeshError: it is neither, or larger than is taken.
    """

    data: bytes

    def __post_init__(self) -> None:
        if len(self.data) > LARGEST_TEXTURE:
            raise MeshError(f"a texture of {len(self.data) >> 20} MB; up to {LARGEST_TEXTURE >> 20} MB are taken")
        if self.mime is None:
            raise MeshError(f"expected a texture in PNG or JPEG, found one that begins with {self.data[:8]!r}")

    @property
    def mime(self) -> str | None:
        """`image/png` or `image/jpeg`, by the first bytes, whatever a file's name says."""
        return next((kind for magic, kind in MAGIC.items() if self.data.startswith(magic)), None)

    @property
    def suffix(self) -> str:
        return SUFFIXES[self.mime]


@dataclass(frozen=True, eq=False)
class Appearance:
    """How one surface is coloured.

    Args:
        uv: (U, 2) float32 texture coordinates, (0, 0) at the picture's lower left; (0, 2) where there are none.
        corners: (F, 3) int64, for each corner of `TriMesh.faces` its row of `uv`.
        color: base colour, linear red, green and blue; None where the file names none. It multiplies the texture.
        texture: the base colour's picture.
        left_out: what the file names and could not be used, each with the reason.

    Raises:
        MeshError: the shapes do not fit, a coordinate is not finite, a corner points outside `uv`, or a texture has no
            coordinates.
    """

    uv: np.ndarray
    corners: np.ndarray
    color: tuple[float, float, float] | None = None
    texture: Texture | None = None
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        uv = np.ascontiguousarray(self.uv, dtype=np.float32)
        corners = np.ascontiguousarray(self.corners, dtype=np.int64)
        if uv.ndim != 2 or uv.shape[1] != 2 or corners.ndim != 2 or corners.shape[1] != 3:
            raise MeshError(
                f"texture coordinates must be (U, 2) and corners (F, 3), got {uv.shape} and {corners.shape}"
            )
        if not np.isfinite(uv).all():
            raise MeshError("a texture coordinate is not finite")
        if corners.size and not 0 <= corners.min() <= corners.max() < len(uv):
            raise MeshError(f"a corner uses a texture coordinate that is not there, of {len(uv)}")
        if self.texture is not None and not len(uv):
            raise MeshError("a texture without texture coordinates")
        object.__setattr__(self, "uv", uv)
        object.__setattr__(self, "corners", corners)

    def split(self, faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One vertex for each texture coordinate it has, as glTF needs them.

        Args:
            faces: (F, 3) of a mesh of `count` vertices.

        Returns:
            vertices: (W,) which vertex each is; the first `count` are all of the mesh in their order, those that
                follow stand along the seams.
            uv: (W, 2).
            faces: (F, 3) into these.
        """
        pairs = np.stack([faces.ravel(), self.corners.ravel()], axis=1)
        unique, place = np.unique(pairs, axis=0, return_inverse=True)
        first = np.append(True, np.diff(unique[:, 0]) != 0)  # of each vertex, the coordinate that it keeps itself
        row = np.where(first, unique[:, 0], 0)
        row[~first] = count + np.arange(np.count_nonzero(~first))
        vertices = np.concatenate([np.arange(count), unique[~first, 0]])
        uv = np.zeros((len(vertices), 2), np.float32)
        uv[row] = self.uv[unique[:, 1]]
        return vertices, uv, row[place].reshape(faces.shape)


def read_texture(folder: Path, name: str) -> Texture:
    """A picture that a file in `folder` names, from that folder or below it and from nowhere else.

    Raises:
        MeshError: the name leads elsewhere, nothing is there, or it is no PNG or JPEG of a size that is taken.
    """
    return Texture(read_beside(folder, name, LARGEST_TEXTURE))


def read_beside(folder: Path, name: str, largest: int) -> bytes:
    """The bytes of a file that another in `folder` names, from that folder or below it and from nowhere else.

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

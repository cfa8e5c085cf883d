"""Photographs, which anybody may have sent, and the faces in them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from facegen.detection.detector import look_closely, roll
from facegen.detection.photograph import faces_in
from facegen.errors import FacegenError
from facegen.mesh.material import eight_bit
from facegen.optional import require
from facegen.readable import require_file

LARGEST_FILE = 256 << 20
"""Bytes of a file that is read, at most. Chosen: no camera makes larger ones."""
LARGEST_PICTURE = 100_000_000
"""Pixels of a picture that is decoded, at most, since a small file may hold a huge picture. Chosen, 300 MB of
memory."""
KEPT_EDGE = 2048
"""Pixels of the longer edge that a picture is scaled to, at most. Chosen: a texture of a face needs no more."""
MOST_PICTURES = 16
"""Pictures of one person, at most. Chosen: they are all held in memory, and more say hardly more."""
KINDS = ("JPEG", "PNG", "WEBP")
"""Formats that are read, by pillow's names."""


def read_picture(path: str | Path) -> np.ndarray:
    """Read a picture, turned the way up that its camera noted and no larger than `KEPT_EDGE`.

    Returns:
        (H, W, 3) uint8, RGB.

    Raises:
        FacegenError: the file is missing, damaged, too large, or no JPEG, PNG or WebP.
    """
    image = require("PIL.Image", "photo")
    as_noted = require("PIL.ImageOps", "photo").exif_transpose
    path = require_file(path, missing="no such picture")
    if path.stat().st_size > LARGEST_FILE:
        raise FacegenError(f"{path}: {path.stat().st_size >> 20} MB; pictures up to {LARGEST_FILE >> 20} MB are taken")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged notes beside the picture; the bound below is the same for all
            with image.open(path, formats=KINDS) as opened:
                width, height = opened.size
                if width * height > LARGEST_PICTURE:
                    raise image.DecompressionBombError(f"{width} x {height} pixels")
                found = eight_bit(as_noted(opened))
                if found.mode in ("RGBA", "LA", "P", "PA"):
                    clear = found.convert("RGBA")
                    found = image.alpha_composite(image.new("RGBA", clear.size, "white"), clear)
                found = found.convert("RGB")
                found.thumbnail((KEPT_EDGE, KEPT_EDGE), image.Resampling.LANCZOS)
                return np.array(found)
    except image.DecompressionBombError as error:
        raise FacegenError(f"{path}: expected up to {LARGEST_PICTURE:,} pixels, found more; scale it down") from error
    except Exception as error:  # decoders fail in ways of their own on damaged bytes
        raise FacegenError(
            f"{path}: expected a picture as JPEG, PNG or WebP, or it is damaged; save it again as one of these"
        ) from error


def read_photos(paths: Sequence[Path], number: int | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures of one person and the landmarks in them, see `read_photo`.

    Raises:
        FacegenError: one cannot be read or has no face, they are too many, or two of them are the same.
    """
    if len(paths) > MOST_PICTURES:
        raise FacegenError(f"{len(paths)} pictures; up to {MOST_PICTURES} are taken, of one person from several sides")
    if number is not None and len(paths) > 1:
        raise FacegenError(f"--face {number} counts the faces of one picture, got {len(paths)}; cut each to the person")
    pictures = [read_picture(path) for path in paths]  # all of them before any is searched, which takes a second each
    for one, two in combinations(range(len(pictures)), 2):
        if np.array_equal(pictures[one], pictures[two]):
            raise FacegenError(f"{paths[one]} and {paths[two]} are the same picture; give each once")
    return [_upright_face(picture, number, path) for picture, path in zip(pictures, paths, strict=True)]


def read_photo(path: Path, number: int | None) -> tuple[np.ndarray, np.ndarray]:
    """A picture, (H, W, 3) uint8, in which a face stands upright, and the face's landmarks (468, 2), pixels.

    Where the face is nearer to lying or to standing on its head, the picture is turned, and that is printed.

    Args:
        path: of the picture.
        number: which face, see `find_face`.

    Raises:
        FacegenError: see `read_picture` and `find_face`.
    """
    return _upright_face(read_picture(path), number, path)


def _upright_face(picture: np.ndarray, number: int | None, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The face in a picture from a file, see `read_photo`."""
    picture, points, degrees = upright(picture, find_face(picture, number, str(path)))
    if degrees:
        print(f"{path}: turned by {degrees} degrees, so that the face stands upright")
    return picture, points


def find_face(picture: np.ndarray, number: int | None, name: str) -> np.ndarray:
    """Landmarks of a face in a picture, (468, 2) in pixels.

    Args:
        picture: (H, W, 3) uint8.
        number: which of several, from 1, the largest first; None takes the largest.
        name: what messages call the picture.

    Raises:
        FacegenError: the picture has no face, or not so many.
    """
    if number is not None and number < 1:
        raise FacegenError(f"faces are counted from 1, the largest first; got --face {number}")
    found = faces_in(picture)
    if not found:
        raise FacegenError(
            f"{name}: no face is found in it; expected one that looks about into the camera, at least a sixteenth of "
            "the picture wide; cut the picture to the face"
        )
    if number is not None and number > len(found):
        raise FacegenError(f"{name}: {len(found)} faces are found, there is no face {number}; the largest is 1")
    return look_closely(picture, found[(number or 1) - 1])


def upright(picture: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """The picture by quarter turns, so that a face stands on its chin, give or take an eighth of a turn.

    Args:
        picture: (H, W, 3) uint8.
        points: (468, 2) pixels, of the face.

    Returns:
        The picture, the points in it, and the degrees by which it was turned, clockwise as it is seen: 0 to 270.
    """
    quarters = round(roll(points) / 90) % 4
    if not quarters:
        return picture, points, 0
    turned = np.ascontiguousarray(np.rot90(picture, quarters))
    height, width = picture.shape[:2]
    x, y = points.T
    there = {1: (y, width - x), 2: (width - x, height - y), 3: (height - y, x)}[quarters]
    return turned, np.stack(there, axis=1), 360 - 90 * quarters

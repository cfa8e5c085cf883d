"""Photographs, which anybody may have sent, and the faces in them."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from facegen.detection.detector import detect, look_closely
from facegen.errors import FacegenError
from facegen.optional import require

LARGEST_FILE = 256 << 20
"""Bytes of a file that is read, at most. Chosen: no camera makes larger ones."""
LARGEST_PICTURE = 100_000_000
"""Pixels of a picture that is decoded, at most, since a small file may hold a huge picture. Chosen, 300 MB of
memory."""
KEPT_EDGE = 2048
"""Pixels of the longer edge that a picture is scaled to, at most. Chosen: a texture of a face needs no more."""
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
    upright = require("PIL.ImageOps", "photo").exif_transpose
    path = Path(path)
    if not path.is_file():
        raise FacegenError(f"{path}: no such picture")
    if path.stat().st_size > LARGEST_FILE:
        raise FacegenError(f"{path}: {path.stat().st_size >> 20} MB; pictures up to {LARGEST_FILE >> 20} MB are taken")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", image.DecompressionBombWarning)  # the bound below is the same for all
            with image.open(path, formats=KINDS) as opened:
                width, height = opened.size
                if width * height > LARGEST_PICTURE:
                    raise image.DecompressionBombError(f"{width} x {height} pixels")
                found = upright(opened)
                if found.mode in ("RGBA", "LA", "P", "PA"):
                    clear = found.convert("RGBA")
                    found = image.alpha_composite(image.new("RGBA", clear.size, "white"), clear)
                found = found.convert("RGB")
                found.thumbnail((KEPT_EDGE, KEPT_EDGE), image.Resampling.LANCZOS)
                return np.array(found)
    except image.DecompressionBombError as error:
        raise FacegenError(
            f"{path}: {error}; pictures up to {LARGEST_PICTURE:,} pixels are taken, scale it down"
        ) from error
    except Exception as error:  # decoders fail in ways of their own on damaged bytes
        raise FacegenError(f"{path}: expected a picture as JPEG, PNG or WebP, or it is damaged ({error})") from error


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
    found = detect(picture)
    if not found:
        raise FacegenError(
            f"{name}: no face is found in it; expected one that looks about into the camera, at least a fifth of the "
            "picture high; cut the picture to the face"
        )
    if number is not None and number > len(found):
        raise FacegenError(f"{name}: {len(found)} faces are found, there is no face {number}; the largest is 1")
    return look_closely(picture, found[(number or 1) - 1])

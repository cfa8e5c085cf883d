"""Animated GIF, for places that play nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from facegen.exporters.video import film_summary
from facegen.files import new_file
from facegen.optional import require
from facegen.pictures.film import check_size, film
from facegen.pictures.paint import Paint
from facegen.pictures.render import Camera, render
from facegen.sequence.frames import ChosenFrames
from facegen.sequence.sequence import Sequence

CLEAR = 255
"""Index of the colour that lets the picture before show through, so that what does not change takes no room."""
FPS_LIMIT = 50
"""Frames a second at most, 2/100 s each: a browser takes less for a mistake, and plays it five times slower."""
PALETTE_SIZE = 256
"""Pixels across, at most, of the frames that the palette is made of. Chosen: more take longer for the same colours."""


def write_gif(sequence: Sequence, path: str | Path, *, size: int = 512, view: str = "front") -> str:
    """Write an animated GIF that loops, of 50 frames a second at most, since viewers play no more.

    Args:
        sequence: what is filmed; above 50 frames a second, some of its frames are left out.
        path: the file to write.
        size: width and height in pixels.
        view: see `Camera.framing`.

    Returns:
        What was written, in one line.

    Raises:
        FacegenError: an unknown view, a size out of range, pillow is missing, or `path` cannot be written.
        OSError: the file cannot be written to its end, as on a full disk.
    """
    check_size(size)
    image = require("PIL.Image", "render")
    chosen, centiseconds = gif_timing(len(sequence.vertices), sequence.fps)
    vertices = ChosenFrames(sequence.vertices, chosen)
    with new_file(path) as aside:
        # One palette for all frames, of the first and of those in the middle, or the colours would flicker.
        camera, paint = (
            Camera.framing(vertices, view, focus=sequence.focus),
            Paint.of(sequence.faces, sequence.appearance),
        )
        some = [vertices[len(vertices) * part // 4] for part in range(4)]
        strip = np.concatenate(
            [render(pose, sequence.faces, camera, size=min(size, PALETTE_SIZE), paint=paint) for pose in some]
        )
        palette = image.fromarray(strip).quantize(CLEAR, method=image.Quantize.MEDIANCUT, kmeans=1)
        pictures = (
            np.array(image.fromarray(frame).quantize(palette=palette, dither=image.Dither.FLOYDSTEINBERG))
            for frame in film(
                vertices, sequence.faces, size=size, view=view, progress=True, paint=paint, focus=sequence.focus
            )
        )
        with aside.open("wb") as file:
            _write(file, pictures, palette.getpalette()[: 3 * CLEAR], (10 * centiseconds).tolist())
        return film_summary(sequence, size, aside)


def _write(file: BinaryIO, pictures: Iterator[np.ndarray], palette: list[int], milliseconds: list[int]) -> None:
    """Write (H, W) pictures of one palette, each as its difference from the one before; pillow would keep them all."""
    image, plugin = require("PIL.Image", "render"), require("PIL.GifImagePlugin", "render")
    colors = palette + [0] * (3 * CLEAR - len(palette)) + palette[:3]

    def paletted(indices: np.ndarray) -> Any:
        picture = image.fromarray(indices)
        picture.putpalette(colors)
        return picture

    before, waiting, place, lasts = None, None, (0, 0), 0
    for picture, duration in zip(pictures, milliseconds, strict=True):
        picture[picture == CLEAR] = 0  # of the same colour
        changed = np.ones_like(picture, bool) if before is None else picture != before
        if before is None:
            file.writelines(plugin.getheader(paletted(picture), info={"loop": 0, "duration": duration})[0])
        elif not changed.any():  # the same once more
            lasts += duration
            continue
        if waiting is not None:
            file.writelines(plugin.getdata(waiting, place, duration=lasts, transparency=CLEAR, disposal=1))
        rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        waiting = paletted(np.where(changed, picture, np.uint8(CLEAR))[box])
        before, place, lasts = picture, (int(columns[0]), int(rows[0])), duration
    file.writelines(plugin.getdata(waiting, place, duration=lasts, transparency=CLEAR, disposal=1))
    file.write(b";")


def gif_timing(count: int, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """The frames, of `count`, that a GIF shows, and the duration of each in 1/100 s, GIF's unit, without drift."""
    if fps > FPS_LIMIT:
        chosen = (np.arange(0, count / fps, 0.02) * fps).astype(int)
        return chosen, np.full(len(chosen), 2)
    return np.arange(count), np.diff(np.round(100 * np.arange(count + 1) / fps).astype(int))

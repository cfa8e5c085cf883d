"""H.264 films, which play everywhere."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from facegen.errors import FacegenError
from facegen.files import UNWRITTEN, new_file
from facegen.optional import require
from facegen.pictures.film import check_size, film
from facegen.pictures.paint import Paint
from facegen.sequence.sequence import Sequence


def write_mp4(sequence: Sequence, path: str | Path, *, size: int = 512, view: str = "front") -> str:
    """Write an H.264 film, yuv420p.

    Args:
        sequence: what is filmed, at its own frame rate.
        path: the file to write.
        size: width and height in pixels, even.
        view: see `Camera.framing`.

    Returns:
        What was written, in one line.

    Raises:
        FacegenError: an odd size, an unknown view, imageio-ffmpeg is missing, or `path` cannot be written; what ffmpeg
            says of that is its cause.
    """
    check_size(size)
    if size % 2:
        raise FacegenError(f"H.264 needs an even size, got {size}")
    command = [require("imageio_ffmpeg", "video").get_ffmpeg_exe(), "-v", "error", "-y"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size}x{size}", "-framerate", f"{sequence.fps:.6f}"]
    command += ["-i", "pipe:0", "-vf", "scale=out_color_matrix=bt709:out_range=tv", "-pix_fmt", "yuv420p"]
    command += ["-c:v", "libx264", "-crf", "18", "-colorspace", "bt709", "-color_primaries", "bt709"]
    command += ["-color_trc", "bt709", "-color_range", "tv", "-movflags", "+faststart", "-f", "mp4"]
    with new_file(path) as aside:
        paint = Paint.of(sequence.faces, sequence.appearance)
        frames = film(
            sequence.vertices, sequence.faces, size=size, view=view, progress=True, paint=paint, focus=sequence.focus
        )
        failed = _pipe([*command, str(aside)], frames)
        if failed is not None:
            raise FacegenError(f"cannot write {path} by ffmpeg: {UNWRITTEN}") from OSError(failed)
        return film_summary(sequence, size, aside)


def _pipe(command: list[str], frames: Iterator[np.ndarray]) -> str | None:
    """Run `command` with the frames' bytes as its input; its last words where it does not end well."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None  # a pipe was asked for
    try:
        # A pipe breaks when ffmpeg ends; what it said tells why.
        with suppress(BrokenPipeError):
            for frame in frames:
                process.stdin.write(frame.tobytes())
        said = process.communicate()[1].decode(errors="replace").strip()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        return said.splitlines()[-1] if said else f"exit status {process.returncode}"
    return None


def film_summary(sequence: Sequence, size: int, written: Path) -> str:
    """What was written, in one line."""
    count = len(sequence.vertices)
    megabytes = written.stat().st_size / 1e6
    return f"{count} frames, {count / sequence.fps:.2f} s, {size} x {size}, {megabytes:.1f} MB"

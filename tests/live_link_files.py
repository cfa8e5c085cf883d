"""Files of Live Link Face, written as the app writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.motion.live_link import COLUMNS, ROTATIONS, SHAPES

SMILE = SHAPES.index("MouthSmileLeft")


def lines(weights: np.ndarray, first: int = 0, step: int = 1, rate: int = 60) -> list[str]:
    """The file's lines: weights (N, 52), the timecode frame of the first, frames from one to the next."""
    found = [",".join(COLUMNS)]
    for t, row in enumerate(weights):
        whole, frame = divmod(first + t * step, rate)
        stamp = f"{whole // 3600 % 24:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}:{frame:02d}.250"
        found.append(",".join([stamp, "61", *(f"{value:.10f}" for value in row), *["0.1"] * 9]))
    return found


def smile(curve: np.ndarray) -> np.ndarray:
    """(N, 52) weights of a smile that follows a curve, above a small weight that never changes."""
    weights = np.full((len(curve), 52), 0.05)
    weights[:, SMILE] += curve
    return weights


def bumps(fps: int, *events: tuple[str, float, float]) -> np.ndarray:
    """(N, 52) weights at rest but for events: the shapes that begin with a name, from when in seconds, and how high.

    Each rises for half a second, holds for half a second and falls for half a second; a second of rest follows the
    last.
    """
    time = np.arange(round(fps * (max(start for _, start, _ in events) + 2.5))) / fps
    weights = np.full((len(time), len(SHAPES)), 0.02)
    for name, start, height in events:
        curve = height * np.interp(time - start, [0, 0.5, 1, 1.5], [0, 1, 1, 0])
        for k, shape in enumerate(SHAPES):
            if shape.startswith(name):
                weights[:, k] += curve
    return weights


def write_take(path: Path, weights: np.ndarray, fps: int = 60, first: int = 0, columns: int = 61) -> Path:
    """A take of `columns` columns, its timecodes counting `fps` frames a second, with a blank line at its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = lines(weights, first=first, rate=fps)
    if columns == len(SHAPES):
        rows = [",".join(row.split(",")[: -len(ROTATIONS)]).replace(",61,", ",52,") for row in rows]
    path.write_text("\n".join([*rows, "," * rows[0].count(","), ""]) + "\n", encoding="utf-8")
    return path

"""The frames of a sequence, some at a time, with a bar for work that takes long."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from facegen.sequence.frames import Frames, chunks


def streamed(vertices: np.ndarray | Frames, what: str = "") -> Iterator[tuple[int, np.ndarray]]:
    """Chunks of frames of (T, V, 3) in their order: the number of each chunk's first frame, and (N, V, 3), mm.

    Args:
        vertices: see `Sequence`.
        what: is being done; shown beside the bar.
    """
    from tqdm import tqdm

    start = 0
    with tqdm(total=len(vertices), desc=what or None, unit="frame", delay=2, leave=False, disable=None) as bar:
        for chunk in chunks(vertices):
            yield start, chunk
            start += len(chunk)
            bar.update(len(chunk))

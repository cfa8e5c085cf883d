"""The frames of a sequence, some at a time, with a bar for work that takes long; and at another rate."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from facegen.errors import FacegenError
from facegen.places import aside_of, real_place, told_as
from facegen.progress import counting
from facegen.sequence.frames import FewFields, Frames, KeptFrames, StoredFrames, chunks
from facegen.sequence.sequence import Sequence

MAX_SCENE_FPS = 1000.0
"""Frames a second of a scene; far above any, so that a slip of the finger fills no disk."""


def streamed(vertices: np.ndarray | Frames, what: str = "writing") -> Iterator[tuple[int, np.ndarray]]:
    """Chunks of frames of (T, V, 3) in their order: the number of each chunk's first frame, and (N, V, 3), mm.

    Args:
        vertices: see `Sequence`.
        what: is being done; shown beside the progress.
    """
    start = 0
    with counting(what, len(vertices), "frame") as made:
        for chunk in chunks(vertices):
            yield start, chunk
            start += len(chunk)
            made(len(chunk))


@contextmanager
def made_once(sequence: Sequence, path: str | Path) -> Iterator[Sequence]:
    """The sequence for a writer that goes through its frames several times: what takes long to make is made once.

    Args:
        sequence: what is written.
        path: of the file that is written; frames are kept beside it, in a file without a name.

    Raises:
        FacegenError: nothing can be written there.
    """
    frames = sequence.vertices
    if not isinstance(frames, Frames) or isinstance(frames, FewFields | StoredFrames):
        yield sequence
        return
    with told_as(path), tempfile.TemporaryFile(dir=aside_of(real_place(path)).parent) as file:
        yield replace(sequence, vertices=KeptFrames(frames, file))


def require_rate(scene_fps: float) -> None:
    """Refuse what is no rate of a scene."""
    if not 1 <= scene_fps <= MAX_SCENE_FPS:  # NaN fails too
        raise FacegenError(f"a scene has 1 to {MAX_SCENE_FPS:.0f} frames a second, got scene_fps {scene_fps}")


class SceneFrames(Frames):
    """What a scene of another rate shows: between two frames, the mix of both; the last frame is the last.

    Args:
        frames: (T, V, 3) an array or `Frames`, at `fps` a second.
        scene_fps: frames a second of the scene, 1 to `MAX_SCENE_FPS`.
    """

    def __init__(self, frames: np.ndarray | Frames, fps: float, scene_fps: float) -> None:
        require_rate(scene_fps)
        last = len(frames) - 1
        count = int(np.ceil(last * scene_fps / fps - 1e-6)) + 1
        super().__init__((count, *frames.shape[1:]))
        self.frames, self.last, self.step = frames, last, fps / scene_fps

    def read(self, start: int, stop: int) -> np.ndarray:
        at = np.minimum(np.arange(start, stop) * self.step, self.last)
        before = np.floor(at + 1e-6).astype(int)
        after = np.minimum(before + 1, self.last)
        share = np.clip(at - before, 0, 1).astype(np.float32)[:, None, None]
        first = int(before[0])
        held = np.asarray(self.frames[first : int(after[-1]) + 1])
        return held[before - first] * (1 - share) + held[after - first] * share

"""How far, how fast and how soundly takes move, and how far the people of a corpus go in that."""

from __future__ import annotations

import numpy as np

from facegen.data.corpus import Corpus
from facegen.mesh.strain import turned_over
from facegen.progress import following

RANGES = ("displacement_mm", "speed_mm_s", "folded_triangles")
"""The largest displacement of any vertex in any frame, the largest speed, and the most triangles that are turned over
in a frame."""
LOOKED_AT = 12
"""Frames of a take, evenly, in which triangles are looked at. Chosen: neighbours fold alike."""


def ranges_of(displacement: np.ndarray, neutral: np.ndarray, faces: np.ndarray, fps: float) -> np.ndarray:
    """(3,), see `RANGES`, of a take (T, V, 3) mm on a neutral (V, 3) mm with triangles (F, 3)."""
    looked = np.linspace(0, len(displacement) - 1, min(LOOKED_AT, len(displacement))).round().astype(int)
    folded = turned_over(neutral, neutral + displacement[looked], faces).sum(axis=-1)
    moved = np.moveaxis(displacement, 0, -1)  # as corpora store it
    far, fast = (np.sqrt(np.square(each).sum(axis=1).max(initial=0)) for each in (moved, np.diff(moved, axis=-1)))
    return np.array([float(far), float(fast) * fps, folded.max()])


def corpus_ranges(corpus: Corpus) -> dict[str, np.ndarray]:
    """By expression and `total`, the largest (3,) of all recordings of a corpus, whoever shows them."""
    largest = {"total": np.zeros(len(RANGES))}
    faces = corpus.hierarchy.template.faces
    for index in following(range(len(corpus.entries)), "how far people go", "take"):
        found = ranges_of(corpus.displacement(index), corpus.neutral(index), faces, corpus.fps)
        for name in (corpus.entries[index].expression, "total"):
            largest[name] = np.maximum(largest.get(name, found), found)
    return largest

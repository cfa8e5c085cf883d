"""How often phases are found within a frame, by how well they explain the motion: the table of docs/datasets.md.

    python tests/motion/phase_confidence.py [ICT-FaceKit]

Some minutes. Built-in people act and, where its folder is given, faces of the ICT Face Model, at several rates, with
noise, jitter, drift and wandering of the head, and blinks. What is right is known: an onset is the last frame in which
no action unit has set in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from facegen.data.sources.acting import ActedSource, Casting, draw_timing
from facegen.data.sources.built_in.skin import skin
from facegen.data.sources.ict_facekit import ICTFaceKitSource
from facegen.data.sources.synthetic import SyntheticSource
from facegen.motion.confidence import confidence
from facegen.motion.face_phases import face_phases
from facegen.motion.label import EXPRESSIONS
from facegen.progress import following

PEOPLE, VERTICES, RATES, SIGMAS = 100, 1000, (12.0, 25.0, 30.0, 60.0), (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""People of each kind; vertices of the built-in ones; frames a second; standard deviations of noise, mm."""
BINS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, np.inf)
"""Misfits in frames between which takes are counted."""


def takes(source: ActedSource, generator: np.random.Generator) -> Iterator[tuple[float, int, bool]]:
    """What the phases found explain of each take, its frames, and whether all four are within a frame."""
    lids = None
    if isinstance(source, SyntheticSource):
        lids = np.concatenate([part for both in skin(VERTICES).lids.values() for part, _ in both])
    for _ in following(range(PEOPLE), "acting", "person"):
        person, style = source.person(generator), source.style(generator)
        for expression in EXPRESSIONS:
            fps = float(generator.choice(RATES))
            frames, phases, strength = draw_timing((round(1.7 * fps), round(3.3 * fps)), generator)
            weights = style.perform(expression, frames, phases, strength)
            still = (np.abs(list(weights.values())) < 1e-9).all(axis=0)
            rest = max(int(still.argmin()) - 1, phases.onset)
            true = replace(phases, onset=min(rest, phases.apex_start))
            moved = person.pose(weights) - person.neutral.astype(float)
            disturb(moved, fps, lids, generator)
            found, explained = face_phases(moved.astype(np.float32), person.neutral, fps)
            marks = [(p.onset, p.apex_start, p.apex_end, p.offset) for p in (found, true)]
            yield explained, frames, bool((np.abs(np.subtract(*marks)) <= 1).all())


def disturb(moved: np.ndarray, fps: float, lids: np.ndarray | None, generator: np.random.Generator) -> None:
    """Add to displacements (T, V, 3) mm what recordings have beside the expression."""
    frames = len(moved)
    moved += generator.normal(0, generator.choice(SIGMAS), moved.shape)
    moved += generator.normal(0, generator.choice((0.0, 0.05, 0.2)), (frames, 1, 3))
    if lids is not None and generator.random() < 0.33:
        length = max(2, round(0.17 * fps))
        first = int(generator.integers(frames - length))
        bump = 4 * np.sin(np.pi * (np.arange(length) + 0.5) / length)
        moved[first : first + length, lids, 1] -= bump[:, None]
    if generator.random() < 0.33:
        moved += np.multiply.outer(np.linspace(0, 1, frames), generator.normal(0, 0.3, 3))[:, None]
    if generator.random() < 0.2:
        steps = generator.normal(0, generator.choice((0.3, 0.8)), (frames, 3)) / np.sqrt(frames)
        moved += steps.cumsum(axis=0)[:, None]


if __name__ == "__main__":
    casting = Casting(PEOPLE)
    sources: list[ActedSource] = [SyntheticSource(casting, VERTICES)]
    sources += [ICTFaceKitSource(casting, Path(root), "narrow") for root in sys.argv[1:]]
    seen = [take for source in sources for take in takes(source, np.random.default_rng(0))]
    explained, frames, right = map(np.array, zip(*seen, strict=True))
    misfit = frames * np.sqrt(1 - explained)
    told = np.array([confidence(*take[:2]) for take in seen])
    for low, high in zip(BINS, BINS[1:], strict=False):
        inside = (misfit >= low) & (misfit < high)
        if inside.any():
            shares = f"{right[inside].mean():.2f} right, {told[inside].mean():.2f} told"
            print(f"misfit {low:g} to {high:g}: {inside.sum()} takes, {shares}")

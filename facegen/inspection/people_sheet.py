"""Who is in a corpus: people side by side, at rest and at the apex of each expression."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.data.corpus import Corpus
from facegen.errors import FacegenError
from facegen.pictures.render import Camera, render
from facegen.pictures.sheets import contact_sheet, write_picture

PEOPLE_SHOWN = 12
"""How many people a sheet has at most; chosen, so that faces are still seen on a screen."""
PICTURE_EDGE = 160
"""Edge of one person's picture, pixels."""


def draw_people(corpus: Corpus, path: str | Path) -> int:
    """Write a sheet of the first people, each at rest and where the label of each expression is highest.

    Those who validate and those who test are marked.

    Args:
        corpus: whose.
        path: `.png`.

    Returns:
        How many people are on it, at most `PEOPLE_SHOWN`.

    Raises:
        FacegenError: the suffix is another, the place cannot be written, or a package for pictures is not installed.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise FacegenError(f"{path}: the sheet of people is a .png")
    takes: dict[str, dict[str, int]] = {}
    for index, entry in enumerate(corpus.entries):
        takes.setdefault(entry.subject, {}).setdefault(entry.expression, index)
    people = sorted(takes)[:PEOPLE_SHOWN]
    rows = [_row(corpus, takes[subject]) for subject in people]
    splits = [corpus.split_of(subject) for subject in people]
    labels = [name if use == "train" else f"{name} ({use})" for name, use in zip(people, splits, strict=True)]
    sheet = contact_sheet(rows, row_labels=labels, column_labels=["neutral", *corpus.shown])
    write_picture(path, sheet)
    return len(people)


def _row(corpus: Corpus, takes: dict[str, int]) -> list[np.ndarray]:
    """Pictures of one person, white where there is no recording of an expression."""
    faces, neutral = corpus.hierarchy.template.faces, corpus.neutral(next(iter(takes.values())))
    camera = Camera.framing(neutral, margin=0.1)
    poses: list[np.ndarray | None] = [neutral]
    for index in (takes.get(expression) for expression in corpus.shown):
        apex = None if index is None else corpus.displacement(index)[corpus.motion(index).sum(axis=1).argmax()]
        poses.append(None if apex is None else neutral + apex)
    blank = np.full((PICTURE_EDGE, PICTURE_EDGE, 3), 255, np.uint8)
    return [blank if pose is None else render(pose, faces, camera, size=PICTURE_EDGE) for pose in poses]

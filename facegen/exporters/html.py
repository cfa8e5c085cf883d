"""A sequence as a page that plays it: `.html`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.exporters.asset import AssetReport, Place, write_into
from facegen.exporters.glb import GlbReport, write_glb
from facegen.exporters.page import About, page_of
from facegen.sequence.sequence import Sequence


@dataclass(frozen=True)
class PageReport:
    """What was written.

    Args:
        inside: the animation in the page.
        bytes: of the page.
    """

    inside: GlbReport | AssetReport
    bytes: int

    @property
    def left_out(self) -> tuple[str, ...]:
        """What could not be kept or moved, in words."""
        return self.inside.left_out if isinstance(self.inside, AssetReport) else ()

    def __str__(self) -> str:
        return f"{self.inside} in a page of {self.bytes / 1e6:.1f} MB"


def write_html(sequence: Sequence, path: str | Path, *, tolerance: float = 0.1, per_frame: bool = False) -> PageReport:
    """Write a page that plays a sequence in any browser, without a network: the `.glb`, three.js and a player.

    Args:
        sequence: T frames, mm.
        path: the file to write.
        tolerance, per_frame: as in `facegen.exporters.glb.write_glb`.

    Raises:
        FacegenError: as `write_glb` has it, or the page would be larger than browsers read.
    """
    with page_of(path) as (glb, about):
        inside = write_glb(sequence, glb, tolerance=tolerance, per_frame=per_frame)
        about.append(about_sequence(sequence, Path(path).stem, "motion"))
    return PageReport(inside, Path(path).stat().st_size)


def write_html_into(
    sequence: Sequence,
    path: str | Path,
    place: Place,
    turn: np.ndarray,
    *,
    tolerance: float = 0.1,
    per_frame: bool = False,
) -> PageReport:
    """Write a page that plays the asset that the neutral of a sequence came from, with the motion in it.

    Args:
        sequence, place, tolerance, per_frame: as in `facegen.exporters.asset.write_into`.
        path: the file to write.
        turn: (3, 3); `vertices @ turn.T` has +y up and +z out of the face.

    Raises:
        FacegenError: as `write_into` has it, or the page would be larger than browsers read.
    """
    with page_of(path) as (glb, about):
        inside = write_into(sequence, glb, place, tolerance=tolerance, per_frame=per_frame)
        about.append(about_sequence(sequence, Path(path).stem, inside.animation, place.factor, turn))
    return PageReport(inside, Path(path).stat().st_size)


def about_sequence(
    sequence: Sequence, title: str, animation: str, factor: float = 1.0, turn: np.ndarray | None = None
) -> About:
    """What a page says of a sequence; see `About`, and of `factor` `facegen.face.Face.factor`."""
    first = np.asarray(sequence.vertices[0:1], np.float64)[0]
    seen = (first if sequence.focus is None else first[sequence.focus]) / (1000 * factor)
    curves = {name: row for name, row in zip(sequence.expressions, sequence.motion.T, strict=True) if row.any()}
    turned = np.eye(3) if turn is None else turn
    return About(title, seen, sequence.fps, len(sequence.vertices), curves, animation, turned)

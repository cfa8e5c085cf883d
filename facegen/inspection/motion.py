"""How the faces of a corpus move, beside how those of recorded takes do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from facegen.data.corpus import Corpus
from facegen.errors import MotionError
from facegen.motion.recorded import LEFT_SIDE, NEAR, QUARTILES, SPECTRUM, outside, span
from facegen.motion.statistics import (
    FREQUENCIES,
    MEASURES,
    QUARTERS,
    measure,
    mirror_of,
    spectrum,
    speed_power,
)
from facegen.progress import following

SIDES = "asymmetry, left side"
"""What is left out where a template has no mirror image."""


@dataclass(frozen=True, eq=False)
class MotionReport:
    """Statistics of motion.

    Args:
        sequences: how many were measured.
        still: how many do not move, which is all that can be said of them.
        quartiles: (3,) of each measure that could be taken.
        left: share of sequences in which the left side is the stronger; None where the template has no mirror image.
        spectrum: (8,) dB at `FREQUENCIES`, NaN above half the rate; None where no sequence lasts a second.
    """

    sequences: int
    still: int
    quartiles: dict[str, np.ndarray]
    left: float | None
    spectrum: np.ndarray | None

    @classmethod
    def of(cls, corpus: Corpus) -> MotionReport:
        """Measure every sequence of a corpus; its frames are read.

        Raises:
            DataError: the corpus is damaged.
        """
        template = corpus.hierarchy.template
        mirror = mirror_of(template.vertices, template.faces)
        rows, powers = [], []
        for index in following(range(len(corpus.entries)), "measuring", "take"):
            displacement = corpus.displacement(index)
            try:
                rows.append(measure(displacement, corpus.neutral(index), corpus.fps, mirror))
            except MotionError:  # a face that does not move has no measures, and is counted
                continue
            powers.append(speed_power(displacement, corpus.fps))
        found = np.array(rows).reshape(-1, len(MEASURES))
        quartiles = {}
        for name, column in zip(MEASURES, found.T, strict=True):
            if name in QUARTILES and np.isfinite(column).any():
                quartiles[name] = np.nanpercentile(column, QUARTERS)
        sides = found[:, -1]
        left = float(np.nanmean(sides)) if np.isfinite(sides).any() else None
        try:
            speeds = spectrum(powers)
        except MotionError:  # a corpus of short takes
            speeds = None
        return cls(len(rows), len(corpus.entries) - len(rows), quartiles, left, speeds)

    @property
    def takes(self) -> np.ndarray:
        """(8,) dB, the spectrum of the takes, over the power at those frequencies that this corpus has too."""
        power = 10 ** (SPECTRUM / 10)
        known = np.ones(len(power), bool) if self.spectrum is None else np.isfinite(self.spectrum)
        return np.where(known, SPECTRUM - 10 * np.log10(power[known].sum() / power.sum()), np.nan)

    @property
    def off(self) -> float | None:
        """How far the spectrum is off that of the takes, dB, where it is farthest."""
        return None if self.spectrum is None else float(np.nanmax(np.abs(self.spectrum - self.takes)))

    def facts(self) -> dict[str, Any]:
        """All of it, for programs."""
        measures = {}
        for name, quartiles in self.quartiles.items():
            low, high = span(name).tolist()
            within = not outside(name, quartiles)
            measures[name] = {"quartiles": _rounded(quartiles), "takes_from": low, "takes_to": high, "within": within}
        speeds = None if self.spectrum is None else {
            "hz": FREQUENCIES.tolist(),
            "db": _rounded(self.spectrum),
            "takes_db": _rounded(self.takes),
            "within": bool((self.off or 0.0) <= NEAR),
        }  # fmt: skip
        left_out = [] if self.left is not None or not self.sequences else [f"{SIDES}: the template is not symmetric"]
        return {
            "sequences": self.sequences,
            "still": self.still,
            "measures": measures,
            "left_side": self.left,
            "spectrum": speeds,
            "left_out": left_out,
        }

    def text(self) -> str:
        """All of it, for people."""
        lines = [
            f"motion of {self.sequences:,} sequences ({self.still} more do not move): quartiles, and between which "
            "those of four recorded takes lie",
            f"{'':<17} {'this corpus':^20}  {'recorded takes':^38}  within",
        ]
        for name, quartiles in self.quartiles.items():
            spans = "  ".join(f"{low:.3f}-{high:.3f}" for low, high in span(name).T)
            own = "  ".join(f"{value:.3f}" for value in quartiles)
            within = "no" if outside(name, quartiles) else "yes"
            lines.append(f"{name:<17} {own:<20}  {spans:<38}  {within:<6}  {MEASURES[name]}")
        if self.left is not None:
            lines.append(
                f"{'left side':<17} {self.left:<20.2f}  {f'{min(LEFT_SIDE):.2f}-{max(LEFT_SIDE):.2f}':<38}  {'':<6}  "
                "share in which the person's left is the stronger side"
            )
        elif self.sequences:
            lines.append(f"{SIDES}: left out, as the template is not symmetric about its middle")
        if self.spectrum is None:
            lines.append("spectrum of speed: left out, as no sequence lasts a second")
            return "\n".join(lines)
        lines.append(f"{'Hz':<17} {_row(FREQUENCIES.astype(float), 0)}")
        lines.append(f"{'speed, dB':<17} {_row(self.spectrum, 1)}")
        near = "yes" if (self.off or 0.0) <= NEAR else "no"
        lines.append(
            f"{'recorded takes':<17} {_row(self.takes, 1)}  within {NEAR:g} dB: {near}, {self.off:.1f} where farthest"
        )
        return "\n".join(lines)


def _rounded(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 3) for value in values]


def _row(values: np.ndarray, digits: int) -> str:
    return " ".join(f"{'-':>6}" if np.isnan(value) else f"{value:>6.{digits}f}" for value in values)

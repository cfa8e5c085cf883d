"""Whether what is made moves as fast as the recordings: the spectrum of speed, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from facegen.evaluation.about import table
from facegen.evaluation.rows import GROUND_TRUTH, TITLES
from facegen.evaluation.scores import Scores
from facegen.motion.statistics import FREQUENCIES


def speeds(scores: Scores) -> dict[str, Any]:
    """The power of speed at `FREQUENCIES` over the test sequences, by row: lists along `hz`.

    `db` is relative to the recordings' power at all frequencies together, `off_db` to theirs at the same one, so that a
    row that moves too little is below 0 in it. Several checkpoints count by their mean. None above half the rate; rows
    that do not move are left out, and all of them where no sequence lasts a second.
    """
    power = {name: np.mean([_total(each) for each in checkpoints], axis=0) for name, checkpoints in scores.items()}
    recorded = power.get(GROUND_TRUTH, np.zeros(1))
    if not np.nansum(recorded) > 0:
        return {}
    rows = {
        name: {"db": _decibels(found / np.nansum(recorded)), "off_db": _decibels(found / recorded)}
        for name, found in power.items()
        if np.nansum(found) > 0
    }
    return {"hz": FREQUENCIES.tolist(), "rows": rows}


def _total(scores: list) -> np.ndarray:
    return np.sum([score.power for score in scores], axis=0)


def _decibels(ratio: np.ndarray) -> list[float | None]:
    return [None if np.isnan(each) else round(float(10 * np.log10(max(each, 1e-12))), 3) for each in ratio]


def speed_section(report: Mapping[str, Any]) -> list[str]:
    """The section of the report, where there is something to tell."""
    found = report.get("speeds")  # reports of earlier versions have none
    if not found:
        return []
    rows = []
    for name, values in found["rows"].items():
        off = [abs(each) for each in values["off_db"] if each is not None]
        cells = [
            "" if db is None else f"{db:.1f}" if name == GROUND_TRUTH else f"{db:.1f} ({more:+.1f})"
            for db, more in zip(values["db"], values["off_db"], strict=True)
        ]
        rows.append([TITLES[name], *cells, "" if name == GROUND_TRUTH else f"{max(off):.1f}"])
    return [
        "## Does it move as fast as the recordings?",
        "The spectrum of speed over all test sequences: its power by frequency in dB of the ground truth's at all of "
        "them together, and in brackets how far that is above or below the ground truth's at the same frequency. Below "
        "it, motion is too slow or too small.",
        table(["dB", *(f"{hz} Hz" for hz in found["hz"]), "farthest off"], rows),
    ]

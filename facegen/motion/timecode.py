"""Timecodes of recordings, and how many frames they count a second, which no field of a recording says."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

RATE = 60
"""Frames a second, of the app's timecodes unless it was set otherwise."""

RATES = (24, 25, 30, 48, 50, 60)
"""Frames a second that timecodes may count."""

SLOW_RATE = 30
"""Frames a second, of a recording within one second whose frame numbers would all be possible at this rate."""

FORM = f"HH:MM:SS:FF.mmm of up to {RATE} frames a second"
"""How messages describe a timecode."""
_TIMECODE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})[:;](\d{2})(?:\.(\d{1,9}))?")
"""Hours, minutes, seconds, frame, and perhaps a fraction of it; a semicolon is how drop-frame timecodes are written."""
DAY = 24 * 3600
"""Seconds, after which timecodes begin anew."""
MOST_STILL = 600
"""Rows after the first of the same second and frame, at most. Chosen: ten seconds at `RATE`, where clocks of recordings
stand still for a few rows."""
_NUMBER = re.compile(r"(\d{1,9})(?:\.0*)?")
"""A count of frames."""


def timecode(seconds: float) -> str:
    """HH:MM:SS:FF.mmm at `RATE` frames a second, with thousandths of a frame; a day is the most."""
    thousandths = round(seconds * RATE * 1000)
    frames, part = divmod(thousandths, 1000)
    whole, frame = divmod(frames, RATE)
    return f"{whole // 3600 % 24:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}:{frame:02d}.{part:03d}"


@dataclass(frozen=True)
class Stamp:
    """One row's timecode.

    Args:
        seconds: whole ones of the day; -1 where the row has a frame number alone.
        frame: within the second, or since the start.
        behind: the digits behind the dot.
    """

    seconds: int
    frame: int
    behind: str = ""

    @classmethod
    def parse(cls, text: str) -> Stamp | None:
        """HH:MM:SS:FF with digits behind a dot or none, or a whole frame number; None where it is neither."""
        number = _NUMBER.fullmatch(text)
        if number:
            return cls(-1, int(number[1]))
        found = _TIMECODE.fullmatch(text)
        if found is None or int(found[2]) > 59 or int(found[3]) > 59 or int(found[4]) >= RATE:
            return None
        return cls(3600 * int(found[1]) + 60 * int(found[2]) + int(found[3]), int(found[4]), found[5] or "")


class Clock:
    """Looks at timecodes one after the other, so that rows whose time does not pass are not read to the end of a file.

    Digits behind the dot are left to `times_of`, which sees in all of them what they are.
    """

    def __init__(self) -> None:
        self._last: Stamp | None = None
        self._still = 0
        self._counted = True  # the digits so far rise by one, as where they count rows or frames

    def fault(self, stamp: Stamp) -> str:
        """What was expected of the next row's timecode after those before, and what was found; "" where it is right."""
        last, self._last = self._last, stamp
        if last is None:
            return ""
        if (stamp.seconds < 0) != (last.seconds < 0):
            return "expected timecodes or frame numbers throughout, found both"
        if stamp.seconds - last.seconds >= -DAY / 2 and (stamp.seconds, stamp.frame) < (last.seconds, last.frame):
            return "expected a timecode after that of the frame before, found an earlier"
        self._counted &= int(stamp.behind or 0) - int(last.behind or 0) == 1
        self._still = self._still + 1 if (stamp.seconds, stamp.frame) == (last.seconds, last.frame) else 0
        if self._still >= MOST_STILL and not self._counted:
            return f"expected timecodes that rise, found one and the same in {MOST_STILL} rows and more; mend them"
        return ""


def times_of(stamps: list[Stamp]) -> tuple[np.ndarray, int]:
    """Seconds of each row, (N,), and the frames a second that they were counted at.

    Digits behind the dot are a part of a frame. Where they rise by one from row to row they count rows, as some
    converters write them, and say no time; where nothing else rises, they are the frame number.
    Frame numbers without seconds are counted at `RATE`.
    """
    seconds = np.array([stamp.seconds for stamp in stamps], dtype=np.int64)
    frames = np.array([stamp.frame for stamp in stamps], dtype=np.float64)
    behind = np.array([int(stamp.behind or 0) for stamp in stamps])
    if len(stamps) > 2 and (np.diff(behind) == 1).all():
        if (frames == frames[0]).all() and (seconds == seconds[0]).all():
            return behind / RATE, RATE
    else:
        frames = frames + [float(f"0.{stamp.behind or 0}") for stamp in stamps]
    if (seconds < 0).all():
        return frames / RATE, RATE
    rate = _rate(seconds, frames)
    return seconds + (frames - _dropped(seconds, frames, rate)) / rate, rate


def _dropped(seconds: np.ndarray, frames: np.ndarray, rate: int) -> np.ndarray:
    """Numbers that drop-frame timecodes passed over before each row, (N,), since the first.

    Where 30 are counted, at 29.97 frames a second, numbers 0 and 1 are left out at the start of each minute but each
    tenth, and as many more at 60; no picture is lost by it. A recording is of this kind if each of these minutes that
    begins within it goes from the last number of a second to the first that is not left out.
    """
    nothing, left_out = np.zeros(len(seconds)), 2 * rate // 30
    steps = np.diff(frames)[np.diff(seconds) == 0]
    minutes = (seconds + DAY * np.cumsum(np.diff(seconds, prepend=seconds[0]) < -DAY / 2)) // 60
    starts = np.flatnonzero((np.diff(minutes) == 1) & (minutes[1:] % 10 != 0))
    if rate not in (30, 60) or not len(starts) or not len(steps):
        return nothing
    counted = frames[starts] + np.median(steps) - frames[starts + 1]
    if (np.abs(counted - (rate - left_out)) >= 0.5).any() or (frames[starts + 1] < left_out).any():
        return nothing
    passed = minutes - minutes // 10
    return left_out * (passed - passed[0])


def _rate(seconds: np.ndarray, frames: np.ndarray) -> int:
    """Frames a second, from the last frame numbers before seconds end.

    The step from such a frame to the first of the next second is the usual one, if none was lost between them. Where
    no second ends, or frames were lost at each end, the highest number decides.
    """
    highest = int(frames.max())
    ends, steps = np.flatnonzero(np.diff(seconds) % DAY == 1), np.diff(frames)[np.diff(seconds) == 0]
    if len(ends) and len(steps):
        counted = frames[ends] + np.median(steps) - frames[ends + 1]
        votes = {rate: np.count_nonzero(np.abs(counted - rate) < 0.5) for rate in RATES if rate > highest}
        best = max(votes, key=lambda rate: votes[rate])
        if votes[best]:
            return best
        if highest + 1 in RATES:
            return highest + 1
    return SLOW_RATE if highest < SLOW_RATE else RATE

"""Recordings of the app Live Link Face: ARKit's 52 blendshapes over time, as `.csv`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.errors import MotionError
from facegen.motion.limits import MOST_FRAMES, require_fps
from facegen.motion.timecode import DAY, FORM, RATE, Clock, Stamp, times_of
from facegen.readable import require_file

SHAPES = (
    *(f"{name}{side}" for side in ("Left", "Right") for name in (
        "EyeBlink", "EyeLookDown", "EyeLookIn", "EyeLookOut", "EyeLookUp", "EyeSquint", "EyeWide",
    )),
    "JawForward", "JawRight", "JawLeft", "JawOpen",
    "MouthClose", "MouthFunnel", "MouthPucker", "MouthRight", "MouthLeft",
    *(f"Mouth{name}{side}" for name in ("Smile", "Frown", "Dimple", "Stretch") for side in ("Left", "Right")),
    "MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper",
    *(f"Mouth{name}{side}" for name in ("Press", "LowerDown", "UpperUp") for side in ("Left", "Right")),
    "BrowDownLeft", "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight",
    "CheekPuff", "CheekSquintLeft", "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight", "TongueOut",
)  # fmt: skip
"""ARKit's 52 blendshapes in the app's order."""

ROTATIONS = tuple(f"{part}{axis}" for part in ("Head", "LeftEye", "RightEye") for axis in ("Yaw", "Pitch", "Roll"))
"""Radians. Left is the person's. An eye that looks outwards at a weight of 1 has a yaw of -0.57 if it is the left one,
0.57 if it is the right one; downwards is a positive pitch; eyes roll too, up to 0.18. So in four recorded takes."""

COLUMNS = ("Timecode", "BlendShapeCount", *SHAPES, *ROTATIONS)
"""The header of a recording."""
RESTLESS = ("EyeBlink", "EyeLook")
"""How names of shapes begin that come and go in every expression, blinks and gaze."""
REST_PERCENTILE = 5.0
"""Percentile of a weight, and of the distance from rest, that counts as rest. Chosen: a recording has a twentieth of
rest, and single frames below it are noise."""
LONGEST_PAUSE, PAUSES = 60.0, 10
"""Seconds without a frame that are made up in a straight line, in all, and how many times what is recorded they may be
where that is more. Chosen: somebody who leaves the picture for a minute comes back, and of a few rows a jump of their
timecode would make frames of hours."""
WEIGHTS, ANGLES = (-0.5, 2.0), (-10.0, 10.0)
"""From where to where weights, and angles in radians, are taken. Chosen: gaze reaches 1.05 in recordings, filters of
other programs overshoot by less than that, and faces far beyond are none; a head that was turned about is mended by a
whole turn or two."""
SMALLEST_MOTION = 0.02
"""Norm of weights, each in [0, 1], that counts as motion; less is noise. Chosen."""
_UNUSED = {"_raw": "before calibration", "_neutral": "the neutral pose of its calibration"}
"""Ends of names of files that the app writes beside a recording, and what each holds instead of it."""


@dataclass(frozen=True, eq=False)
class Take:
    """A recording.

    Args:
        times: (N,) seconds from its first frame, rising.
        weights: (N, 52) of `SHAPES`, 0 to 1; gaze reaches 1.05, and a face at rest has 0.1 and more in some.
        rate: frames a second that its timecodes count; the frames themselves may be fewer.
        notes: what a user should know about the file, a line each.
        rotations: (N, 9) of `ROTATIONS`, radians; None where the file has not all of these columns.
        name: of its file, for messages.
    """

    times: np.ndarray
    weights: np.ndarray
    rate: int = RATE
    notes: tuple[str, ...] = ()
    rotations: np.ndarray | None = None
    name: str = "the take"

    def __str__(self) -> str:
        return f"{len(self.times)} frames, {self.times[-1]:.2f} s, by timecodes of {self.rate} frames a second"

    @classmethod
    def load(cls, path: str | Path) -> Take:
        """Read a recording; columns are found by their names, in any order.

        How many frames a second timecodes count is seen in them, see `timecode.times_of`. Frames in which the app saw
        no face (a count of 0) and blank rows are left out, and so is the second of two that have one time. A recording
        without TongueOut, which the app's first versions did not have, has 0 there. Of a calibrated take, which the app
        saves in three files, `_neutral` is refused and with `_raw` the calibrated one is named.

        Raises:
            MotionError: the file is missing or no such recording; the message names the line and what was expected.
        """
        path = require_file(path, MotionError)
        notes = _beside(path)
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = list(_rows(path, file))
        except (UnicodeDecodeError, csv.Error) as error:
            raise MotionError(
                f"{path}: expected a recording of Live Link Face as text in UTF-8, its cells parted by commas"
            ) from error
        if len(rows) < 2:
            raise MotionError(f"{path}: expected two frames with a face or more, found {len(rows)}")
        lines, numbers = np.array([row[0] for row in rows]), np.array([row[2] for row in rows])
        weights, rotations = numbers[:, : len(SHAPES)], numbers[:, len(SHAPES) :]
        stamps = [row[1] for row in rows]
        times, rate = times_of(stamps)
        midnight = np.diff(times) < -DAY / 2
        times[1:] += DAY * np.cumsum(midnight)
        steps = np.diff(times)
        if (steps < 0).any():
            line = lines[1:][steps < 0][0]
            raise MotionError(
                f"{path}: line {line}: expected a timecode after that of the frame before, found an earlier"
            )
        later = np.append(True, steps > 0)
        if later.sum() < 2:
            raise MotionError(f"{path}: expected timecodes that rise, found one and the same in all rows; mend them")
        turned = rotations[later] if rotations.size else None
        return cls(times[later] - times[0], weights[later], rate, notes, turned, path.name)

    def even_times(self, fps: float) -> np.ndarray:
        """The seconds (T,) of frames at `fps` a second from the first of the take to its last.

        Raises:
            MotionError: the rate is none, these are more than `MOST_FRAMES`, or far more time passes without a frame
                than is recorded.
        """
        require_fps(fps)
        steps = np.diff(self.times)
        recorded = float(np.median(steps)) * len(steps)
        if self.times[-1] - recorded > max(LONGEST_PAUSE, PAUSES * recorded):
            longest = int(steps.argmax())
            raise MotionError(
                f"{self.name}: expected frames throughout, found {len(self.times)} of them over {self.times[-1]:.0f} s "
                f"and none for {steps[longest]:.0f} s after the first {self.times[longest]:.1f} s; mend its timecodes, "
                "or cut it there"
            )
        count = int(np.floor(self.times[-1] * fps + 1e-6)) + 1
        if count > MOST_FRAMES:
            raise MotionError(
                f"{self.name}: {self} at {fps:g} frames a second are more than {MOST_FRAMES:,} frames; take fewer"
            )
        return np.arange(count) / fps

    def amplitude(self, fps: float) -> np.ndarray:
        r"""How far the face is from rest, (T,) in [0, 1], at `fps` frames a second from the first frame on.

        .. math:: a_t = \frac{\max(n_t - q, 0)}{\max_t n_t - q}, \qquad n_t = \lVert w_t - r \rVert_2

        w are the weights but those of blinks and gaze, r is the 5th percentile of each, and q that of n: the quietest
        moments are 0, the strongest is 1.

        Raises:
            MotionError: see `even_times`; or the face does not move.
        """
        even = self.even_times(fps)
        weights = self.weights[:, [not name.startswith(RESTLESS) for name in SHAPES]]
        away = np.linalg.norm(weights - np.percentile(weights, REST_PERCENTILE, axis=0), axis=1)
        quiet = np.percentile(away, REST_PERCENTILE)
        if away.max() - quiet < SMALLEST_MOTION:
            raise MotionError(
                f"{self.name}: the face in the recording does not move: no weight but those of the eyes changes; give "
                "another take"
            )
        curve = np.maximum(away - quiet, 0) / (away.max() - quiet)
        return np.interp(even, self.times, curve)


def _beside(path: Path) -> tuple[str, ...]:
    """What is to be said of a file that is one of a calibrated take's, but not the one to animate from."""
    for ending, what in _UNUSED.items():
        if not path.stem.lower().endswith(ending):
            continue
        take = path.stem[: -len(ending)]
        right = next((name for name in (f"{take}.csv", f"{take}_cal.csv") if path.with_name(name).is_file()), None)
        if right and ending == "_neutral":
            raise MotionError(f"{path}: this is {what}, not the take; take {right}")
        if right:
            return (f"{path.name} is the take {what}; {right} beside it is the calibrated one",)
    return ()


def _rows(path: Path, file: Iterable[str]) -> Iterator[tuple[int, Stamp, list[float]]]:
    """Line, timecode, weights and, where the file has all of them, rotations of each frame with a face."""
    reader = csv.reader(file)
    header = [name.strip().lower() for name in next(reader, [])]
    if len(header) < len(SHAPES) < ";".join(header).count(";"):
        raise MotionError(
            f"{path}: line 1: expected commas between columns, found semicolons, as some spreadsheets save them; save "
            "it with commas, and with points in numbers"
        )
    missing = [name for name in COLUMNS[:2] + SHAPES if name.lower() not in header and name != "TongueOut"]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise MotionError(
            f"{path}: line 1: expected the columns of Live Link Face; missing: {', '.join(missing[:3])}{more}"
        )
    if twice := [name for name in COLUMNS if header.count(name.lower()) > 1]:
        raise MotionError(f"{path}: line 1: expected each column once, found {twice[0]} twice; leave one out")
    names = (*SHAPES, *ROTATIONS) if {name.lower() for name in ROTATIONS} <= set(header) else SHAPES
    columns = [header.index(name.lower()) if name.lower() in header else None for name in names]
    stamp, count = (header.index(name.lower()) for name in COLUMNS[:2])
    clock = Clock()
    for row in reader:
        line = reader.line_num
        if not "".join(row).strip() or row[count : count + 1] == ["0"]:
            continue
        while len(row) > len(header) and not row[-1].strip():  # a comma at the end of the line
            row.pop()
        if len(row) != len(header):
            raise MotionError(f"{path}: line {line}: expected {len(header)} values, found {len(row)}; is it cut short?")
        found = Stamp.parse(row[stamp].strip())
        if found is None:
            raise MotionError(f"{path}: line {line}: expected a timecode {FORM}, found {row[stamp][:40]!r}")
        if fault := clock.fault(found):
            raise MotionError(f"{path}: line {line}: {fault}")
        yield (
            line,
            found,
            [
                0.0 if column is None else _number(path, line, name, row[column])
                for name, column in zip(names, columns, strict=True)
            ],
        )


def _number(path: Path, line: int, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    low, high = ANGLES if name in ROTATIONS else WEIGHTS
    if not low <= value <= high:
        wanted = "an angle in radians" if name in ROTATIONS else "a weight, 0 to 1,"
        raise MotionError(
            f"{path}: line {line}: expected {wanted} under {name}, found {text[:40]!r}; up to {low:g} and {high:g} are "
            "taken; mend it or leave the line out"
        )
    return value

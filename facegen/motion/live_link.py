"""Recordings of the app Live Link Face: ARKit's 52 blendshapes over time, as `.csv`."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.errors import MotionError

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
COLUMNS = ("Timecode", "BlendShapeCount", *SHAPES, *ROTATIONS)
RATE = 60
"""Timecode frames a second, of the app unless it was set otherwise."""

RATES = (24, 25, 30, 48, 50, 60)
RESTLESS = ("EyeBlink", "EyeLook")
"""How names of shapes begin that come and go in every expression, blinks and gaze."""
REST_PERCENTILE = 5.0
"""Percentile of a weight, and of the distance from rest, that counts as rest. Chosen: a recording has a twentieth of
rest, and single frames below it are noise."""
SMALLEST_MOTION = 0.02
"""Norm of weights, each in [0, 1], that counts as motion; less is noise. Chosen."""
_TIMECODE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2}):(\d{2})(\.\d+)?")
_DAY = 24 * 3600


def timecode(seconds: float) -> str:
    """HH:MM:SS:FF.mmm at `RATE` frames a second, with thousandths of a frame; a day is the most."""
    thousandths = round(seconds * RATE * 1000)
    frames, parts = divmod(thousandths, 1000)
    whole, frame = divmod(frames, RATE)
    return f"{whole // 3600 % 24:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}:{frame:02d}.{parts:03d}"


@dataclass(frozen=True, eq=False)
class Take:
    """A recording.

    Args:
        times: (N,) seconds from its first frame, rising.
        weights: (N, 52) of `SHAPES`.
    """

    times: np.ndarray
    weights: np.ndarray

    @classmethod
    def load(cls, path: str | Path) -> Take:
        """Read a recording; columns are found by their names, in any order.

        Timecodes count `RATE` frames a second, or, in a recording that goes through two whole seconds, the usual rate
        whose last frame number is the highest of all, 29 of 30. Frames in which the app saw no face (a count of 0) are
        left out, and so is the second of two that have one time.

        Raises:
            MotionError: the file is missing or no such recording; the message names the line and what was expected.
        """
        path = Path(path)
        if not path.is_file():
            raise MotionError(f"{path}: no such file")
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = list(_rows(path, file))
        except (UnicodeDecodeError, csv.Error) as error:
            raise MotionError(f"{path}: expected a recording of Live Link Face as text ({error})") from error
        if len(rows) < 2:
            raise MotionError(f"{path}: expected two frames with a face or more, found {len(rows)}")
        lines, seconds, frames, weights = (np.array(part) for part in zip(*rows, strict=True))
        times = seconds + frames / _rate(seconds, frames)
        midnight = np.diff(times) < -_DAY / 2
        times[1:] += _DAY * np.cumsum(midnight)
        steps = np.diff(times)
        if (steps < 0).any():
            line = lines[1:][steps < 0][0]
            raise MotionError(
                f"{path}: line {line}: expected a timecode after that of the frame before, found an earlier"
            )
        later = np.append(True, steps > 0)
        return cls(times[later] - times[0], weights[later])

    def amplitude(self, fps: float) -> np.ndarray:
        r"""How far the face is from rest, (T,) in [0, 1], at `fps` frames a second from the first frame on.

        .. math:: a_t = \frac{\max(n_t - q, 0)}{\max_t n_t - q}, \qquad n_t = \lVert w_t - r \rVert_2

        w are the weights but those of blinks and gaze, r is the 5th percentile of each, and q that of n: the quietest
        moments are 0, the strongest is 1.

        Raises:
            MotionError: the rate is not positive, or the face does not move.
        """
        if not (np.isfinite(fps) and fps > 0):
            raise MotionError(f"fps must be a positive number, got {fps}")
        weights = self.weights[:, [not name.startswith(RESTLESS) for name in SHAPES]]
        away = np.linalg.norm(weights - np.percentile(weights, REST_PERCENTILE, axis=0), axis=1)
        quiet = np.percentile(away, REST_PERCENTILE)
        if away.max() - quiet < SMALLEST_MOTION:
            raise MotionError("the face in the recording does not move: no weight but those of the eyes changes")
        curve = np.maximum(away - quiet, 0) / (away.max() - quiet)
        count = int(np.floor(self.times[-1] * fps + 1e-6)) + 1
        return np.interp(np.arange(count) / fps, self.times, curve)


def _rows(path: Path, file: Iterable[str]) -> Iterator[tuple[int, int, float, list[float]]]:
    """Line, whole seconds, timecode frames and weights of each frame with a face."""
    reader = csv.reader(file)
    header = [name.strip().lower() for name in next(reader, [])]
    missing = [name for name in COLUMNS[:2] + SHAPES if name.lower() not in header]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise MotionError(
            f"{path}: line 1: expected the columns of Live Link Face; missing: {', '.join(missing[:3])}{more}"
        )
    columns = [header.index(name.lower()) for name in SHAPES]
    stamp, count = (header.index(name.lower()) for name in COLUMNS[:2])
    for row in reader:
        line = reader.line_num
        if not row or row[count : count + 1] == ["0"]:
            continue
        if len(row) != len(header):
            raise MotionError(f"{path}: line {line}: expected {len(header)} values, found {len(row)}; is it cut short?")
        found = _TIMECODE.fullmatch(row[stamp].strip())
        if found is None or int(found[2]) > 59 or int(found[3]) > 59 or int(found[4]) >= RATE:
            raise MotionError(
                f"{path}: line {line}: expected a timecode HH:MM:SS:FF.mmm of up to {RATE} frames a second, found "
                f"{row[stamp][:40]!r}"
            )
        weights = [_number(path, line, name, row[column]) for name, column in zip(SHAPES, columns, strict=True)]
        seconds = 3600 * int(found[1]) + 60 * int(found[2]) + int(found[3])
        yield line, seconds, int(found[4]) + float(found[5] or 0), weights


def _number(path: Path, line: int, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not abs(value) <= 10:
        raise MotionError(f"{path}: line {line}: expected a weight, 0 to 1, under {name}, found {text[:40]!r}")
    return value


def _rate(seconds: np.ndarray, frames: np.ndarray) -> int:
    """Timecode frames a second."""
    if len(np.unique(seconds)) < 4:  # two whole ones between the first and the last
        return RATE
    return next((rate for rate in RATES if rate - 1 == int(frames.max())), RATE)

"""Motion labels: which expression, how strong, when it sets in, peaks and fades (section 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from facegen.errors import MotionError, unknown
from facegen.motion.limits import require_frames

EXPRESSIONS = ("happy", "angry", "sad", "surprise", "fear", "disgust")
"""The six of the paper, in the order of its Table 2."""

PHASES = ("rest", "onset", "apex", "offset")
"""What a frame can be; `Phases.of_frames` gives indices into these."""

SPREAD_SHARES = (0.06, 0.34, 0.64, 0.94)
"""Shares of a motion's length at which onset, apex and offset lie where none is given. Chosen."""
APEX_SHARES = (0.32, 0.66)
"""Shares of the way from onset to offset at which the apex begins and ends where it is not given. Chosen as
`SPREAD_SHARES`."""
EASINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda x: x,
    "smooth": lambda x: x * x * (3 - 2 * x),
    "in": lambda x: x * x,
    "out": lambda x: x * (2 - x),
}
"""Maps of [0, 1] to itself for the rise; the fall runs through them backwards. The paper's is linear."""


@dataclass(frozen=True)
class Phases:
    """When an expression evolves, in frames: it is 0 up to `onset`, 1 in the apex, and 0 again from `offset`.

    Args:
        onset: the last frame at rest.
        apex_start: the first frame at the peak.
        apex_end: the last frame at the peak.
        offset: the first frame back at rest.

    Raises:
        MotionError: they are not in this order, or onset is negative.

    Examples:
        >>> import facegen
        >>> facegen.Phases(0, 2, 3, 5).envelope(6).tolist()
        [0.0, 0.5, 1.0, 1.0, 0.5, 0.0]
    """

    onset: int
    apex_start: int
    apex_end: int
    offset: int

    def __post_init__(self) -> None:
        if not 0 <= self.onset <= self.apex_start <= self.apex_end <= self.offset:
            raise MotionError(
                "the phases must follow each other, 0 <= onset <= first apex frame <= last apex frame <= offset; got "
                f"onset {self.onset}, apex {self.apex_start} to {self.apex_end}, offset {self.offset}"
            )

    @classmethod
    def spread(cls, frames: int) -> Phases:
        """Phases that fill `frames`: rest, then about a third each of rise, peak and fall, then rest."""
        last = max(frames - 1, 0)
        return cls(*(round(last * share) for share in SPREAD_SHARES))

    @classmethod
    def fill(cls, frames: int, onset: int | None, apex: Sequence[int] | None, offset: int | None) -> Phases:
        """Phases of which some are given; the others are spread over the frames between them.

        Raises:
            MotionError: what is given is out of order or beyond the last frame.
        """
        require_frames(frames)
        spread, last = cls.spread(frames), frames - 1
        start, end = (None, None) if apex is None else apex
        if end is not None and end > last:
            raise MotionError(f"the apex ends at frame {end}, beyond the last of {frames} frames")
        onset_ = min(spread.onset, last if start is None else start) if onset is None else onset
        offset_ = max(spread.offset, 0 if end is None else end) if offset is None else offset
        if start is None or end is None:
            length = offset_ - onset_
            start, end = (onset_ + round(share * length) for share in APEX_SHARES)
        phases = cls(onset_, start, end, offset_)
        phases.require_within(frames)
        return phases

    def of_frames(self, frames: int) -> np.ndarray:
        """The phase that each frame belongs to, (T,) int64, indices into `PHASES`.

        The apex is where `envelope` is 1, rest where it is 0 (up to `onset` and from `offset` on); what lies between
        belongs to the onset, which rises, or to the offset, which falls.
        """
        phase = np.full(frames, PHASES.index("rest"))
        phase[self.onset + 1 : self.apex_start] = PHASES.index("onset")
        phase[self.apex_end + 1 : self.offset] = PHASES.index("offset")
        phase[self.apex_start : self.apex_end + 1] = PHASES.index("apex")
        return phase

    def require_within(self, frames: int, ease: str = "linear") -> None:
        """Look at what `envelope` would refuse, without making it.

        Raises:
            MotionError: see `envelope`.
        """
        require_frames(frames)
        if self.offset > frames - 1:
            raise MotionError(f"the offset at frame {self.offset} lies beyond the last of {frames} frames")
        if ease not in EASINGS:
            raise MotionError(unknown("easing", ease, EASINGS))

    def envelope(self, frames: int, ease: str = "linear") -> np.ndarray:
        """The phases as a curve over `frames`, (T,) in [0, 1].

        Raises:
            MotionError: the phases end after the last frame, or the easing is unknown.
        """
        self.require_within(frames, ease)
        time = np.arange(frames, dtype=np.float64)
        rise = ((time - self.onset) / max(self.apex_start - self.onset, 1)).clip(0, 1)
        fall = ((self.offset - time) / max(self.offset - self.apex_end, 1)).clip(0, 1)
        curve = EASINGS[ease](np.minimum(rise, fall))
        curve[self.apex_start : self.apex_end + 1] = 1.0  # also where a phase has no length
        return curve


class Course(Protocol):
    """What a label follows over time: `Phases`, or `facegen.motion.keys.Keys`."""

    def envelope(self, frames: int, ease: str = "linear") -> np.ndarray:
        """A curve over `frames`, (T,) in [0, 1]."""
        ...

    def require_within(self, frames: int, ease: str = "linear") -> None:
        """Look at what `envelope` would refuse, without making it."""
        ...


def motion_label(
    frames: int, expression: str, phases: Course, intensity: float, expressions: tuple[str, ...], ease: str = "linear"
) -> np.ndarray:
    """Make the label of one expression: its column is the envelope of the phases times the intensity (section 5.1).

    Args:
        frames: T.
        expression: one of `expressions`.
        phases: when it sets in, peaks and fades; or keys, `facegen.Keys`.
        intensity: its value in the apex, or where a key is 1; 0 to 1.
        expressions: E names, the columns in their order.
        ease: shape of rise and fall, one of `EASINGS`.

    Returns:
        (T, E) float32.

    Raises:
        MotionError: unknown expression or easing, intensity outside [0, 1], or phases or keys beyond the last frame.

    Examples:
        >>> import facegen
        >>> label = facegen.motion_label(6, "sad", facegen.Phases(0, 2, 3, 5), 0.5, ("happy", "sad"))
        >>> label[:, 1].tolist()
        [0.0, 0.25, 0.5, 0.5, 0.25, 0.0]
    """
    return label_of_curve(phases.envelope(frames, ease), expression, intensity, expressions)


def require_shown(expression: str, intensity: float, expressions: tuple[str, ...]) -> None:
    """Require one of the expressions, and an intensity that it can have.

    Raises:
        MotionError: unknown expression, or intensity outside [0, 1].
    """
    if expression not in expressions:
        raise MotionError(unknown("expression", expression, expressions))
    if not 0 <= intensity <= 1:
        raise MotionError(f"the intensity must be between 0 and 1, got {intensity}")


def require_label(motion: np.ndarray, expressions: tuple[str, ...]) -> np.ndarray:
    """A label (T, E) as float32, whoever made it.

    Raises:
        MotionError: it is of another shape, or of other numbers than 0 to 1.
    """
    given = np.asarray(motion)
    if given.ndim != 2 or not len(given) or given.shape[1] != len(expressions) or given.dtype.kind not in "biuf":
        raise MotionError(
            f"a label is numbers (T, {len(expressions)}), a row for each frame and a column for each of "
            f"{', '.join(expressions)}; got {given.dtype} {given.shape}; make it by `facegen.motion_label`"
        )
    wrong = np.argwhere(~((given >= 0) & (given <= 1)))  # NaN is no number between
    if len(wrong):
        frame, column = wrong[0]
        raise MotionError(
            f"expected a label from 0 to 1, found {given[frame, column]:g} of {expressions[column]} in frame {frame}; "
            "make it by `facegen.motion_label`"
        )
    return np.ascontiguousarray(given, np.float32)


def label_of_curve(curve: np.ndarray, expression: str, intensity: float, expressions: tuple[str, ...]) -> np.ndarray:
    """Make the label (T, E) float32 of one expression that follows a curve (T,) in [0, 1] times the intensity.

    Raises:
        MotionError: unknown expression, or intensity outside [0, 1].
    """
    require_shown(expression, intensity, expressions)
    label = np.zeros((len(curve), len(expressions)), dtype=np.float32)
    label[:, expressions.index(expression)] = intensity * curve
    return label

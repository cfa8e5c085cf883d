"""Who acts, how many takes and how long, and who of them is kept for testing."""

from __future__ import annotations

from dataclasses import dataclass

from facegen.errors import DataError, unknown
from facegen.motion.limits import MOST_FRAMES, require_fps

ACTINGS = ("steady", "recorded", "habitual")
"""How people act: each in a style that is the same throughout, with flat apexes and a full return; with the dynamics of
recorded takes, see `RecordedStyle`; or with these and habits that show in whatever they do, see `habitual_style`."""
MOST_SUBJECTS = 100_000
"""People at most. Chosen: far more than anybody has recorded."""
MOST_VERTICES = 1_000_000
"""Vertices of a made face at most. Chosen: 35 times the paper's."""
MOST_TAKES = 1000
"""Takes of an expression that a person may have. Chosen: ten times what anybody has been recorded with."""


@dataclass(frozen=True)
class Casting:
    """How many act, how long, and who is kept for testing.

    Args:
        subjects: number of people.
        test_subjects: how many of them are kept for testing; None keeps 15 %, as the paper does (27 of 180).
        frames: shortest and longest take, in frames.
        fps: frames a second.
        seed: fixes everything that is drawn.
        val_subjects: how many of them are kept for validation; None draws as `draw_val_subjects` does.
        acting: a name of `ACTINGS`.
        takes_per_expression: how many each person acts; the first are those of a corpus with fewer.

    Raises:
        DataError: a number is out of its range.
    """

    subjects: int
    test_subjects: int | None = None
    frames: tuple[int, int] = (45, 75)
    fps: float = 25.0
    seed: int = 0
    val_subjects: int | None = None
    acting: str = ACTINGS[0]
    takes_per_expression: int = 1

    def __post_init__(self) -> None:
        if not 2 <= self.subjects <= MOST_SUBJECTS or not 1 <= self.held_out < self.subjects:
            raise DataError(
                f"at least one subject to train and one to test are needed, at most {MOST_SUBJECTS:,}, "
                f"got {self.subjects} subjects, {self.held_out} of them to test"
            )
        if self.val_subjects is not None and not 0 <= self.val_subjects < self.subjects - self.held_out:
            raise DataError(
                f"at least one subject must be left to train, got {self.subjects} subjects, {self.held_out} of them to "
                f"test and {self.val_subjects} to validate"
            )
        if not 8 <= self.frames[0] <= self.frames[1] <= MOST_FRAMES:
            raise DataError(
                f"a take needs at least 8 frames and at most {MOST_FRAMES:,}, the shortest first, "
                f"got {self.frames[0]} to {self.frames[1]} at "
                f"{self.fps:g} frames a second; give other --frames, or a higher --fps"
            )
        require_fps(self.fps, DataError)
        if self.acting not in ACTINGS:
            raise DataError(unknown("way to act", self.acting, ACTINGS))
        if self.seed < 0:
            raise DataError(f"the seed must be 0 or more, got {self.seed}")
        if not 1 <= self.takes_per_expression <= MOST_TAKES:
            raise DataError(f"takes per expression must be 1 to {MOST_TAKES}, got {self.takes_per_expression}")

    @property
    def held_out(self) -> int:
        """Number of test subjects."""
        return max(1, round(0.15 * self.subjects)) if self.test_subjects is None else self.test_subjects

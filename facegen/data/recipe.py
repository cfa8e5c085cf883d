"""How a corpus is made of a source."""

from __future__ import annotations

from collections.abc import Sequence as Series
from dataclasses import dataclass

from facegen.errors import DataError, unknown
from facegen.motion.limits import require_fps

NEUTRALS = ("first", "still", "common")
"""How the neutral of a recording without one is found, see `Recipe.neutral`."""
ALIGNMENTS = ("none", "subject", "frames")
"""What is aligned, see `Recipe.align`."""
LABELS = ("phases", "curve", "amplitude")
"""What labels follow, see `Recipe.label`."""
MOST_COMPONENTS = 4096
"""Principal components at most. Chosen: sixty-four times the paper's."""
PEAKS = ("cut", "refuse")
"""What becomes of a recording with several peaks, see `Recipe.peaks`."""


@dataclass(frozen=True)
class Recipe:
    """How a corpus is made.

    Args:
        fps: resample to this rate; None keeps the source's.
        neutral: where a recording has no neutral, take its `first` frame, the one at which the face is `still`est, or
            what the first frames of all the subject's recordings have in `common`.
        align: `none`; `subject` brings each neutral onto the template and its frames with it; `frames` then takes the
            head's own motion out of each frame, by the half of the vertices that moves least.
        label: `phases` says when the expression sets in, peaks and fades (section 5.1); `curve` is how far it is shown
            in each frame of the same evolution, see `facegen.motion.curves`; `amplitude` follows how far each frame of
            the whole recording is from the neutral, for speech and whatever has no single peak.
        peaks: where phases have to be found and there are several peaks, `cut` the recording between them or `refuse`.
        confidence: phases that were found are kept from this confidence on, see `facegen.motion.confidence`; None
            keeps those that explain half of the motion.
        depth, factor, spiral_length, dilation: of the hierarchy, see `MeshHierarchy.build`.
        components: of the PCA of training displacements; the paper's 64.
        strict: stop at the first recording that cannot be used instead of leaving it out.

    Raises:
        DataError: a setting is unknown or out of range.
    """

    fps: float | None = None
    neutral: str = "first"
    align: str = "none"
    label: str = "phases"
    peaks: str = "cut"
    confidence: float | None = None
    depth: int = 4
    factor: float | None = None
    spiral_length: int | Series[int] | None = None
    dilation: int | Series[int] = 1
    components: int = 64
    strict: bool = False

    def __post_init__(self) -> None:
        for what, value, known in (
            ("way to find the neutral", self.neutral, NEUTRALS),
            ("alignment", self.align, ALIGNMENTS),
            ("label", self.label, LABELS),
            ("way with several peaks", self.peaks, PEAKS),
        ):
            if value not in known:
                raise DataError(unknown(what, value, known))
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise DataError(f"the least confidence must be between 0 and 1, got {self.confidence}")
        if not 1 <= self.components <= MOST_COMPONENTS:
            raise DataError(
                f"at least one principal component is needed and at most {MOST_COMPONENTS}, got {self.components}"
            )
        if self.fps is not None:
            require_fps(self.fps, DataError)

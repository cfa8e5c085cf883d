"""FaMoS: ninety-five people, six basic emotions and twenty-two other sequences each."""

from __future__ import annotations

from collections.abc import Sequence as Series
from pathlib import Path

from facegen.data.sources.layout import Layout
from facegen.data.sources.mesh_tree import MeshTreeSource, with_units
from facegen.data.sources.source import Habits

FRAMES = "{subject}/{expression}/{expression}.{frame}.ply"
"""Where a frame lies, below the folder of registrations."""

LAYOUT = Layout(
    [f"registrations/{FRAMES}", FRAMES],
    expressions={
        "happiness": "happy",
        "anger": "angry",
        "sadness": "sad",
        "surprise": "surprise",
        "fear": "fear",
        "disgust": "disgust",
    },
    units="m",
    fps=60.0,
)
"""Frames of FaMoS, and the paper's names of its six basic emotions."""


class FamosSource(MeshTreeSource):
    """Registered sequences of basic emotions and facial movements (Bolkart et al., "Instant Multi-View Head Capture
    through Learnable Registration", CVPR 2023).

    Licence: research only, no redistribution; available after registering at tempeh.is.tue.mpg.de.

    Layout: `ROOT/registrations/FaMoS_subject_001/anger/anger.000001.ply`, metres, FLAME's topology; `registrations`
    itself may be given as the root too. Recordings are read while the copying or unpacking of others goes on: what is
    not whole yet is left out and named.

    Args:
        root: the folder.
        seed: draws the test and validation subjects.
        test_subjects: names, or one number of subjects to draw.
        expressions: sequences by their names in the dataset; None takes the six basic emotions, by the paper's names.
        units: other than the dataset's, for a copy that was changed.
        val_subjects: for validation, as `test_subjects`.

    Raises:
        DataError: the layout is not this one; the message says what was found.

    Statistics:
        ============ ====================
        subjects     95
        sequences    28 a subject, six of them basic emotions
        frames       about 600,000
        vertices     5,023
        faces        9,976
        fps          60
        ============ ====================

        The six folders are anger, disgust, fear, happiness, sadness and surprise.
    """

    habits = Habits(fps=12.0, neutral="first", align="frames")

    def __init__(
        self,
        root: str | Path,
        seed: int = 0,
        test_subjects: Series[str] | None = None,
        expressions: Series[str] | None = None,
        units: str | None = None,
        val_subjects: Series[str] | None = None,
    ) -> None:
        super().__init__(root, with_units(LAYOUT, units), seed, test_subjects, expressions, val_subjects=val_subjects)

"""CoMA: twelve people, twelve extreme expressions each."""

from __future__ import annotations

from collections.abc import Sequence as Series
from pathlib import Path

from facegen.data.sources.annotations import read_ranges
from facegen.data.sources.layout import Layout
from facegen.data.sources.mesh_tree import MeshTreeSource, with_units
from facegen.data.sources.source import Habits

LAYOUT = Layout(["{subject}/{expression}/{expression}.{frame}.ply"], units="m", fps=60.0)
"""Frames of CoMA, in metres at 60 a second."""


class ComaSource(MeshTreeSource):
    """Registered sequences of extreme, asymmetric expressions (Ranjan et al., "Generating 3D Faces using Convolutional
    Mesh Autoencoders", ECCV 2018).

    Licence: research only, no redistribution; available after registering at coma.is.tue.mpg.de, as
    `COMA_data.zip` ("registered data").

    Layout: `ROOT/FaceTalk_170725_00137_TA/bareteeth/bareteeth.000001.ply`, metres, FLAME's topology.

    A folder holds no single run from neutral to an expression and back, but several peaks, and some begin extended. By
    default each is cut into evolutions by its motion, and the neutral of a subject is what the first frames of all
    their recordings have in common. With `ranges` a file says what to take instead, also backwards:
    `FaceTalk_170725_00137_TA bareteeth 40 95`.

    Args:
        root: the folder.
        seed: draws the test and validation subjects; the dataset has no split by subject of its own.
        test_subjects: names, or one number of subjects to draw.
        expressions: some of the twelve; None takes all.
        ranges: file with parts of recordings.
        units: other than the dataset's, for a copy that was changed.
        val_subjects: for validation, as `test_subjects`.

    Raises:
        DataError: the layout is not this one; the message says what was found.

    Statistics:
        ============ ========
        subjects     12
        expressions  12
        sequences    143 (one subject lacks one)
        frames       20,466
        vertices     5,023
        faces        9,976
        fps          60
        ============ ========

        Vertices and expressions as the paper gives them; which subject lacks which expression was not established
        here, and nothing depends on it.
    """

    habits = Habits(fps=12.0, neutral="common", align="frames")

    def __init__(
        self,
        root: str | Path,
        seed: int = 0,
        test_subjects: Series[str] | None = None,
        expressions: Series[str] | None = None,
        ranges: str | Path | None = None,
        units: str | None = None,
        val_subjects: Series[str] | None = None,
    ) -> None:
        parts = None if ranges is None else read_ranges(Path(ranges))
        super().__init__(root, with_units(LAYOUT, units), seed, test_subjects, expressions, parts, val_subjects)

"""4DFAB, the paper's dataset, or any other tree of registered meshes whose layout a file describes."""

from __future__ import annotations

from collections.abc import Sequence as Series
from dataclasses import replace
from pathlib import Path

from facegen import tables
from facegen.data.recipe import NEUTRALS
from facegen.data.sources.layout import MESH_SUFFIXES, Layout
from facegen.data.sources.mesh_tree import MeshTreeSource, with_units
from facegen.data.sources.source import Habits
from facegen.errors import DataError, unknown
from facegen.files import read_yaml

LAYOUT = Layout(
    patterns=[f"{{subject}}/{{expression}}/{{frame}}{suffix}" for suffix in MESH_SUFFIXES],
    expressions={
        "happy": "happy",
        "happiness": "happy",
        "angry": "angry",
        "anger": "angry",
        "sad": "sad",
        "sadness": "sad",
        "surprise": "surprise",
        "fear": "fear",
        "disgust": "disgust",
    },
    units="mm",
    fps=60.0,
    neutral=[f"{{subject}}/neutral{suffix}" for suffix in MESH_SUFFIXES],
)
"""The layout without a layout file; `configs/layouts/fourdfab.yaml` is the same, with a comment for each line."""


class FourDFABSource(MeshTreeSource):
    """Registered meshes by subject, expression and frame, laid out as a file says (Cheng et al., "4DFAB: A Large Scale
    4D Database for Facial Expression Analysis and Biometric Applications", CVPR 2018).

    Licence: research only; ask for it at ibug.doc.ic.ac.uk/resources/4dfab.

    Layout: the exact names of the released tree could not be established; what is taken without a layout file is
    `ROOT/<subject>/<expression>/<frame>.obj|.ply`. `facegen inspect ROOT --source fourdfab [--layout FILE]` prints what
    a layout matches and what it leaves over. `configs/layouts/fourdfab.yaml` is one to copy and change.

    Args:
        root: the folder.
        layout: file with the fields of `Layout`.
        seed: draws the test and validation subjects where the layout names none, the former in the paper's proportion
            of 153 to 27.
        test_subjects: names, or one number of subjects to draw.
        expressions: recordings by their names in the dataset; None takes those of the layout.
        units: other than the layout's.
        val_subjects: for validation, as `test_subjects`; the paper has none, which the number 0 asks for.

    Raises:
        DataError: the layout is not the dataset's; the message says what was found.

    Statistics:
        ============ ====================================
        subjects     180 (153 to train, 27 to test, in the paper)
        expressions  6, posed
        vertices     28,431 after the paper's registration
        fps          60, of which the paper takes about every 5th frame
        ============ ====================================

        Subjects, split and vertices as Potamias et al., ECCV 2020, section 5.1, give them.
    """

    habits = Habits(fps=12.0, neutral="first", align="frames")

    def __init__(
        self,
        root: str | Path,
        layout: str | Path | None = None,
        seed: int = 0,
        test_subjects: Series[str] | None = None,
        expressions: Series[str] | None = None,
        units: str | None = None,
        val_subjects: Series[str] | None = None,
    ) -> None:
        chosen = with_units(read_layout(layout), units)
        self.habits = replace(self.habits, neutral=chosen.rest)
        super().__init__(root, chosen, seed, test_subjects, expressions, val_subjects=val_subjects)


def read_layout(path: str | Path | None) -> Layout:
    """A layout from YAML; None gives the default.

    Raises:
        FacegenError: the file is missing, no YAML, or has unknown, missing or wrongly typed keys or values.
    """
    if path is None:
        return LAYOUT
    layout = Layout(**read_yaml(path, Layout, tables.LAYOUT))
    if not layout.patterns:
        raise DataError(f"{path}: patterns is empty; it needs at least one, such as {LAYOUT.patterns[0]}")
    if layout.rest not in NEUTRALS:
        raise DataError(f"{path}: {unknown('way to find the neutral', layout.rest, NEUTRALS)}")
    return layout

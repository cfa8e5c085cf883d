"""D3DFACS: ten people who move action units, alone and together."""

from __future__ import annotations

from collections.abc import Sequence as Series
from dataclasses import replace
from pathlib import Path

from facegen.data.sources.layout import Layout, match
from facegen.data.sources.mesh_tree import MeshTreeSource, with_units
from facegen.data.sources.source import Habits
from facegen.errors import DataError, unknown
from facegen.plain_text import read_plain_yaml
from facegen.tables import NEW_NAME

LAYOUT = Layout(["{subject}/{expression}/{expression}_{frame}.ply"], units="m", fps=60.0)
"""Frames of D3DFACS, in metres at 60 a second."""


class D3dfacsSource(MeshTreeSource):
    """Sequences of action units (Cosker, Krumhuber and Hilton, "A FACS valid 3D dynamic action unit database with
    applications to 3D dynamic morphable facial modeling", ICCV 2011), as registered in FLAME's topology (Li et al.,
    "Learning a model of facial shape and expression from 4D scans", SIGGRAPH Asia 2017).

    Licence: research only; the University of Bath gives the scans; the registrations are available after registering
    at flame.is.tue.mpg.de.

    Layout: `ROOT/Joe/1+2/1+2_175.ply` (subject, action units, frame), metres.

    The dataset names action units, not feelings, and few sets of them are shown by all. A mapping file says which set
    is which expression of yours; several may be one, others are left out::

        1+2: surprise
        1+2+5: surprise
        6+12: happy

    Args:
        root: the folder.
        mapping: that file, YAML.
        seed: draws the test and validation subjects.
        test_subjects: names, or one number of subjects to draw.
        units: other than the dataset's, for a copy that was changed.
        val_subjects: for validation, as `test_subjects`.

    Raises:
        DataError: the layout is not this one, or there is no mapping, or it names a set that nobody shows; the message
            says which sets are there.

    Statistics:
        ============ ==================
        subjects     10
        sequences    519
        vertices     5,023
        faces        9,976
        fps          60
        ============ ==================

        Subjects and sequences as the ICCV paper counts them; how many of them are registered was not established here.
    """

    habits = Habits(fps=12.0, neutral="first", align="frames")

    def __init__(
        self,
        root: str | Path,
        mapping: str | Path | None = None,
        seed: int = 0,
        test_subjects: Series[str] | None = None,
        units: str | None = None,
        val_subjects: Series[str] | None = None,
    ) -> None:
        layout = with_units(LAYOUT, units)
        if mapping is None:
            sets = sorted({name for _, name in match(Path(root), layout).frames})
            raise DataError(
                "the source d3dfacs needs --mapping FILE.yaml with lines such as `1+2: surprise`; sets of action units "
                f"in {root}: {', '.join(sets) or 'none'}"
            )
        layout = replace(layout, expressions=read_mapping(Path(mapping)))
        super().__init__(root, layout, seed, test_subjects, val_subjects=val_subjects)

    def _names(self, found: list[str], wanted: Series[str] | None) -> dict[str, str]:
        for name in self.layout.expressions:
            if name not in found:
                raise DataError(unknown("set of action units", name, found))
        return super()._names(found, wanted)


def read_mapping(path: Path, example: str = "1+2: surprise") -> dict[str, str]:
    """Expressions by what names them, a set of action units or the beginning of a word, from YAML.

    Raises:
        FacegenError: the file is missing, no YAML, or something else than names to names.
    """
    content = read_plain_yaml(path)[0]
    if not isinstance(content, dict) or not content or not all(isinstance(value, str) for value in content.values()):
        raise DataError(f"{path}: expected lines of `what: expression`, such as `{example}`")
    if strange := [value for value in content.values() if not NEW_NAME.accepts(value)]:
        raise DataError(f"{path}: expected {NEW_NAME.words} of an expression, found {ascii(strange[0])[:80]}")
    return {str(name): value for name, value in content.items()}

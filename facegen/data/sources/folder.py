"""Data of one's own: a folder of meshes, by subject, expression and frame."""

from __future__ import annotations

from collections.abc import Sequence as Series
from dataclasses import replace
from pathlib import Path

from facegen.data.sources.layout import MESH_SUFFIXES, Layout
from facegen.data.sources.mesh_tree import MeshTreeSource, with_units
from facegen.data.sources.settings import SETTINGS, Settings, read_settings
from facegen.errors import DataError, unknown
from facegen.readable import is_there

NEUTRAL, ANNOTATIONS = "neutral", "annotations.csv"
"""Names below the root: of the folder of neutrals, and of the file of phases."""

LAYOUT = Layout(
    patterns=[f"{{subject}}/{{expression}}/{{frame}}{suffix}" for suffix in MESH_SUFFIXES],
    fps=Settings.fps,
    neutral=[f"{NEUTRAL}/{{subject}}{suffix}" for suffix in MESH_SUFFIXES],
    passed_over=[NEUTRAL, ANNOTATIONS],
)
"""How data of one's own lie; `dataset.yaml` may say more."""


def folder_layout(root: Path) -> Layout:
    """How a folder's data lie, with what its `dataset.yaml` says.

    Raises:
        FacegenError: see `read_settings`.
    """
    _require_spelling(root)
    settings = read_settings(root)
    return replace(
        LAYOUT,
        units=settings.units,
        fps=settings.fps,
        annotations=ANNOTATIONS if is_there(root / ANNOTATIONS) else "",
        test_subjects=settings.test_subjects,
        val_subjects=settings.val_subjects,
    )


def _require_spelling(root: Path) -> None:
    """Names by which nobody would find the settings and phases of a folder, as `dataset.yml`.

    Raises:
        DataError: one is there, and not the right one.
    """
    wanted = {SETTINGS: SETTINGS, "dataset.yml": SETTINGS, ANNOTATIONS: ANNOTATIONS}
    for path in sorted(root.glob("*")) if root.is_dir() else ():
        right = wanted.get(path.name.lower())
        if right is not None and path.name != right and not is_there(root / right):
            raise DataError(f"{path}: expected the name {right}, by which it would be read; rename it")


class FolderSource(MeshTreeSource):
    """`ROOT/<subject>/<expression>/<frame>.ply|.obj` in natural order, one topology throughout.

    Optional: `ROOT/neutral/<subject>.ply|.obj`; `ROOT/annotations.csv` with the header
    `subject,expression,onset,apex_start,apex_end,offset` (0-based frames, inclusive); `ROOT/dataset.yaml` with
    `units` (mm, cm, m), `fps`, `expressions`, `test_subjects`, `val_subjects`, and `leave_out` (SUBJECT/EXPRESSION,
    recordings that are not taken). Who is kept for testing and for validation is drawn by the seed where no list says
    it, see `facegen.data.sources.splits`. Suffixes may be written in any case.

    Args:
        root: the folder.
        seed: draws the test and validation subjects where none are named.
        test_subjects: names, or one number of subjects to draw, instead of those of `dataset.yaml`.
        expressions: of those that are there, the ones to take.
        units: instead of those of `dataset.yaml`.
        val_subjects: for validation, as `test_subjects`.

    Raises:
        DataError: the layout is not this one; the message says what was found.
    """

    def __init__(
        self,
        root: str | Path,
        seed: int = 0,
        test_subjects: Series[str] | None = None,
        expressions: Series[str] | None = None,
        units: str | None = None,
        val_subjects: Series[str] | None = None,
    ) -> None:
        root = Path(root)
        self._listed = read_settings(root).expressions
        layout = with_units(folder_layout(root), units)
        super().__init__(root, layout, seed, test_subjects, expressions, val_subjects=val_subjects)
        for subject, path in self._neutrals.items():
            if subject not in self._first_frames:
                raise DataError(f"{path}: {unknown('subject', subject, self.subjects)}")

    def _names(self, found: list[str], wanted: Series[str] | None) -> dict[str, str]:
        strange = [name for name in found if self._listed and name not in self._listed]
        if strange:
            raise DataError(f"{self.root / SETTINGS}: {unknown('expression', strange[0], self._listed)}")
        return super()._names(found, wanted or [name for name in self._listed if name in found])

"""Data of one's own: a folder of meshes, by subject, expression and frame."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

import numpy as np

from facegen.data.sources.source import Recording, Source
from facegen.errors import DataError, FacegenError, unknown
from facegen.files import read_yaml
from facegen.mesh.io import UNITS, read_mesh
from facegen.mesh.tri_mesh import TriMesh
from facegen.motion import EXPRESSIONS, Phases

MESHES = (".ply", ".obj")
HEADER = ["subject", "expression", "onset", "apex_start", "apex_end", "offset"]
NEUTRAL = "neutral"


@dataclass
class Settings:
    """`dataset.yaml`: what the meshes themselves do not say."""

    units: str = "mm"
    fps: float = 25.0
    expressions: list[str] = field(default_factory=list)
    test_subjects: list[str] = field(default_factory=list)


class FolderSource(Source):
    """`ROOT/<subject>/<expression>/<frame>.ply|.obj` in natural order, one topology throughout.

    Optional: `ROOT/neutral/<subject>.ply|.obj`; `ROOT/annotations.csv` with the header
    `subject,expression,onset,apex_start,apex_end,offset` (0-based frames, inclusive); `ROOT/dataset.yaml` with
    `units` (mm, cm, m), `fps`, `expressions`, `test_subjects`. Without a list of test subjects, 15 % of the
    subjects, at least one, drawn by the seed, are kept for testing.

    Args:
        root: the folder.
        seed: draws the test subjects where none are named.

    Raises:
        DataError: the layout is not this one; the message says what was found.
    """

    def __init__(self, root: str | Path, seed: int = 0) -> None:
        self.root = root = Path(root)
        if not root.is_dir():
            raise DataError(f"{root}: no such folder; name the dataset's folder with --root")
        settings = Settings()
        if (root / "dataset.yaml").is_file():
            settings = Settings(**read_yaml(root / "dataset.yaml", Settings))
        if settings.units not in UNITS:
            raise DataError(f"{root / 'dataset.yaml'}: {unknown('unit', settings.units, UNITS)}")
        if not 0 < settings.fps < inf:
            raise DataError(f"{root / 'dataset.yaml'}: fps must be a positive number, got {settings.fps}")
        if seed < 0:
            raise DataError(f"the seed must be 0 or more, got {seed}")
        self.scale, self.fps = UNITS[settings.units], settings.fps
        found = self._folders()
        self.expressions = self._expressions(settings.expressions, {name for _, name in found})
        self.keys = tuple(found)
        for path in _entries(root / NEUTRAL) if (root / NEUTRAL).is_dir() else []:
            if path.suffix.lower() in MESHES and path.stem not in self.subjects:
                raise DataError(f"{path}: {unknown('subject', path.stem, self.subjects)}")
        self.test_subjects = self._test_subjects(settings.test_subjects, seed)
        self.annotations = self._annotations()
        self._options = {"units": settings.units, "fps": settings.fps, "seed": seed}
        self.template = self._template()

    def _folders(self) -> list[tuple[str, str]]:
        keys = [
            (subject.name, expression.name)
            for subject in _entries(self.root)
            if subject.is_dir() and subject.name != NEUTRAL
            for expression in _entries(subject)
            if expression.is_dir()
        ]
        if not keys:
            raise DataError(
                f"{self.root}: expected <subject>/<expression>/<frame>.ply or .obj below it, found no such folders"
            )
        return keys

    def _expressions(self, listed: list[str], found: set[str]) -> tuple[str, ...]:
        if listed:
            strange = sorted(found - set(listed))
            if strange:
                raise DataError(f"{self.root / 'dataset.yaml'}: {unknown('expression', strange[0], listed)}")
            return tuple(dict.fromkeys(listed))
        # The paper's order for the paper's names, the alphabet for others.
        paper = [name for name in EXPRESSIONS if name in found]
        return (*paper, *sorted(found - set(paper)))

    def _test_subjects(self, listed: list[str], seed: int) -> tuple[str, ...]:
        subjects = self.subjects
        for name in listed:
            if name not in subjects:
                raise DataError(f"{self.root / 'dataset.yaml'}: {unknown('test subject', name, subjects)}")
        if len(subjects) < 2 or len(set(listed)) == len(subjects):
            raise DataError(f"{self.root}: {len(subjects)} subjects; at least one to train and one to test are needed")
        if listed:
            return tuple(name for name in subjects if name in listed)
        drawn = np.random.default_rng(seed).permutation(len(subjects))[: max(1, round(0.15 * len(subjects)))]
        return tuple(subjects[i] for i in sorted(drawn))

    def _annotations(self) -> dict[tuple[str, str], Phases]:
        path = self.root / "annotations.csv"
        if not path.is_file():
            return {}
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                rows = [row for row in csv.reader(file) if row]
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path}: not a CSV file in UTF-8 ({error})") from error
        if not rows or [cell.strip() for cell in rows[0]] != HEADER:
            raise DataError(f"{path}: the header must be {','.join(HEADER)}, got {','.join(rows[0]) if rows else ''}")
        annotations: dict[tuple[str, str], Phases] = {}
        for number, row in enumerate(rows[1:], start=2):
            cells = [cell.strip() for cell in row]
            key = (cells[0], cells[1]) if len(cells) == len(HEADER) else None
            if key is None:
                raise DataError(f"{path}, line {number}: expected subject, expression and four frames, got {row}")
            if key not in self.keys:
                raise DataError(f"{path}, line {number}: there is no recording {key[0]}/{key[1]} in {self.root}")
            if key in annotations:
                raise DataError(f"{path}, line {number}: {key[0]}/{key[1]} is annotated twice")
            try:
                annotations[key] = Phases(*(int(cell) for cell in cells[2:]))
            except (ValueError, FacegenError) as error:
                raise DataError(f"{path}, line {number}: {error}") from error
        return annotations

    def _template(self) -> TriMesh:
        """The mean of the training subjects' neutrals (or first frames); nothing of a test subject is in it."""
        first, total, count, reason = None, 0.0, 0, None
        for subject in self.subjects:
            if subject in self.test_subjects:
                continue
            try:
                path = self._neutral_path(subject)
                if path is None:
                    path = self._frames(next(key for key in self.keys if key[0] == subject))[0]
                mesh = read_mesh(path)
            except FacegenError as error:  # said again, with the recording's name, when it is its turn to be read
                reason = reason or error
                continue
            if first is None:
                first, self.first_path = mesh, path
            self._same_topology(mesh, path, first)
            total, count = total + mesh.vertices * self.scale, count + 1
        if first is None:
            raise DataError(f"{self.root}: no training subject's neutral can be read: {reason}")
        return first.with_vertices(total / count)

    def _same_topology(self, mesh: TriMesh, path: Path, template: TriMesh) -> None:
        if mesh.digest != template.digest:
            raise DataError(
                f"{path}: {len(mesh.vertices)} vertices and {len(mesh.faces)} triangles of another topology than "
                f"{self.first_path} ({len(template.vertices)} and {len(template.faces)}); all must share one"
            )

    def _neutral_path(self, subject: str) -> Path | None:
        paths = [self.root / NEUTRAL / f"{subject}{suffix}" for suffix in MESHES]
        return next((path for path in paths if path.is_file()), None)

    def _frames(self, key: tuple[str, str]) -> list[Path]:
        folder = self.root.joinpath(*key)
        frames = [path for path in _entries(folder) if path.suffix.lower() in MESHES]
        if len(frames) < 2:
            raise DataError(f"{folder}: expected at least two frames (.ply or .obj), found {len(frames)}")
        stems = [path.stem for path in frames]
        twice = next((stem for stem in stems if stems.count(stem) > 1), None)
        if twice is not None:
            raise DataError(f"{folder}: frame {twice} is there as .ply and as .obj; remove one of them")
        return frames

    def read(self, key: tuple[str, str]) -> Recording:
        frames = self._frames(key)
        vertices = np.empty((len(frames), len(self.template.vertices), 3), dtype=np.float32)
        for i, path in enumerate(frames):
            mesh = read_mesh(path)
            self._same_topology(mesh, path, self.template)
            vertices[i] = mesh.vertices * self.scale
        path, neutral = self._neutral_path(key[0]), None
        if path is not None:
            mesh = read_mesh(path)
            self._same_topology(mesh, path, self.template)
            neutral = mesh.vertices * self.scale
        phases = self.annotations.get(key)
        if phases is not None and phases.offset >= len(frames):
            raise DataError(
                f"{self.root / 'annotations.csv'}: {key[0]}/{key[1]} has {len(frames)} frames, but its offset is "
                f"frame {phases.offset}"
            )
        return Recording(*key, vertices, neutral, phases, self.fps)

    def options(self) -> dict[str, object]:
        return self._options


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, in natural order (frame 2 before frame 10), without hidden files."""
    names = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return sorted(names, key=_natural)


def _natural(path: Path) -> tuple[list[int | str], str]:
    parts = re.split(r"([0-9]+)", path.name)
    # The name itself decides between frame1 and frame01.
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], path.name

"""Datasets that keep a mesh for every frame, in folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Sequence as Series
from dataclasses import replace
from pathlib import Path

import numpy as np

from facegen.data.sources.annotations import Range, read_annotations
from facegen.data.sources.layout import Layout, Matched, frame_numbers, match, require_no_gap
from facegen.data.sources.settings import LEFT_OUT, left_out
from facegen.data.sources.source import Key, Recording, Source
from facegen.data.sources.splits import choose_test_subjects, choose_val_subjects, require_known
from facegen.data.sources.twins import Refused, misspelled, without_twins
from facegen.data.sources.units import require_face_size
from facegen.errors import DataError, FacegenError, unknown
from facegen.mesh.alignment import align_pose
from facegen.mesh.formats.io import read_mesh
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.units import millimetres
from facegen.mesh.whereabouts import box, require_near_origin
from facegen.motion.label import EXPRESSIONS
from facegen.motion.limits import require_fps

SIZE_RATIO = 3.0
"""Largest ratio of two faces' sizes. Chosen: adults and children differ by far less, units by ten at least."""


class MeshTreeSource(Source):
    """A folder of meshes by subject, recording and frame, one topology throughout.

    Args:
        root: the folder.
        layout: how it is laid out.
        seed: draws the test and validation subjects where neither the layout nor an argument names them.
        test_subjects: names, or one number of subjects to draw.
        expressions: recordings to take, by the dataset's names; None takes those of the layout.
        ranges: parts of recordings to take instead of whole ones.
        val_subjects: for validation, names, or one number of subjects to draw.

    Attributes:
        layout: how it is laid out.
        names: of the recordings that are taken, the dataset's and the label's.

    Raises:
        DataError: the layout is not this one; the message says what was found.
    """

    def __init__(
        self,
        root: str | Path,
        layout: Layout,
        seed: int = 0,
        test_subjects: Series[str] | None = None,
        expressions: Series[str] | None = None,
        ranges: Series[Range] | None = None,
        val_subjects: Series[str] | None = None,
    ) -> None:
        self.root, self.layout = Path(root), layout
        require_fps(layout.fps, DataError)
        self.scale, self.fps = millimetres(layout.units), layout.fps
        matched = match(self.root, layout)
        if not matched.frames:
            wanted = " or ".join(layout.patterns).replace("{", "<").replace("}", ">")
            raise DataError(f"{self.root}: expected {wanted} below it, found no such files")
        bad = left_out(self.root, {f"{subject}/{name}" for subject, name in (*matched.frames, *matched.empty)})
        self._neutrals, self._rest = matched.neutrals, ("", np.empty(0))
        self._first_frames: dict[str, list[Path]] = {}  # of all recordings, also of those that are not taken
        for (subject, name), paths in matched.frames.items():
            self._first_frames.setdefault(subject, []).extend(paths[:1] if f"{subject}/{name}" not in bad else [])
        names = self._names(sorted({name for _, name in matched.frames}), expressions)
        self._recordings = _recordings(matched, names, ranges)
        self.keys, self.refused, self.left_out = _sorted_out(
            self._recordings, matched, names, () if expressions else layout.expressions, bad
        )
        shown = {key.expression for key in self.keys}
        self.expressions = tuple(name for name in dict.fromkeys(names.values()) if name in shown)
        if not test_subjects:
            require_known("test subject", layout.test_subjects, self.subjects)
        if not val_subjects:
            require_known("validation subject", layout.val_subjects, self.subjects)
        self.test_subjects = choose_test_subjects(self.subjects, test_subjects or layout.test_subjects or None, seed)
        validating = val_subjects or layout.val_subjects or None
        self.val_subjects = choose_val_subjects(self.keys, self.test_subjects, validating, seed)
        there = (*self.keys, *(key for key, _ in (*self.left_out, *self.refused)))
        self.annotations = read_annotations(self.root / layout.annotations, there) if layout.annotations else {}
        self.names = names
        self._options = {"units": layout.units, "fps": layout.fps, "seed": seed, "recordings": names}
        self._topology, self.template = self._make_template()

    def _names(self, found: list[str], wanted: Series[str] | None) -> dict[str, str]:
        """Recordings to take, in the label's order, and the label's name for each."""
        known = self.layout.expressions
        for name in wanted or ():
            if name not in found:
                raise DataError(unknown("expression", name, found))
        # Without an order of the user's own: the paper's for the paper's names, the alphabet for others.
        paper = [name for name in EXPRESSIONS if name in found]
        chosen = list(wanted or known or dict.fromkeys((*paper, *found)))
        names = {name: known.get(name, name) for name in chosen if name in found}
        if not names:
            raise DataError(
                f"{self.root}: none of {', '.join(known)} is there; found are {', '.join(found)}; choose with "
                "--expressions"
            )
        return names

    def _make_template(self) -> tuple[TriMesh, TriMesh]:
        """The topology that most share, and the mean of the training subjects at rest, once aligned.

        Nothing of a test or validation subject is in either.
        """
        found, reason = [], None
        for subject in self.train_subjects:
            try:
                found.append((subject, self._mesh(self._first_path(subject))))
            except FacegenError as error:  # said again, with the recording's name, when it is its turn to be read
                reason = reason or error
        if not found:
            raise DataError(f"{self.root}: no training subject's neutral can be read: {reason}")
        usual = Counter(mesh.digest for _, mesh in found).most_common(1)[0][0]
        self._topology = next(mesh for _, mesh in found if mesh.digest == usual)
        self._size = float(np.median([_size(mesh) for _, mesh in found]))
        if not self._size > 0:
            raise DataError(f"{self.root}: most faces have no extent, all their vertices are at one place")
        total, start, count = np.zeros(0), None, 0
        for subject, mesh in found:
            try:
                given = subject in self._neutrals or self.habits.neutral != "common"
                pose = self._checked(mesh, self._first_path(subject)) if given else self.rest(subject)
            except FacegenError:
                continue
            if start is None:
                start = pose
            elif self.habits.align != "none":
                pose = align_pose(pose, start)
            total, count = total + pose if count else pose, count + 1
        template = self._topology.with_vertices(total / count)
        require_face_size(template, self.layout.units, self.root)
        return self._topology, template

    def _mesh(self, path: Path) -> TriMesh:
        """What a file holds, near enough to the origin for frames to be held in 32-bit numbers."""
        mesh = read_mesh(path)
        require_near_origin(mesh, str(path))
        return mesh

    def _first_path(self, subject: str) -> Path:
        given = self._neutrals.get(subject)
        return given or next(self._recordings[key][0][0] for key in self.keys if key.subject == subject)

    def _checked(self, mesh: TriMesh, path: Path) -> np.ndarray:
        """(V, 3) mm of a mesh of the right topology and about the right size."""
        if not mesh.same_topology(self._topology):
            here, there = mesh, self._topology
            raise DataError(
                f"{path}: {len(here.vertices)} vertices and {len(here.faces)} triangles of another topology than the "
                f"other subjects' ({len(there.vertices)} and {len(there.faces)}); all must share one"
            )
        ratio = _size(mesh) / self._size
        if ratio > 0 and not 1 / SIZE_RATIO < ratio < SIZE_RATIO:  # a mesh without any size is named elsewhere
            raise DataError(f"{path}: {ratio:.3g} times the size of the other subjects; all must be in one unit")
        return mesh.vertices * self.scale

    def _pose(self, path: Path) -> np.ndarray:
        return self._checked(self._mesh(path), path)

    def rest(self, subject: str) -> np.ndarray:
        """What the first frames of all the subject's recordings have in common, (V, 3) mm: the aligned ones' median."""
        if self._rest[0] != subject:  # takes of one subject follow each other
            poses = []
            for path in self._first_frames[subject]:
                try:
                    pose = self._pose(path)
                except FacegenError:  # said when it is its recording's turn to be read
                    continue
                poses.append(align_pose(pose, poses[0]) if poses else pose)
            if not poses:
                raise DataError(f"no recording of {subject} can be read")
            self._rest = subject, np.median(poses, axis=0)
        return self._rest[1]

    def read(self, key: Key) -> Recording:
        frames = _chosen(*self._recordings[key])
        return self._recording(key, frames, len(frames))

    def glance(self, key: Key) -> Recording:
        frames = _chosen(*self._recordings[key])
        return self._recording(key, frames[:1], len(frames))

    def _recording(self, key: Key, frames: list[Path], length: int) -> Recording:
        """Frames of a recording that has `length` of them."""
        vertices = np.empty((len(frames), len(self.template.vertices), 3), dtype=np.float32)
        for i, path in enumerate(frames):
            vertices[i] = self._pose(path)
        path = self._neutrals.get(key.subject)
        neutral = None if path is None else self._pose(path)
        phases = self.annotations.get(key)
        if phases is not None and phases.offset >= length:
            raise DataError(
                f"{self.root / self.layout.annotations}: {key} has {length} frames, but its offset is frame "
                f"{phases.offset}"
            )
        return Recording(vertices, neutral, phases, self.fps)

    def options(self) -> dict[str, object]:
        return self._options


def _size(mesh: TriMesh) -> float:
    low, high = box(mesh.vertices)
    return float(np.linalg.norm(high - low))


def _recordings(
    matched: Matched, names: dict[str, str], ranges: Series[Range] | None
) -> dict[Key, tuple[list[Path], Range | None]]:
    """The frames of each recording, and the part that is wanted of them."""
    taken = {key: paths for key, paths in matched.frames.items() if key[1] in names}
    if ranges is None:
        return {Key(subject, names[name], name): (paths, None) for (subject, name), paths in taken.items()}
    for part in ranges:
        if (part.subject, part.name) not in taken:
            raise DataError(f"{part.place}: there is no recording {part.subject}/{part.name} among those to be taken")
    recordings: dict[Key, tuple[list[Path], Range | None]] = {}
    for (subject, name), paths in taken.items():
        for part in ranges:
            if (part.subject, part.name) == (subject, name):
                key = Key(subject, names[name], f"{name}.{part.first}-{part.last}")
                if key in recordings:
                    raise DataError(f"{part.place}: this range is there twice")
                recordings[key] = paths, part
    return recordings


def _sorted_out(
    recordings: dict[Key, tuple[list[Path], Range | None]],
    matched: Matched,
    names: dict[str, str],
    known: Iterable[str],
    bad: set[str],
) -> tuple[tuple[Key, ...], Refused, Refused]:
    """Keys to keep, those that are refused, and those that are left out.

    Args:
        recordings: that are taken.
        matched: all that are there.
        names: the dataset's names of those taken, and the label's.
        known: names that would be taken too, were they there.
        bad: SUBJECT/RECORDING to leave out.
    """
    named = {key: f"{key.subject}/{part.name if part else key.name}" for key, (_, part) in recordings.items()}
    named |= {Key(*key, key[1]): "/".join(key) for key in matched.empty if key[1] in names}
    kept, twins = without_twins(key for key in recordings if named[key] not in bad)
    empty = [(key, "its folder is empty") for key in named if key not in recordings and named[key] not in bad]
    others = [(Key(*key, key[1]), key[1]) for key in matched.frames if key[1] not in names and "/".join(key) not in bad]
    strange = misspelled(others, (*known, *names))
    return kept, (*twins, *strange, *empty), tuple((key, LEFT_OUT) for key in named if named[key] in bad)


def _chosen(paths: list[Path], part: Range | None) -> list[Path]:
    """The frames of a recording or of a part of it, checked: none is missing, none is there twice."""
    stems = Counter(path.stem for path in paths)
    twice = next((stem for stem, count in stems.items() if count > 1), None)
    if twice is not None:
        raise DataError(f"{paths[0].parent}: frame {twice} is there twice, with two suffixes; remove one of them")
    if part is not None:
        numbers = frame_numbers(paths) or []
        low, high = sorted((part.first, part.last))
        for number in (part.first, part.last):
            if number not in numbers:
                raise DataError(f"{part.place}: {part.subject}/{part.name} has no frame {number}")
        paths = [path for path, number in zip(paths, numbers, strict=True) if low <= number <= high]
    if len(paths) < 2:
        raise DataError(f"{paths[0].parent}: expected at least two frames, found {len(paths)}")
    require_no_gap(paths)
    return paths[::-1] if part is not None and part.first > part.last else paths


def with_units(layout: Layout, units: str | None) -> Layout:
    """The same layout in other units, where these are given."""
    return layout if units is None else replace(layout, units=units)

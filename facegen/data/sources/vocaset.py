"""VOCASET: people who read sentences aloud."""

from __future__ import annotations

from collections.abc import Sequence as Series
from pathlib import Path
from typing import Any

import numpy as np

from facegen.data.sources.layout import natural
from facegen.data.sources.settings import LEFT_OUT, left_out
from facegen.data.sources.source import Habits, Key, Recording, Source
from facegen.data.sources.splits import choose_test_subjects, choose_val_subjects
from facegen.data.sources.twins import without_twins
from facegen.data.sources.units import require_face_size
from facegen.errors import DataError, FacegenError
from facegen.mesh.formats.io import read_mesh
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.units import millimetres
from facegen.plain_pickle import read_plain_pickle
from facegen.tables import FARTHEST

VERTICES, INDEX, TEMPLATES = "data_verts.npy", "subj_seq_to_idx.pkl", "templates.pkl"
"""Files of the training data of VOCA: all vertices, which of them each sentence has, and the people at rest."""
PLACES = (".", "template", "templates")
"""Folders below the root in which the topology is looked for."""
FPS = 60.0
"""Frames a second of the recordings (Cudeiro et al., CVPR 2019)."""
EXPRESSION = "speech"
"""What all sentences are called as an expression."""
TEST_SUBJECTS = ("FaceTalk_170809_00138_TA", "FaceTalk_170731_00024_TA")
"""The subjects that VOCA is tested on, by the `config_parser.py` of its repository."""
VAL_SUBJECTS = ("FaceTalk_170811_03275_TA", "FaceTalk_170908_03277_TA")
"""Those that it is validated on, by the same file."""


class VocasetSource(Source):
    """Sentences of VOCASET, in the form in which VOCA is trained on them (Cudeiro et al., "Capture, Learning, and
    Synthesis of 3D Speaking Styles", CVPR 2019).

    For non-commercial research only; ask for it, and read its licence, at voca.is.tue.mpg.de, and take the training
    data of VOCA. Sentences are no emotions: there is one expression, speech, and the label is how far the mouth, or
    whatever moves, is from rest.

    Layout of the root::

        data_verts.npy        (frames, 15069) or (frames, 5023, 3) float, metres
        subj_seq_to_idx.pkl   {subject: {sentence: {frame: row of data_verts.npy}}}
        templates.pkl         {subject: (5023, 3)}, the subject at rest, metres
        FLAME_sample.ply      the triangles, from `template/` of VOCA's repository; any .ply or .obj of as many
                              vertices, here or in `template/` or `templates/`

    Args:
        root: the folder.
        seed: draws the test and validation subjects where neither the dataset nor an argument names them.
        test_subjects: names, or one number of subjects to draw; None takes those that VOCA is tested on.
        units: other than the dataset's, for a copy that was changed.
        val_subjects: for validation, as `test_subjects`; None takes those that VOCA is validated on.

    Raises:
        DataError: a file is missing, damaged, or of another form.

    Not established: whether the 60 frames a second are exact (audio and frames differ by about one in 60), and which
    vertex is the tip of the nose.

    Statistics:
        ======== =================== ====================== ======== ======
        subjects sentences           sequences              vertices fps
        ======== =================== ====================== ======== ======
        12       40, of two one less 478, of 3 to 4 seconds 5,023    60
        ======== =================== ====================== ======== ======
    """

    expressions = (EXPRESSION,)
    habits = Habits(fps=12.0, align="frames", label="amplitude")  # every fifth frame

    def __init__(
        self,
        root: str | Path,
        seed: int = 0,
        test_subjects: Series[str] | None = None,
        units: str = "m",
        val_subjects: Series[str] | None = None,
    ) -> None:
        self.root, self._scale = Path(root), millimetres(units)
        for name in (VERTICES, INDEX, TEMPLATES):
            if not (self.root / name).is_file():
                raise DataError(
                    f"{self.root / name} is missing; --root must hold {VERTICES}, {INDEX} and {TEMPLATES}, the "
                    "training data of VOCA from voca.is.tue.mpg.de"
                )
        self._frames: np.ndarray | None = None
        self._vertices = self._open().shape[1] // 3 if self._open().ndim == 2 else self._open().shape[1]
        topology = self._topology()
        self._index = self._read_index()
        self._templates, reasons = self._read_templates()
        keys = [Key(subject, EXPRESSION, sentence) for subject in self._index for sentence in self._index[subject]]
        bad = left_out(self.root, [str(key) for key in keys])
        self.left_out = tuple((key, LEFT_OUT) for key in keys if str(key) in bad)
        keys = [key for key in keys if str(key) not in bad]
        self.keys, twins = without_twins(key for key in keys if key.subject in self._templates)
        strangers = tuple((key, reasons[key.subject]) for key in keys if key.subject not in self._templates)
        self.refused = (*strangers, *twins)
        if not self.keys:
            reason = f", among them {self.refused[0][1]}" if self.refused else ""
            raise DataError(f"{self.root / INDEX}: no recording of a subject that {TEMPLATES} knows{reason}")
        self.test_subjects = choose_test_subjects(self.subjects, test_subjects, seed, given=TEST_SUBJECTS)
        self.val_subjects = choose_val_subjects(self.keys, self.test_subjects, val_subjects, seed, given=VAL_SUBJECTS)
        faces = [self._templates[subject] for subject in self.train_subjects]
        self.template = topology.with_vertices(np.mean(faces, axis=0))
        require_face_size(self.template, units, self.root)
        self._options = {"seed": seed, "units": units}

    def __getstate__(self) -> dict[str, Any]:
        # Each process opens the array for itself: pickled, a memory map becomes all of its data.
        return self.__dict__ | {"_frames": None}

    def _open(self) -> np.ndarray:
        """The frames of all recordings as a memory map, made when it is first asked for."""
        if self._frames is None:
            self._frames = _mapped(self.root / VERTICES)
        return self._frames

    def _topology(self) -> TriMesh:
        """The first mesh of the right number of vertices; a .ply before an .obj."""
        found = []
        for place in PLACES:
            for suffix in (".ply", ".obj"):
                meshes = [path for path in (self.root / place).glob("*") if path.suffix.lower() == suffix]
                for path in sorted(meshes, key=natural):
                    try:
                        mesh = read_mesh(path)
                    except FacegenError as error:
                        found.append(str(error))
                        continue
                    if len(mesh.vertices) == self._vertices:
                        return mesh
                    found.append(f"{path} has {len(mesh.vertices)} vertices")
        raise DataError(
            f"{self.root}: the files have no triangles; expected a mesh of {self._vertices} vertices, as in "
            f"{VERTICES}, found {'; '.join(found) or 'none'}; put FLAME_sample.ply from template/ of VOCA's repository "
            "there"
        )

    def _read_index(self) -> dict[str, dict[str, np.ndarray]]:
        """By subject and sentence, both in natural order, (T, 2) frames and rows, by frame."""
        path = self.root / INDEX
        index, result = read_plain_pickle(path), {}
        expected = f"{path}: expected {{subject: {{sentence: {{frame: row}}}}}}, found"
        if type(index) is not dict:
            raise DataError(f"{expected} {type(index).__name__}")
        for subject in _names(index, f"{expected} a subject"):
            sentences = index[subject]
            if type(sentences) is not dict:
                raise DataError(f"{expected} {type(sentences).__name__} for {subject}")
            result[subject] = {}
            for name in _names(sentences, f"{expected} a sentence of {subject}"):
                rows = sentences[name]
                pairs = list(rows.items()) if type(rows) is dict else [(None, None)]
                if not all(type(n) is int and abs(n) < 1 << 62 for pair in pairs for n in pair):
                    raise DataError(f"{expected} something else for {subject}/{name}")
                result[subject][name] = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
        return result

    def _read_templates(self) -> tuple[dict[str, np.ndarray], dict[str, str]]:
        """Subjects at rest, (V, 3) mm, and why others of the index are left out."""
        path = self.root / TEMPLATES
        found, templates, reasons = read_plain_pickle(path), {}, {}
        if type(found) is not dict:
            raise DataError(f"{path}: expected {{subject: vertices}}, found {type(found).__name__}")
        for subject in self._index:
            value = found.get(subject)
            shape = (self._vertices, 3)
            if value is None:
                reasons[subject] = f"{path} has no {subject}"
            elif type(value) is not np.ndarray or value.shape != shape or value.dtype.kind != "f":
                what = f"{value.dtype} {value.shape}" if type(value) is np.ndarray else type(value).__name__
                reasons[subject] = f"{path}: expected floats {shape} for {subject}, found {what}"
            elif not np.isfinite(value).all():
                reasons[subject] = f"{path}: NaN or infinite vertices for {subject}"
            elif not np.abs(value).max() <= FARTHEST / self._scale:
                reasons[subject] = f"{path}: vertices for {subject} are over {FARTHEST:g} mm from the origin"
            elif not np.ptp(value, axis=0).max() > 0:
                reasons[subject] = f"{path}: all vertices for {subject} are at one place"
            else:
                templates[subject] = value.astype(np.float64) * self._scale
        return templates, reasons

    def read(self, key: Key) -> Recording:
        frames, rows = self._index[key.subject][key.name].T
        place, total = f"{self.root / INDEX}: {key}", len(self._open())
        if len(frames) < 2:
            raise DataError(f"{place}: expected at least two frames, found {len(frames)}")
        if frames[0] < 0:
            raise DataError(f"{place}: frames count from 0, found {frames[0]}")
        gap = np.flatnonzero(frames != np.arange(len(frames)))
        if len(gap):
            raise DataError(f"{place}: frame {gap[0]} is missing of 0 to {frames[-1]}")
        outside = np.flatnonzero((rows < 0) | (rows >= total))
        if len(outside):
            row = outside[0]
            raise DataError(f"{place}: frame {row} is in row {rows[row]}, but {VERTICES} has rows 0 to {total - 1}")
        with np.errstate(over="ignore"):  # too large a number is infinite, and refused as that
            vertices = self._open()[rows].astype(np.float32).reshape(len(rows), self._vertices, 3)
            vertices *= np.float32(self._scale)
        return Recording(vertices, self._templates[key.subject], None, FPS)

    def options(self) -> dict[str, object]:
        return self._options


def _mapped(path: Path) -> np.ndarray:
    """(frames, 3 V) or (frames, V, 3) floats as a memory map."""
    try:
        frames = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # headers, shapes and lengths each fail in ways of their own
        raise DataError(f"{path}: not a readable .npy of numbers, or cut short; get it again") from error
    shape = getattr(frames, "shape", ())
    even = (len(shape) == 2 and shape[1] % 3 == 0) or (len(shape) == 3 and shape[2] == 3)
    if not even or 0 in shape or frames.dtype.kind != "f":
        found = f"{frames.dtype} {shape}" if shape else "no array"
        raise DataError(f"{path}: expected floats (frames, 15069) or (frames, 5023, 3), found {found}")
    return frames


def _names(found: dict[Any, Any], expected: str) -> list[str]:
    """The keys in natural order, once they are known to be names."""
    for name in found:
        if type(name) is not str or not name.isprintable():
            raise DataError(f"{expected} with the name {ascii(name)[:80]}")
    return sorted(found, key=natural)

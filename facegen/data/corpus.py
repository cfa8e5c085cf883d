"""The prepared corpus: one directory of frames, neutrals, hierarchy and manifest, read at random."""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from facegen.data.face_landmarks import load_face_landmarks
from facegen.data.identity import Identity
from facegen.data.manifest import MANIFEST, Entry, of_thousandths, parsed_manifest, read_manifest
from facegen.data.pca import PCA
from facegen.data.store import ARRAYS, STORE, read_stored, require_own_store
from facegen.errors import DataError, FacegenError, unknown
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.motion.intensity import APEX_FLOOR, raised
from facegen.motion.label import Phases, motion_label
from facegen.places import named_after
from facegen.progress import following
from facegen.remote import Place, place_of, size_of
from facegen.schema import WrongValueError
from facegen.sequence.sequence import Sequence

HIERARCHY, COMPONENTS, LANDMARKS = "hierarchy.npz", "components.npz", "landmarks.npz"
"""Names in a corpus's folder: of the mesh hierarchy, the principal components and the faces' landmarks."""
SPLITS = ("train", "val", "test")
"""What subjects serve for: what is fitted, choosing between settings and epochs, and the errors that are reported."""


class Corpus:
    """A corpus on disk, opened for reading; frames are fetched when asked for.

    Args:
        path: the directory that `prepare` wrote, or the URL of a copy of it, such as `s3://bucket/corpus`.

    Attributes:
        hierarchy: of the template.
        expressions: E names, the label's columns; last those that are only shown beside others, see `shown`.
        test_subjects, val_subjects: who is kept for testing and for validation; all others train.
        entries: the sequences.
        displacement_scale: root mean square displacement of the training sequences, mm.
        floor: least height of a label, see `facegen.motion.intensity.raised`; whoever uses the corpus may set another.

    Raises:
        DataError: the directory is missing, is no corpus, or is damaged.

    Examples:
        >>> import facegen
        >>> corpus = facegen.Corpus("demo/corpus")
        >>> index = corpus.split("test")[0]
        >>> corpus.displacement(index).shape == (len(corpus.motion(index)), *corpus.neutral(index).shape)
        True
    """

    def __init__(self, path: str | Place) -> None:
        self.path = place_of(path)
        self.floor = APEX_FLOOR
        self._verified: set[int] = set()
        manifest = read_manifest(self.path)
        try:
            self.entries = parsed_manifest(manifest)
            self.hierarchy = MeshHierarchy.load(self.path / HIERARCHY)
        except FacegenError as error:
            where = f"{self.path / MANIFEST}: " if isinstance(error, WrongValueError) else f"{self.path}: "
            raise DataError(f"{where}the corpus is damaged ({error}); prepare it again") from error
        self.expressions: tuple[str, ...] = tuple(manifest["expressions"])
        self.fps = float(manifest["fps"])
        self.test_subjects = tuple(manifest["test_subjects"])
        self.val_subjects = tuple(manifest.get("val_subjects", ()))  # older corpora have none
        self.displacement_scale = float(manifest["displacement_scale"])
        self.digest: str = manifest["digest"]
        self.left_out: list[dict[str, str]] = manifest["left_out"]
        self.provenance: dict[str, Any] = manifest["provenance"]
        if self.hierarchy.digest != manifest["hierarchy"]:
            raise DataError(f"{self.path}: {HIERARCHY} is not the one of {MANIFEST}; prepare the corpus again")

    @property
    def subjects(self) -> tuple[str, ...]:
        """All subjects, in order of appearance."""
        return tuple(dict.fromkeys(entry.subject for entry in self.entries))

    @property
    def shown(self) -> tuple[str, ...]:
        """The expressions that sequences show: all of them, but where labels say what else is shown beside."""
        known = {entry.expression for entry in self.entries}
        return tuple(name for name in self.expressions if name in known)

    def split(self, name: str) -> list[int]:
        """Indices of the sequences of `train`, `val` or `test`; by subject, always.

        `val` may be empty: small corpora have nobody to validate on, nor have those of versions before it.
        """
        if name not in SPLITS:
            raise DataError(unknown("split", name, SPLITS))
        return [i for i, entry in enumerate(self.entries) if self.split_of(entry.subject) == name]

    def require_validation(self, asking: str) -> None:
        """Require that there are subjects to validate on.

        Args:
            asking: what needs them, for the message.

        Raises:
            DataError: there is nobody.
        """
        if not self.split("val"):
            raise DataError(
                f"{asking} needs validation subjects, and the corpus {self.path} has none; prepare it again with "
                "--val-subjects N, or names"
            )

    def split_of(self, subject: str) -> str:
        """The one of `SPLITS` that a subject is in."""
        return "test" if subject in self.test_subjects else "val" if subject in self.val_subjects else "train"

    def shown_subject(self, split: str = "test") -> str:
        """The subject of a split whose labels are strongest, on whom most can be seen."""
        strength: dict[str, float] = {}
        for index in self.split(split):
            entry = self.entries[index]
            strength[entry.subject] = strength.get(entry.subject, 0.0) + entry.intensity
        return max(sorted(strength), key=strength.__getitem__)

    @cached_property
    def _store(self) -> Place:
        require_own_store(self.path / STORE)
        return self.path / STORE

    def _array(self, group: str, entry: Entry) -> np.ndarray:
        vertices = len(self.hierarchy.template.vertices)
        shape = (vertices, 3, entry.frames) if group == "displacement" else (vertices, 3)
        try:
            return read_stored(self._store, group, entry.array, shape)
        except DataError as error:
            if size_of(self.path / MANIFEST) is None:
                raise DataError(
                    f"{self.path}: the corpus went away while it was read; put it back, and run the same again"
                ) from error
            raise

    def _checked(self, index: int, group: str) -> np.ndarray:
        """What is stored of a sequence; the first time it is wanted, all of it is compared with what was written."""
        entry = self.entries[index]
        if index in self._verified:
            return self._array(group, entry)
        arrays = {name: self._array(name, entry) for name in ARRAYS}
        if stored_digest(*arrays.values()) != entry.sha256:
            raise DataError(f"{self.path}: the frames of {entry} are not those that were written; prepare it again")
        self._verified.add(index)
        return arrays[group]

    def stored(self, index: int) -> np.ndarray:
        """(V, 3, T) int16: displacement in steps of the entry's `scale`, frames innermost."""
        return self._checked(index, "displacement")

    def displacement(self, index: int) -> np.ndarray:
        """(T, V, 3) float32, mm, frames innermost in memory; off by at most half of the entry's `scale`."""
        scale = np.float32(self.entries[index].scale)
        return (self.stored(index).astype(np.float32) * scale).transpose(2, 0, 1)

    def neutral(self, index: int) -> np.ndarray:
        """(V, 3) float32, mm, of the sequence's subject."""
        return self._checked(index, "neutral")

    @cached_property
    def identity(self) -> Identity:
        """How the training subjects differ at rest."""
        first = {self.entries[index].subject: index for index in reversed(self.split("train"))}
        neutrals = np.stack([self.neutral(first[subject]) for subject in sorted(first)])
        return Identity.of(neutrals, self.hierarchy.template.vertices)

    @cached_property
    def landmarks(self) -> dict[str, np.ndarray]:
        """(468, 3) mm of the template and of the mean face, as far as they were found; see `load_face_landmarks`."""
        return load_face_landmarks(self.path / LANDMARKS, self.digest)

    @cached_property
    def pca(self) -> PCA:
        """Principal components of the training displacements.

        Raises:
            DataError: they are missing, damaged, or of another corpus.
        """
        return PCA.load(self.path / COMPONENTS, self.digest)

    def intensity(self, index: int) -> float:
        """The height of a sequence's label in the apex: what recorded weights say, or else s_i of Eq. 6, raised."""
        entry = self.entries[index]
        return raised(entry.intensity, self.floor) if entry.level is None else entry.level

    def phases(self, index: int) -> Phases:
        """When a sequence evolves."""
        return Phases(*self.entries[index].phases)

    def motion(self, index: int) -> np.ndarray:
        """(T, E) float32, the sequence's label.

        Raises:
            DataError: what the manifest has of it is damaged.
        """
        entry = self.entries[index]
        course = entry.frames, entry.expression, self.phases(index), self.intensity(index), self.expressions
        label = motion_label(*course)
        try:
            if entry.envelope is not None:
                label[:, self.expressions.index(entry.expression)] = np.array(entry.envelope) * self.intensity(index)
            for name, curve in (entry.others or {}).items():
                label[:, self.expressions.index(name)] = of_thousandths(curve)
        except ValueError as error:
            raise DataError(f"{self.path}: the label of {entry} is damaged; prepare the corpus again") from error
        return label

    def find(self, subject: str, expression: str, take: int = 0) -> int:
        """Index of a sequence; `take` chooses where the subject has several of the expression.

        Raises:
            DataError: there is none; the message lists the known names.
        """
        found = [i for i, one in enumerate(self.entries) if (one.subject, one.expression) == (subject, expression)]
        if 0 <= take < len(found):
            return found[take]
        if found:
            raise DataError(f"{subject} shows {expression} {len(found)} times, counted from 0; there is no take {take}")
        if subject not in self.subjects:
            raise DataError(unknown("subject", subject, self.subjects))
        known = dict.fromkeys(entry.expression for entry in self.entries if entry.subject == subject)
        raise DataError(unknown(f"expression of subject {subject}", expression, known))

    @cached_property
    def file_names(self) -> tuple[str, ...]:
        """What a file of each sequence is called, no name twice: SUBJECT-EXPRESSION, and from the subject's second take
        of the expression on with the number that `find` knows it by; one that no disk has room for is cut."""
        takes: Counter[tuple[str, str]] = Counter()
        names: list[str] = []
        for entry in self.entries:
            take = takes[entry.subject, entry.expression]
            takes[entry.subject, entry.expression] += 1
            names.append(f"{entry.subject}-{entry.expression}" + (f"-{take}" if take else ""))
        often = Counter(names)  # a-b of c, and a of b-c
        apart = [
            name if often[name] == 1 else f"{name}-{entry.array}"
            for name, entry in zip(names, self.entries, strict=True)
        ]
        return tuple(named_after(Path(f"{name}.npz"), "").name for name in apart)

    def sequence(self, index: int) -> Sequence:
        """A recorded sequence in the form that everything that moves has: vertices, faces, label."""
        template = self.hierarchy.template
        vertices = self.neutral(index) + self.displacement(index)
        return Sequence(vertices, template.faces, self.fps, self.motion(index), self.expressions, template.polygons)

    def facts(self) -> dict[str, Any]:
        """Counts, names and digests; no frame is read. `takes_per_expression` is the least and the most that a person
        has of an expression that they show."""
        template = self.hierarchy.template
        subjects = set(self.subjects)
        splits = [self.split_of(subject) for subject in subjects]
        takes = Counter((entry.subject, entry.expression) for entry in self.entries).values()
        return {
            "source": self.provenance["source"],
            "label": self.provenance["recipe"].get("label", "phases"),
            "vertices": len(template.vertices),
            "faces": len(template.faces),
            **self.hierarchy.facts(),
            "subjects": len(subjects),
            **{f"{name}_subjects": splits.count(name) for name in SPLITS},
            "sequences": len(self.entries),
            "takes_per_expression": [min(takes, default=0), max(takes, default=0)],
            "frames": sum(entry.frames for entry in self.entries),
            "expressions": list(self.expressions),
            "fps": self.fps,
            "rounding_mm": max(entry.scale for entry in self.entries) / 2,
            "digest": self.digest,
            "hierarchy": self.hierarchy.digest,
            "left_out": self.left_out,
        }

    def left_out_lines(self) -> list[str]:
        """Recordings that could not be used when the corpus was prepared, and why, a line each."""
        return [f"{each['subject']}/{each['recording']}: {each['reason']}" for each in self.left_out]

    def verify(self) -> list[str]:
        """Everything that differs from what was written, a line each; empty where the corpus is sound."""
        wrong = []
        self._verified.clear()
        for index in following(range(len(self.entries)), "reading", "take"):
            try:
                self._checked(index, "displacement")
            except DataError as error:
                wrong.append(str(error))
        try:
            vertices = self.hierarchy.template.vertices.shape
            if self.pca.mean.shape != vertices:
                wrong.append(
                    f"{self.path / COMPONENTS}: of {len(self.pca.mean)} vertices, the template has {vertices[0]}"
                )
            _ = self.landmarks
        except DataError as error:
            wrong.append(str(error))
        return wrong


def stored_digest(displacement: np.ndarray, neutral: np.ndarray) -> str:
    """Hex digest of one sequence as stored: (V, 3, T) int16 and (V, 3) float32."""
    state = hashlib.sha256(np.ascontiguousarray(displacement, dtype="<i2").data)
    state.update(np.ascontiguousarray(neutral, dtype="<f4").data)
    return state.hexdigest()

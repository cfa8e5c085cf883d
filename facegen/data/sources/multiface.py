"""Multiface: people who follow a script of peak expressions."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence as Series
from itertools import pairwise
from pathlib import Path

import numpy as np

from facegen.data.sources.settings import LEFT_OUT, left_out
from facegen.data.sources.source import Habits, Key, Recording, Source
from facegen.data.sources.splits import choose_test_subjects, choose_val_subjects
from facegen.data.sources.twins import misspelled, without_twins
from facegen.data.sources.units import require_face_size
from facegen.errors import DataError, FacegenError, unknown
from facegen.mesh.alignment import rigid_transform
from facegen.mesh.formats.io import read_mesh
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.units import millimetres
from facegen.readable import require_file

MESHES_FOLDER = "tracked_mesh"
"""Folder of a person's meshes."""
ENTITY = re.compile(r"m--(?P<date>\d+)--(?P<time>\d+)--(?P<id>.+)--GHS")
"""How a person's folder is called: when they were recorded, and who they are."""
FRAME = re.compile(r"[0-9]{1,12}\.(?i:bin)")
"""How a frame's file is called, by its number."""
CLOCK = 30.0
"""Frame numbers a second, see the class."""
NO_FOLDER = "expected a folder of frames, found none in its place; get the recording again"
"""What is said of a recording that is a file, or a link that leads to no folder."""
LONGEST_GAP = 5
"""Most steps between two frames. Chosen: a sixth of a second at 30 a second; a larger one makes up more motion."""

NEUTRALS = ("E001_Neutral_Eyes_Open", "EXP_neutral_peak")
"""The face at rest in the scripts V1 and V2, which the dataset's `EXPRESSIONS.md` calls the same."""

SHOWN = {
    "happy": "E009_Smile_Mouth_Open",
    "angry": "E021_Pressed_Lips_Brows_Down",
    "sad": "E019_Frown",
    "surprise": "E006_Jaw_Drop_Brows_Up",
    "fear": "E028_Scream_Eyebrows_Up",
    "disgust": "E016_Raise_Upper_Lip_Scrunch_Nose",
}
"""For each of the six of the paper, the peak expression of script V1 that is nearest to it. The choice is ours: people
were asked for movements, not for emotions. V2 has none of them."""


class MultifaceSource(Source):
    """Peak expressions of Multiface (Wuu et al., "Multiface: A Dataset for Neural Face Rendering", arXiv 2207.11243).

    Licence CC-BY-NC 4.0; get it by `download_dataset.py` of the repository facebookresearch/multiface, with `mesh` set
    in its configuration.

    Layout of the root, as it comes::

        m--20180227--0000--6795937--GHS/tracked_mesh/E001_Neutral_Eyes_Open/
            000102.bin             (7306, 3) float32, little endian, head-local
            000102.obj             the same with triangles; one .obj anywhere, or in the root itself, is enough
            000102_transform.txt   (3, 4), from the head to the world; not read

    A folder's id is the subject, and folders of one id are one subject; where both have a recording of the same name,
    it is preceded by the date. The neutral is the vertex-wise median of all frames of `NEUTRALS`.

    Frames are missing here and there. A frame's number is taken for its time in thirtieths of a second, the smallest
    step of a recording for its rate, and what lies between is made up linearly, over at most `LONGEST_GAP` steps.

    Args:
        root: the folder that holds the `m--...--GHS` folders.
        seed: draws the test and validation subjects where they are not named; the dataset has no split by subject.
        test_subjects: names, or one number of subjects to draw.
        expressions: recordings by the dataset's names, each an expression of its own; None takes those of `SHOWN`.
        units: other than the dataset's, for a copy that was changed.
        val_subjects: for validation, as `test_subjects`.

    Raises:
        DataError: the layout is not this one; the message says what was found.

    Known: capture ran at 30 frames a second, and sentences come at that rate (its documentation and its authors);
    vertices without transform are "aligned" (its `dataset.py`). Not established: what a frame number counts. The
    published example steps by 3, and with some 390 numbers from one expression of the script to the next, thirtieths
    of a second are likelier than ninetieths, at which everything would be three times as fast. Nor is it written down
    that units are mm, +y is up and +z out of the face, which others have measured, nor whether recordings begin and
    end at rest, nor how many subjects followed which script.

    Statistics:
        ======== ===================================== ======== ===
        subjects expressions                           vertices fps
        ======== ===================================== ======== ===
        13       65 in script V1 (2 and motions in V2) 7,306    30
        ======== ===================================== ======== ===
    """

    # The rate of the published example; a corpus has one, and recordings differ.
    habits = Habits(fps=10.0, align="frames")

    def __init__(
        self,
        root: str | Path,
        seed: int = 0,
        test_subjects: Series[str] | None = None,
        expressions: Series[str] | None = None,
        units: str = "mm",
        val_subjects: Series[str] | None = None,
    ) -> None:
        self.root, self._scale = Path(root), millimetres(units)
        self._lost: list[tuple[str, str]] = []  # subjects and names in whose place no folder stands
        folders = self._recordings()
        known = sorted({name for names in folders.values() for name in names})
        for name in expressions or ():
            if name not in known:
                raise DataError(f"{self.root}: {unknown('recording', name, known)}")
        shows = {name: name for name in expressions} if expressions else {v: k for k, v in SHOWN.items()}
        self.expressions = tuple(dict.fromkeys(shows[name] for name in shows if name in known))
        if not self.expressions:
            raise DataError(
                f"{self.root}: none of {', '.join(SHOWN.values())} is there; found are {', '.join(known)}; choose with "
                "--expressions"
            )
        self._topology_path, topology = self._topology(folders)
        self._count = len(topology.vertices)
        every = dict(self._named(folders, {name: shows.get(name, name) for name in known}))
        lost = [Key(who, shows.get(name, name), name) for who, name in self._lost if name in (*shows, *NEUTRALS)]
        bad = left_out(self.root, [str(key) for key in (*every, *lost)])
        self._folders = {key: path for key, path in every.items() if path.name in shows}
        self.left_out = tuple((key, LEFT_OUT) for key in self._folders if str(key) in bad)
        unwanted = {path for key, path in every.items() if str(key) in bad}
        self._neutrals, reasons = self._find_neutrals(folders, unwanted)
        wanted = [key for key in self._folders if str(key) not in bad]
        self.keys, twins = without_twins(key for key in wanted if key.subject not in reasons)
        unread = [(key, reasons[key.subject]) for key in wanted if key.subject in reasons]
        others = [(key, path.name) for key, path in every.items() if path not in unwanted and path.name not in shows]
        astray = [(key, NO_FOLDER) for key in lost if str(key) not in bad]
        self.refused = (*unread, *twins, *misspelled(others, shows), *astray)
        if not self.keys:
            raise DataError(f"{self.root}: no subject can be used: {next(iter(reasons.values()))}")
        self.test_subjects = choose_test_subjects(self.subjects, test_subjects, seed)
        self.val_subjects = choose_val_subjects(self.keys, self.test_subjects, val_subjects, seed)
        self.template = topology.with_vertices(self._mean_face())
        require_face_size(self.template, units, self.root)
        self._options = {"seed": seed, "units": units, "expressions": list(self.expressions)}

    def _recordings(self) -> dict[tuple[str, str], dict[str, Path]]:
        """Folders of recordings by (id, date and time) and name."""
        if (self.root / MESHES_FOLDER).is_dir():
            raise DataError(f"{self.root}: this is one subject's folder; give the folder that it lies in as --root")
        found: dict[tuple[str, str], dict[str, Path]] = {}
        for entity in _entries(self.root):
            match, meshes = ENTITY.fullmatch(entity.name), entity / MESHES_FOLDER
            if match is None or not (os.path.lexists(meshes) or not entity.is_dir()):
                continue
            if not meshes.is_dir():
                there = meshes if entity.is_dir() else entity
                raise DataError(f"{there}: expected a folder, found none in its place; move it away, or get it again")
            date = match["date"] + ("" if match["time"].strip("0") == "" else f"-{match['time']}")
            entries = _entries(meshes)
            found[match["id"], date] = {path.name: path for path in entries if path.is_dir()}
            self._lost += [(match["id"], path.name) for path in entries if not path.is_dir()]
        if not any(found.values()):
            raise DataError(
                f"{self.root}: expected m--<date>--<time>--<id>--GHS/{MESHES_FOLDER}/<expression>/<frame>.bin, "
                "found no such folders; get them by download_dataset.py of facebookresearch/multiface"
            )
        return dict(sorted(found.items()))

    def _topology(self, folders: dict[tuple[str, str], dict[str, Path]]) -> tuple[Path, TriMesh]:
        own = [path for path in _entries(self.root) if path.suffix.lower() in (".obj", ".ply")]
        tracked = (path for names in folders.values() for name in sorted(names) for path in _entries(names[name]))
        for path in (*own, *(path for path in tracked if path.suffix.lower() == ".obj")):
            return path, read_mesh(path)
        raise DataError(
            f"{self.root}: the .bin files have no triangles; expected a .obj beside one of them, found none; put any "
            "frame's .obj of the dataset into this folder"
        )

    def _named(
        self, folders: dict[tuple[str, str], dict[str, Path]], shows: dict[str, str]
    ) -> Iterator[tuple[Key, Path]]:
        captures = Counter((subject, name) for (subject, _), names in folders.items() for name in names)
        for (subject, date), names in folders.items():
            for name in sorted(set(names) & set(shows)):
                label = f"{date}-{name}" if captures[subject, name] > 1 else name
                yield Key(subject, shows[name], label), names[name]

    def _find_neutrals(
        self, folders: dict[tuple[str, str], dict[str, Path]], unwanted: set[Path]
    ) -> tuple[dict[str, np.ndarray], dict[str, str]]:
        """Subjects at rest, (V, 3), where that was recorded, and why a recorded one cannot be used."""
        neutrals, reasons = {}, {}
        for subject in dict.fromkeys(key.subject for key in self._folders):
            own = [names for (who, _), names in folders.items() if who == subject]
            places = [names[n] for names in own for n in NEUTRALS if n in names and names[n] not in unwanted]
            try:
                poses = [self._pose(path) for place in places for _, path in _frames(place)]
                if poses:
                    neutrals[subject] = np.median(np.asarray(poses), axis=0).astype(np.float64)
                    if not np.isfinite(neutrals[subject]).all():
                        raise DataError(f"{places[0]}: NaN or infinite vertices")
            except DataError as error:
                reasons[subject] = f"the neutral cannot be read: {error}"
        return neutrals, reasons

    def _mean_face(self) -> np.ndarray:
        """(V, 3): the training subjects at rest, or in a first frame, brought onto the first of them."""
        faces: list[np.ndarray] = []
        reason: FacegenError | None = None
        for subject in self.train_subjects:
            try:
                face = self._neutrals.get(subject)
                if face is None:
                    key = next(key for key in self.keys if key.subject == subject)
                    face = self._pose(_frames(self._folders[key])[0][1]).astype(np.float64)
                rotation, translation = rigid_transform(face, faces[0] if faces else face)
                faces.append(face @ rotation.T + translation)
            except FacegenError as error:  # said again, with the recording's name, when it is its turn to be read
                reason = reason or error
        if not faces:
            raise DataError(f"{self.root}: no training subject can be read: {reason}")
        return np.mean(faces, axis=0)

    def _pose(self, path: Path) -> np.ndarray:
        """(V, 3) float32 of one frame."""
        expected = self._count * 3 * 4
        try:
            with require_file(path, DataError).open("rb") as file:
                found = os.fstat(file.fileno()).st_size
                data = file.read(expected)
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from error
        if found != expected or len(data) != expected:
            raise DataError(
                f"{path}: expected {expected} bytes, {self._count} vertices as in {self._topology_path}, found "
                f"{found}; get the file again"
            )
        return np.frombuffer(data, dtype="<f4").reshape(-1, 3) * np.float32(self._scale)

    def read(self, key: Key) -> Recording:
        folder = self._folders[key]
        frames = _frames(folder)
        if len(frames) < 2:
            raise DataError(f"{folder}: expected at least two frames (.bin), found {len(frames)}")
        numbers = np.array([number for number, _ in frames])
        step = int(np.diff(numbers).min())
        if step == 0:
            twice = numbers[:-1][np.diff(numbers) == 0][0]
            raise DataError(f"{folder}: frame {twice} is there twice, under two names; remove one of them")
        for before, after in pairwise(numbers.tolist()):
            if after - before > LONGEST_GAP * step:
                raise DataError(
                    f"{folder}: no frames between {before} and {after}, which is over {LONGEST_GAP} steps of {step}"
                )
        recorded = np.stack([self._pose(path) for _, path in frames])
        times = np.arange(numbers[0], numbers[-1] + 1, step)
        after = np.clip(np.searchsorted(numbers, times), 1, len(numbers) - 1)
        share = ((times - numbers[after - 1]) / (numbers[after] - numbers[after - 1])).astype(np.float32)[:, None, None]
        vertices = recorded[after - 1] * (1 - share) + recorded[after] * share
        return Recording(vertices, self._neutrals.get(key.subject), None, CLOCK / step)

    def options(self) -> dict[str, object]:
        return self._options


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, by name, without hidden files."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror})") from error


def _frames(folder: Path) -> list[tuple[int, Path]]:
    """Frame numbers and files, in time's order."""
    return sorted((int(path.stem), path) for path in _entries(folder) if FRAME.fullmatch(path.name))

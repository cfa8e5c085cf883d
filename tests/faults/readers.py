"""The readers that are written here, each given bytes: what it returns is sound, or what it raises says one line."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from faults.judging import strange_words

from facegen.data.sources.annotations import read_annotations
from facegen.data.sources.source import Key
from facegen.errors import FacegenError, MotionError
from facegen.mesh import check, read_mesh
from facegen.mesh.formats.io import read_appearance
from facegen.motion.live_link import Take
from facegen.motion.timeline import Timeline
from facegen.scene.asset import Asset
from facegen.scene.kept import Kept
from facegen.sequence.sequence import Sequence


def _mesh(path: Path) -> np.ndarray:
    mesh = read_mesh(path)
    check(mesh)
    read_appearance(path, mesh)
    assert mesh.faces.size == 0 or (mesh.faces.min() >= 0 and mesh.faces.max() < len(mesh.vertices))
    return mesh.vertices


def _asset(path: Path) -> np.ndarray:
    Kept.of(Asset.open(path).tree)
    return _mesh(path)


def _timeline(path: Path) -> np.ndarray:
    timeline = Timeline.load(path)
    try:
        return timeline.motion(("happy", "sad"))
    except MotionError as error:
        raise MotionError(f"{path}: {error}") from error  # as the verb, which knows the file, has it


def _take(path: Path) -> np.ndarray:
    return Take.load(path).weights


def _annotations(path: Path) -> np.ndarray:
    found = read_annotations(path, [Key("ann", "happy", "happy"), Key("bob", "sad", "sad")])
    return np.array([[phases.onset, phases.offset] for phases in found.values()], float)


def _sequence(path: Path) -> np.ndarray:
    return np.asarray(Sequence.load(path).vertices)


READERS: dict[str, tuple[str, Callable[[Path], np.ndarray]]] = {
    "obj": (".obj", _mesh),
    "ply": (".ply", _mesh),
    "glb": (".glb", _asset),
    "yaml": (".yaml", _timeline),
    "take": (".csv", _take),
    "annotations": (".csv", _annotations),
    "npz": (".npz", _sequence),
}
"""By what is read: a file's suffix, and its reader, which gives back numbers that have to be finite."""


def read(kind: str, data: bytes, folder: Path) -> bool:
    """Read bytes as a file of a kind.

    Returns:
        whether they were taken.

    Raises:
        AssertionError: what was taken is unsound, or a message is none.
    """
    suffix, reader = READERS[kind]
    path = folder / f"drawn{suffix}"
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no library speaks for us
        try:
            found = reader(path)
        except FacegenError as error:
            message = str(error)
            assert message and "\n" not in message and path.stem in message, message
            own = re.sub("'[^']*'", "", message)  # what the file itself says stands in quotes
            assert not strange_words(own), message
            return False
    assert np.isfinite(found).all()
    return True

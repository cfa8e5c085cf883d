"""The manifest of a corpus: what it holds, how it was made, and a digest of it all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facegen.errors import DataError
from facegen.motion.confidence import confidence
from facegen.plain_text import UnboundedError, parse_json
from facegen.readable import is_there
from facegen.remote import Place, RemotePlace
from facegen.schema import Plain, refuse, shown
from facegen.tables import CORPUS

FORMAT = 4
"""Version of a corpus on disk; one of another version is refused."""
LATER = ("others", "level")
"""Fields of an entry that earlier versions had not."""
MANIFEST = "manifest.json"
"""Name of the manifest in a corpus's folder."""


@dataclass(frozen=True)
class Entry:
    """One sequence of a corpus.

    Args:
        subject: who.
        expression: which.
        recording: what the dataset calls the recording that it is from.
        first: the frame of that recording at which it begins, at the recording's own rate.
        frames: T, at the corpus's rate.
        phases: onset, apex_start, apex_end, offset.
        confidence: how often such phases are right within a frame, see `facegen.motion.confidence`; None where they
            were given, not found.
        envelope: the label's course, T numbers in [0, 1]; None where the phases say it.
        deformation: m_i of Eq. 6, mm.
        intensity: s_i of Eq. 6, in [0, 1]; `Corpus.intensity` is the label's height in the apex.
        array: its name in each group of the store.
        scale: mm of one step of the stored integers; half of it, under 0.01 mm, is the largest rounding error.
        sha256: of the stored bytes.
        explained: share of the motion that the phases explain; None where they were given.
        others: of other expressions that are shown beside it, by name, what the label says in each frame: T whole
            thousandths with spaces between them, see `thousandths`; None where the label has one expression alone.
        level: the label's height in the apex, in [0, 1], where recorded weights say it; None where s_i does.
    """

    subject: str
    expression: str
    recording: str
    first: int
    frames: int
    phases: tuple[int, int, int, int]
    confidence: float | None
    envelope: tuple[float, ...] | None
    deformation: float
    intensity: float
    array: str
    scale: float
    sha256: str
    explained: float | None = None
    others: Mapping[str, str] | None = None
    level: float | None = None

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Entry:
        """From what JSON makes of `asdict`.

        Raises:
            TypeError: a value is missing, or one too many.
        """
        if "explained" not in values and values.get("confidence") is not None:
            # Earlier versions called this the confidence.
            explained = values["confidence"]
            values = values | {"explained": explained, "confidence": confidence(explained, values["frames"])}
        entry = cls(**values)
        for name in ("phases", "envelope"):
            if getattr(entry, name) is not None:
                object.__setattr__(entry, name, tuple(getattr(entry, name)))
        return entry

    def values(self) -> dict[str, Any]:
        """What `parse` takes; `others` and `level` are left out where there are none, as in earlier versions."""
        return {name: value for name, value in asdict(self).items() if name not in LATER or value is not None}

    def __str__(self) -> str:
        return f"{self.subject}/{self.recording}" + (f" from frame {self.first}" if self.first else "")


def thousandths(curve: np.ndarray) -> str:
    """A curve (T,) in [0, 1] as text: of ten of them for each sequence, a list would be a line for each number."""
    return " ".join(map(str, np.rint(1000 * curve).astype(int).tolist()))


def of_thousandths(text: str) -> np.ndarray:
    """The curve (T,) that `thousandths` wrote.

    Raises:
        ValueError: it holds something else.
    """
    curve = np.array(text.split(), dtype=np.float64) / 1000
    if not ((curve >= 0) & (curve <= 1)).all():
        raise ValueError("thousandths are from 0 to 1000")
    return curve


def manifest_digest(manifest: dict[str, Any]) -> str:
    """Hex digest of a manifest, its own `digest` aside."""
    content = {name: value for name, value in manifest.items() if name != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_manifest(path: Place) -> dict[str, Any]:
    """The manifest of a corpus, checked against its own digest.

    Raises:
        DataError: there is none, or it has been changed.
    """
    if isinstance(path, RemotePlace):
        path.require_known()
    elif not path.is_dir():
        raise DataError(f"{path}: no such corpus; make one with `facegen prepare SOURCE --out {path}`")
    if not is_there(path / MANIFEST):
        raise DataError(f"{path}: not a corpus, it has no {MANIFEST}")
    try:
        manifest = parse_json((path / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise DataError(
                f"{path}: corpus format {shown(manifest['format'])}, this version reads {FORMAT}; prepare it again"
            )
        if manifest["digest"] != manifest_digest(manifest):
            raise DataError(f"{path}: {MANIFEST} was changed after it was written; prepare the corpus again")
    except UnboundedError as error:
        raise DataError(f"{path / MANIFEST}: {error}; prepare the corpus again, in parts") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: {MANIFEST} cannot be read, or lacks its format; prepare the corpus again") from error
    return manifest


def parsed_manifest(manifest: Mapping[str, Any]) -> tuple[Entry, ...]:
    """The sequences of a manifest, all of which is looked at.

    Raises:
        WrongValueError: a value is missing, of another kind, or does not fit the others; the message says which.
    """
    CORPUS.check(manifest, "")
    Plain().check(manifest["provenance"], "provenance")  # which reports hold as it is
    entries, known = tuple(map(Entry.parse, manifest["sequences"])), manifest["expressions"]
    tested = {entry.subject in manifest["test_subjects"] for entry in entries}
    kept = {*manifest["test_subjects"], *manifest.get("val_subjects", ())}
    if True not in tested or kept.issuperset(entry.subject for entry in entries):
        raise refuse("test_subjects", "some of the people of the sequences, and not all", manifest["test_subjects"])
    for name in set(manifest["test_subjects"]).intersection(manifest.get("val_subjects", ())):
        raise refuse("val_subjects", "nobody of test_subjects", name)
    stored: set[str] = set()
    for number, entry in enumerate(entries):
        place = f"sequences[{number}]"
        if entry.array in stored:  # whoever has it twice may be trained on and tested by it
            raise refuse(f"{place}.array", "frames of its own", entry.array)
        stored.add(entry.array)
        if entry.expression not in known:
            raise refuse(f"{place}.expression", "one of the expressions", entry.expression)
        for name in entry.others or ():
            if name not in known:
                raise refuse(f"{place}.others", "some of the expressions", name)
        require_fitting(entry, place)
    return entries


def require_fitting(entry: Entry, place: str) -> None:
    """Require that what an entry says of its course fits its number of frames.

    Raises:
        WrongValueError: something does not; its place begins with `place`.
    """
    if not sorted(entry.phases) == list(entry.phases) or entry.phases[-1] >= entry.frames:
        raise refuse(f"{place}.phases", f"rising frames below {entry.frames}", str(list(entry.phases)))
    if entry.envelope is not None and len(entry.envelope) != entry.frames:
        raise refuse(f"{place}.envelope", f"{entry.frames} numbers", list(entry.envelope))
    for name, curve in (entry.others or {}).items():
        if (count := curve.count(" ") + 1) != entry.frames:
            raise refuse(f"{place}.others.{name}", f"{entry.frames} numbers", f"{count} of them")


def write_manifest(path: Path, manifest: dict[str, Any], entries: list[Entry]) -> None:
    """Write the manifest with its digest as the last of a corpus's files."""
    manifest = manifest | {"format": FORMAT, "sequences": [entry.values() for entry in entries]}
    # Through JSON once, so that the digest is that of what a reader will parse.
    manifest = json.loads(json.dumps(manifest))
    manifest["digest"] = manifest_digest(manifest)
    (path / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")

"""What is in a file, and whether it is sound."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facegen.errors import FacegenError, MeshError, showable
from facegen.readable import require_file
from facegen.remote import Place, RemotePlace, place_of

if TYPE_CHECKING:
    from facegen.mesh.formats.gltf_document import Document

OTHERS = (".yaml", ".yml", ".csv", ".json", ".txt", ".png", ".jpg", ".jpeg", ".webp")
"""Suffixes of what other verbs read, and this one does not look into."""
LISTED, LONGEST_ITEM = 200, 500
"""Items of a list, and signs of one of them, that a line for people shows; the JSON has all. Chosen: characters have
some tens of groups."""
USES = {"train": "to train", "val": "to validate", "test": "to test"}
"""Splits, and what is done with the people of each."""


@dataclass
class Report:
    """What was found.

    Args:
        facts: name to value, in the order in which they are shown.
        problems: a line each.
        sound: whether the thing can be used as it is.
    """

    facts: dict[str, Any]
    problems: list[str] = field(default_factory=list)
    sound: bool = True

    def json(self) -> str:
        """All of it, for programs."""
        return json.dumps(self.facts | {"sound": self.sound, "problems": self.problems}, indent=1)

    def text(self) -> str:
        """All of it, for people."""
        width = max(map(len, self.facts))
        lines = []
        for name, value in self.facts.items():
            parts = _apart(value)
            lines.append(f"{name:<{width}}  {_readable(value) if parts is None else len(parts)}")
            lines += [f"- {showable(part)}" for part in parts or ()]
        lines.append(f"{'sound':<{width}}  {'yes' if self.sound else 'no'}")
        return "\n".join([*lines, *(f"- {showable(problem)}" for problem in self.problems)])


def _apart(value: Any) -> list[str] | None:
    """What is left out of a corpus, a line each; None for everything else."""
    if not (isinstance(value, list) and value and all(isinstance(each, dict) and "reason" in each for each in value)):
        return None
    return [f"{each['subject']}/{each['recording']}: {each['reason']}" for each in value]


def _readable(value: Any) -> str:
    if isinstance(value, list):
        more = [f"and {len(value) - LISTED:,} more"] if len(value) > LISTED else []
        return ", ".join([*map(_readable, value[:LISTED]), *more]) if value else "none"
    if isinstance(value, dict):
        return " ".join(_readable(str(part)) for part in value.values())
    if isinstance(value, int):
        return f"{value:,}"
    text = showable(str(value))
    return text if len(text) <= LONGEST_ITEM else f"{text[:LONGEST_ITEM]}..."


def inspect(
    path: str | Place,
    source: str | None = None,
    options: Mapping[str, Any] | None = None,
    trust: Sequence[str] = (),
    groups: str | None = None,
) -> Report:
    """Look at a corpus or a dataset (a folder), a mesh (.obj, .ply, .glb, .gltf, .vrm), a sequence or a checkpoint.

    Args:
        path: of it; what is none of these by its suffix is taken for a checkpoint. A URL is one of a corpus.
        source, options: of a dataset, see `inspect_dataset`.
        trust: of a checkpoint, see `facegen.checkpoint.load`.
        groups: of a mesh, those to look at, with commas between their names; None looks at all of it.

    Raises:
        FacegenError: the file is missing or cannot be read at all.
    """
    from facegen.data.manifest import MANIFEST
    from facegen.inspection.dataset import inspect_dataset
    from facegen.mesh.formats.io import IMPORTS, READERS

    path = place_of(path)
    if isinstance(path, RemotePlace):
        return inspect_corpus(path)
    if path.is_dir() and (path / MANIFEST).is_file():
        return inspect_corpus(path)
    if path.is_dir():
        facts, problems = inspect_dataset(path, source, options or {})
        return Report(facts, problems, not problems)
    if path.suffix.lower() in READERS or path.suffix.lower() in IMPORTS:  # whose refusal says what to do
        return inspect_mesh(path, groups)
    require_file(path, missing="no such file or folder")
    if path.suffix.lower() in OTHERS:
        raise FacegenError(
            f"{path}: expected a mesh, a sequence (.npz), a checkpoint (.ckpt), or the folder of a corpus or dataset; "
            f"what a {path.suffix} says is told by the verb that takes it"
        )
    return inspect_sequence(path) if path.suffix.lower() == ".npz" else inspect_checkpoint(path, trust)


def inspect_mesh(path: Path, groups: str | None = None) -> Report:
    """Counts and findings of a mesh, or of some of its groups."""
    from facegen.mesh import check, read_mesh
    from facegen.mesh.formats.io import opened_once, read_appearance, read_groups, read_portion
    from facegen.mesh.topology import surface_pieces

    opened = opened_once(path)
    mesh = read_mesh(path, opened) if groups is None else read_portion(path, groups, opened).mesh
    findings = check(mesh)
    facts = {
        "kind": "mesh",
        "vertices": len(mesh.vertices),
        "faces": len(mesh.faces),
        "polygons": len(mesh.faces if mesh.polygons is None else mesh.polygons),
        "pieces": surface_pieces(mesh)[0],
        "extent": [round(float(edge), 3) for edge in np.ptp(mesh.vertices, axis=0)],
        "digest": mesh.digest,
    }
    if groups is None and len(named := read_groups(path, mesh, opened).sizes) > 1:
        facts["groups"] = list(named)
    look = read_appearance(path, mesh, opened) if groups is None else None
    left_out = [*mesh.left_out, *(() if look is None else look.left_out)]
    if left_out:
        facts["left_out"] = list(dict.fromkeys(left_out))
    problems = [finding.message for finding in findings]
    broken = [] if opened is None else _unusable_asset(path, opened)
    return Report(facts, problems + broken, not (broken or any(finding.fatal for finding in findings)))


def _unusable_asset(path: Path, opened: Document) -> list[str]:
    """Why the whole of a glTF, its morph targets, skins and animations included, cannot be kept; nothing if it can."""
    from facegen.scene.asset import Asset

    try:
        Asset.open(path, opened)
    except MeshError as error:
        return [f"{error}; `rig` and `animate` cannot keep what else is in the file"]
    return []


def summary(path: str | Path) -> str:
    """A corpus in one line, without reading its frames, and a line for everything that was left out."""
    from facegen.data.corpus import Corpus
    from facegen.data.sources.splits import LEAST_TO_VALIDATE

    corpus = Corpus(path)
    frames = sum(entry.frames for entry in corpus.entries)
    out = f", {len(corpus.left_out)} left out" if corpus.left_out else ""
    people = ", ".join(f"{corpus.facts()[f'{split}_subjects']} {use}" for split, use in USES.items())
    first = (
        f"{len(corpus.subjects)} subjects ({people}), {len(corpus.entries)} sequences{out}, {frames:,} frames of "
        f"{corpus.hierarchy.sizes[0]:,} vertices"
    )
    lines = [first]
    if not corpus.split("val") and len(corpus.subjects) < LEAST_TO_VALIDATE:
        lines.append(
            f"no validation subjects: of fewer than {LEAST_TO_VALIDATE} people none are drawn unless --val-subjects "
            "asks for some"
        )
    return "\n".join([*lines, *(f"left out: {line}" for line in corpus.left_out_lines())])


def inspect_corpus(path: Place) -> Report:
    """Counts of a corpus; every frame is read and compared with what was written.

    Of its principal components there is the share of the variance that they leave, and the share that bounds the error
    of each one's variance, see `facegen.data.pca.PCA`.
    """
    from facegen.data.corpus import Corpus

    corpus = Corpus(path)
    problems = corpus.verify()
    facts = {"kind": "corpus"} | corpus.facts()
    found = [entry.confidence for entry in corpus.entries if entry.confidence is not None]
    if found:
        # The mean of shares is the share of takes whose phases are likely to be right within a frame.
        facts |= {
            "phases_found": len(found),
            "least_confidence": min(found),
            "mean_confidence": round(sum(found) / len(found), 3),
        }
    if not problems:
        pca, total = corpus.pca, max(corpus.pca.total, 1e-12)
        facts |= {
            "components": len(pca.components),
            "components_leave": round(max(1 - float(pca.variance.sum()) / total, 0.0), 6),
            "components_error": float(f"{pca.error / total:.1e}"),
        }
    return Report(facts, problems, not problems)


def inspect_checkpoint(path: Path, trust: Sequence[str] = ()) -> Report:
    """What a checkpoint was trained on and what it can make."""
    from facegen import checkpoint
    from facegen.checkpoint_entry import NETWORKS

    model = checkpoint.load(path, NETWORKS.values(), trust=trust)
    template = model.hierarchy.template
    facts = {
        "kind": "checkpoint",
        "network": type(model.network).__name__,
        "parameters": sum(weights.numel() for weights in model.network.parameters()),
        "vertices": len(template.vertices),
        "faces": len(template.faces),
        **model.hierarchy.facts(),
        "expressions": list(model.expressions),
        **_knows(model.network),
        "fps": model.fps,
        "intensity_floor": model.floor,
        "epoch": model.epoch,
        "digest": model.corpus,
        "hierarchy": model.hierarchy.digest,
    }
    return Report(facts)


def _knows(network: Any) -> dict[str, Any]:
    """What a network knows of who acts: how many people's styles it learnt, and the numbers of a style and a take."""
    if not hasattr(network, "style_of"):
        return {}
    return {"styles_of": len(network.people), "style": network.style, "take": network.take}


def inspect_sequence(path: Path) -> Report:
    """Counts of a sequence, and how far it moves."""
    from facegen.sequence.frames import chunks
    from facegen.sequence.sequence import Sequence

    sequence = Sequence.load(path, streamed=True)
    first = sequence.vertices[0]
    moved = max(float(np.linalg.norm(chunk - first, axis=-1).max(initial=0)) for chunk in chunks(sequence.vertices))
    facts = {
        "kind": "sequence",
        "vertices": sequence.vertices.shape[1],
        "faces": len(sequence.faces),
        "frames": len(sequence.vertices),
        "expressions": list(sequence.expressions),
        "fps": sequence.fps,
        "largest_motion_mm": round(moved, 3),
    }
    return Report(facts)

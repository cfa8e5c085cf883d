"""How truly motion is carried onto heads of other topology, for which the same shapes were made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from facegen.benchmark.artist_heads import Sample, first, read_ict, samples
from facegen.benchmark.contact import Contact
from facegen.benchmark.measure import say
from facegen.data.sources.acting import ACTION_UNITS
from facegen.data.sources.ict_face import REGIONS
from facegen.data.sources.ict_facekit import CENTRAL, SIDED
from facegen.detection.search import find_landmarks
from facegen.errors import FacegenError
from facegen.face import Face
from facegen.mesh.strain import edge_ratios, turned_over
from facegen.mesh.tri_mesh import TriMesh

TEMPLATES = ("narrow", "face")
"""Regions of ICT's head that may be the template."""


def poses(names: list[str]) -> dict[str, dict[str, float]]:
    """What is carried: each unit alone, and the six expressions at full intensity, as weights of units."""
    by_action = {action: shape for action, shape in (SIDED | CENTRAL).items() if shape in names}
    acted = {
        expression: {by_action[action]: weight for action, weight in weights.items() if action in by_action}
        for expression, weights in ACTION_UNITS.items()
    }
    return {name: {name: 1.0} for name in names} | {name: weights for name, weights in acted.items() if weights}


def blend(shapes: dict[str, np.ndarray], chosen: dict[str, dict[str, float]]) -> np.ndarray:
    """(T, V, 3): poses by weights of shapes (V, 3)."""
    return np.stack(
        [sum((weight * shapes[unit] for unit, weight in pose.items()), np.float64(0)) for pose in chosen.values()]
    )


def own_face(roots: list[Path], region: str) -> dict[str, Any]:
    """Carry ICT's shapes onto heads of other topology, and compare with the shapes that were made for them.

    Args:
        roots: a clone of ICT-FaceKit, and also the folder of MakeHuman where there is one.
        region: of ICT's head, which serves as the template.

    Returns:
        For each head, by pose, what `judge` says, and its means.
    """
    base = next((root for root in roots if (root / "FaceXModel").is_dir()), None)
    if base is None:
        raise FacegenError(f"no ICT Face Model in {', '.join(map(str, roots))}; give a clone of ICT-FaceKit as --root")
    template = first(read_ict(base), "template", REGIONS[region][0])
    own = find_landmarks(template.mesh, "the template").points
    result = {}
    for root in roots:
        for sample in samples(root, own):
            say(f"own-face: {sample.name}, {len(sample.mesh.vertices)} vertices")
            face = Face.of(template.mesh, sample.mesh, "mm", name=sample.name, own=own)
            chosen = poses(list(sample.shapes))
            carried = face.carry(blend(template.shapes, chosen))
            result[sample.name] = judge(sample, face, chosen, carried)
    return result


def judge(sample: Sample, face: Face, chosen: dict[str, dict[str, float]], carried: np.ndarray) -> dict[str, Any]:
    """Measures of each pose, and means over the units and over the expressions.

    Args:
        sample: the head.
        face: as it was prepared.
        chosen: T poses, see `poses`.
        carried: (T, U, 3) mm.

    Returns:
        By pose: `cosine` of carried and true displacement, all vertices together; `unexplained`, the share of the true
        one (root mean square) that the best multiple of the carried one leaves; `turned` triangles and the largest
        `stretch` of an edge; how deep `lips` lie in each other and `lids` in eyeballs, mm beyond what they do at rest,
        None where nothing is to be measured; and the last four of the true shapes, `true_...`.
    """
    true, rows = blend(sample.shapes, chosen), {}
    assert face.fit is not None
    contact = Contact.of(face.fit)
    for name, made, meant in zip(chosen, carried.astype(np.float64), true, strict=True):
        product = float(np.linalg.norm(made) * np.linalg.norm(meant))
        cosine = float((made * meant).sum() / product) if product else 0.0
        row: dict[str, Any] = {"cosine": cosine, "unexplained": float(np.sqrt(max(0.0, 1 - cosine**2)))}
        for prefix, moved in (("", made), ("true_", meant)):
            row |= {prefix + key: value for key, value in _strain(sample.mesh, contact, moved).items()}
        rows[name] = row
    units = [name for name in rows if name in sample.shapes]
    acted = [name for name in rows if name not in sample.shapes]
    means = {what: _mean(rows, names) for what, names in (("units", units), ("expressions", acted)) if names}
    return {"vertices": len(sample.mesh.vertices), "poses": rows, "mean": means}


def _mean(rows: dict[str, dict[str, Any]], names: list[str]) -> dict[str, float]:
    keys = ("cosine", "unexplained", "turned", "true_turned")
    return {key: float(np.mean([rows[name][key] for name in names])) for key in keys}


def _strain(mesh: TriMesh, contact: Contact, moved: np.ndarray) -> dict[str, Any]:
    after = mesh.vertices + moved
    lips, lids = contact.depths(moved)
    return {
        "turned": int(turned_over(mesh.vertices, after, mesh.faces).sum()),
        "stretch": float(edge_ratios(mesh.vertices, after, mesh.faces).max()),
        "lips": lips,
        "lids": lids,
    }

"""Whom the shipped model is judged on: drawn people of its own topology, and three heads of others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from faces_and_others import ICT_SKIN, joined
from seeing_head import head as built_in_head

from facegen.animation import ready
from facegen.benchmark.artist_heads import DECIMETRE, REMESHED, identity, read_ict
from facegen.checkpoint import Checkpoint
from facegen.data.sources.ict_face import ICTFace
from facegen.face import Face
from facegen.mesh import TriMesh
from facegen.mesh.decimation import decimate
from facegen.mesh.formats.io import read_portion
from facegen.mesh.subdivision import subdivide_to

HEAD_GROUPS = "body,helper-l-eye,helper-r-eye,helper-upper-teeth,helper-lower-teeth,helper-tongue"
"""Of MakeHuman's base mesh, what is a person, by its groups."""
ICT_INSIDE = (14062, 24591)
"""Vertices of ICT's tongue, gums, teeth and eyeballs (README of ICT-FaceKit)."""
STREAM = 20
"""Of the seeds of those who are drawn, so that nobody is one of a corpus."""


def components_people(model: Checkpoint, count: int) -> Iterator[tuple[str, Face]]:
    """People of the identity components in the checkpoint."""
    assert model.identity is not None
    for number in range(count):
        draw = np.random.default_rng([STREAM, number]).normal(size=len(model.identity.modes)).clip(-2, 2)
        points = model.identity.mean + np.tensordot(draw, model.identity.modes.astype(np.float64), 1)
        yield f"component person {number}", ready(model.hierarchy.template.with_vertices(points), model)


def modes_people(model: Checkpoint, root: Path, count: int) -> Iterator[tuple[str, Face]]:
    """People of all the identity modes of ICT-FaceKit, as its corpora draw them."""
    source = ICTFace(root, "face")
    for number in range(count):
        points = source.draw(np.random.default_rng([STREAM, 1, number]))
        yield f"mode person {number}", ready(model.hierarchy.template.with_vertices(points), model)


def heads(model: Checkpoint, roots: list[Path]) -> Iterator[tuple[str, Face]]:
    """The built-in head with eyeballs, and by the folders of their data ICT's in other triangles and MakeHuman's."""
    for root in roots:
        if (root / "base.obj").is_file():
            mesh = read_portion(root / "base.obj", HEAD_GROUPS).mesh
            yield "MakeHuman", ready(TriMesh(mesh.vertices * DECIMETRE, mesh.faces), model)
        else:
            yield "ICT, remeshed", ready(other_triangles(root), model)
    yield "built-in", ready(built_in_head()[0], model)


def other_triangles(root: Path) -> TriMesh:
    """Another identity on ICT's head, its skin in other triangles; teeth, tongue and eyeballs as they are."""
    whole = identity(read_ict(root), root).mesh
    skin, (start, stop) = _between(whole, 0, ICT_SKIN), ICT_INSIDE
    fine, _ = subdivide_to(skin, REMESHED[0])
    _, coarse = decimate(fine, REMESHED[1])
    return joined(coarse, _between(whole, start, stop))


def _between(mesh: TriMesh, start: int, stop: int) -> TriMesh:
    """Vertices of some numbers, and the triangles between them."""
    faces = mesh.faces[((mesh.faces >= start) & (mesh.faces < stop)).all(axis=1)]
    return TriMesh(mesh.vertices[start:stop], faces - start)

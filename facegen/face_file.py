"""A face out of a file: read, prepared for a model, and where that cannot be, what was seen of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from facegen.detection.look import camera_at
from facegen.detection.search import UnseenError
from facegen.errors import FacegenError, MeshError
from facegen.face import Face
from facegen.fitting.register import FitError
from facegen.landmarks.file import read_landmarks
from facegen.landmarks.points import Landmarks
from facegen.mesh.formats.gltf_document import Document
from facegen.mesh.formats.io import opened_once, read_groups, read_mesh, read_portion
from facegen.mesh.portion import Portion
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.units import millimetres
from facegen.pictures.render import render
from facegen.pictures.sheets import mosaic, write_beside
from facegen.standard_streams import say_left_out

VIEWS_SHOWN = 24
"""The first views of a mesh in which no face was found, so many, are on its picture. Chosen: more are too small to
see."""
REFUSED_SIZE = 448
"""Pixels of the edge of a mesh that is refused, on its picture. Chosen: landmarks that lie wrong are seen."""
GROUPS_TRIED = 4
"""Groups of a file in which a face is looked for where none is seen in all of them together, the largest. Chosen: each
takes as long as the file itself."""
GROUPS_NAMED = 8
"""Groups that a message names at most, the largest."""


def read_face(
    path: str | Path,
    template: TriMesh,
    out: Path,
    units: str | None = None,
    landmarks: Path | None = None,
    own: np.ndarray | None = None,
    groups: str | None = None,
    grouped: bool = False,
    on_seen: Callable[[TriMesh, Landmarks], object] | None = None,
    known: Callable[[TriMesh, TriMesh, str | None, str], Face | None] = lambda *_: None,
    opened: Document | None = None,
) -> Face:
    """Read a mesh and prepare it; say how well the template fits where it had to be fitted.

    Where no face is seen in a file that has groups, the largest are tried one by one, since hair or what helps to model
    may hide it; if one alone bears a face, it is taken, and it is said.

    Args:
        path: of the mesh.
        template: (V, 3) mm.
        out: what is to be written from it; a picture that shows why no template fits is named after it.
        units, landmarks, own, grouped, on_seen: see `Face.of`; `landmarks` as a file.
        known: what makes a face of meshes that need no fit beside those of the template's topology, of template, mesh,
            units and name; None for every other mesh.
        groups: which of the file's groups to take, with commas between their names; None takes all.
        opened: of a glTF, its document, where others read it too.

    Raises:
        FacegenError: a file cannot be used, or the template cannot be fitted.
    """
    if units is not None:
        millimetres(units)
    opened = opened or opened_once(path)
    portion = None if groups is None else read_portion(path, groups, opened)
    mesh = read_mesh(path, opened) if portion is None else portion.mesh
    for reason in mesh.left_out:
        say_left_out(reason)
    points = None if landmarks is None else read_landmarks(landmarks)
    try:
        face = known(template, mesh, units, str(path))
        if face is None:
            face = Face.of(template, mesh, units, points, str(path), own, grouped, on_seen)
    except (UnseenError, FitError) as error:
        found, hint = (None, "")
        if portion is None and points is None:
            found, hint = _alone(path, template, mesh, units, own, opened)
        if found is None:
            picture = write_beside(out, "refused", refusal_picture(error))
            raise FacegenError(f"{error}{hint}; {picture} shows what was seen") from error
        print(f"{Path(path).name}: {hint}")
        face, portion = found, found.portion
    if face.fit is not None:
        print(f"{Path(path).name}: {face.fit}; units: {face.units}")
        if face.fit.fused_lips:
            print(f"{Path(path).name}: one sheet of skin closes its mouth and stretches where lips part; cut it open")
    return replace(face, portion=portion)


def _alone(
    path: str | Path,
    template: TriMesh,
    mesh: TriMesh,
    units: str | None,
    own: np.ndarray | None,
    opened: Document | None,
) -> tuple[Face | None, str]:
    """The face of the one group of a file that bears one alone, and what is to be said of it or of there being none."""
    groups = read_groups(path, mesh, opened)
    if not groups.several:
        return None, ""
    found = {}
    for name in list(groups.sizes)[:GROUPS_TRIED]:
        portion = Portion(mesh, groups.chosen([name], path))
        with suppress(UnseenError, FitError, MeshError):
            found[name] = replace(Face.of(template, portion.mesh, units, None, str(path), own), portion=portion)
    if len(found) == 1:
        name, face = next(iter(found.items()))
        return face, f"no face is seen in all of it, and one in its group {name!r} alone, which is taken"
    if found:
        return None, f"; groups {' and '.join(map(repr, found))} bear a face each: take one by --groups NAME"
    some = list(groups.sizes)[:GROUPS_NAMED]
    named = ", ".join(some) + (", ..." if len(groups.sizes) > len(some) else "")
    return None, f"; it has {len(groups.sizes)} groups ({named}): --groups NAMES takes some alone"


def refusal_picture(error: UnseenError | FitError) -> np.ndarray:
    """(H, W, 3) uint8: what was seen of a mesh that is refused, and beside it the template that was laid onto it."""
    if isinstance(error, UnseenError):
        return mosaic(error.views[:VIEWS_SHOWN])
    camera = camera_at(error.seen.points, error.seen.rotation)
    meshes = [error.mesh] if error.laid is None else [error.mesh, error.laid]
    return np.concatenate([render(mesh.vertices, mesh.faces, camera, size=REFUSED_SIZE) for mesh in meshes], axis=1)

"""A neutral in a checkpoint's topology, made from photographs and written to a file."""

from __future__ import annotations

from collections.abc import Sequence as Series
from dataclasses import replace
from pathlib import Path

import numpy as np

from facegen.animation import apex_displacements
from facegen.checkpoint import Checkpoint
from facegen.data.corpus import Corpus
from facegen.data.identity import Identity
from facegen.detection.search import UnseenError
from facegen.errors import FacegenError, unknown
from facegen.exporters.glb import write_glb
from facegen.mesh.appearance import Appearance
from facegen.mesh.formats.obj import write_obj
from facegen.mesh.formats.ply import write_ply
from facegen.mesh.tri_mesh import TriMesh
from facegen.photo.blend import Blend
from facegen.photo.fit import PhotoFit, fit_photos
from facegen.photo.head import whole
from facegen.photo.marks import Marks
from facegen.photo.report import PICTURE_EDGE, comparison, report
from facegen.photo.surface_color import Shot
from facegen.pictures.paint import Paint
from facegen.pictures.render import Camera, render
from facegen.pictures.sheets import written_beside
from facegen.rigging.whole_head import WholeHead
from facegen.sequence.sequence import Sequence

SUFFIXES = (".ply", ".obj", ".glb")
"""By which a neutral can be written."""


def identity_of(model: Checkpoint, corpus: Path | None, name: str) -> Identity:
    """The identity model of a corpus, where one is given, and otherwise that of the checkpoint.

    Raises:
        FacegenError: the checkpoint holds none, or the corpus has another topology.
    """
    if corpus is None:
        if model.identity is None:
            raise FacegenError(
                f"{name} does not hold how people differ at rest, as checkpoints of this version do; give the corpus "
                "it was trained on with --corpus CORPUS, or train it again"
            )
        return model.identity
    found = Corpus(corpus)
    if found.hierarchy.template.digest != model.hierarchy.template.digest:
        raise FacegenError(f"{corpus} has another topology than {name}; give the corpus that it was trained on")
    return found.identity


def fit_neutral(model: Checkpoint, identity: Identity, landmarks: Series[np.ndarray]) -> list[PhotoFit]:
    """Fit a person in the checkpoint's topology to landmarks (468, 2) in pixels of each picture.

    Raises:
        FacegenError: the detector sees no face in the model's mean person, or no face of the model looks like that.
    """
    try:
        known = model.landmarks.get("mean") if identity is model.identity else None
        marks = Marks.of(model.hierarchy.template.with_vertices(identity.mean.astype(np.float64)), known)
    except UnseenError as error:
        raise FacegenError(
            "the detector sees no face in the mean of the model's people, so that landmarks cannot be compared; a "
            "corpus of whole faces is needed"
        ) from error
    return fit_photos(identity, apex_displacements(model), marks, landmarks)


def require_suffix(path: Path) -> None:
    """Refuse a suffix that could not be written, before the work."""
    if path.suffix.lower() not in SUFFIXES:
        raise FacegenError(unknown("suffix to write a neutral with", path.suffix, SUFFIXES))


def write_neutral(path: Path, mesh: TriMesh, skin: Blend, look: Appearance | None, model: Checkpoint) -> None:
    """Write `.glb` with what the mesh looks like, `.ply` with a colour for each vertex, or `.obj` of the shape alone.

    Args:
        path: by its suffix.
        mesh: (V, 3) mm.
        skin: of it, for `.ply`.
        look: of it, for `.glb`.
        model: that moves it.
    """
    suffix = path.suffix.lower()
    if suffix == ".ply":
        write_ply(path, mesh, colors=skin.vertex_colors())
    elif suffix == ".obj":
        write_obj(path, mesh)
    else:
        motion = np.zeros((1, len(model.expressions)), np.float32)
        vertices = mesh.vertices[None].astype(np.float32)
        still = Sequence(vertices, mesh.faces, model.fps, motion, model.expressions, mesh.polygons)
        write_glb(replace(still, appearance=look), path)


def photographed(
    model: Checkpoint, identity: Identity, shots: Series[Shot], out: Path, compared: tuple[str, Shot] | None = None
) -> tuple[list[PhotoFit], Path]:
    """Make the neutral of photographs of one person and write it; NAME.report.png beside it shows the fits.

    They get their names together, when all is on the disk.

    Args:
        model: whose topology it gets.
        identity: of which people it is made, see `identity_of`.
        shots: the pictures, and the landmarks in them.
        out: see `write_neutral`.
        compared: an expression of the model, and a picture in which the person shows it: NAME.compare.png has both.

    Returns:
        The fits, and where the picture of them is.

    Raises:
        FacegenError: see `fit_neutral`.
    """
    fits = fit_neutral(model, identity, [landmarks for _, landmarks in shots])
    template = model.hierarchy.template
    mesh = template.with_vertices(fits[0].neutral)
    skin, shown, look = Blend(fits, shots, mesh), mesh, None
    if out.suffix.lower() == ".glb":
        head = WholeHead.around(template)
        shown, look = (mesh, skin.appearance()) if head is None else whole(head, fits, shots)
    focus = np.arange(len(mesh.vertices))
    front = render(
        shown.vertices,
        shown.faces,
        Camera.framing(shown.vertices, focus=focus),
        size=PICTURE_EDGE,
        paint=Paint.of(shown.faces, look),
    )
    rows = [report(*shot, fit, template.faces, front) for shot, fit in zip(shots, fits, strict=True)]
    pictures = {"report": np.concatenate(rows)}
    if compared is not None:
        pictures["compare"] = compare(model, fits[0], compared[0], shots[0], compared[1], skin.vertex_colors())
    with written_beside(out, pictures) as places:
        write_neutral(out, shown, skin, look, model)
    return fits, places[0]


def compare(
    model: Checkpoint, fit: PhotoFit, expression: str, shot: Shot, target: Shot, colors: np.ndarray
) -> np.ndarray:
    """(S, 4 S, 3) uint8: an expression's apex on the fitted face, beside a second picture; see `report.comparison`."""
    apex = fit.neutral + apex_displacements(model, fit.neutral)[model.expressions.index(expression)]
    return comparison(*shot, fit, model.hierarchy.template.faces, apex, target, colors)

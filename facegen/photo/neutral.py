"""A neutral in a checkpoint's topology, made from a photograph and written to a file."""

from __future__ import annotations

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
from facegen.mesh.formats.obj import write_obj
from facegen.mesh.formats.ply import write_ply
from facegen.mesh.tri_mesh import TriMesh
from facegen.photo.fit import PhotoFit, fit_photo
from facegen.photo.marks import Marks
from facegen.photo.report import comparison, report
from facegen.photo.surface_color import color_places, projected, vertex_colors
from facegen.pictures.sheets import write_picture
from facegen.sequence.sequence import Sequence

SUFFIXES = (".ply", ".obj", ".glb")
"""By which a neutral can be written."""
REPORT = ".report.png"
"""What the picture that shows a fit has instead of the neutral's suffix."""


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


def fit_neutral(model: Checkpoint, identity: Identity, landmarks: np.ndarray) -> PhotoFit:
    """Fit a person in the checkpoint's topology to landmarks (468, 2) in pixels.

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
    return fit_photo(identity, apex_displacements(model), marks, landmarks)


def require_suffix(path: Path) -> None:
    """Refuse a suffix that could not be written, before the work."""
    if path.suffix.lower() not in SUFFIXES:
        raise FacegenError(unknown("suffix to write a neutral with", path.suffix, SUFFIXES))


def write_neutral(path: Path, mesh: TriMesh, places: np.ndarray, picture: np.ndarray, model: Checkpoint) -> None:
    """Write `.glb` with the photograph as texture, `.ply` with a colour for each vertex, or `.obj` of the shape alone.

    Args:
        path: by its suffix.
        mesh: (V, 3) mm.
        places: (V, 2) pixels, where the vertices have their colour.
        picture: (H, W, 3) uint8.
        model: whose topology the mesh has.
    """
    suffix = path.suffix.lower()
    if suffix == ".ply":
        write_ply(path, mesh, colors=vertex_colors(places, picture))
    elif suffix == ".obj":
        write_obj(path, mesh)
    else:
        motion = np.zeros((1, len(model.expressions)), np.float32)
        vertices = mesh.vertices[None].astype(np.float32)
        still = Sequence(vertices, mesh.faces, model.fps, motion, model.expressions, mesh.polygons)
        write_glb(replace(still, appearance=projected(places, mesh, picture)), path)


def photographed(
    model: Checkpoint, identity: Identity, picture: np.ndarray, landmarks: np.ndarray, out: Path
) -> tuple[PhotoFit, np.ndarray]:
    """Make the neutral of a photograph and write it; NAME.report.png beside it shows the fit.

    Args:
        model: whose topology it gets.
        identity: of which people it is made, see `identity_of`.
        picture: (H, W, 3) uint8.
        landmarks: (468, 2) pixels.
        out: see `write_neutral`.

    Returns:
        The fit, and (V, 2) pixels where the vertices have their colour.

    Raises:
        FacegenError: see `fit_neutral`.
    """
    fit = fit_neutral(model, identity, landmarks)
    template = model.hierarchy.template
    where = color_places(fit, template.faces, picture)
    write_neutral(out, template.with_vertices(fit.neutral), where, picture, model)
    write_picture(out.with_suffix(REPORT), report(picture, landmarks, fit, template.faces))
    return fit, where


def compare(
    model: Checkpoint,
    fit: PhotoFit,
    expression: str,
    picture: np.ndarray,
    landmarks: np.ndarray,
    target: tuple[np.ndarray, np.ndarray],
    where: np.ndarray,
) -> np.ndarray:
    """(S, 4 S, 3) uint8: an expression's apex on the fitted face, beside a second picture; see `report.comparison`."""
    apex = fit.neutral + apex_displacements(model, fit.neutral)[model.expressions.index(expression)]
    colors = vertex_colors(where, picture)
    return comparison(picture, landmarks, fit, model.hierarchy.template.faces, apex, target, colors)

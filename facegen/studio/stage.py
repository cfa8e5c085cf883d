"""A face as the page shows it: turned to the front, at a size that a page can draw, and what moves it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from facegen.alive.body import Body
from facegen.alive.enliven import body_of
from facegen.archives import read_arrays
from facegen.face import Carried, Face
from facegen.files import new_file
from facegen.fitting.keyframes import CarriedFields
from facegen.mesh.tri_mesh import TriMesh
from facegen.pretrained import BASIS
from facegen.quick import Mixed
from facegen.rigging.packed_shapes import PackedShapes
from facegen.rigging.whole_head import Led, TurnedHead, WholeHead

FILE = "stage.npz"
"""Under which a stage is kept."""


@dataclass(frozen=True, eq=False)
class Stage:
    """A face on the page.

    Args:
        face: P vertices, mm, +y up and +z out of the face; what carries motion to them.
        neutral: (1, V, 3) mm, the face in the template's topology, for models that are told it.
        whole: vertices of the mesh that it was made of.
        focus: (2, 3) mm, corners of the box that is looked at.
    """

    face: Face
    neutral: np.ndarray
    whole: int
    focus: np.ndarray

    @cached_property
    def body(self) -> Body:
        """What of it can be alive."""
        return body_of(self.face)

    @cached_property
    def rest(self) -> np.ndarray:
        """(P, 3) float32 mm."""
        return self.face.mesh.vertices.astype(np.float32)

    def save(self, folder: Path) -> None:
        """Keep it in a folder, for another process to load."""
        face = self.face
        arrays = {
            "vertices": face.mesh.vertices,
            "faces": face.mesh.faces,
            "neutral": self.neutral,
            "whole": np.int64(self.whole),
            "focus": self.focus,
            "units": np.array(face.units),
        }
        arrays |= {} if face.marks is None else {"marks": face.marks}
        arrays |= {} if face.skin is None else {"skin": face.skin}
        if isinstance(face.carry, Mixed):
            found = face.carry.found
            arrays |= {"basis": found.basis, "keys": found.keys, "fields": found.fields}
        if isinstance(face.carry, Led):
            arrays |= {"led": np.int64(face.carry.face)}
        with new_file(folder / FILE) as aside:
            np.savez(aside, **arrays)

    @classmethod
    def load(cls, folder: Path) -> Stage:
        """What `save` kept.

        Raises:
            FacegenError: it is not there.
        """
        arrays = read_arrays(folder / FILE)
        mesh = TriMesh(arrays["vertices"], arrays["faces"])
        carry = _as_it_is
        if "fields" in arrays:
            carry = Mixed(CarriedFields(arrays["basis"], arrays["keys"], arrays["fields"]))
        if "led" in arrays:
            carry = WholeHead.of(PackedShapes.load(BASIS), int(arrays["led"])).led
        marks, skin = arrays.get("marks"), arrays.get("skin")
        face = Face(mesh, carry, np.eye(3), None, str(arrays["units"]), 1.0, marks, skin=skin)
        return cls(face, arrays["neutral"], int(arrays["whole"]), arrays["focus"])


def _as_it_is(displacement: np.ndarray) -> np.ndarray:
    return displacement


def shown_face(face: Face, found: CarriedFields | None) -> Face:
    """A face, turned to the front; a dense one with the fewer triangles that the template was fitted to.

    Args:
        face: as `read_face` makes it.
        found: of its `carry`, which is needed where it was fitted; `fields` are in mm of what was fitted to.
    """
    turn = face.rotation.T
    marks = None if face.marks is None else face.marks @ turn
    if isinstance(face.carry, TurnedHead):
        mesh, skin = TriMesh(face.mesh.vertices @ turn, face.mesh.faces), face.skin
        return Face(mesh, face.carry.led, np.eye(3), None, face.units, 1.0, marks, skin=skin)
    if found is None or not isinstance(face.carry, Carried) or face.fit is None:
        # Displacements are turned as the face is, so that in front of the page they are what the model makes.
        mesh = TriMesh(face.mesh.vertices @ turn, face.mesh.faces)
        return Face(mesh, _as_it_is, np.eye(3), None, face.units, 1.0, marks)
    dense = face.carry.dense
    mesh, skin = face.mesh, face.skin
    if dense is not None:
        mesh = dense.coarse.with_vertices(dense.coarse.vertices * face.factor)
        skin = face.fit.skin[face.fit.index]
    fields = (found.fields @ turn.astype(np.float32)).astype(np.float32)
    carry = Mixed(CarriedFields(found.basis, found.keys, fields))
    return Face(TriMesh(mesh.vertices @ turn, mesh.faces), carry, np.eye(3), None, face.units, 1.0, marks, skin=skin)

"""Texture coordinates, materials and colours of glTF's primitives."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.appearance import NO_UV, Appearance
from facegen.mesh.formats.glb import first_vertices
from facegen.mesh.formats.gltf_document import ELEMENT_LIMIT, MALFORMED, Document, open_document, why_not
from facegen.mesh.formats.gltf_material import MaterialReader, Placement
from facegen.mesh.formats.gltf_scene import scene_of
from facegen.mesh.formats.raw import in_64_bits
from facegen.mesh.material import Material, to_srgb
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.welding import one_to_the_light


def read_glb_appearance(path: str | Path, mesh: TriMesh, opened: Document | None = None) -> Appearance:
    """Read what `read_glb` passes over: a set of texture coordinates, the materials and COLOR_0.

    Args:
        path: the file, `.glb` or `.gltf`.
        mesh: what `read_glb` made of it.
        opened: its document, where others read it too.

    Raises:
        MeshError: the file cannot be read.
    """
    dress = _Dress(opened or open_document(path), mesh)
    try:
        dress.wear()
        return dress.appearance(len(mesh.faces))
    except (MeshError, *MALFORMED) as error:
        return Appearance.plain(len(mesh.faces), left_out=(f"materials and texture coordinates: {why_not(error)}",))


class _Dress:
    """What the scene's primitives look like, in the order in which `read_glb` joins their triangles."""

    def __init__(self, document: Document, mesh: TriMesh) -> None:
        self.document, self.mesh, self.vertices = document, mesh, len(mesh.vertices)
        self.normals: np.ndarray | None = np.zeros((self.vertices, 3))
        self.left_out: list[str] = []
        self.reader = MaterialReader(document, self.left_out)
        self.materials: dict[int, tuple[int, Material, Placement]] = {}
        self.uv: list[np.ndarray] = []
        self.first: dict[tuple[int, Placement], tuple[int, int]] = {}  # row and count of coordinates that are there
        self.rows = 0
        self.corners: list[np.ndarray] = []
        self.used: list[np.ndarray] = []
        self.colors: np.ndarray | None = None

    def wear(self) -> None:
        """Go through the primitives and keep what each looks like."""
        scene = scene_of(self.document)
        for shown, start in zip(scene.shown, first_vertices(self.document, scene), strict=True):
            primitive, count, faces = shown.primitive, shown.count(self.document), shown.faces(self.document)
            self._normals(primitive["attributes"], start, count)
            number, placement = -1, Placement()
            if "material" in primitive:
                number, placement = self._material(primitive["material"])
            try:
                corners = self._corners(primitive["attributes"], placement, faces)
                if "COLOR_0" in primitive["attributes"]:
                    self._color(primitive["attributes"]["COLOR_0"], start, count, faces)
            except (MeshError, *MALFORMED) as error:
                corners = np.full(faces.shape, -1)
                self.left_out.append(f"texture coordinates or colours: {error}")
            self.corners.append(corners)
            self.used.append(np.full(len(faces), number))

    def _material(self, index: int) -> tuple[int, Placement]:
        if index not in self.materials:
            self.materials[index] = (len(self.materials), *self.reader.material(index))
        number, _, placement = self.materials[index]
        return number, placement

    def _corners(self, attributes: dict, placement: Placement, faces: np.ndarray) -> np.ndarray:
        """(F, 3) rows of the coordinates, which are added where they are not there yet."""
        index = attributes.get(f"TEXCOORD_{placement.channel}")
        if index is None:
            return np.full(faces.shape, -1)
        if (index, placement) not in self.first:
            uv = placement.moved(self.document.accessor(index, 2).astype(np.float32))
            if self.rows + len(uv) > ELEMENT_LIMIT:
                raise MeshError(f"more than {ELEMENT_LIMIT} texture coordinates")
            if not np.isfinite(uv).all():
                raise MeshError("a texture coordinate is not finite")
            self.first[index, placement] = self.rows, len(uv)
            self.uv.append(np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1))  # glTF's v runs down
            self.rows += len(uv)
        first, count = self.first[index, placement]
        if faces.max(initial=-1) >= count:
            raise MeshError(f"a primitive has {count} texture coordinates, and a face uses number {faces.max()}")
        return first + faces

    def _normals(self, attributes: dict, start: int, count: int) -> None:
        """Keep the normals that a primitive has; None, for all, where one has none."""
        try:
            found = in_64_bits(self.document.accessor(attributes["NORMAL"], 3))
        except (MeshError, *MALFORMED):
            self.normals = None
        else:
            if self.normals is not None and found.shape == (count, 3) and np.isfinite(found).all():
                self.normals[start : start + count] = found
            else:
                self.normals = None

    def _color(self, index: int, start: int, count: int, faces: np.ndarray) -> None:
        """Colours of the vertices that a primitive's faces use, of those from `start` on."""
        linear, alpha = self.document.colors(index)
        if len(linear) != count or not np.isfinite(linear).all():
            raise MeshError(f"expected {count} colours of vertices, found {len(linear)}, or some that are not finite")
        if self.colors is None:
            self.colors = np.full((self.vertices, 3), 255, np.uint8)
        rows = np.unique(faces)
        self.colors[start + rows] = to_srgb(linear[rows])
        if alpha is not None and (alpha[rows] < 1).any():
            self.left_out.append("the transparency of colours of vertices: colours alone are kept")

    def appearance(self, count: int) -> Appearance:
        """What was found, for a surface of `count` triangles."""
        corners = np.concatenate(self.corners)
        if len(corners) != count:
            raise MeshError(f"{len(corners)} faces have a look, of {count}")
        materials = [material for _, material, _ in self.materials.values()]
        used = np.concatenate(self.used)
        for number, material in enumerate(materials):
            if material.pictures and (corners[used == number] < 0).any():
                self.left_out.append(f"textures of material {material.name[:40]!a}: a part has no coordinates for them")
                if (corners[used == number] < 0).all():
                    materials[number] = Material(**material.numbers())
        uv = np.concatenate(self.uv) if self.uv else NO_UV
        left_out = tuple(dict.fromkeys(self.left_out))
        smooth = one_to_the_light(self.mesh, self.normals)
        return Appearance(uv, corners, tuple(materials), used, self.colors, left_out, smooth)

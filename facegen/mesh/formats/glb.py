"""glTF 2.0: the triangles of the default scene, as one mesh in millimetres."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.gltf_document import DAMAGED, MALFORMED, Document, open_document
from facegen.mesh.formats.gltf_scene import Scene, scene_of
from facegen.mesh.formats.groups import Groups
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.units import UNITS


def first_vertices(document: Document, scene: Scene) -> list[int]:
    """The first vertex of each primitive that a scene shows in what `read_glb` makes."""
    first: dict[tuple, int] = {}
    total, found = 0, []
    for shown in scene.shown:
        if shown.key not in first:
            first[shown.key], total = total, total + shown.count(document)
        found.append(first[shown.key])
    return found


def _joined(document: Document) -> TriMesh:
    scene = scene_of(document)
    vertices: list[np.ndarray] = []
    faces: list[np.ndarray] = []
    total = 0
    for shown, first in zip(scene.shown, first_vertices(document, scene), strict=True):
        if first == total:  # others share vertices that are there
            vertices.append(shown.vertices(document) * UNITS["m"])
            total += len(vertices[-1])
        faces.append(first + shown.faces(document))
    left_out = tuple(dict.fromkeys(scene.left_out))
    return TriMesh(np.concatenate(vertices), np.concatenate(faces), left_out=left_out)


def read_glb_groups(path: str | Path, opened: Document | None = None) -> Groups:
    """The names of the node and the mesh that each face of what `read_glb` makes belongs to.

    Args:
        path, opened: see `read_glb`.

    Raises:
        MeshError: see `read_glb`.
    """
    document = opened or open_document(path)
    try:
        scene = scene_of(document)
        counts = [len(shown.faces(document)) for shown in scene.shown]
        shown_by = [_names(document, node) for node in scene.nodes]
    except MeshError as error:
        raise MeshError(f"{path}: {error}") from error
    except MALFORMED as error:
        raise MeshError(f"{path}: {DAMAGED}") from error
    numbers = {names: number for number, names in enumerate(dict.fromkeys(shown_by))}
    return Groups(tuple(numbers), np.repeat([numbers[names] for names in shown_by], counts))


def _names(document: Document, node: dict) -> tuple[str, ...]:
    """Those that a node and its mesh have."""
    found = [each.get("name") for each in (node, document.item("meshes", node["mesh"]))]
    return tuple(dict.fromkeys(name for name in found if isinstance(name, str) and name))


def read_glb(path: str | Path, opened: Document | None = None) -> TriMesh:
    """Read all triangles that the default scene shows, in mm (glTF's metres times 1000), as the file opens.

    Node transforms are applied, skins put vertices where their joints are, and morph targets add what their default
    weights say. Primitives that share positions in one place share vertices. Materials are passed over, lines and
    points are left out. An exporter splits vertices along texture seams, so that a surface that is closed elsewhere may
    come in several pieces here.

    Args:
        path: the file, `.glb`, `.gltf` or `.vrm`.
        opened: its document, where others read it too.

    Raises:
        MeshError: the file is missing, empty, cut short or malformed; needs an extension or a package; keeps
            buffers outside its folder; or shows points or lines alone.
    """
    document = opened or open_document(path)
    try:
        return _joined(document)
    except MeshError as error:
        raise MeshError(f"{path}: {error}") from error
    except MALFORMED as error:
        raise MeshError(f"{path}: {DAMAGED}") from error

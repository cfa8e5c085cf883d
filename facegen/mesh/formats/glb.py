"""glTF 2.0: the triangles of the default scene, as one mesh in millimetres."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.gltf_document import ELEMENT_LIMIT, MALFORMED, Document, open_document, whole
from facegen.mesh.formats.raw import strip_faces
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.units import UNITS

_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_MODES = {0: "points", 1: "lines", 2: "line loop", 3: "line strip"}


def _local(node: dict) -> np.ndarray:
    """A node's own (4, 4) transform."""
    matrix = np.eye(4)
    if "matrix" in node:
        matrix = np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    else:
        x, y, z, w = (float(part) for part in node.get("rotation", (0, 0, 0, 1)))
        length = math.sqrt(x * x + y * y + z * z + w * w)
        if length == 0:
            raise MeshError("a node's rotation is the zero quaternion")
        x, y, z, w = x / length, y / length, z / length, w / length
        rotation = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
        matrix[:3, :3] = np.array(rotation) * np.array(node.get("scale", (1, 1, 1)), dtype=np.float64).reshape(1, 3)
        matrix[:3, 3] = np.array(node.get("translation", (0, 0, 0)), dtype=np.float64).reshape(3)
    if not np.isfinite(matrix).all() or (matrix[3] != [0, 0, 0, 1]).any():
        raise MeshError("a node's transform is not finite, or not affine")
    return matrix


def _placed_meshes(document: Document) -> list[tuple[dict, np.ndarray]]:
    """The meshes of the default scene, depth first in the file's order, with their (4, 4) transforms."""
    scene = document.item("scenes", document.tree.get("scene", 0))
    waiting = [(index, np.eye(4)) for index in reversed(scene.get("nodes", []))]
    seen: set[int] = set()
    placed = []
    while waiting:
        index, parent = waiting.pop()
        node = document.item("nodes", index)
        if index in seen:
            raise MeshError(f"node {index} is reached twice; a scene must be a tree")
        seen.add(index)
        transform = parent @ _local(node)
        if "mesh" in node:
            placed.append((document.item("meshes", node["mesh"]), transform))
        waiting += [(child, transform) for child in reversed(node.get("children", []))]
    return placed


def _triangles(order: np.ndarray, mode: int) -> np.ndarray:
    """(F, 3) corners of a primitive whose vertices come in this order, (N,)."""
    if mode == _TRIANGLES:
        if len(order) % 3:
            raise MeshError(f"expected triangles, three indices each, found {len(order)} indices")
        return order.reshape(-1, 3)
    if len(order) < 3:
        raise MeshError(f"expected three indices or more in a strip or fan, found {len(order)}")
    if mode == _FAN:
        return np.stack([np.broadcast_to(order[:1], len(order) - 2), order[1:-1], order[2:]], axis=1)
    return strip_faces(order)


def primitive_faces(document: Document, primitive: dict, count: int) -> np.ndarray:
    """(F, 3) triangles of a primitive over its `count` vertices."""
    mode = whole(primitive, "mode", _TRIANGLES)
    if mode not in (_TRIANGLES, _STRIP, _FAN):
        raise MeshError(f"expected triangles, found a primitive of {_MODES.get(mode, f'mode {mode}')}")
    if "indices" not in primitive:
        return _triangles(np.arange(count), mode)
    order = document.accessor(primitive["indices"], 1)[:, 0]
    if order.dtype.kind != "u":
        raise MeshError("expected unsigned indices of the vertices")
    if len(order) and order.max() >= count:
        raise MeshError(f"face {int(order.argmax()) // 3} of a primitive uses vertex {order.max()}, of {count}")
    return _triangles(order.astype(np.int64), mode)


def shown_primitives(document: Document) -> list[tuple[dict, bool]]:
    """The default scene's primitives, in the order in which `read_glb` joins them, and whether each is mirrored."""
    placed = _placed_meshes(document)
    return [(one, _mirrors(transform)) for mesh, transform in placed for one in mesh["primitives"]]


def primitive_vertices(document: Document) -> list[tuple[int, int]]:
    """The first vertex of each of `shown_primitives` in what `read_glb` makes, and how many vertices it has."""
    first: dict[tuple[int, bytes], int] = {}
    total, found = 0, []
    for mesh, transform in _placed_meshes(document):
        for primitive in mesh["primitives"]:
            index = primitive["attributes"].get("POSITION")
            count = whole(document.item("accessors", index), "count")
            key = (index, transform.tobytes())
            if key not in first:
                first[key], total = total, total + count
            found.append((first[key], count))
    return found


def _mirrors(transform: np.ndarray) -> bool:
    """Whether a transform turns the faces inside out (glTF 2.0, section 3.7.4)."""
    return bool(np.linalg.det(transform[:3, :3]) < 0)


def _scene(document: Document) -> TriMesh:
    vertices: list[np.ndarray] = []
    faces: list[np.ndarray] = []
    first: dict[tuple[int, bytes], int] = {}
    total = triangles = 0
    for mesh, transform in _placed_meshes(document):
        for primitive in mesh["primitives"]:
            index = primitive["attributes"].get("POSITION")
            positions = document.accessor(index, 3)
            key = (index, transform.tobytes())
            if key not in first:
                first[key], total = total, total + len(positions)
                if total > ELEMENT_LIMIT:
                    raise MeshError(f"more than {ELEMENT_LIMIT} vertices; decimate the scene")
                # NaN in the file passes here, as in the other readers.
                with np.errstate(all="ignore"):
                    placed = positions.astype(np.float64) @ transform[:3, :3].T + transform[:3, 3]
                    vertices.append(placed * UNITS["m"])
            own = primitive_faces(document, primitive, len(positions))
            triangles += len(own)
            if triangles > ELEMENT_LIMIT:
                raise MeshError(f"more than {ELEMENT_LIMIT} triangles; decimate the scene")
            faces.append(first[key] + (own[:, ::-1] if _mirrors(transform) else own))
    if not vertices:
        raise MeshError("the default scene shows no mesh")
    return TriMesh(np.concatenate(vertices), np.concatenate(faces))


def read_glb(path: str | Path) -> TriMesh:
    """Read all triangles that the default scene shows, in mm (glTF's metres times 1000).

    Node transforms are applied; primitives that share positions under one transform share vertices.
    Skins, morph targets and materials are passed over. An exporter splits vertices along texture seams,
    so that a surface that is closed elsewhere may come in several pieces here.

    Raises:
        MeshError: the file is missing, empty, cut short or malformed; needs an extension such as Draco; keeps
            buffers outside its folder; or shows points or lines.
    """
    document = open_document(path)
    try:
        return _scene(document)
    except MeshError as error:
        raise MeshError(f"{path}: {error}") from error
    except MALFORMED as error:
        raise MeshError(f"{path}: the glTF description is malformed ({type(error).__name__}: {error})") from error

"""What a glTF scene shows: its primitives of triangles, where nodes, skins and morph weights put them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.gltf_document import FREE_ELEMENTS, Document, whole
from facegen.mesh.formats.gltf_primitive import FAN, STRIP, TRIANGLES, Shown

PRIMITIVE_LIMIT = 100_000
"""Primitives that a scene shows at most. Chosen: characters have some hundred; nodes may show a mesh many times."""
_MODES = {0: "points", 1: "lines", 2: "line loop", 3: "line strip"}
"""Modes of primitives that are no surfaces, as messages call them."""
_MOVES = {"matrix", "rotation", "scale", "translation"}
"""What gives a node a place of its own."""


class Scene:
    """The default scene of a document; the first, where none is named; all nodes, where there is no scene.

    Args:
        document: the file.

    Raises:
        MeshError: nodes are no tree, a transform is none, or nothing of triangles is shown.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.left_out: list[str] = []
        self._known: dict[int, np.ndarray] = {}  # where nodes are, by number
        self._skins: dict[int, np.ndarray] = {}
        self.shown: list[Shown] = []
        self.nodes: list[dict] = []  # that show them, one for each
        first: set[tuple] = set()
        vertices = triangles = 0
        for node, place in self._placed():
            for shown in self._primitives(node, place):
                triangles += shown.triangles(document)
                if shown.key not in first:
                    first.add(shown.key)
                    vertices += shown.count(document)
                self._require_earned(vertices, triangles)
                self.shown.append(shown)
                self.nodes.append(node)
                if len(self.shown) > PRIMITIVE_LIMIT:
                    raise MeshError(f"more than {PRIMITIVE_LIMIT} primitives; join them")
        if not self.shown:
            others = len(document.tree.get("scenes", [])) - 1
            more = f"; make the one with the face the default, of {others + 1} scenes" if others > 0 else ""
            found = f"expected triangles, found {self.left_out[0]}" if self.left_out else ""
            raise MeshError((found or "the default scene shows no mesh") + more)

    def _require_earned(self, vertices: int, triangles: int) -> None:
        """Refuse to build what the file's bytes do not justify: a mesh may be shown, or named, any number of times."""
        if max(vertices, triangles) <= FREE_ELEMENTS:
            return
        most = self.document.most_elements
        if max(vertices, triangles) > most:
            what = "vertices" if vertices > most else "triangles"
            raise MeshError(f"more than {most:,} {what}, which is what a file of this size may show; decimate it")

    def _roots(self) -> list:
        tree = self.document.tree
        if "scene" in tree or tree.get("scenes"):
            return self.document.item("scenes", tree.get("scene", 0)).get("nodes", [])
        nodes = tree.get("nodes", [])
        children = {child for node in nodes for child in node.get("children", [])}
        return [index for index in range(len(nodes)) if index not in children]

    def _placed(self) -> Iterator[tuple[dict, np.ndarray]]:
        """Nodes with a mesh that are not hidden, depth first in the file's order, with their (4, 4) transforms."""
        waiting = [(index, np.eye(4), True) for index in reversed(self._roots())]
        seen: set[int] = set()
        while waiting:
            index, parent, visible = waiting.pop()
            node = self.document.item("nodes", index)
            if index in seen:
                raise MeshError(f"node {index} is reached twice; a scene must be a tree")
            seen.add(index)
            visible = visible and _visible(node)
            transform = parent @ _local(node) if _MOVES & node.keys() else parent
            if "mesh" in node and visible:
                yield node, transform
            elif "mesh" in node:
                self.left_out.append(f"the hidden node {str(node.get('name', index))[:40]!a}")
            waiting += [(child, transform, visible) for child in reversed(node.get("children", []))]

    def _primitives(self, node: dict, place: np.ndarray) -> Iterator[Shown]:
        mesh = self.document.item("meshes", node["mesh"])
        weights = tuple(float(weight) for weight in node.get("weights", mesh.get("weights", ())))
        if not np.isfinite(weights).all():
            raise MeshError("a weight of a morph target is not finite")
        skin = self._skin(node["skin"]) if "skin" in node else None
        for primitive in mesh["primitives"]:
            mode = whole(primitive, "mode", TRIANGLES)
            if mode not in (TRIANGLES, STRIP, FAN):
                self.left_out.append(f"a primitive of {_MODES.get(mode, f'mode {mode}')}")
                continue
            hangs = skin is not None and any(name.startswith("JOINTS_") for name in primitive["attributes"])
            if hangs:
                yield Shown(primitive, np.eye(4), skin, node["skin"], weights)
            else:
                yield Shown(primitive, place, None, -1, weights)

    def _skin(self, index: Any) -> np.ndarray:
        """(J, 4, 4): where each joint is, times the inverse of where it was when the mesh was bound to it."""
        skin = self.document.item("skins", index)
        if index in self._skins:
            return self._skins[index]
        joints = [self._everywhere(joint) for joint in skin.get("joints", [])]
        if not joints:
            raise MeshError("a skin has no joints")
        bound = np.broadcast_to(np.eye(4), (len(joints), 4, 4))
        if "inverseBindMatrices" in skin:
            columns = self.document.accessor(skin["inverseBindMatrices"], 16).astype(np.float64)
            if len(columns) < len(joints) or not np.isfinite(columns).all():
                raise MeshError(f"expected {len(joints)} finite inverse bind matrices, found {len(columns)}")
            bound = columns[: len(joints)].reshape(-1, 4, 4).transpose(0, 2, 1)
        self._skins[index] = np.array(joints) @ bound
        return self._skins[index]

    def _everywhere(self, index: Any) -> np.ndarray:
        """(4, 4) of any node, in its scene or not."""
        chain = []
        while index is not None and index not in self._known:
            if len(chain) > len(self._parents):
                raise MeshError("nodes go round in a circle; a scene must be a tree")
            chain.append(index)
            index = self._parents.get(index)
        matrix = np.eye(4) if index is None else self._known[index]
        for each in reversed(chain):
            matrix = self._known[each] = matrix @ _local(self.document.item("nodes", each))
        return matrix

    @cached_property
    def _parents(self) -> dict[int, int]:
        nodes = self.document.tree.get("nodes", [])
        return {child: parent for parent, node in enumerate(nodes) for child in node.get("children", [])}


def _visible(node: dict) -> bool:
    """Whether a node shows itself and what hangs on it (KHR_node_visibility)."""
    return node.get("extensions", {}).get("KHR_node_visibility", {}).get("visible", True) is not False


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

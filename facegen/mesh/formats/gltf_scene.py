"""What a glTF scene shows: its primitives of triangles, where nodes, skins and morph weights put them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.gltf_document import FREE_ELEMENTS, Document, whole
from facegen.mesh.formats.gltf_nodes import placed
from facegen.mesh.formats.gltf_primitive import FAN, STRIP, TRIANGLES, Shown
from facegen.mesh.formats.raw import in_64_bits

PRIMITIVE_LIMIT = 100_000
"""Primitives that a scene shows at most. Chosen: characters have some hundred; nodes may show a mesh many times."""
_MODES = {0: "points", 1: "lines", 2: "line loop", 3: "line strip"}
"""Modes of primitives that are no surfaces, as messages call them."""


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
        waiting = [(index, -1, True) for index in reversed(self._roots())]
        seen: set[int] = set()
        nodes, parents, shown = [], [], []
        while waiting:
            index, parent, visible = waiting.pop()
            node = self.document.item("nodes", index)
            if index in seen:
                raise MeshError(f"node {index} is reached twice; a scene must be a tree")
            seen.add(index)
            visible = visible and _visible(node)
            if "mesh" in node and not visible:
                self.left_out.append(f"the hidden node {str(node.get('name', index))[:40]!a}")
            waiting += [(child, len(nodes), visible) for child in reversed(node.get("children", ()))]
            nodes.append(node)
            parents.append(parent)
            shown.append(visible and "mesh" in node)
        places = placed(nodes, parents)
        for node, place, visible in zip(nodes, places, shown, strict=True):
            if visible:
                yield node, place

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
        joints = self._everywhere(skin.get("joints", []))
        if not len(joints):
            raise MeshError("a skin has no joints")
        bound = np.broadcast_to(np.eye(4), (len(joints), 4, 4))
        if "inverseBindMatrices" in skin:
            columns = in_64_bits(self.document.accessor(skin["inverseBindMatrices"], 16))
            if len(columns) < len(joints) or not np.isfinite(columns).all():
                raise MeshError(f"expected {len(joints)} finite inverse bind matrices, found {len(columns)}")
            bound = columns[: len(joints)].reshape(-1, 4, 4).transpose(0, 2, 1)
        with np.errstate(all="ignore"):  # by where its vertices come to lie it is refused
            self._skins[index] = joints @ bound
        return self._skins[index]

    def _everywhere(self, joints: list) -> np.ndarray:
        """(J, 4, 4) of any nodes, in its scene or not."""
        rows: dict[int, int] = {}  # of nodes, each behind the one that it hangs on
        for joint in joints:
            chain, index = [], joint
            while index is not None and index not in rows:
                if len(chain) > len(self._parents):
                    raise MeshError("nodes go round in a circle; a scene must be a tree")
                chain.append(index)
                index = self._parents.get(index)
            for each in reversed(chain):
                rows[each] = len(rows)
        nodes = [self.document.item("nodes", each) for each in rows]
        places = placed(nodes, [rows.get(self._parents.get(each, -1), -1) for each in rows])
        return np.array([places[rows[joint]] for joint in joints])

    @cached_property
    def _parents(self) -> dict[int, int]:
        nodes = self.document.tree.get("nodes", [])
        return {child: parent for parent, node in enumerate(nodes) for child in node.get("children", [])}


def scene_of(document: Document) -> Scene:
    """The scene of a document, worked out once however many read it; whoever changes the document makes a new one.

    Raises:
        MeshError: see `Scene`.
    """
    if document.scene is None:
        document.scene = Scene(document)
    return document.scene


def _visible(node: dict) -> bool:
    """Whether a node shows itself and what hangs on it (KHR_node_visibility)."""
    return node.get("extensions", {}).get("KHR_node_visibility", {}).get("visible", True) is not False

"""What a glTF scene shows: its primitives of triangles, where nodes, skins and morph weights put them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.gltf_document import Document, whole
from facegen.mesh.formats.raw import strip_faces

_TRIANGLES, _STRIP, _FAN = 4, 5, 6
"""Modes of primitives that are surfaces (glTF 2.0, section 3.7.2.1)."""
PRIMITIVE_LIMIT = 100_000
"""Primitives that a scene shows at most. Chosen: characters have some hundred; nodes may show a mesh many times."""
MORPHED_LIMIT = 1 << 28
"""Vertices times morph targets of a weight that are added up at most. Chosen: ICT's head has 1 million of them."""
JOINT_SETS = 8
"""Sets of four joints that a vertex hangs on at most. Chosen: files have one or two."""
_MODES = {0: "points", 1: "lines", 2: "line loop", 3: "line strip"}
"""Modes of primitives that are none, as messages call them."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A primitive where the scene shows it.

    Args:
        primitive: its description.
        place: (4, 4) of its node; the identity where a skin places it, since the node then does not count.
        skin: (J, 4, 4) what each joint does to a vertex, or None.
        skinned_by: the number of that skin; -1 where there is none.
        weights: of the morph targets, as the file opens.
    """

    primitive: dict
    place: np.ndarray
    skin: np.ndarray | None
    skinned_by: int
    weights: tuple[float, ...]

    @property
    def key(self) -> tuple:
        """Alike for primitives that share their vertices."""
        attributes = self.primitive["attributes"]
        moved = [target.get("POSITION") for target in self.primitive.get("targets", [])] if any(self.weights) else []
        place = (self.skinned_by, *_skinning(attributes)) if self.skin is not None else (self.place.tobytes(),)
        return attributes.get("POSITION"), self.weights, *moved, *place

    @property
    def mirrored(self) -> bool:
        """Whether its place turns the faces inside out (glTF 2.0, section 3.7.4)."""
        if self.skin is not None:
            return bool(np.median(np.linalg.det(self.skin[:, :3, :3])) < 0)
        return bool(np.linalg.det(self.place[:3, :3]) < 0)

    def count(self, document: Document) -> int:
        """How many vertices it says that it has."""
        return whole(document.item("accessors", self.primitive["attributes"].get("POSITION")), "count")

    def vertices(self, document: Document) -> np.ndarray:
        """(V, 3) metres, in the scene; NaN of the file passes, as in the other readers."""
        attributes = self.primitive["attributes"]
        points = document.accessor(attributes.get("POSITION"), 3).astype(np.float64)
        if np.count_nonzero(self.weights) * len(points) > MORPHED_LIMIT:
            raise MeshError(f"{np.count_nonzero(self.weights)} morph targets of {len(points)} vertices are in use")
        with np.errstate(all="ignore"):
            for weight, target in zip(self.weights, self.primitive.get("targets", []), strict=False):
                if weight and "POSITION" in target:
                    moved = document.accessor(target["POSITION"], 3, zeros=True)
                    if moved.shape != points.shape:
                        raise MeshError(f"a morph target has {len(moved)} vertices, of {len(points)}")
                    points = points + weight * moved
            if self.skin is not None:
                return self._skinned(document, points)
            return points @ self.place[:3, :3].T + self.place[:3, 3]

    def _skinned(self, document: Document, points: np.ndarray) -> np.ndarray:
        """Each point moved by its joints; by none, where it has no weight."""
        assert self.skin is not None
        moved, total = np.zeros_like(points), np.zeros(len(points))
        sets = [pair for pair in _skinning(self.primitive["attributes"]) if pair[0].startswith("JOINTS")]
        if len(sets) > JOINT_SETS:
            raise MeshError(f"vertices hang on {4 * len(sets)} joints each; up to {4 * JOINT_SETS} are read")
        for name, index in sets:
            if f"WEIGHTS{name[6:]}" not in self.primitive["attributes"]:
                raise MeshError(f"a primitive has {name} and no WEIGHTS{name[6:]}; export it with both")
            joints = document.accessor(index, 4)
            weights = document.accessor(self.primitive["attributes"].get(f"WEIGHTS{name[6:]}"), 4).astype(np.float64)
            if len(joints) != len(points) or len(weights) != len(points):
                raise MeshError(f"expected joints and weights of {len(points)} vertices, found {len(joints)} of them")
            if joints.size and joints.max() >= len(self.skin):
                raise MeshError(f"a vertex hangs on joint {joints.max()}, of {len(self.skin)}")
            for joint, weight in zip(joints.astype(np.int64).T, weights.T, strict=True):
                placed = np.einsum("vrc,vc->vr", self.skin[joint, :3, :3], points) + self.skin[joint, :3, 3]
                moved += weight[:, None] * placed
                total += weight
        hangs = total > 0
        return np.where(hangs[:, None], moved / np.where(hangs, total, 1)[:, None], points)

    def faces(self, document: Document) -> np.ndarray:
        """(F, 3) triangles over its vertices, counter-clockwise from outside."""
        count = self.count(document)
        mode = whole(self.primitive, "mode", _TRIANGLES)
        if "indices" not in self.primitive:
            order = np.arange(count)
        else:
            order = document.accessor(self.primitive["indices"], 1)[:, 0]
            if order.dtype.kind != "u":
                raise MeshError("expected unsigned indices of the vertices")
            if len(order) and order.max() >= count:
                raise MeshError(f"face {int(order.argmax()) // 3} of a primitive uses vertex {order.max()}, of {count}")
        own = _triangles(order.astype(np.int64), mode)
        return own[:, ::-1] if self.mirrored else own


def _skinning(attributes: dict) -> list[tuple[str, Any]]:
    return sorted((name, index) for name, index in attributes.items() if name.startswith(("JOINTS_", "WEIGHTS_")))


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
        for node, place in self._placed():
            for shown in self._primitives(node, place):
                self.shown.append(shown)
                if len(self.shown) > PRIMITIVE_LIMIT:
                    raise MeshError(f"more than {PRIMITIVE_LIMIT} primitives; join them")
        if not self.shown:
            raise MeshError(
                f"expected triangles, found {self.left_out[0]}" if self.left_out else "the default scene shows no mesh"
            )

    def _roots(self) -> list:
        tree = self.document.tree
        if "scene" in tree or tree.get("scenes"):
            return self.document.item("scenes", tree.get("scene", 0)).get("nodes", [])
        nodes = tree.get("nodes", [])
        children = {child for node in nodes for child in node.get("children", [])}
        return [index for index in range(len(nodes)) if index not in children]

    def _placed(self) -> Iterator[tuple[dict, np.ndarray]]:
        """Nodes with a mesh, depth first in the file's order, with their (4, 4) transforms."""
        waiting = [(index, np.eye(4)) for index in reversed(self._roots())]
        seen: set[int] = set()
        while waiting:
            index, parent = waiting.pop()
            node = self.document.item("nodes", index)
            if index in seen:
                raise MeshError(f"node {index} is reached twice; a scene must be a tree")
            seen.add(index)
            transform = parent @ _local(node)
            if "mesh" in node:
                yield node, transform
            waiting += [(child, transform) for child in reversed(node.get("children", []))]

    def _primitives(self, node: dict, place: np.ndarray) -> Iterator[Shown]:
        mesh = self.document.item("meshes", node["mesh"])
        weights = tuple(float(weight) for weight in node.get("weights", mesh.get("weights", ())))
        if not np.isfinite(weights).all():
            raise MeshError("a weight of a morph target is not finite")
        skin = self._skin(node["skin"]) if "skin" in node else None
        for primitive in mesh["primitives"]:
            mode = whole(primitive, "mode", _TRIANGLES)
            if mode not in (_TRIANGLES, _STRIP, _FAN):
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

"""A glTF primitive of triangles where its scene shows it, moved by its node, skin and morph weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.gltf_document import Document, whole
from facegen.mesh.formats.raw import strip_faces

TRIANGLES, STRIP, FAN = 4, 5, 6
"""Modes of primitives that are surfaces (glTF 2.0, section 3.7.2.1)."""
MORPHED_LIMIT = 1 << 28
"""Vertices times morph targets of a weight that are added up at most. Chosen: ICT's head has 1 million of them."""
JOINT_SETS = 8
"""Sets of four joints that a vertex hangs on at most. Chosen: files have one or two."""
LEAST_WEIGHT, LARGEST_WEIGHT = -0.01, 1000.0
"""Of a joint. The standard has 0 to 1 with a sum of 1; chosen: rounding may go below 0, and weights are normalised as
they are read, so that percents and bytes may pass."""


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
        places = self.place[None] if self.skin is None else self.skin
        with np.errstate(all="ignore"):  # what lies anywhere is refused by its vertices
            return bool(np.median(np.linalg.slogdet(places[:, :3, :3])[0]) < 0)

    def count(self, document: Document) -> int:
        """How many vertices it says that it has."""
        return whole(document.item("accessors", self.primitive["attributes"].get("POSITION")), "count")

    def triangles(self, document: Document) -> int:
        """How many triangles it says that it has."""
        primitive = self.primitive
        corners = self.count(document)
        if "indices" in primitive:
            corners = whole(document.item("accessors", primitive["indices"]), "count")
        return corners // 3 if whole(primitive, "mode", TRIANGLES) == TRIANGLES else max(corners - 2, 0)

    def vertices(self, document: Document) -> np.ndarray:
        """(V, 3) metres, in the scene; NaN of the file passes, as in the other readers."""
        attributes = self.primitive["attributes"]
        with np.errstate(all="ignore"):
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
            return self.placed(document, points)

    def placed(self, document: Document, points: np.ndarray) -> np.ndarray:
        """(V, 3) of the primitive's own space, a row for each of its vertices, where its node or its skin puts them."""
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
            if joints.dtype.kind != "u":  # one below 0 would count from the last
                raise MeshError(f"expected unsigned numbers of joints in {name}, found others; export it anew")
            if joints.size and joints.max() >= len(self.skin):
                raise MeshError(f"a vertex hangs on joint {joints.max()}, of {len(self.skin)}")
            _require_weights(weights)
            for joint, weight in zip(joints.astype(np.int64).T, weights.T, strict=True):
                placed = np.einsum("vrc,vc->vr", self.skin[joint, :3, :3], points) + self.skin[joint, :3, 3]
                moved += weight[:, None] * placed
                total += weight
        hangs = total > 0
        return np.where(hangs[:, None], moved / np.where(hangs, total, 1)[:, None], points)

    def faces(self, document: Document) -> np.ndarray:
        """(F, 3) triangles over its vertices, counter-clockwise from outside."""
        count = self.count(document)
        mode = whole(self.primitive, "mode", TRIANGLES)
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


def _require_weights(weights: np.ndarray) -> None:
    """Refuse weights (V, 4) of joints that are no numbers, or far from the standard's 0 to 1."""
    bad = np.flatnonzero(~((weights >= LEAST_WEIGHT) & (weights <= LARGEST_WEIGHT)).all(axis=1))
    if len(bad):
        shown = ", ".join(f"{weight:g}" for weight in weights[bad[0]])
        raise MeshError(
            f"expected weights of joints from 0 to 1, found {shown} at vertex {bad[0]} of a primitive ({len(bad)} of "
            f"{len(weights)} have such); export it with normalised weights"
        )


def _skinning(attributes: dict) -> list[tuple[str, Any]]:
    return sorted((name, index) for name, index in attributes.items() if name.startswith(("JOINTS_", "WEIGHTS_")))


def _triangles(order: np.ndarray, mode: int) -> np.ndarray:
    """(F, 3) corners of a primitive whose vertices come in this order, (N,)."""
    if mode == TRIANGLES:
        if len(order) % 3:
            raise MeshError(f"expected triangles, three indices each, found {len(order)} indices")
        return order.reshape(-1, 3)
    if len(order) < 3:
        raise MeshError(f"expected three indices or more in a strip or fan, found {len(order)}")
    if mode == FAN:
        return np.stack([np.broadcast_to(order[:1], len(order) - 2), order[1:-1], order[2:]], axis=1)
    return strip_faces(order)

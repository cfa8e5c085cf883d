"""Primitives of an asset in the drawn mesh, and how what is drawn goes back into each one's own space."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from facegen.mesh.formats.gltf_document import Document
from facegen.mesh.formats.gltf_primitive import Shown

MILLIMETRES = 1000.0
"""Millimetres, in which facegen thinks, in a metre, glTF's unit."""
FLAT = 1e-9
"""Determinant of a map, as a share of the cube of its length, below which it has pressed space flat, and there is no
way back. Chosen far above rounding, 1e-15, and far below any scale that a modeller gives an axis."""


@dataclass(frozen=True, eq=False)
class Part:
    """A primitive where a node shows it.

    Args:
        node: number of the node.
        primitive: its description, in the document's tree.
        first, count: its rows of the drawn mesh.
        linear: (3, 3), or (count, 3, 3) where a skin has it: from displacements of its own space to drawn ones.
        inverse: the same, back; zero where the way there is `flat`.
        flat: how many vertices are pressed flat by their node or joints, so that they cannot be moved.
    """

    node: int
    primitive: dict
    first: int
    count: int
    linear: np.ndarray
    inverse: np.ndarray
    flat: int

    @property
    def rows(self) -> slice:
        """Its vertices in the drawn mesh."""
        return slice(self.first, self.first + self.count)

    def positions(self, moved: np.ndarray) -> np.ndarray:
        """What a target of its own space holds for displacements (V, 3), mm, of the drawn mesh: (count, 3) float32."""
        return _applied(self.inverse, moved[self.rows] / MILLIMETRES)

    def normals(self, turned: np.ndarray) -> np.ndarray:
        r"""The same for what is added to unit normals (V, 3) of the drawn mesh: (count, 3) float32.

        Normals are drawn by the inverse transpose of the map and made unit, so they come back by the transpose; its
        length is taken out, for which the cube root of the determinant stands: exact where all axes have one scale.
        """
        return _applied(self._normal_map, turned[self.rows])

    @cached_property
    def _normal_map(self) -> np.ndarray:
        """See `normals`; zero where the way there is flat."""
        size = np.cbrt(np.abs(np.linalg.det(self.linear)))[..., None, None]
        there = self.inverse.any(axis=(-2, -1), keepdims=True)
        back = np.zeros_like(self.linear)
        return np.divide(np.swapaxes(self.linear, -1, -2), size, out=back, where=there & (size > 0))


def part_of(document: Document, shown: Shown, node: int, first: int) -> Part:
    """A primitive that a scene shows, by node number `node`, from row `first` of the drawn mesh on."""
    count = shown.count(document)
    if shown.skin is None:
        linear = shown.place[:3, :3].copy()
    else:
        still = np.zeros((count, 3))
        origin = shown.placed(document, still)
        linear = np.stack([shown.placed(document, still + axis) - origin for axis in np.eye(3)], axis=-1)
    length = np.linalg.norm(linear, axis=(-2, -1))
    flat = ~(np.abs(np.linalg.det(linear)) > FLAT * length**3)
    safe = np.where(flat[..., None, None], np.eye(3), linear)
    inverse = np.where(flat[..., None, None], 0.0, np.linalg.inv(safe))
    lost = int(flat.sum()) if shown.skin is not None else count * int(flat)
    return Part(node, shown.primitive, first, count, linear, inverse, lost)


def _applied(linear: np.ndarray, rows: np.ndarray) -> np.ndarray:
    moved = rows @ linear.T if linear.ndim == 2 else np.einsum("vrc,vc->vr", linear, rows)
    return np.ascontiguousarray(moved, dtype=np.float32)

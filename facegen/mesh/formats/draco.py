"""A mesh that Draco compressed: what its head claims, and what comes out."""

from __future__ import annotations

from typing import Any

import numpy as np

from facegen.errors import MeshError

MAGIC = b"DRACO"
"""How Draco's data begin."""
VERSION = (2, 2)
"""The version of the bitstream that glTF's extension names."""
MESH, SEQUENTIAL, EDGEBREAKER = 1, 0, 1
"""The kind of geometry, and the two methods for triangles (Draco's bitstream specification, "Header")."""
METADATA = 0x8000
"""The flag that says that metadata come before the triangles."""


class Draco:
    """What Draco made of one primitive; nothing is unpacked before `open`.

    Args:
        data: as `KHR_draco_mesh_compression` has it.

    Raises:
        MeshError: these are no triangles in the bitstream that the extension names.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.faces = _claimed_faces(data)
        self.corners = np.zeros(0, np.uint32)
        self._attributes: dict[Any, np.ndarray] = {}

    def open(self, package: Any) -> None:
        """Unpack.

        Args:
            package: the module `DracoPy`.

        Raises:
            MeshError: the data are damaged.
        """
        try:
            mesh = package.decode(self.data)
            faces = np.asarray(mesh.faces, dtype=np.int64).reshape(-1, 3)
            attributes = {entry["unique_id"]: np.asarray(entry["data"]) for entry in mesh.attributes}
        except (package.FileTypeException, AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise MeshError("what Draco compressed is damaged, and does not unpack") from error
        if len(faces) != self.faces or faces.max(initial=-1) >= min(map(len, attributes.values()), default=0):
            raise MeshError(f"expected {self.faces} triangles in what Draco compressed, found {len(faces)} or others")
        self.corners, self._attributes = faces.ravel(), attributes

    @property
    def points(self) -> int:
        """How many vertices came out."""
        return max(map(len, self._attributes.values()), default=0)

    def attribute(self, number: Any) -> np.ndarray:
        """(V, C) the attribute of this number; empty where there is none."""
        found = self._attributes.get(number) if type(number) is int else None
        if found is None:
            return np.zeros((0, 0), np.float32)
        return found.reshape(len(found), -1)


def _claimed_faces(data: bytes) -> int:
    """The triangles that the head of the data says there are.

    Source: Draco's bitstream specification, "Header" and "Connectivity data".
    """
    if data[:5] != MAGIC or len(data) < 12:
        raise MeshError(f"expected what Draco compressed, which begins with {MAGIC!r}, found {data[:8]!r}")
    version, kind, method = (data[5], data[6]), data[7], data[8]
    if version != VERSION or kind != MESH or method not in (SEQUENTIAL, EDGEBREAKER):
        raise MeshError(
            f"expected triangles in Draco's bitstream 2.2, found kind {kind}, method {method} of {version[0]}."
            f"{version[1]}; export it anew"
        )
    if int.from_bytes(data[9:11], "little") & METADATA:
        raise MeshError("metadata in what Draco compressed are not read; export it without")
    at = 11
    if method == EDGEBREAKER:
        _, at = _varint(data, at + 1)  # behind the kind of traversal: vertices
    return _varint(data, at)[0]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A whole number in groups of seven bits, the lowest first, and where it ends."""
    value = shift = 0
    while at < len(data) and shift < 35:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at
    raise MeshError("what Draco compressed ends in its head; the file is cut short")

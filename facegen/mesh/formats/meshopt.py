"""A buffer view that meshopt packed: what its description claims, and what comes out."""

from __future__ import annotations

from typing import Any

from facegen.errors import MeshError
from facegen.mesh.formats.gltf_document import ELEMENT_LIMIT, Document, whole

MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
"""Extensions that pack a buffer view, the second the one that Khronos made of the first."""
STRIDES = {"ATTRIBUTES": tuple(range(4, 257, 4)), "TRIANGLES": (2, 4), "INDICES": (2, 4)}
"""Bytes that an element may have in each mode (EXT_meshopt_compression)."""
FILTERS = {"NONE": None, "OCTAHEDRAL": (4, 8), "QUATERNION": (8,), "EXPONENTIAL": None, "COLOR": (4, 8)}
"""Those that each filter is for; None for all."""


class Meshopt:
    """One packed view; nothing is unpacked before `open`.

    Args:
        document: the file.
        view: the buffer view.
        name: of the extension that packs it, one of `MESHOPT`.

    Raises:
        MeshError: its description is not as the extension has it.
    """

    def __init__(self, document: Document, view: dict, name: str) -> None:
        said = view["extensions"][name]
        self.name = name
        self.data = document.range(said.get("buffer"), whole(said, "byteOffset", 0), whole(said, "byteLength"))
        self.count, self.stride = whole(said, "count"), whole(said, "byteStride")
        self.mode, self.filter = str(said.get("mode")), str(said.get("filter", "NONE"))
        strides = STRIDES.get(self.mode, ())
        if (
            self.filter not in FILTERS
            or self.stride not in strides
            or self.stride not in (FILTERS[self.filter] or strides)
        ):
            raise MeshError(
                f"{name} has no mode {self.mode[:20]!r} with filter {self.filter[:20]!r} and stride {self.stride}"
            )
        if not 0 < self.count <= 3 * ELEMENT_LIMIT or whole(view, "byteLength") > self.size:
            raise MeshError(f"{name} packs {self.size} bytes, and its view says {view['byteLength']}; it is damaged")

    @property
    def size(self) -> int:
        """Bytes that it unpacks to."""
        return self.count * self.stride

    def open(self, package: Any) -> bytes:
        """Unpack.

        Args:
            package: the module `meshopt`.

        Raises:
            MeshError: the data are damaged.
        """
        rule = None if self.filter == "NONE" else self.filter
        try:
            return package.decode_gltf_buffer(self.data, self.count, self.stride, self.mode, rule).tobytes()
        except ValueError as error:
            raise MeshError(f"what {self.name} packed is damaged, and does not unpack") from error

"""The numbers of a glTF: one buffer, the views into it, and the accessors that say what stands there."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

FLOAT, UINT16, UINT32 = 5126, 5123, 5125
"""glTF's types of numbers, `componentType` (glTF 2.0, section 3.6.2.2)."""
VERTEX_DATA, INDEX_DATA = 34962, 34963
"""What a buffer view is for, `target` (glTF 2.0, section 5.11.5)."""
SPARSE_JSON = 260
"""Bytes that the two views of a sparse accessor take in the description, counted in one; some tens more or less."""


class Buffer:
    """The numbers, written to a file as they come, with the views and accessors into it.

    Args:
        file: takes the numbers.
        views, accessors: those that a document has already; new ones come behind them.
        length: bytes that the first buffer of such a document has already, a multiple of four.
    """

    def __init__(
        self,
        file: BinaryIO,
        views: list[dict] | None = None,
        accessors: list[dict] | None = None,
        length: int = 0,
    ) -> None:
        self.file = file
        self.views: list[dict] = [] if views is None else views
        self.accessors: list[dict] = [] if accessors is None else accessors
        self.length = length
        self.zeros: dict[int, int] = {}

    def add(
        self, array: np.ndarray, kind: str, component: int, *, target: int | None = None, bounds: bool = False
    ) -> int:
        """Append `array` and give back its accessor's index."""
        accessor = {"bufferView": self.append(array.tobytes(), target), "componentType": component}
        return self._accessor(accessor | {"count": len(array), "type": kind} | (_bounds(array) if bounds else {}))

    def add_displacements(self, array: np.ndarray, *, bounds: bool = False) -> int:
        """Append (V, 3) float32 that may be zero in many rows, in the form that takes least room.

        Rows that are not zero and their numbers, where that is smaller (a sparse accessor). Of zeros alone nothing is
        written: an accessor without a view is zero, and all of one length and kind are the same accessor. three.js
        0.187, Blender 5.0 and Khronos' validator 2.0.0-dev.3.10 read both forms.
        """
        count = len(array)
        rows = np.flatnonzero(array.any(axis=1))
        accessor = {"componentType": FLOAT, "count": count, "type": "VEC3"} | (_bounds(array) if bounds else {})
        if not len(rows):
            return self.zero_displacements(count)
        small = count <= 65535
        if len(rows) * (12 + (2 if small else 4)) + SPARSE_JSON >= 12 * count:
            return self.add(array, "VEC3", FLOAT, target=VERTEX_DATA, bounds=bounds)
        indices = {
            "bufferView": self.append(rows.astype(np.uint16 if small else np.uint32).tobytes()),
            "componentType": UINT16 if small else UINT32,
        }
        values = {"bufferView": self.append(array[rows].tobytes())}
        return self._accessor(accessor | {"sparse": {"count": len(rows), "indices": indices, "values": values}})

    def zero_displacements(self, count: int) -> int:
        """The accessor of (count, 3) zeros; see `add_displacements`."""
        if count not in self.zeros:
            nothing = {"min": [0.0, 0.0, 0.0], "max": [0.0, 0.0, 0.0]}
            self.zeros[count] = self._accessor({"componentType": FLOAT, "count": count, "type": "VEC3"} | nothing)
        return self.zeros[count]

    def append(self, data: bytes, target: int | None = None) -> int:
        """Append bytes and give back their view's index."""
        view = {"buffer": 0, "byteOffset": self.length, "byteLength": len(data)}
        self.views.append(view if target is None else view | {"target": target})
        self.length += self.file.write(data) + self.file.write(bytes(-len(data) % 4))
        return len(self.views) - 1

    def _accessor(self, accessor: dict) -> int:
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def _bounds(array: np.ndarray) -> dict:
    rows = array.reshape(len(array), -1)
    return {"min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist()}

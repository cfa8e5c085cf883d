"""glTF documents that are packed: `EXT_meshopt_compression`, `KHR_meshopt_compression`, `KHR_draco_mesh_compression`.

A packed document is unpacked as a whole when it is opened: what comes out has the same meshes, nodes and accessors by
the same numbers, in one plain buffer, and no packing in it. So nothing else has to know of it.
"""

from __future__ import annotations

import copy
import importlib.util
import math
from typing import Any

import numpy as np

from facegen.errors import FacegenError, MeshError
from facegen.mesh.formats.draco import Draco
from facegen.mesh.formats.gltf_document import LARGEST_BUFFER, NUMBER_TYPES, WIDTHS, Document, whole
from facegen.mesh.formats.meshopt import MESHOPT, Meshopt
from facegen.optional import require

DRACO = "KHR_draco_mesh_compression"
"""The extension that packs the triangles and vertices of a primitive."""
UNPACKED_PER_BYTE = 128
"""Bytes that a packed byte may unpack to, over a whole file. Chosen: avatars have 2 to 20, and what is all zeros up to
500, so that without a bound a small file would fill any memory."""
UNPACKED_FREELY = 1 << 22
"""Bytes that any file may unpack to beside these. Chosen: a small file of flat parts is no attack."""
FACE_BYTES = 16
"""Bytes that a triangle counts for before it is unpacked. Chosen: Draco says first how many there are, and an avatar's
vertices, half as many, have some 30 bytes each."""
ALIGNED = 8
"""Bytes to which the parts of the new buffer are aligned. Chosen: numbers have up to 4."""


def packings(tree: Any) -> tuple[str, ...]:
    """The extensions that a document says to be packed with."""
    used = [*tree.get("extensionsUsed", []), *tree.get("extensionsRequired", [])]
    return tuple(name for name in (*MESHOPT, DRACO) if name in used)


def unpacked(document: Document) -> Document:
    """The same document in plain numbers, or the document itself where nothing in it is packed.

    What also lies there plainly, as a fallback, is taken where no package is installed. The bounds of accessors become
    those of the numbers that came out, which lossy packing has moved.

    Raises:
        MeshError: a package that unpacks is not installed; what is packed is damaged; or it unpacks to far more than
            its size lets expect.
    """
    names = packings(document.tree)
    return _Unpacking(document, names).result() if names else document


class _Unpacking:
    """The work on one document."""

    def __init__(self, document: Document, names: tuple[str, ...]) -> None:
        self.source, self.names = document, names
        self.tree = copy.deepcopy(document.tree)
        self.parts: list[bytes | memoryview] = []  # of the new buffer
        self.length = 0
        self.changed: set[int] = set()  # accessors that have other numbers than before
        self.spent = 0

    def result(self) -> Document:
        """The unpacked document."""
        views = self.tree.get("bufferViews", [])
        plain, packed = [], []
        for index, view in enumerate(views):
            (packed if self._meshopt(view) is not None else plain).append(index)
        primitives = [each for mesh in self.tree.get("meshes", []) for each in mesh["primitives"]]
        draco = [each for each in primitives if DRACO in each.get("extensions", {}) and self._lacks_data(each)]
        spent = {each["extensions"][DRACO].get("bufferView") for each in draco}
        self._keep([index for index in plain if index not in spent])
        for index in packed:
            self._unpack_view(index)
        self._unpack_primitives(draco)
        for each in primitives:
            _drop(each, DRACO)
        for name in ("extensionsUsed", "extensionsRequired"):
            left = [each for each in self.tree.get(name, []) if each not in self.names]
            self.tree.pop(name, None)
            if left:
                self.tree[name] = left
        self.tree["buffers"] = [{"byteLength": self.length}]
        made = Document(self.tree, b"".join(self.parts), self.source.folder, unpacked_from=self.names)
        self._bound(made, set(packed))
        return made

    def _add(self, data: bytes | memoryview) -> int:
        """Where the data begin in the new buffer."""
        padding = -self.length % ALIGNED
        self.parts += [bytes(padding), data]
        begin = self.length + padding
        self.length = begin + len(data)
        return begin

    def _spend(self, unpacks_to: int) -> None:
        """Count what is about to be unpacked.

        Raises:
            MeshError: it is more than the file's size warrants.
        """
        self.spent += unpacks_to
        read = self.source.size()
        allowed = min(UNPACKED_FREELY + UNPACKED_PER_BYTE * read, LARGEST_BUFFER)
        if self.spent > allowed:
            raise MeshError(
                f"it unpacks to {self.spent >> 20} MB or more, and {allowed >> 20} MB are read of a file of this size; "
                "export it without compression"
            )

    # Plain views

    def _keep(self, indices: list[int]) -> None:
        """Copy what plain views hold into the new buffer; what several of them hold, once."""
        ranges: dict[int, list[tuple[int, int, int]]] = {}
        for index in indices:
            view = self.tree["bufferViews"][index]
            for name in MESHOPT:
                _drop(view, name)
            begin = whole(view, "byteOffset", 0)
            length = len(self.source.buffer(view.get("buffer")))
            end = begin + whole(view, "byteLength")
            if end > length:
                raise MeshError(f"buffer view {index} ends at byte {end} of its buffer, which has {length}")
            ranges.setdefault(view["buffer"], []).append((begin, end, index))
        for buffer, found in ranges.items():
            data, found = self.source.buffer(buffer), sorted(found)
            while found:
                first, last = found[0][0], found[0][1]
                count = 0
                while count < len(found) and found[count][0] <= last:
                    last, count = max(last, found[count][1]), count + 1
                first -= first % ALIGNED
                shift = self._add(data[first:last]) - first
                for begin, _, index in found[:count]:
                    self.tree["bufferViews"][index] |= {"buffer": 0, "byteOffset": begin + shift}
                found = found[count:]

    # meshopt

    def _meshopt(self, view: dict) -> str | None:
        """The extension that packs a view; None where none does, or it lies there plainly and none is installed."""
        found = next((name for name in MESHOPT if name in view.get("extensions", {})), None)
        if found is None:
            return None
        buffer = self.source.item("buffers", view.get("buffer"))
        fallback = any(buffer.get("extensions", {}).get(name, {}).get("fallback") for name in MESHOPT)
        there = "uri" in buffer or (view["buffer"] == 0 and len(self.source.binary) > 0 and not fallback)
        return None if there and not _installed("meshopt") else found

    def _unpack_view(self, index: int) -> None:
        view = self.tree["bufferViews"][index]
        name = self._meshopt(view)
        assert name is not None
        packed = Meshopt(self.source, view, name)
        self._spend(packed.size)
        view |= {"buffer": 0, "byteOffset": self._add(packed.open(_package("meshopt", name)))}
        for each in MESHOPT:
            _drop(view, each)

    # Draco

    def _lacks_data(self, primitive: dict) -> bool:
        """Whether a primitive's numbers lie nowhere but in what Draco packed."""
        numbers = [primitive["attributes"].get(name) for name in primitive["extensions"][DRACO].get("attributes", {})]
        numbers.append(primitive.get("indices"))
        return any(
            "bufferView" not in self.source.item("accessors", number) for number in numbers if number is not None
        )

    def _unpack_primitives(self, primitives: list[dict]) -> None:
        known: dict[int, Draco] = {}
        for primitive in primitives:
            packed = primitive["extensions"][DRACO]
            view = packed.get("bufferView")
            if whole(primitive, "mode", 4) != 4:
                raise MeshError(f"expected triangles in what {DRACO} packed, found mode {primitive['mode']}")
            corners = self._accessor(primitive.get("indices"))
            if view not in known:
                known[view] = Draco(self.source.bytes_of(view))
                self._spend(FACE_BYTES * known[view].faces)
                known[view].open(_package("DracoPy", DRACO))
            draco = known[view]
            if whole(corners, "count") != 3 * draco.faces:
                raise MeshError(f"expected {corners['count']} corners of triangles, {DRACO} holds {3 * draco.faces}")
            small = corners.get("componentType") == 5123 and draco.points <= 1 << 16
            corners["componentType"] = 5123 if small else 5125
            self._fill(primitive["indices"], draco.corners.astype("<u2" if small else "<u4"), 34963)
            values = {name: self._attribute(primitive, name, draco) for name in packed.get("attributes", {})}
            _sum_to_one([values[name] for name in values if name.startswith("WEIGHTS_")])
            for name, found in values.items():
                self._fill(primitive["attributes"][name], found, 34962)
        for view in known:  # what was packed there is not needed any more
            begin = self._add(bytes(ALIGNED))
            kept = {key: value for key, value in self.tree["bufferViews"][view].items() if key in ("name", "extras")}
            self.tree["bufferViews"][view] = {"buffer": 0, "byteOffset": begin, "byteLength": ALIGNED, **kept}

    def _attribute(self, primitive: dict, name: str, draco: Draco) -> np.ndarray:
        """(V, C) one attribute of a primitive, as its accessor has the numbers."""
        accessor = self._accessor(primitive["attributes"].get(name))
        dtype = np.dtype(NUMBER_TYPES.get(accessor.get("componentType", -1), "V1"))
        found = draco.attribute(primitive["extensions"][DRACO]["attributes"][name])
        wanted = (whole(accessor, "count"), WIDTHS.get(accessor.get("type", ""), 0))
        if found.shape != wanted or (found.dtype.kind == "f") != (dtype.kind == "f"):
            raise MeshError(f"{name} is not packed as its accessor says; the file is damaged")
        return found.astype(dtype)

    def _accessor(self, index: Any) -> dict:
        self.source.item("accessors", index)
        return self.tree["accessors"][index]

    def _fill(self, index: int, values: np.ndarray, target: int) -> None:
        """Give an accessor its numbers, in a view of its own."""
        if index in self.changed:  # of another primitive, which shares them
            return
        self.changed.add(index)
        row = values.dtype.itemsize * (1 if values.ndim == 1 else values.shape[1])
        stride = row if target == 34963 else row + -row % 4  # rows of vertices begin at multiples of four
        held = np.zeros((len(values), stride), np.uint8)
        held[:, :row] = np.ascontiguousarray(values).reshape(len(values), -1).view(np.uint8)
        view = {"buffer": 0, "byteOffset": self._add(held.tobytes()), "byteLength": held.size, "target": target}
        if target == 34962:
            view["byteStride"] = stride
        self.tree["bufferViews"].append(view)
        self.tree["accessors"][index].pop("byteOffset", None)
        self.tree["accessors"][index]["bufferView"] = len(self.tree["bufferViews"]) - 1

    def _bound(self, made: Document, views: set[int]) -> None:
        """Give accessors whose numbers were packed the bounds of what came out."""
        for index, accessor in enumerate(self.tree.get("accessors", [])):
            mine = index in self.changed or accessor.get("bufferView") in views
            if mine and "sparse" not in accessor and ("min" in accessor or "max" in accessor):
                dtype = np.dtype(NUMBER_TYPES.get(accessor.get("componentType", -1), "V1"))
                width = WIDTHS.get(accessor.get("type", ""), 0)
                values = made.view(accessor, dtype, whole(accessor, "count"), width)
                if len(values) and all(map(math.isfinite, (*values.min(axis=0), *values.max(axis=0)))):
                    accessor |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _package(module: str, name: str) -> Any:
    try:
        return require(module, "packed")
    except FacegenError as error:
        raise MeshError(f"the file is packed with {name}; {error}") from error


def _sum_to_one(weights: list[np.ndarray]) -> None:
    """Make the weights of joints, (V, 4) each, of floats, sum to one again, which packing rounded."""
    total = sum((each.astype(np.float64).sum(axis=1) for each in weights), np.float64(0))
    for each in weights:
        if each.dtype.kind == "f":
            each /= np.where(total > 0, total, 1)[:, None].astype(each.dtype)


def _drop(holder: dict, name: str) -> None:
    """Take an extension out of what it extends."""
    extensions = holder.get("extensions")
    if extensions and name in extensions:
        del extensions[name]
        if not extensions:
            del holder["extensions"]

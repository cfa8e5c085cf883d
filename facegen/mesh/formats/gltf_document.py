"""What a glTF 2.0 file is made of: the container, its buffers and its accessors.

A file from anywhere may claim anything: every index, offset and length is checked where it is used.
"""

from __future__ import annotations

import base64
import copy
import struct
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.beside import find_beside, read_found
from facegen.mesh.formats.raw import read_bytes
from facegen.plain_text import UnboundedError, parse_json

ELEMENT_LIMIT = 1 << 24
"""Vertices, triangles or texture coordinates that a file may make at most. Nodes may show one mesh any number of times,
so that a small file can ask for any amount of memory. Chosen: scans have up to some million."""
FREE_ELEMENTS = 1 << 20
"""Vertices, and triangles, that a file may show without a byte of its buffers for each. Chosen: nodes that show one
mesh many times have room, and a small file makes some 500 MB at most."""
FREE_BYTES, BYTES_EACH = 32 << 20, 64
"""Bytes of numbers that accessors may make in all, and how many more for each byte of the buffers, since many may be of
the same bytes, and sparse ones of hardly any. Chosen: shapes of a dense head that move few vertices each have room."""
MALFORMED = (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError)
"""What reading a damaged description raises: the JSON is free text, and any field may have any type."""
DAMAGED = (
    "the glTF description is malformed (it is no JSON, or a value is not of the kind that the format has there); "
    "export it anew"
)
"""What is said of it where no check named the place."""

LARGEST_BUFFER = 1 << 30
"""Bytes of a file beside the description at most. Chosen: it is held in memory."""

FLOAT = 5126
NUMBER_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", FLOAT: "<f4"}
"""numpy's type of each number that glTF names (glTF 2.0, section 3.6.2.2)."""
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
"""How many numbers an element has of each type that is read."""
_SURFACE_ONLY = (
    "KHR_materials_", "KHR_texture_", "EXT_texture_", "KHR_lights_", "KHR_mesh_quantization", "VRM", "KHR_xmp",
    "KHR_node_visibility",
)  # fmt: skip
"""How names of extensions begin that a file may require: positions are read rightly with them."""
_UNPACKED = ("EXT_meshopt_compression", "KHR_meshopt_compression", "KHR_draco_mesh_compression")
"""Extensions that are unpacked when a document is opened, see `gltf_packed`."""


def why_not(error: Exception) -> str:
    """Why a part of a document cannot be used, in words of no library: what a check said, or that it is damaged.

    Args:
        error: a MeshError, or of `MALFORMED`.
    """
    return str(error) if isinstance(error, MeshError) else "it is not as the format has it"


def _number_type(entry: dict[str, Any]) -> str:
    """numpy's name of glTF's `componentType`."""
    name = NUMBER_TYPES.get(entry.get("componentType", -1))
    if name is None:
        raise MeshError(f"expected a componentType of {', '.join(map(str, NUMBER_TYPES))}, found {entry!r:.80}")
    return name


def read_container(data: bytes) -> tuple[Any, bytes, list[bytes]]:
    """The JSON of a GLB container, its binary chunk, and what other chunks it has, with their headers; or the JSON of
    a `.gltf`, which is nothing else."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return parse_json(data, standard=True), b"", []
    if data[:4] != b"glTF":
        begin = data[:4].decode("ascii", "replace")
        raise MeshError(f"expected a binary glTF file, which begins with the letters glTF, found {begin!a}")
    if len(data) < 20:
        raise MeshError(f"expected a header of 20 bytes, found {len(data)}; the file is cut short")
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2:
        raise MeshError(f"expected glTF version 2, found {version}; export it anew, as glTF 2.0")
    if length > len(data):
        raise MeshError(f"expected {length} bytes by the header, found {len(data)}; the file is cut short")
    found: dict[bytes, bytes] = {}
    others = []
    at = 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<I4s", data, at)
        if at + 8 + size > length:
            raise MeshError(f"a chunk of {size} bytes at byte {at}, but the file ends at {length}; it is damaged")
        content = data[at + 8 : at + 8 + size]
        if kind in (b"JSON", b"BIN\0") and kind not in found:
            found[kind] = content
        else:  # a second one of these says nothing, and is kept all the same
            padding = bytes(-size % 4)  # chunks end at multiples of four
            others.append(struct.pack("<I4s", size + len(padding), kind) + content + padding)
        at += 8 + size
    if b"JSON" not in found:
        raise MeshError("expected a chunk 'JSON', found none; the file is damaged")
    return parse_json(found[b"JSON"], standard=True), found.get(b"BIN\0", b""), others


def whole(holder: dict, key: str, default: int | None = None) -> int:
    """A whole number from 0 on.

    Raises:
        MeshError: `holder` has something else under `key`, or nothing while there is no default.
    """
    value = holder.get(key, default)
    if type(value) is not int or value < 0:
        raise MeshError(f"expected a whole number {key!r}, found {value!r}")
    return value


def _decoded(uri: str) -> bytes:
    """The bytes of a data URI."""
    head, comma, text = uri.partition(",")
    if not (head.endswith(";base64") and comma):
        raise MeshError(f"expected a data URI in base64, found {uri[:40]!r}; export it anew")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # of letters beyond ASCII too
        raise MeshError("a data URI is not base64, or cut off; export it anew") from error


def _misplaced(rows: np.ndarray, count: int) -> str:
    """What of sparse indices is wrong, for a message."""
    if rows.dtype.kind != "u":
        return f"numbers of the kind {rows.dtype}"
    if (rows >= count).any():
        return f"{rows[rows >= count][0]}"
    first = int(np.argmax(rows[1:] <= rows[:-1]))
    return f"{rows[first]} before {rows[first + 1]}"


class Document:
    """A glTF document with its buffers; indices and ranges are checked where they are used.

    Args:
        tree: the JSON.
        binary: the first buffer, where it has no URI.
        folder: the document's; files beside the document are read from it or below it alone.
        unpacked_from: names of the extensions that it was packed with, see `gltf_packed.unpacked`.
    """

    def __init__(self, tree: Any, binary: bytes, folder: Path, unpacked_from: tuple[str, ...] = ()) -> None:
        self.tree, self.binary, self.folder, self.unpacked_from = tree, binary, folder, unpacked_from
        self.other_chunks: list[bytes] = []  # of a GLB container, which nobody here reads
        self.buffers: dict[int, bytes | memoryview] = {}
        self.places: dict[str, Path] = {}  # by address, which may be named any number of times
        self.files: dict[Path, bytes] = {}
        self.read: dict[tuple[int, int, bool], np.ndarray] = {}  # accessors, which may be named any number of times
        self.counted: set[int] = set()  # accessors whose numbers are in `made`
        self.made = 0
        self.scene: Any = None  # once it has been worked out, see `gltf_scene.scene_of`
        self.refuse_extensions()

    def another(self) -> Document:
        """The same with a tree and a list of buffers of its own, which can grow."""
        found = Document(copy.deepcopy(self.tree), self.binary, self.folder, self.unpacked_from)
        found.other_chunks, found.places, found.files = self.other_chunks, self.places, self.files
        found.buffers, found.read = self.buffers.copy(), self.read.copy()
        return found

    def refuse_extensions(self) -> None:
        """Refuse a file that cannot be shown without an extension that is not known here.

        Raises:
            MeshError: it needs one.
        """
        required = self.tree.get("extensionsRequired", [])
        unknown = [name for name in required if not str(name).startswith(_SURFACE_ONLY) and name not in _UNPACKED]
        if unknown:
            shown = ", ".join(str(name) for name in unknown)
            raise MeshError(f"the file needs glTF extensions that are not supported; export it without {shown:.200}")

    def item(self, kind: str, index: Any) -> dict:
        """Entry `index` of one of the document's lists."""
        entries = self.tree.get(kind, [])
        if type(index) is not int or not 0 <= index < len(entries):
            raise MeshError(f"expected an index into {kind!r}, of which there are {len(entries)}, found {index!r}")
        if not isinstance(entries[index], dict):
            raise MeshError(f"{kind}[{index}]: expected an object, found {entries[index]!r:.40}; export it anew")
        return entries[index]

    def beside(self, uri: str, largest: int = LARGEST_BUFFER) -> bytes:
        """The bytes that a URI holds, or those of the file that it names in the document's folder.

        Raises:
            MeshError: it leads elsewhere, nothing is there, or the file has more than `largest` bytes.
        """
        if uri.startswith("data:"):
            return _decoded(uri)
        if uri not in self.places:
            self.places[uri] = find_beside(self.folder, unquote(uri))
        place = self.places[uri]
        if place not in self.files or len(self.files[place]) > largest:
            self.files[place] = read_found(place, largest)
        return self.files[place]

    def buffer(self, index: Any) -> bytes | memoryview:
        """The bytes of a buffer, which several may share."""
        entry = self.item("buffers", index)
        if index not in self.buffers:
            data = self.beside(entry["uri"]) if "uri" in entry else self.binary if index == 0 else b""
            length = whole(entry, "byteLength")
            if length > len(data):
                raise MeshError(f"buffer {index}: expected {length} bytes, found {len(data)}; the file is cut short")
            self.buffers[index] = data if length == len(data) else memoryview(data)[:length]
        return self.buffers[index]

    def range(self, index: Any, begin: int, length: int) -> bytes:
        """So many bytes of a buffer."""
        data = self.buffer(index)
        if begin + length > len(data):
            raise MeshError(f"bytes up to {begin + length} of buffer {index}, which has {len(data)}; it is damaged")
        return bytes(data[begin : begin + length])

    def bytes_of(self, index: Any) -> bytes:
        """The bytes of a buffer view."""
        length = whole(self.item("bufferViews", index), "byteLength")
        return self.view({"bufferView": index}, np.dtype("<u1"), length, 1).tobytes()

    def view(self, holder: dict, dtype: np.dtype, count: int, width: int) -> np.ndarray:
        """(count, width) numbers at the `bufferView` and `byteOffset` of `holder`, not copied."""
        view = self.item("bufferViews", holder.get("bufferView"))
        data = self.buffer(view.get("buffer"))
        begin, offset = whole(view, "byteOffset", 0), whole(holder, "byteOffset", 0)
        end = begin + whole(view, "byteLength")
        row = dtype.itemsize * width
        stride = whole(view, "byteStride", row)
        if stride < row:
            raise MeshError(f"buffer view: expected a byteStride of {row} or more, found {stride}")
        need = begin + offset + (stride * (count - 1) + row if count else 0)
        if end > len(data) or need > end:
            raise MeshError(
                f"an accessor of {count} elements ends at byte {need} of its buffer, but its view ends at {end} and "
                f"the buffer at {len(data)}; the file is damaged"
            )
        return np.ndarray((count, width), dtype, data, begin + offset, (stride, dtype.itemsize))

    def accessor(self, index: Any, width: int, *, zeros: bool = False, keep: bool = True) -> np.ndarray:
        """(count, width) numbers, with sparse replacements and normalisation applied.

        One without data is zero by the format, and of what should have some a sign that they are compressed: `zeros`
        takes it, as morph targets have it that move nothing. Matrices of a width of 16 come by columns. Each is read
        once where it is kept, and not to be changed.
        """
        asked = (index, width, zeros) if type(index) is int else None
        if asked in self.read:
            return self.read[asked]
        values = self._accessor(index, width, zeros)
        values.flags.writeable = False
        if asked is not None and keep:
            self.read[asked] = values
        return values

    def _accessor(self, index: Any, width: int, zeros: bool) -> np.ndarray:
        entry = self.item("accessors", index)
        kind = next(name for name, numbers in WIDTHS.items() if numbers == width)
        dtype = np.dtype(_number_type(entry))
        if entry.get("type") != kind:
            raise MeshError(f"accessor {index}: expected type {kind}, found {entry.get('type')!r}")
        count = whole(entry, "count")
        sparse, normal = entry.get("sparse"), bool(entry.get("normalized")) and dtype.kind in "iu"
        if "bufferView" in entry:
            values = self.view(entry, dtype, count, width)
        elif sparse is None and not zeros:
            raise MeshError(f"accessor {index} has no data here; if the file is compressed, export it without")
        else:
            values = None
        self._require_earned(index, count * width * (8 if normal else dtype.itemsize))
        if values is None:
            values = np.zeros((count, width), dtype)
        if sparse is not None:
            values = values.copy()
            changed = whole(sparse, "count")
            rows = self.view(sparse["indices"], np.dtype(_number_type(sparse["indices"])), changed, 1)[:, 0]
            # They rise (glTF 2.0, section 3.6.2.3): who reads one that comes twice may take either of its values.
            if rows.dtype.kind != "u" or (rows >= count).any() or (rows[1:] <= rows[:-1]).any():
                raise MeshError(
                    f"accessor {index}: expected sparse indices that are unsigned, rise and stay below {count}, found "
                    f"{_misplaced(rows, count)}; export it anew"
                )
            values[rows] = self.view(sparse["values"], dtype, changed, width)
        return np.maximum(values / np.iinfo(dtype).max, -1.0) if normal else values

    def _require_earned(self, index: int, size: int) -> None:
        """Refuse more numbers than a file of its size may have: they take memory, or the time to look at them."""
        if index not in self.counted:
            self.counted.add(index)
            self.made += size
        if self.made > FREE_BYTES and self.made > (most := FREE_BYTES + BYTES_EACH * self.size()):
            raise MeshError(
                f"accessor {index}: it and others make {self.made >> 20:,} MB of numbers, more than the {most >> 20:,} "
                "that a file of this size may; export it anew"
            )

    @cached_property
    def most_elements(self) -> int:
        """Vertices, and triangles, that a file of its size may show: each has a byte in its buffers, or is free."""
        for index in range(len(self.tree.get("buffers", []))):
            with suppress(MeshError, *MALFORMED):  # who needs it tells what is wrong with it
                self.buffer(index)
        return min(ELEMENT_LIMIT, FREE_ELEMENTS + self.size())

    def size(self) -> int:
        """Bytes of the buffers that have been read, a file that is several of them counted once."""
        sizes: dict[object, int] = {}
        for index, data in self.buffers.items():
            key = self.places.get(self.tree["buffers"][index].get("uri"), index)
            sizes[key] = max(sizes.get(key, 0), len(data))
        return sum(sizes.values())

    def colors(self, index: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """(N, 3) linear colours and, where they have one, (N,) alpha."""
        width = 4 if self.item("accessors", index).get("type") == "VEC4" else 3
        values = self.accessor(index, width).astype(np.float32)
        return values[:, :3], values[:, 3] if width == 4 else None


def open_document(path: str | Path) -> Document:
    """Open a `.glb`, `.gltf` or `.vrm`; what is packed in it comes unpacked.

    Raises:
        MeshError: it cannot be read, needs an extension that is not known, or a package that is not installed.
    """
    from facegen.mesh.formats.gltf_packed import unpacked  # which works on documents

    data = read_bytes(path)
    try:
        tree, binary, others = read_container(data)
        document = unpacked(Document(tree, binary, Path(path).parent))
        document.other_chunks = others
        return document
    except (MeshError, UnboundedError) as error:
        raise MeshError(f"{path}: {error}") from error
    except MALFORMED as error:
        raise MeshError(f"{path}: {DAMAGED}") from error

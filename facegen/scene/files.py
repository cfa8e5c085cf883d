"""An asset written again: `.glb` and `.vrm` in one file, `.gltf` in two."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from facegen.errors import FacegenError, MeshError, showable, unknown
from facegen.files import new_file
from facegen.mesh.formats.gltf_pair import write_pair
from facegen.scene.asset import SUFFIXES, Asset

_KINDS = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"RIFF": "image/webp",
    b"\xabKTX": "image/ktx2",
    b"DDS ": "image/vnd-ms.dds",
}
"""Media types of pictures by how their files begin."""
_LARGEST = 1 << 32
"""Bytes that a .glb holds at most, whose lengths have 32 bits (glTF 2.0, section 4.4.2)."""


def require_writable(asset: Asset, path: str | Path) -> None:
    """Refuse what an asset cannot become, before anything is made for it.

    Raises:
        FacegenError: the suffix is none of a glTF, or `.vrm` where the asset is no VRM.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise FacegenError(f"cannot write {path}: {unknown('suffix of an asset', suffix, SUFFIXES)}")
    if suffix == ".vrm" and not is_vrm(asset.tree):
        raise FacegenError(f"cannot write {path}: {asset.path} is no VRM, it says nothing of a humanoid; take .glb")


def is_vrm(tree: dict) -> bool:
    """Whether a document is a VRM, of version 0 or 1."""
    extensions = tree.get("extensions")
    return isinstance(extensions, dict) and bool({"VRM", "VRMC_vrm"} & set(extensions))


def write_asset(asset: Asset, path: str | Path) -> int:
    """Write an asset with what was added to it.

    Its description stays as it came, but that the numbers of its first buffer, and pictures that lie beside its file,
    come into the new file; a `.gltf` leaves pictures where they are if it is written beside them, and has its numbers
    in a `.bin` beside itself. Buffers behind the first become data URIs. Chunks of a kind of their own, which a GLB
    may have behind its numbers, stay in a GLB; a `.gltf` has no place for them, which is noted.

    Args:
        asset: what is written.
        path: `.glb`, `.gltf` or `.vrm`.

    Returns:
        Bytes written.

    Raises:
        FacegenError: see `require_writable`; the file would be larger than a .glb can be; or it cannot be written.
    """
    path = Path(path)
    require_writable(asset, path)
    text = path.suffix.lower() == ".gltf"
    stays = text and path.parent.resolve() == asset.path.parent.resolve()
    images = asset.tree.get("images") if stays else _embedded(asset)
    asset.settle()
    numbers = bytes(asset.document.buffer(0)) if asset.tree.get("buffers") else b""
    tree = dict(asset.tree)
    if images is not None:
        tree["images"] = images
    if numbers or tree.get("buffers"):
        tree["buffers"] = _buffers(asset, len(numbers))
    if not text:
        with new_file(path) as aside:
            aside.write_bytes(_packed(tree, numbers, b"".join(asset.document.other_chunks)))
            return aside.stat().st_size
    if asset.document.other_chunks:
        kinds = (chunk[4:8].decode("latin-1").strip("\0 ") for chunk in asset.document.other_chunks)
        names = ", ".join(showable(kind) for kind in kinds)
        asset.notes.append(f"what a .glb alone can hold, chunks of its own kind ({names:.80})")

    def fill(file: BinaryIO) -> dict[str, Any]:
        file.write(numbers)
        return tree

    return write_pair(path, fill)


def _buffers(asset: Asset, length: int) -> list[dict]:
    """The descriptions of the buffers, of which the first has `length` bytes and no address yet."""
    first, *others = asset.tree["buffers"]
    entries = [{name: value for name, value in first.items() if name != "uri"} | {"byteLength": length}]
    for number, entry in enumerate(others, 1):
        if not str(entry.get("uri", "data:")).startswith("data:"):
            data = base64.b64encode(asset.document.buffer(number)).decode()
            entry = {**entry, "uri": f"data:application/octet-stream;base64,{data}"}
        entries.append(entry)
    return entries


def _embedded(asset: Asset) -> list[dict] | None:
    """The descriptions of the pictures, those beside the asset's file taken in; one that is not found stays named."""
    images = asset.tree.get("images")
    if not isinstance(images, list):
        return images
    found = []
    views: dict[str, tuple[bytes, int]] = {}  # of files that are there already
    for image in images:
        uri = image.get("uri")
        if not isinstance(uri, str) or uri.startswith("data:"):
            found.append(image)
            continue
        try:
            if uri not in views:
                data = asset.document.beside(uri)
                views[uri] = data, asset.buffer.append(data)
        except MeshError as error:
            asset.notes.append(f"the picture {unquote(uri)!r:.60}: {error}")
            found.append(image)
            continue
        data, view = views[uri]
        kind = next((kind for begin, kind in _KINDS.items() if data.startswith(begin)), image.get("mimeType"))
        rest = {name: value for name, value in image.items() if name not in ("uri", "mimeType")}
        entry = {**rest, "bufferView": view}
        found.append(entry if kind is None else {**entry, "mimeType": kind})
    return found


def _packed(tree: dict, numbers: bytes, others: bytes) -> bytes:
    """The binary container: a header, the JSON chunk, the chunk of the first buffer, and chunks of other kinds."""
    text = json.dumps(tree, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    numbers += bytes(-len(numbers) % 4)
    size = 20 + len(text) + (8 + len(numbers) if numbers else 0) + len(others)
    if size >= _LARGEST:
        raise FacegenError(f"a .glb holds up to 4 GB, this makes {size / 1e9:.1f} GB; take .gltf")
    head = struct.pack("<4sII", b"glTF", 2, size) + struct.pack("<I4s", len(text), b"JSON") + text
    return head + (struct.pack("<I4s", len(numbers), b"BIN\0") + numbers if numbers else b"") + others

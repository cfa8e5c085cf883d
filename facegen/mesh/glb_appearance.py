"""Texture coordinates and the base colour of a binary glTF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.appearance import Appearance, Texture
from facegen.mesh.glb import MALFORMED, primitive_faces, shown_primitives
from facegen.mesh.gltf_document import Document, decoded, read_container
from facegen.mesh.raw import read_bytes


def read_glb_appearance(path: str | Path) -> Appearance | None:
    """Read what `read_glb` passes over: TEXCOORD_0 and the base colour, where the scene shows one primitive.

    Returns:
        None where there is nothing of it. What is there and cannot be used stands in `Appearance.left_out`.

    Raises:
        MeshError: the file cannot be read.
    """
    tree, binary = read_container(read_bytes(path))
    nothing = np.empty((0, 2)), np.empty((0, 3))
    color = texture = None
    try:
        document = Document(tree, binary)
        shown = shown_primitives(document)
        if len(shown) > 1:
            many = any("TEXCOORD_0" in primitive["attributes"] for primitive, _ in shown)
            return Appearance(*nothing, left_out=(f"textures: {len(shown)} parts, and one is kept",)) if many else None
        primitive, mirrored = shown[0]
        material = document.item("materials", primitive["material"]) if "material" in primitive else {}
        surface = material.get("pbrMetallicRoughness", {})
        if "baseColorFactor" in surface:
            red, green, blue, _ = (min(max(float(part), 0.0), 1.0) for part in surface["baseColorFactor"])
            color = red, green, blue
        if "TEXCOORD_0" not in primitive["attributes"]:
            return None if color is None else Appearance(*nothing, color)
        uv = document.accessor(primitive["attributes"]["TEXCOORD_0"], 2).astype(np.float32)
        uv = np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1)  # glTF's v runs down
        faces = primitive_faces(document, primitive, len(uv))
        if "baseColorTexture" in surface:
            texture = _texture(document, surface["baseColorTexture"])
        return Appearance(uv, faces[:, ::-1] if mirrored else faces, color, texture)
    except (MeshError, *MALFORMED) as error:
        return Appearance(*nothing, color, left_out=(f"texture and texture coordinates: {error}",))


def _texture(document: Document, reference: dict[str, Any]) -> Texture:
    if reference.get("texCoord", 0) != 0 or "KHR_texture_transform" in reference.get("extensions", {}):
        raise MeshError("the texture does not lie on the first coordinates as they are")
    image = document.item("images", document.item("textures", reference.get("index")).get("source"))
    return Texture(decoded(image["uri"]) if "uri" in image else document.bytes_of(image.get("bufferView")))

"""Appearances as plain arrays, to be kept in a `.npz`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.appearance import Appearance
from facegen.mesh.material import Material, Picture, Texture
from facegen.plain_text import parse_json

KEYS = ("uv", "corners", "face_materials", "materials")
"""What an appearance consists of; `vertex_colors`, `smooth`, `texture_0`, `texture_1` and so on stand beside these."""


def arrays_of(appearance: Appearance) -> dict[str, np.ndarray]:
    """The arrays of an appearance by name; `materials` is JSON, whose pictures name arrays `texture_N` of bytes."""
    textures = appearance.textures()
    numbers = {texture: number for number, texture in enumerate(textures)}
    described = []
    for material in appearance.materials:
        pictures = {
            role: {"texture": numbers[picture.texture], "wrap": picture.wrap, "strength": picture.strength}
            for role, picture in material.pictures.items()
        }
        described.append(material.numbers() | {"pictures": pictures})
    text = json.dumps({"materials": described, "textures": [texture.name for texture in textures]})
    arrays = {
        "uv": appearance.uv,
        "corners": appearance.corners,
        "face_materials": appearance.face_materials,
        "materials": np.array(text),
    }
    if appearance.colors is not None:
        arrays["vertex_colors"] = appearance.colors
    if appearance.smooth is not None:
        arrays["smooth"] = appearance.smooth
    return arrays | {f"texture_{n}": np.frombuffer(texture.data, np.uint8) for n, texture in enumerate(textures)}


def appearance_of(arrays: Mapping[str, np.ndarray]) -> Appearance | None:
    """The appearance that `arrays_of` made these of; None where there is none, as in files of older versions.

    Raises:
        MeshError: they do not fit together.
    """
    if not set(KEYS) <= set(arrays):
        return None
    try:
        described = parse_json(str(arrays["materials"]))
        textures = [
            Texture(arrays[f"texture_{n}"].tobytes(), str(name)) for n, name in enumerate(described["textures"])
        ]
        materials = tuple(_material(each, textures) for each in described["materials"])
        shape = arrays["uv"], arrays["corners"], materials, arrays["face_materials"]
        return Appearance(*shape, arrays.get("vertex_colors"), smooth=arrays.get("smooth"))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise MeshError("the materials are malformed; make the sequence again") from error


def _material(described: dict[str, Any], textures: list[Texture]) -> Material:
    pictures = {
        role: Picture(textures[each["texture"]], tuple(each["wrap"]), float(each["strength"]))
        for role, each in described["pictures"].items()
    }
    return Material(**described | {"name": str(described["name"]), "pictures": pictures})

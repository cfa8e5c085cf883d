"""Materials written into a glTF document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from facegen.mesh.formats.gltf_material import CODES, STRENGTHS
from facegen.mesh.material import Material, Texture


def material_lists(materials: Sequence[Material], colored: bool, append: Callable[[bytes], int]) -> dict[str, Any]:
    """The document's lists of materials and, where there are pictures, of textures, samplers and images.

    Args:
        materials: in the order of their numbers.
        colored: vertices have colours.
        append: takes the bytes of a picture and gives back the number of their buffer view.
    """
    pictures = _Pictures(append)
    lists: dict[str, Any] = {"materials": [_material(each, colored, pictures) for each in materials]}
    extensions = sorted({name for material in materials for name in material.extensions})
    if extensions:
        lists["extensionsUsed"] = extensions
    if pictures.textures:
        lists |= {"textures": pictures.textures, "samplers": pictures.samplers, "images": pictures.images}
    return lists


class _Pictures:
    """The document's pictures, each of which is written once."""

    def __init__(self, append: Callable[[bytes], int]) -> None:
        self.append = append
        self.numbers: dict[Texture, int] = {}
        self.textures: list[dict] = []
        self.samplers: list[dict] = []
        self.images: list[dict] = []

    def texture(self, texture: Texture, wrap: tuple[str, str]) -> int:
        if texture not in self.numbers:
            self.numbers[texture] = len(self.images)
            image = {"bufferView": self.append(texture.data), "mimeType": texture.mime}
            self.images.append(image | ({"name": texture.name} if texture.name else {}))
        sampler = {"wrapS": CODES[wrap[0]], "wrapT": CODES[wrap[1]]}
        entry = {"sampler": _place(self.samplers, sampler), "source": self.numbers[texture]}
        return _place(self.textures, entry)


def _place(entries: list[dict], wanted: dict) -> int:
    """The place of `wanted` among the entries; it is put at their end if it is not there."""
    if wanted not in entries:
        entries.append(wanted)
    return entries.index(wanted)


def _material(material: Material, colored: bool, pictures: _Pictures) -> dict[str, Any]:
    """One material, without what the format has by default."""
    found = {}
    for role, picture in material.pictures.items():
        found[role] = {"index": pictures.texture(picture.texture, picture.wrap)}
        if role in STRENGTHS and picture.strength != 1:
            found[role][STRENGTHS[role]] = picture.strength
    surface: dict[str, Any] = {"baseColorFactor": [*material.shown(colored), material.alpha]}
    surface |= {"metallicFactor": material.metallic, "roughnessFactor": material.roughness}
    for role, name in (("base_color", "baseColorTexture"), ("metallic_roughness", "metallicRoughnessTexture")):
        if role in found:
            surface[name] = found[role]
    entry: dict[str, Any] = {"name": material.name} if material.name else {}
    entry |= {"pbrMetallicRoughness": surface, "doubleSided": material.double_sided}
    for role in ("normal", "occlusion", "emissive"):
        if role in found:
            entry[f"{role}Texture"] = found[role]
    if any(material.emissive):
        entry["emissiveFactor"] = list(material.emissive)
    if material.alpha_mode != "OPAQUE":
        entry["alphaMode"] = material.alpha_mode
    if material.alpha_mode == "MASK":
        entry["alphaCutoff"] = material.alpha_cutoff
    if material.extensions:
        entry["extensions"] = {name: dict(each) for name, each in material.extensions.items()}
    return entry

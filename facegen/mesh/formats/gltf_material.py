"""Materials read from a glTF document."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.gltf_document import MALFORMED, Document, whole, why_not
from facegen.mesh.material import LARGEST_TEXTURE, Album, Material, Picture, Texture, numeric

CODES = {"repeat": 10497, "clamp": 33071, "mirror": 33648}
"""How glTF's samplers call the ways in which a picture goes on beyond its borders."""
_WRAPS = {code: name for name, code in CODES.items()}
"""The same the other way round."""
STRENGTHS = {"normal": "scale", "occlusion": "strength"}
"""How glTF calls the strength of those pictures that have one."""


@dataclass(frozen=True)
class Placement:
    """Where a picture lies on a surface: on which texture coordinates, and how these are moved.

    Args:
        channel: the number of its set of texture coordinates.
        offset, rotation, scale: how `KHR_texture_transform` moves these coordinates; the rotation in radians.
    """

    channel: int = 0
    offset: tuple[float, float] = (0.0, 0.0)
    rotation: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)

    @classmethod
    def of(cls, reference: dict[str, Any]) -> Placement:
        """The placement that a glTF textureInfo says.

        Raises:
            MeshError: it is not as the format has it.
        """
        extension = reference.get("extensions", {}).get("KHR_texture_transform", {})
        channel = whole(extension, "texCoord", whole(reference, "texCoord", 0))
        offset, scale = (
            list(map(float, extension.get(k, pair))) for k, pair in (("offset", (0, 0)), ("scale", (1, 1)))
        )
        rotation = float(extension.get("rotation", 0))
        if len(offset) != 2 or len(scale) != 2 or not np.isfinite([*offset, rotation, *scale]).all():
            raise MeshError(f"expected finite numbers in KHR_texture_transform, found {extension!r:.80}")
        return cls(channel, (offset[0], offset[1]), rotation, (scale[0], scale[1]))

    def moved(self, uv: np.ndarray) -> np.ndarray:
        """(U, 2) float32 as the picture lies on them, v running down (KHR_texture_transform: T R S)."""
        if self == Placement(self.channel):
            return uv
        cosine, sine = np.cos(self.rotation), np.sin(self.rotation)
        turn = np.array([[cosine, sine], [-sine, cosine]])
        with np.errstate(over="ignore"):
            return ((uv.astype(np.float64) * self.scale) @ turn.T + self.offset).astype(np.float32)


class MaterialReader:
    """Reads materials by their number.

    Args:
        document: the file that holds the materials.
        left_out: takes the reasons for what is not used.
    """

    def __init__(self, document: Document, left_out: list[str]) -> None:
        self.document, self.left_out, self.album = document, left_out, Album()

    def material(self, index: Any) -> tuple[Material, Placement]:
        """A material, and the placement of its pictures, which is that of the first; `Placement.moved` applies it.

        Raises:
            MeshError, or one of `MALFORMED`: there is no such material.
        """
        said = self.document.item("materials", index)
        name, surface = str(said.get("name", "")), said.get("pbrMetallicRoughness", {})
        extensions = self._extensions(name, said.get("extensions", {}))
        references = {
            "base_color": surface.get("baseColorTexture"),
            "normal": said.get("normalTexture"),
            "metallic_roughness": surface.get("metallicRoughnessTexture"),
            "occlusion": said.get("occlusionTexture"),
            "emissive": said.get("emissiveTexture"),
        }
        pictures, placement = self._pictures(name, references)
        red, green, blue, alpha = _cut(surface.get("baseColorFactor", (1, 1, 1, 1)), 4)
        metallic, roughness = (_cut([surface.get(f"{each}Factor", 1)], 1)[0] for each in ("metallic", "roughness"))
        glow = _cut(said.get("emissiveFactor", (0, 0, 0)), 3)
        return Material(
            name,
            color=(red, green, blue),
            alpha=alpha,
            metallic=metallic,
            roughness=roughness,
            emissive=(glow[0], glow[1], glow[2]),
            alpha_mode=said.get("alphaMode", "OPAQUE"),
            alpha_cutoff=float(said.get("alphaCutoff", 0.5)),
            double_sided=said.get("doubleSided", False) is True,
            pictures=pictures,
            extensions=extensions,
        ), placement or Placement()

    def _extensions(self, name: str, said: dict[str, Any]) -> dict[str, dict]:
        """The extensions that are kept: `KHR_materials_` without pictures."""
        kept = {word: each for word, each in said.items() if word.startswith("KHR_materials_") and numeric(each)}
        for word in said.keys() - kept.keys():
            self.left_out.append(
                f"{word[:60]} of material {name[:40]!a}: only KHR_materials_ without pictures are kept"
            )
        return kept

    def _pictures(self, name: str, references: dict[str, Any]) -> tuple[dict[str, Picture], Placement | None]:
        found: dict[str, Picture] = {}
        placement = None
        for role, reference in references.items():
            if reference is None:
                continue
            try:
                own = Placement.of(reference)
                if placement is not None and own != placement:
                    raise MeshError("it lies on the surface in another way than the first picture")
                strength = float(reference.get(STRENGTHS.get(role, ""), 1.0))
                found[role], placement = self._picture(reference.get("index"), strength), own
            except (MeshError, *MALFORMED) as error:
                self.left_out.append(f"the texture for {role} of material {name[:40]!a}: {why_not(error)}")
        return found, placement

    def _picture(self, index: Any, strength: float) -> Picture:
        said = self.document.item("textures", index)
        sampler = self.document.item("samplers", said["sampler"]) if "sampler" in said else {}
        across, along = (_WRAPS[sampler.get(key, CODES["repeat"])] for key in ("wrapS", "wrapT"))
        if "source" not in said:
            raise MeshError(f"it has no PNG or JPEG, but {list(said.get('extensions', {}))!a:.60}")
        texture = self.album.texture(said["source"], lambda: self._texture(said["source"]))
        return Picture(texture, (across, along), strength)

    def _texture(self, index: Any) -> Texture:
        image = self.document.item("images", index)
        if "uri" not in image:
            return Texture(self.document.bytes_of(image.get("bufferView")), Path(str(image.get("name", ""))).stem)
        uri = image["uri"]
        name = image.get("name") or ("" if uri.startswith("data:") else unquote(uri))
        return Texture(self.document.beside(uri, LARGEST_TEXTURE), Path(str(name)).stem)


def _cut(values: Any, count: int) -> tuple[float, ...]:
    """`count` numbers, each cut to [0, 1]."""
    numbers = [float(value) for value in values]
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise MeshError(f"expected {count} finite numbers, found {values!r:.80}")
    return tuple(min(max(number, 0.0), 1.0) for number in numbers)

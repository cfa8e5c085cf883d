"""glTF's materials, read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.gltf_document import MALFORMED, Document, whole
from facegen.mesh.material import LARGEST_TEXTURE, Album, Material, Picture, Texture, numeric

CODES = {"repeat": 10497, "clamp": 33071, "mirror": 33648}
"""How glTF's samplers call the ways in which a picture goes on beyond its borders."""
_WRAPS = {code: name for name, code in CODES.items()}
STRENGTHS = {"normal": "scale", "occlusion": "strength"}
"""How it calls the strength of those pictures that have one."""


@dataclass(frozen=True)
class Layout:
    """How a picture lies on a surface.

    Args:
        channel: the number of its set of texture coordinates.
        offset, rotation, scale: of `KHR_texture_transform`.
    """

    channel: int = 0
    offset: tuple[float, float] = (0.0, 0.0)
    rotation: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)

    @classmethod
    def of(cls, reference: dict[str, Any]) -> Layout:
        """Of a textureInfo.

        Raises:
            MeshError: it is not as the format has it.
        """
        extension = reference.get("extensions", {}).get("KHR_texture_transform", {})
        channel = whole(extension, "texCoord", whole(reference, "texCoord", 0))
        offset, scale = (
            tuple(map(float, extension.get(k, pair))) for k, pair in (("offset", (0, 0)), ("scale", (1, 1)))
        )
        found = cls(channel, offset, float(extension.get("rotation", 0)), scale)
        if len(offset) != 2 or len(scale) != 2 or not np.isfinite([*offset, found.rotation, *scale]).all():
            raise MeshError(f"expected finite numbers in KHR_texture_transform, found {extension!r:.80}")
        return found

    def moved(self, uv: np.ndarray) -> np.ndarray:
        """(U, 2) float32 as the picture lies on them, v running down (KHR_texture_transform: T R S)."""
        if self == Layout(self.channel):
            return uv
        cosine, sine = np.cos(self.rotation), np.sin(self.rotation)
        turn = np.array([[cosine, sine], [-sine, cosine]])
        with np.errstate(over="ignore"):
            return ((uv.astype(np.float64) * self.scale) @ turn.T + self.offset).astype(np.float32)


class MaterialReader:
    """Materials by their number.

    Args:
        document: that holds them.
        left_out: takes the reasons for what is not used.
    """

    def __init__(self, document: Document, left_out: list[str]) -> None:
        self.document, self.left_out, self.album = document, left_out, Album()

    def material(self, index: Any) -> tuple[Material, Layout]:
        """A material, and how its pictures lie, whose own transform is none any more; all lie as the first does.

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
        pictures, layout = self._pictures(name, references)
        red, green, blue, alpha = _cut(surface.get("baseColorFactor", (1, 1, 1, 1)), 4)
        return Material(
            name,
            color=(red, green, blue),
            alpha=alpha,
            metallic=_cut([surface.get("metallicFactor", 1)], 1)[0],
            roughness=_cut([surface.get("roughnessFactor", 1)], 1)[0],
            emissive=_cut(said.get("emissiveFactor", (0, 0, 0)), 3),
            alpha_mode=said.get("alphaMode", "OPAQUE"),
            alpha_cutoff=float(said.get("alphaCutoff", 0.5)),
            double_sided=said.get("doubleSided", False) is True,
            pictures=pictures,
            extensions=extensions,
        ), layout or Layout()

    def _extensions(self, name: str, said: dict[str, Any]) -> dict[str, dict]:
        """Those that are kept: `KHR_materials_` without pictures."""
        kept = {word: each for word, each in said.items() if word.startswith("KHR_materials_") and numeric(each)}
        for word in said.keys() - kept.keys():
            self.left_out.append(
                f"{word[:60]} of material {name[:40]!a}: only KHR_materials_ without pictures are kept"
            )
        return kept

    def _pictures(self, name: str, references: dict[str, Any]) -> tuple[dict[str, Picture], Layout | None]:
        found: dict[str, Picture] = {}
        layout = None
        for role, reference in references.items():
            if reference is None:
                continue
            try:
                own = Layout.of(reference)
                if layout is not None and own != layout:
                    raise MeshError("it lies on the surface in another way than the first picture")
                strength = float(reference.get(STRENGTHS.get(role, ""), 1.0))
                found[role], layout = self._picture(reference.get("index"), strength), own
            except (MeshError, *MALFORMED) as error:
                self.left_out.append(f"the texture for {role} of material {name[:40]!a}: {error}")
        return found, layout

    def _picture(self, index: Any, strength: float) -> Picture:
        said = self.document.item("textures", index)
        sampler = self.document.item("samplers", said["sampler"]) if "sampler" in said else {}
        wrap = tuple(_WRAPS[sampler.get(key, CODES["repeat"])] for key in ("wrapS", "wrapT"))
        if "source" not in said:
            raise MeshError(f"it has no PNG or JPEG, but {list(said.get('extensions', {}))!a:.60}")
        return Picture(self.album.texture(said["source"], lambda: self._texture(said["source"])), wrap, strength)

    def _texture(self, index: Any) -> Texture:
        image = self.document.item("images", index)
        if "uri" not in image:
            return Texture(self.document.bytes_of(image.get("bufferView")), Path(str(image.get("name", ""))).stem)
        uri = image["uri"]
        name = image.get("name") or ("" if uri.startswith("data:") else unquote(uri))
        return Texture(self.document.beside(uri, LARGEST_TEXTURE), Path(str(name)).stem)


def _cut(values: Any, count: int) -> tuple[float, ...]:
    """So many numbers, each cut to [0, 1]."""
    numbers = [float(value) for value in values]
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise MeshError(f"expected {count} finite numbers, found {values!r:.80}")
    return tuple(min(max(number, 0.0), 1.0) for number in numbers)

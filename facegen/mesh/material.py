"""Materials: colours, numbers and pictures, as far as glTF, USD and .mtl agree on what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

import numpy as np

from facegen.errors import MeshError

LARGEST_TEXTURE = 64 << 20
"""Bytes of one picture at most. Chosen: a file may name anything, and scans come with pictures of some tens of MB."""
LARGEST_ALBUM = 512 << 20
"""Bytes of all pictures of a mesh together at most. Chosen: they are all held in memory."""
MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
"""The first bytes of the files that are taken, and what these are (PNG, section 5.2; JPEG's marker SOI)."""
SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}
"""Suffix of the file of a texture, by its media type."""
CLAY = (0.62, 0.42, 0.33)
"""Linear red, green and blue of a surface that names no colour: a skin-like clay, chosen by eye."""
WHITE = (1.0, 1.0, 1.0)
"""Linear red, green and blue: a factor that changes nothing."""
LONGEST_NAME = 60
"""Characters that are kept of a name in a file. Chosen: names become those of files, which systems end at 255 bytes."""
LONGEST_LIST = 16
"""Numbers in one list of a glTF extension that is kept. Chosen: a (4, 4) matrix is the longest that one holds."""
ROLES = ("base_color", "metallic_roughness", "normal", "occlusion", "emissive")
"""What pictures are for. Roughness is the green, metalness the blue of one picture, occlusion the red of another."""
WRAPS = ("repeat", "clamp", "mirror")
"""How a texture goes on beyond its borders."""
ALPHA_MODES = ("OPAQUE", "MASK", "BLEND")
"""What alpha does, by glTF's names: nothing, cut out, or let through."""


def eight_bit(image: Any) -> Any:
    """A picture that Pillow has opened, with 8 bits a channel.

    Of 16-bit grey its own conversions (Pillow 13.0) make whatever is above 255 of 65535 white, which is nearly all.
    """
    if not image.mode.startswith("I"):
        return image
    from PIL import Image

    return Image.fromarray((np.asarray(image, dtype=np.uint32) // 257).clip(0, 255).astype(np.uint8))


@dataclass(frozen=True, eq=False)
class Texture:
    """A picture as a file holds it.

    Args:
        data: its bytes, PNG or JPEG.
        name: what it was called, without suffix; empty where that is not known.

    Raises:
        MeshError: it is neither, or larger than `LARGEST_TEXTURE`.
    """

    data: bytes
    name: str = ""

    def __post_init__(self) -> None:
        if len(self.data) > LARGEST_TEXTURE:
            raise MeshError(f"a texture of {len(self.data) >> 20} MB; up to {LARGEST_TEXTURE >> 20} MB are taken")
        if _kind(self.data) is None:
            raise MeshError(f"expected a texture in PNG or JPEG, found one that begins with {self.data[:8]!r}")

    @property
    def mime(self) -> str:
        """`image/png` or `image/jpeg`, by the first bytes, whatever a file's name says."""
        kind = _kind(self.data)
        assert kind is not None  # refused otherwise when it was made
        return kind

    @property
    def suffix(self) -> str:
        """`.png` or `.jpg`."""
        return SUFFIXES[self.mime]


def _kind(data: bytes) -> str | None:
    return next((kind for magic, kind in MAGIC.items() if data.startswith(magic)), None)


@dataclass(frozen=True, eq=False)
class Picture:
    """A texture as a material uses it.

    Args:
        texture: may be shared with other materials.
        wrap: how it goes on beyond its borders, along u and along v, each one of `WRAPS`.
        strength: how much bumps and occlusion count; 1 is as painted.
    """

    texture: Texture
    wrap: tuple[str, str] = ("repeat", "repeat")
    strength: float = 1.0

    def __post_init__(self) -> None:
        if len(self.wrap) != 2 or not set(self.wrap) <= set(WRAPS) or not np.isfinite(self.strength):
            raise MeshError(f"a picture wraps by {', '.join(WRAPS)} along u and v, found {self.wrap!r:.80}")


@dataclass(frozen=True, eq=False)
class Material:
    """How light leaves a part of a surface: glTF's metallic-roughness material.

    Args:
        name: as in the file; it may be empty, or another material may have the same.
        color: base colour, linear; it multiplies the base colour's picture. None where the file names none.
        alpha: 1 is opaque; it multiplies the alpha of the base colour's picture.
        metallic, roughness: multiply what their picture says.
        emissive: linear; multiplies its picture.
        alpha_mode: one of `ALPHA_MODES`: alpha is passed over, cut at `alpha_cutoff`, or mixed.
        double_sided: seen from behind too.
        pictures: by what they are for, one of `ROLES`.
        extensions: glTF's `KHR_materials_` that consist of numbers alone, such as {"KHR_materials_ior": {"ior": 1.4}}.

    Raises:
        MeshError: a number is out of its range, or a word is unknown.
    """

    name: str = ""
    color: tuple[float, float, float] | None = None
    alpha: float = 1.0
    metallic: float = 0.0
    roughness: float = 0.6
    emissive: tuple[float, float, float] = (0.0, 0.0, 0.0)
    alpha_mode: str = "OPAQUE"
    alpha_cutoff: float = 0.5
    double_sided: bool = True
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    extensions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, width in (("color", 3), ("alpha", 0), ("metallic", 0), ("roughness", 0), ("emissive", 3)):
            value = getattr(self, name)
            if value is None and name == "color":
                continue
            numbers = np.asarray(value, dtype=np.float64)
            if numbers.shape != ((width,) if width else ()) or not ((numbers >= 0) & (numbers <= 1)).all():
                raise MeshError(f"{name} of material {self.name[:40]!a} must lie in 0 to 1, found {value!r:.80}")
            object.__setattr__(self, name, tuple(numbers.tolist()) if width else float(numbers))
        if self.alpha_mode not in ALPHA_MODES or not self.alpha_cutoff >= 0:
            raise MeshError(f"expected an alpha mode of {', '.join(ALPHA_MODES)}, found {self.alpha_mode!r:.80}")
        if not set(self.pictures) <= set(ROLES):
            raise MeshError(f"expected pictures of {', '.join(ROLES)}, found {list(self.pictures)!r:.80}")
        if not all(name.startswith("KHR_materials_") and numeric(each) for name, each in self.extensions.items()):
            raise MeshError(f"expected extensions KHR_materials_ of numbers, found {dict(self.extensions)!r:.80}")
        for name in ("pictures", "extensions"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def base(self) -> Picture | None:
        """The base colour's picture."""
        return self.pictures.get("base_color")

    def shown(self, colored: bool = False) -> tuple[float, float, float]:
        """The base colour; where none is named, white under a picture or over colours of vertices, clay elsewhere."""
        return self.color or (WHITE if colored or self.base is not None else CLAY)

    def numbers(self) -> dict[str, Any]:
        """All but the pictures, as JSON has it."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "pictures"}
        return values | {"extensions": {name: dict(each) for name, each in self.extensions.items()}}


DEFAULT = Material("skin")
"""What faces without a material are drawn with."""


def numeric(extension: Any) -> bool:
    """Whether a JSON object holds nothing but finite numbers, truth values and short lists of numbers."""

    def number(value: Any) -> bool:
        return isinstance(value, bool | int | float) and bool(np.isfinite(value))

    if not isinstance(extension, dict | Mapping):
        return False
    values = [item if isinstance(item, list) else [item] for item in extension.values()]
    return all(len(items) <= LONGEST_LIST and all(number(item) for item in items) for items in values)


class Album:
    """The pictures of one mesh: each is read once, and all together are bounded."""

    def __init__(self) -> None:
        self.found: dict[Hashable, Texture] = {}
        self.size = 0

    def texture(self, key: Hashable, read: Callable[[], Texture]) -> Texture:
        """What `read` gives, or gave when `key` was asked for before.

        Raises:
            MeshError: `read` does, or all pictures are more than `LARGEST_ALBUM` bytes.
        """
        if key not in self.found:
            texture = read()
            self.size += len(texture.data)
            if self.size > LARGEST_ALBUM:
                raise MeshError(f"all textures have more than {LARGEST_ALBUM >> 20} MB")
            self.found[key] = texture
        return self.found[key]


def distinct(names: Iterable[str], otherwise: str, allowed: str = r"\w.-") -> list[str]:
    """Names for files or objects, no two alike even in another case.

    Args:
        names: as a mesh has them.
        otherwise: the name of what has none.
        allowed: characters that may stand in a name, as in a class of `re`; others become `_`.

    Returns:
        The names, cut to `LONGEST_NAME` characters, and numbered where two would be alike.
    """
    taken: set[str] = set()
    found = []
    for name in names:
        plain = re.sub(rf"[^{allowed}]+", "_", name)[:LONGEST_NAME].strip("_. ") or otherwise
        chosen, number = plain, 0
        while chosen.casefold() in taken:
            number += 1
            chosen = f"{plain}_{number}"
        taken.add(chosen.casefold())
        found.append(chosen)
    return found


def to_linear(srgb: np.ndarray) -> np.ndarray:
    """Linear float32 in [0, 1] from sRGB uint8 (IEC 61966-2-1)."""
    value = srgb.astype(np.float32) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """sRGB uint8 from linear numbers, cut to [0, 1]."""
    value = np.clip(linear, 0, 1)
    curve = np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)
    return np.rint(255 * curve).astype(np.uint8)

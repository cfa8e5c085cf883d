"""Materials of a Wavefront .mtl, with the statements for physical materials that Blender and others write."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.beside import find_beside, read_texture
from facegen.mesh.formats.text import decoded, uncommented, unquoted
from facegen.mesh.material import Album, Material, Picture, Texture, eight_bit

# How many words stand behind each option of a map; behind `-o`, `-s` and `-t` up to so many numbers.
_OPTIONS = {
    "-blendu": 1, "-blendv": 1, "-bm": 1, "-boost": 1, "-cc": 1, "-clamp": 1, "-colorspace": 1, "-imfchan": 1,
    "-mm": 2, "-o": 3, "-s": 3, "-t": 3, "-texres": 1, "-type": 1,
}  # fmt: skip
_MOVED = {"-o": 0.0, "-s": 1.0, "-t": 0.0}
"""Options that move or scale a map, and the value that does neither."""
_MAPS = {"map_kd": "base_color", "norm": "normal", "map_ke": "emissive"}
"""Statements of maps that are read, and the role that each has in a `Material`."""
_BUMPS = ("map_bump", "bump")
"""Statements of maps of heights, which some writers use for maps of normals."""
LEAST_OPACITY = 1 / 510
"""Opacity from which a screen of 256 steps shows something: half a step."""
STRONGEST_BUMP = 1e3
"""Largest strength `-bm` of a map of normals that is taken. Chosen: 1 is as painted, and no writer makes hundreds."""
NORMALS_BLUE = 160
"""Mean blue, of 255, above which a picture may show normals, whose blue is their way out of the surface: 128 to 255."""
NORMALS_BLUER = 40
"""How much larger than the mean red, of 255, the mean blue of normals is at least: red is about 128, heights are grey.
Both are chosen; a height map in a blue tint would be taken for normals."""
_UNUSED = ("map_ks", "map_ns", "map_ka", "map_pr", "map_pm", "map_ps", "map_refl", "refl", "disp", "map_disp", "decal")
"""Statements of maps that `Material` has no role for; messages name those that are left out."""
_NAMING = (*_MAPS, *_BUMPS, *_UNUSED, "map_d")
"""Statements that name a file, in whose name a `#` may stand; in others it begins a comment."""


def read_library(data: bytes) -> dict[str, dict[str, str]]:
    """The statements of each material of an .mtl, by keyword in lower case; of two of one name, those of the first."""
    materials: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in decoded(data).splitlines():
        words = line.split(None, 1)
        if not words or words[0].startswith("#"):
            continue
        keyword, value = words[0].lower(), uncommented(words[1]) if len(words) > 1 else ""
        if keyword == "newmtl":
            current = {}
            materials.setdefault(unquoted(value), current)
        elif keyword in _NAMING:
            current[keyword] = value
        else:
            current[keyword] = value.split("#", 1)[0].strip()
    return materials


class MtlReader:
    """Reads materials from their statements.

    Args:
        folder: the mesh's folder; pictures are read from it or below it alone.
        left_out: takes the reasons for what is not used.
    """

    def __init__(self, folder: Path, left_out: list[str]) -> None:
        self.folder, self.left_out, self.album = folder, left_out, Album()
        self.near: Path | None = None

    def material(self, name: str, said: Mapping[str, str], near: Path | None = None) -> Material:
        """The material of a name.

        Args:
            name: as the mesh has it.
            said: its statements by keyword in lower case.
            near: the folder of the library, where pictures are looked for too.
        """
        self.near = near
        pictures = {}
        for keyword, role in _MAPS.items():
            if keyword in said:
                pictures[role] = self._picture(name, keyword, said[keyword])
        for keyword in _BUMPS:
            if keyword in said and pictures.get("normal") is None:
                pictures["normal"] = self._normals(name, keyword, said[keyword])
        pictures = {role: picture for role, picture in pictures.items() if picture is not None}
        unused = [keyword for keyword in _UNUSED if keyword in said]
        if unused:
            self.left_out.append(f"{', '.join(unused)} of material {name[:40]!a}: there is no place for them")
        alpha, mixed = self._alpha(name, said)
        color = None if "base_color" in pictures else _color(said.get("kd"))
        red, green, blue = _color(said.get("ke")) or (0.0, 0.0, 0.0)
        return Material(
            name,
            color=color if color is None or max(color) <= 1 else None,
            alpha=alpha,
            metallic=_number(said.get("pm"), 0.0),
            roughness=_number(said.get("pr"), Material.roughness),
            emissive=(min(red, 1.0), min(green, 1.0), min(blue, 1.0)),
            alpha_mode="BLEND" if alpha < 1 or mixed else "OPAQUE",
            pictures=pictures,
        )

    def _alpha(self, name: str, said: Mapping[str, str]) -> tuple[float, bool]:
        """The material's opacity, and whether the base colour's picture has one of its own."""
        alpha = opacity(said)
        if "map_d" not in said:
            return alpha, False
        same = "map_kd" in said and _file_and_options(said["map_kd"])[0] == _file_and_options(said["map_d"])[0]
        if not same:
            self.left_out.append(f"map_d of material {name[:40]!a}: only the alpha of map_Kd's own picture is kept")
        return alpha, same

    def _picture(self, name: str, keyword: str, value: str) -> Picture | None:
        """The picture of a statement; None where it cannot be used, which `left_out` then says."""
        file, options = _file_and_options(value)
        try:
            place = self._place(file)
            texture = self.album.texture(place, lambda: read_texture(place))
        except MeshError as error:
            self.left_out.append(f"the texture {error} ({keyword} of material {name[:40]!a})")
            return None
        moved = [
            word
            for word, unmoved in _MOVED.items()
            if any(_number(part, unmoved, np.inf) != unmoved for part in options[word])
        ]
        if moved:
            self.left_out.append(f"{' '.join(moved)} of {keyword} of material {name[:40]!a}: the picture is not moved")
        wrap = "clamp" if options.get("-clamp") == ["on"] else "repeat"
        return Picture(texture, (wrap, wrap), _number((options.get("-bm") or [""])[0], 1.0, STRONGEST_BUMP))

    def _place(self, file: str) -> Path:
        """Where a picture lies; some writers put %20 for a space, as in addresses."""
        try:
            return find_beside(self.folder, file, self.near)
        except MeshError:
            if unquote(file) == file:
                raise
            return find_beside(self.folder, unquote(file), self.near)

    def _normals(self, name: str, keyword: str, value: str) -> Picture | None:
        """A bump's picture if it shows normals, as Blender and others write them; by the format it shows heights."""
        found = self._picture(name, keyword, value)
        if found is None or _shows_normals(found.texture):
            return found
        self.left_out.append(f"{keyword} of material {name[:40]!a}: heights; only maps of normals are kept")
        return None


def opacity(said: Mapping[str, str]) -> float:
    """Opacity, 0 to 1, by `d`, or by `Tr`, which is 1 less it.

    Some writers mean by `Tr` what `d` is: MeshLab and OpenMVS wrote `Tr 1.0` for opaque, and no `d`. Of two readings
    that in which something remains visible is taken: 1 for `Tr 1` alone, and `Tr` where it contradicts a `d` of 0.
    """
    clear = _seen(1 - _number(said.get("tr"), 0.0))
    if "d" not in said:
        return clear if clear > 0 else 1.0
    alpha = _seen(_number(said["d"], 1.0))
    return clear if alpha == 0 and "tr" in said else alpha


def _seen(alpha: float) -> float:
    """An opacity, 0 where a screen of 256 steps shows nothing, as of `Tr 0.999999`."""
    return alpha if alpha >= LEAST_OPACITY else 0.0


def _file_and_options(value: str) -> tuple[str, dict[str, list[str]]]:
    """The name of a map's file, which may hold spaces, and the options before it; `-o`, `-s`, `-t` are always there."""
    options: dict[str, list[str]] = {word: [] for word in _MOVED}
    unread = value.strip()
    while unread.startswith("-"):
        word, unread = _first_word(unread)
        options[word.lower()] = []
        for _ in range(_OPTIONS.get(word.lower(), 1)):
            part, after = _first_word(unread)
            if not after or (word.lower() in _MOVED and _number(part, np.nan, np.inf) is np.nan):
                break
            options[word.lower()].append(part)
            unread = after
    return unquoted(unread), options


def _first_word(text: str) -> tuple[str, str]:
    """The first word and what stands behind it; spaces or tabs are between words."""
    word, *behind = text.split(None, 1)
    return word, behind[0] if behind else ""


def _number(text: str | None, otherwise: float, highest: float = 1.0) -> float:
    """A number cut to [0, `highest`], or any finite one where that is infinite; `otherwise` where there is none."""
    try:
        value = float((text or "").split()[-1])
    except (ValueError, IndexError):
        return otherwise
    if not np.isfinite(value):
        return otherwise
    return value if highest == np.inf else min(max(value, 0.0), highest)


def _color(text: str | None) -> tuple[float, float, float] | None:
    """Three numbers of 0 or more; None where there are none, or others such as the name of a spectrum."""
    try:
        red, green, blue = (float(word) for word in (text or "").split()[:3])
    except ValueError:
        return None
    return (red, green, blue) if all(0 <= part < np.inf for part in (red, green, blue)) else None


def _shows_normals(texture: Texture) -> bool:
    """Whether a picture is mostly as blue as directions out of a surface are; False where Pillow is not installed."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        return False
    try:
        with Image.open(io.BytesIO(texture.data)) as image:
            image.draft("RGB", (64, 64))
            red, _, blue = np.asarray(eight_bit(image).convert("RGB").resize((8, 8)), dtype=float).mean(axis=(0, 1))
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return False
    return bool(blue > NORMALS_BLUE and blue > red + NORMALS_BLUER)


def write_library(
    materials: Sequence[Material], names: Sequence[str], files: Mapping[Texture, str], colored: bool
) -> tuple[str, list[str]]:
    """The text of an .mtl.

    Args:
        materials: in the order in which they are written.
        names: one for each material.
        files: where each picture lies, beside the .mtl.
        colored: vertices have colours.

    Returns:
        The text, and the names of what has no statement in the format.
    """
    lines, left = [], []
    for material, name in zip(materials, names, strict=True):
        red, green, blue = material.shown(colored)
        lines += [f"newmtl {name}", f"Kd {red:.9g} {green:.9g} {blue:.9g}", "Ks 0.5 0.5 0.5", "illum 2"]
        lines += [f"d {material.alpha:.9g}", f"Pr {material.roughness:.9g}", f"Pm {material.metallic:.9g}"]
        lines += ["Ke {:.9g} {:.9g} {:.9g}".format(*material.emissive)]
        for role, picture in material.pictures.items():
            file = ("-clamp on " if set(picture.wrap) == {"clamp"} else "") + files[picture.texture]
            match role:
                case "base_color":
                    lines += [f"map_Kd {file}"] + [f"map_d {file}"] * (material.alpha_mode != "OPAQUE")
                case "normal":
                    lines += [f"{word} -bm {picture.strength:.9g} {file}" for word in ("norm", "map_Bump")]
                case "emissive":
                    lines += [f"map_Ke {file}"]
                case _:
                    left.append(f"{role} of {name}")
        left += [f"{extension} of {name}" for extension in material.extensions]
        lines.append("")
    return "\n".join(lines), left

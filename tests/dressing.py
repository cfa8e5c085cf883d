"""Pictures and appearances that the tests share."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace

import numpy as np

from facegen.mesh.appearance import Appearance
from facegen.mesh.material import Material, Picture, Texture
from facegen.sequence.sequence import Sequence

RED = (0.8, 0.1, 0.05)
TINT = (0.5, 0.75, 1.0)
COAT = {"KHR_materials_clearcoat": {"clearcoatFactor": 0.5}, "KHR_materials_unlit": {}}


def png(*color: int) -> bytes:
    """A picture of 2 x 2 pixels of one colour (or a grey pattern), by the format's specification."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = bytes(color) * 2 if color else b"\x10\x90"
    header = struct.pack(">IIBBBBB", 2, 2, 8, 2 if color else 0, 0, 0, 0)
    data = zlib.compress((b"\0" + pixels) * 2)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


PICTURES = {
    "base_color": Texture(png(), "skin color"),
    "metallic_roughness": Texture(png(0, 200, 30), "skin surface"),
    "normal": Texture(png(128, 128, 255), "skin bumps"),
    "emissive": Texture(png(9, 8, 7)),
}


def skin() -> Material:
    """A material of which nothing is as it is by default."""
    pictures = {role: Picture(texture) for role, texture in PICTURES.items()}
    pictures["occlusion"] = Picture(PICTURES["metallic_roughness"], ("clamp", "mirror"), 0.75)
    pictures["normal"] = Picture(PICTURES["normal"], strength=0.5)
    emissive = (0.25, 0.5, 0.125)
    return Material("skin/ä", TINT, 0.5, 0.25, 0.75, emissive, "MASK", 0.25, False, pictures, COAT)


def two_materials(sequence: Sequence, *, colors: bool = False, bare: bool = False) -> Sequence:
    """A sheet whose lower half has `skin`, cut by a seam, and whose upper half is red glass.

    Args:
        sequence: of `export/conftest.py`.
        colors: of the vertices too.
        bare: a third of the triangles has no material, and the upper half no texture coordinates.
    """
    first = sequence.vertices[0]
    x, y = first[:, 0] / 200 + 0.5, first[:, 1] / 200 + 0.5
    uv = np.concatenate([np.stack([x, y], axis=1), np.stack([x / 2, y], axis=1)])
    middle = first[sequence.faces].mean(axis=1)
    corners = sequence.faces + np.where(middle[:, 0] < 10, 0, len(x))[:, None]
    used = (middle[:, 1] > 5).astype(int)
    if sequence.polygons is not None:  # both triangles of a square look alike
        used[1::2], corners[1::2] = used[::2], sequence.faces[1::2] + (corners - sequence.faces)[::2]
    if bare:
        corners[used == 1] = -1
        used[: len(used) // 3] = -1
    painted = np.arange(3 * len(first)).reshape(-1, 3).astype(np.uint8) if colors else None
    glass = Material("glass", RED, 0.25, alpha_mode="BLEND")
    return replace(sequence, appearance=Appearance(uv, corners, (skin(), glass), used, painted))


def one_picture(uv: np.ndarray, corners: np.ndarray) -> Appearance:
    """One material, of which a picture is known and nothing else."""
    return Appearance(uv, corners, (Material(pictures={"base_color": Picture(Texture(png()))}),))


def same_looks(found: Appearance, wanted: Appearance) -> None:
    """Assert that two appearances are the same, by face and corner and not by how their coordinates are numbered."""
    np.testing.assert_array_equal(found.corners < 0, wanted.corners < 0)
    there = wanted.corners >= 0
    np.testing.assert_allclose(found.uv[found.corners[there]], wanted.uv[wanted.corners[there]], atol=1e-6)
    assert (found.colors is None) == (wanted.colors is None)
    if wanted.colors is not None:
        np.testing.assert_array_equal(found.colors, wanted.colors)
    for number, material in enumerate(wanted.materials):
        rows = wanted.face_materials == number
        (other,) = np.unique(found.face_materials[rows])
        same_material(found.materials[other], material)


def same_material(found: Material, wanted: Material) -> None:
    one, two = found.numbers(), wanted.numbers()
    assert (found.color is None) == (wanted.color is None)
    for name in ("color", "emissive", "alpha", "metallic", "roughness", "alpha_cutoff"):
        values = [np.array(each.pop(name), dtype=float) for each in (one, two)]
        np.testing.assert_allclose(*values, atol=1e-6, err_msg=name)
    assert one == two
    assert set(found.pictures) == set(wanted.pictures)
    for role, picture in wanted.pictures.items():
        other = found.pictures[role]
        assert (other.texture.data, other.texture.name) == (picture.texture.data, picture.texture.name)
        assert (other.wrap, other.strength) == (picture.wrap, picture.strength)

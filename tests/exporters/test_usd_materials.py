"""Several materials on a USD stage, read back and checked by USD's own libraries."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dressing import PICTURES, RED, TINT, two_materials

from facegen.exporters import export
from facegen.mesh.appearance import Appearance
from facegen.mesh.material import CLAY, Material, to_linear

Usd = pytest.importorskip("pxr.Usd")
from pxr import Gf, UsdGeom, UsdShade, UsdValidation  # noqa: E402

FILES = {"base_color": "a_skin_color.png", "metallic_roughness": "a_skin_surface.png"}
FILES |= {"normal": "a_skin_bumps.png", "emissive": "a_texture.png", "occlusion": "a_skin_surface.png"}


def plain(name: str) -> str:
    """A name beside a stage without the digest of what is in the file."""
    return re.sub(r"\.[0-9a-f]{12}(?=\.png$)", "", name)


def opened(path: Path):
    stage = Usd.Stage.Open(str(path))
    return stage, UsdGeom.Mesh(stage.GetPrimAtPath("/face/surface"))


def require_valid(stage) -> None:
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    errors = UsdValidation.ValidationContext(validators).Validate(stage)
    assert [error.GetMessage() for error in errors] == []


def bound(prim) -> UsdShade.Material:
    return UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()[0]


def texture_of(material: UsdShade.Material, name: str) -> tuple[UsdShade.Shader, str]:
    """What feeds an input of the surface: a texture, and which of its outputs."""
    (source,), _ = material.ComputeSurfaceSource()[0].GetInput(name).GetConnectedSources()
    return UsdShade.Shader(source.source.GetPrim()), source.sourceName


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("suffix", [".usda", ".usdc", ".usdz"])
def test_each_material_is_bound_to_its_polygons(moving, tmp_path, suffix, bare):
    sequence = two_materials(moving(3), bare=bare)
    export(sequence, tmp_path / f"a{suffix}")
    stage, mesh = opened(tmp_path / f"a{suffix}")
    subsets = UsdShade.MaterialBindingAPI(mesh).GetMaterialBindSubsets()
    look, used = sequence.appearance, {}
    sizes = np.array(mesh.GetFaceVertexCountsAttr().Get())
    corners = np.split(np.array(mesh.GetFaceVertexIndicesAttr().Get()), np.cumsum(sizes)[:-1])
    st = np.split(np.array(UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st").ComputeFlattened()), np.cumsum(sizes)[:-1])
    for subset in subsets:
        assert (subset.GetElementTypeAttr().Get(), subset.GetFamilyNameAttr().Get()) == ("face", "materialBind")
        prim = bound(subset).GetPrim()
        used[prim.GetDisplayName() or prim.GetName()] = np.array(subset.GetIndicesAttr().Get())
    assert set(used) == ({"skin/ä", "glass", "skin"} if bare else {"skin/ä", "glass"})
    assert sorted(np.concatenate(list(used.values())).tolist()) == list(range(len(sizes)))
    for number, name in ((-1, "skin"), (0, "skin/ä"), (1, "glass")):
        if name not in used:
            continue
        found, wanted = set(), set()
        for polygon in used[name].tolist():
            for k in range(1, sizes[polygon] - 1):
                row = [0, k, k + 1]
                found.add((*corners[polygon][row].tolist(), *st[polygon][row].ravel().round(5).tolist()))
        for triangle in np.flatnonzero(look.face_materials == number):
            uv = np.append(look.uv, np.zeros((1, 2), np.float32), axis=0)[look.corners[triangle]]
            wanted.add((*sequence.faces[triangle].tolist(), *uv.ravel().round(5).tolist()))
        assert found == wanted
    require_valid(stage)


def test_a_material_has_what_it_was_given(moving, tmp_path):
    export(two_materials(moving(2)), tmp_path / "a.usdc")
    assert {plain(path.name) for path in tmp_path.iterdir()} == {"a.usdc", *FILES.values()}
    stage, mesh = opened(tmp_path / "a.usdc")
    skin, glass = (bound(subset) for subset in UsdShade.MaterialBindingAPI(mesh).GetMaterialBindSubsets())
    wanted = {
        "diffuseColor": ("base_color", "rgb", "sRGB", (*TINT, 0.5), None),
        "opacity": ("base_color", "a", "sRGB", (*TINT, 0.5), None),
        "metallic": ("metallic_roughness", "b", "raw", (1, 0.75, 0.25, 1), None),
        "roughness": ("metallic_roughness", "g", "raw", (1, 0.75, 0.25, 1), None),
        "emissiveColor": ("emissive", "rgb", "sRGB", (0.25, 0.5, 0.125, 1), None),
        "normal": ("normal", "rgb", "raw", (2, 2, 2, 1), (-1, -1, -1, 0)),
        "occlusion": ("occlusion", "r", "raw", (0.75, 0.75, 0.75, 1), (0.25, 0.25, 0.25, 0)),
    }
    for name, (role, channel, space, scale, bias) in wanted.items():
        texture, output = texture_of(skin, name)
        assert (texture.GetIdAttr().Get(), output) == ("UsdUVTexture", channel)
        file = Path(texture.GetInput("file").Get().resolvedPath)
        picture = PICTURES["metallic_roughness" if role == "occlusion" else role]
        assert (plain(file.name), file.read_bytes()) == (FILES[role], picture.data)
        assert texture.GetInput("sourceColorSpace").Get() == space
        assert texture.GetInput("scale").Get() == Gf.Vec4f(*scale)
        assert (texture.GetInput("bias").Get() if bias else None) == (Gf.Vec4f(*bias) if bias else None)
        wraps = tuple(texture.GetInput(axis).Get() for axis in ("wrapS", "wrapT"))
        assert wraps == (("clamp", "mirror") if role == "occlusion" else ("repeat", "repeat"))
    assert skin.ComputeSurfaceSource()[0].GetInput("opacityThreshold").Get() == 0.25
    surface = glass.ComputeSurfaceSource()[0]
    np.testing.assert_allclose(surface.GetInput("diffuseColor").Get(), RED, rtol=1e-6)
    assert surface.GetInput("opacity").Get() == 0.25 and not surface.GetInput("opacityThreshold")
    require_valid(stage)


def test_a_package_holds_every_picture_once(moving, tmp_path):
    export(two_materials(moving(2)), tmp_path / "a.usdz")
    assert [path.name for path in tmp_path.iterdir()] == ["a.usdz"]
    with zipfile.ZipFile(tmp_path / "a.usdz") as archive:
        assert sorted(archive.namelist()) == sorted({"a.usdc", *FILES.values()})
        for role, name in FILES.items():
            assert archive.read(name) == PICTURES["metallic_roughness" if role == "occlusion" else role].data


def test_colours_of_vertices_are_shown(moving, tmp_path):
    colors = np.arange(3 * 144).reshape(144, 3).astype(np.uint8)
    sequence = moving(2)
    export(replace(sequence, appearance=Appearance.plain(242, colors=colors)), tmp_path / "a.usda")
    stage, mesh = opened(tmp_path / "a.usda")
    shown = mesh.GetDisplayColorPrimvar()
    assert shown.GetInterpolation() == "vertex"
    np.testing.assert_allclose(shown.Get(), to_linear(colors), rtol=1e-6)
    reader, output = texture_of(bound(mesh), "diffuseColor")
    assert (reader.GetIdAttr().Get(), reader.GetInput("varname").Get(), output) == (
        "UsdPrimvarReader_float3",
        "displayColor",
        "result",
    )
    require_valid(stage)


def test_names_that_no_prim_can_have(moving, tmp_path):
    names = ("surface", "3 D", "", "surface", "é")
    materials = tuple(Material(name) for name in names)
    look = Appearance.plain(242, materials=materials, face_materials=np.arange(242) // 2 % 5)
    export(replace(moving(2), appearance=look), tmp_path / "a.usda")
    stage, mesh = opened(tmp_path / "a.usda")
    found = [bound(subset).GetPrim() for subset in UsdShade.MaterialBindingAPI(mesh).GetMaterialBindSubsets()]
    assert [prim.GetName() for prim in found] == ["surface", "_3_D", "material", "surface_1", "material_1"]
    assert [prim.GetDisplayName() for prim in found] == ["", "3 D", "", "surface", "é"]
    np.testing.assert_allclose(mesh.GetDisplayColorAttr().Get()[0], CLAY, rtol=1e-6)
    require_valid(stage)

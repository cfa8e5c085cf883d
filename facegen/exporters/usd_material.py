"""Materials on a USD stage: UsdPreviewSurface, with a subset of the mesh for each."""

from __future__ import annotations

from typing import Any

import numpy as np

from facegen.mesh.appearance import Appearance, DressedPolygons
from facegen.mesh.material import DEFAULT, Material, Picture, Texture, distinct, to_linear
from facegen.optional import require


def dress(
    stage: Any, mesh: Any, appearance: Appearance | None, polygons: DressedPolygons, files: dict[Texture, str]
) -> None:
    """Give a mesh texture coordinates, colours and materials.

    Args:
        stage: the stage.
        mesh: a mesh on it, without any look as yet.
        appearance: how the mesh looks; None for clay.
        polygons: the polygons of the mesh.
        files: names of the textures' files beside the stage.
    """
    geom, sdf, vt = (require(f"pxr.{name}", "usd") for name in ("UsdGeom", "Sdf", "Vt"))
    if appearance is not None and len(appearance.uv):
        # A corner without coordinates takes those of one more row, all zero.
        uv = np.append(appearance.uv, np.zeros((1, 2), np.float32), axis=0)
        rows = polygons.corners[polygons.polygons >= 0]
        rows, uv = (rows, uv[:-1]) if (rows >= 0).all() else (np.where(rows < 0, len(uv) - 1, rows), uv)
        st = geom.PrimvarsAPI(mesh).CreatePrimvar("st", sdf.ValueTypeNames.TexCoord2fArray, geom.Tokens.faceVarying)
        st.Set(vt.Vec2fArray.FromNumpy(uv))
        st.SetIndices(vt.IntArray.FromNumpy(rows.astype(np.int32)))
    materials = (DEFAULT,) if appearance is None or not appearance.materials else appearance.materials
    colors = None if appearance is None else appearance.colors
    if colors is not None:
        shown = mesh.CreateDisplayColorPrimvar(geom.Tokens.vertex)
        shown.Set(vt.Vec3fArray.FromNumpy(to_linear(colors)))
    else:
        mesh.CreateDisplayColorAttr([materials[0].shown()])
    mesh.CreateDoubleSidedAttr(any(material.double_sided for material in materials))
    _bind(stage, mesh, materials, polygons.materials, colors is not None, files)


def _bind(
    stage: Any,
    mesh: Any,
    materials: tuple[Material, ...],
    used: np.ndarray,
    colored: bool,
    files: dict[Texture, str],
) -> None:
    """Bind the materials; where there are several, each to a subset of the polygons."""
    geom, shade, vt = (require(f"pxr.{name}", "usd") for name in ("UsdGeom", "UsdShade", "Vt"))
    numbers = np.unique(used).tolist()
    present = [materials[number] if number >= 0 else DEFAULT for number in numbers] or [DEFAULT]
    names = distinct((material.name for material in present), "material", r"A-Za-z0-9_")
    names = [name if not name[0].isdigit() else f"_{name}" for name in names]
    geom.Scope.Define(stage, "/face/materials")
    bound = [_material(stage, name, material, colored, files) for name, material in zip(names, present, strict=True)]
    api = shade.MaterialBindingAPI.Apply(mesh.GetPrim())
    if len(bound) == 1:
        api.Bind(bound[0])
        return
    for number, name, material in zip(numbers, names, bound, strict=True):
        rows = vt.IntArray.FromNumpy(np.flatnonzero(used == number).astype(np.int32))
        subset = api.CreateMaterialBindSubset(name, rows, geom.Tokens.face)
        shade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(material)
    api.SetMaterialBindSubsetsFamilyType(geom.Tokens.partition)


def _material(stage: Any, name: str, material: Material, colored: bool, files: dict[Texture, str]) -> Any:
    """`/face/materials/NAME`, whose prim is displayed by the material's own name."""
    made = require("pxr.UsdShade", "usd").Material.Define(stage, f"/face/materials/{name}")
    if material.name and material.name != name:
        made.GetPrim().SetDisplayName(material.name)
    return _Shader(stage, made, material, colored, files).connected()


class _Shader:
    """The network of shaders of one material."""

    def __init__(self, stage: Any, made: Any, material: Material, colored: bool, files: dict[Texture, str]) -> None:
        self.stage, self.made, self.material, self.colored, self.files = stage, made, material, colored, files
        self.shade, self.types = require("pxr.UsdShade", "usd"), require("pxr.Sdf", "usd").ValueTypeNames
        self.surface = self._node("preview", "UsdPreviewSurface")

    def connected(self) -> Any:
        """Make all inputs, connect them, and give back the material."""
        said, types = self.material, self.types
        alpha, shown = said.alpha, said.shown(self.colored)
        cut, mixed = said.alpha_mode == "MASK", said.alpha_mode != "OPAQUE"
        base = self._texture("base_color", (*shown, alpha))
        self._input("diffuseColor", types.Color3f, shown, base, "rgb")
        if base is None and self.colored:
            reader = self._node("colors", "UsdPrimvarReader_float3")
            reader.CreateInput("varname", types.String).Set("displayColor")
            self.surface.GetInput("diffuseColor").ConnectToSource(reader.CreateOutput("result", types.Float3))
        if mixed:
            self._input("opacity", types.Float, alpha, base, "a")
        if cut:
            self._input("opacityThreshold", types.Float, said.alpha_cutoff, None, "")
        both = self._texture("metallic_roughness", (1.0, said.roughness, said.metallic, 1.0))
        self._input("metallic", types.Float, said.metallic, both, "b")
        self._input("roughness", types.Float, said.roughness, both, "g")
        glow = self._texture("emissive", (*said.emissive, 1.0))
        if glow is not None or any(said.emissive):
            self._input("emissiveColor", types.Color3f, said.emissive, glow, "rgb")
        if "normal" in said.pictures:  # in -1 to 1, and no strength: USD's validators allow nothing else
            node = self._texture("normal", (2.0, 2.0, 2.0, 1.0), (-1.0, -1.0, -1.0, 0.0))
            self._input("normal", types.Normal3f, None, node, "rgb")
        if "occlusion" in said.pictures:  # of strength s reaches from 1 - s to 1
            s = said.pictures["occlusion"].strength
            node = self._texture("occlusion", (s, s, s, 1.0), (1 - s, 1 - s, 1 - s, 0.0))
            self._input("occlusion", types.Float, None, node, "r")
        self.made.CreateSurfaceOutput().ConnectToSource(self.surface.ConnectableAPI(), "surface")
        return self.made

    def _node(self, name: str, kind: str) -> Any:
        node = self.shade.Shader.Define(self.stage, self.made.GetPath().AppendChild(name))
        node.CreateIdAttr(kind)
        return node

    def _input(self, name: str, kind: Any, value: Any, node: Any, channel: str) -> None:
        """An input of the surface: a value, which is passed over where a texture is connected."""
        port = self.surface.CreateInput(name, kind)
        if value is not None:
            port.Set(value)
        if node is not None:
            port.ConnectToSource(
                node.CreateOutput(channel, self.types.Float3 if channel == "rgb" else self.types.Float)
            )

    def _texture(self, role: str, scale: tuple, bias: tuple = (0.0, 0.0, 0.0, 0.0)) -> Any:
        """A node that reads a role's picture as `scale` times what it says, plus `bias`; None without a picture."""
        picture: Picture | None = self.material.pictures.get(role)
        if picture is None:
            return None
        path = self.made.GetPath().AppendChild("coordinates")
        if not self.stage.GetPrimAtPath(path):
            self._node("coordinates", "UsdPrimvarReader_float2").CreateInput("varname", self.types.String).Set("st")
        reader = self.shade.Shader.Get(self.stage, path)
        node = self._node(role, "UsdUVTexture")
        node.CreateInput("file", self.types.Asset).Set(f"./{self.files[picture.texture]}")
        space = "sRGB" if role in ("base_color", "emissive") else "raw"
        node.CreateInput("sourceColorSpace", self.types.Token).Set(space)
        for axis, wrap in zip(("wrapS", "wrapT"), picture.wrap, strict=True):
            node.CreateInput(axis, self.types.Token).Set(wrap)
        for name, four, usual in (("scale", scale, 1.0), ("bias", bias, 0.0)):
            if any(number != usual for number in four):
                node.CreateInput(name, self.types.Float4).Set(four)
        result = reader.CreateOutput("result", self.types.Float2)
        node.CreateInput("st", self.types.Float2).ConnectToSource(result)
        return node

"""Universal Scene Description: a mesh whose points have time samples."""

from __future__ import annotations

import re
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from facegen.data.sequence import Sequence
from facegen.errors import FacegenError
from facegen.export.stream import streamed
from facegen.files import new_file
from facegen.mesh.tri_mesh import triangulate, vertex_normals
from facegen.optional import require

CLAY = (0.62, 0.42, 0.33)
METRES_PER_UNIT = 0.001  # a sequence is in mm


def write_usd(sequence: Sequence, path: str | Path) -> str:
    """Write `.usd` or `.usdc` (binary), `.usda` (text) or `.usdz` (a package) with a time sample for each frame.

    The stage is in mm and says so (`metersPerUnit` 0.001), +y is up, frame t is time code t at `fps` time codes a
    second. Polygons are the sequence's own where it has them; they are not subdivided, and have normals. What memory
    holds does not grow with the frames. A texture is written beside the stage, `smile_texture.png` for
    `smile.usdc`, or into the package.

    Args:
        sequence: what is written.
        path: the file to write.

    Returns:
        What was written, in one line.

    Raises:
        FacegenError: usd-core is missing, the sequence has no faces, or `path` cannot be written.
    """
    sdf, usd, tf = (require(f"pxr.{name}", "usd") for name in ("Sdf", "Usd", "Tf"))
    if not len(sequence.faces):
        raise FacegenError("USD needs faces, and the sequence has none")
    path = Path(path)
    with new_file(path) as aside, ExitStack() as kept:
        try:
            picture = _picture(sequence, path, kept)
            if path.suffix.lower() in (".usd", ".usdc"):
                _write_stage(usd, sequence, aside, picture)
            else:
                folder = Path(kept.enter_context(tempfile.TemporaryDirectory(dir=aside.parent, prefix=".")))
                crate = folder / f"{path.stem}.usdc"
                _write_stage(usd, sequence, crate, picture)
                if path.suffix.lower() == ".usda":
                    sdf.Layer.OpenAsAnonymous(str(crate)).Export(str(aside))
                else:
                    if picture:
                        (folder / picture).write_bytes(sequence.appearance.texture.data)
                    if not require("pxr.UsdUtils", "usd").CreateNewUsdzPackage(str(crate), str(aside)):
                        raise FacegenError(f"cannot write {path}: the package could not be made")
        except tf.ErrorException as error:
            # USD's message names places in its own source; the reason is what it quotes first.
            reason = re.search(r" : '(.*?)'", str(error), re.S)
            raise FacegenError(f"cannot write {path}: {reason[1] if reason else error}") from error
        return f"{len(sequence.vertices)} frames, {aside.stat().st_size / 1e6:.1f} MB"


def _picture(sequence: Sequence, path: Path, kept: ExitStack) -> str:
    """The texture's name beside the stage, or ""; but for a package it is written there, to be kept with the stage."""
    if sequence.appearance is None or sequence.appearance.texture is None:
        return ""
    beside = path.with_name(f"{path.stem}_texture{sequence.appearance.texture.suffix}")
    if path.suffix.lower() != ".usdz":
        kept.enter_context(new_file(beside)).write_bytes(sequence.appearance.texture.data)
    return beside.name


def _write_stage(usd: Any, sequence: Sequence, path: Path, picture: str) -> None:
    """A stage with one face, saved after every piece of frames, which USD then need not hold."""
    geom, vt = require("pxr.UsdGeom", "usd"), require("pxr.Vt", "usd")
    stage = usd.Stage.CreateNew(str(path))
    geom.SetStageUpAxis(stage, geom.Tokens.y)
    geom.SetStageMetersPerUnit(stage, METRES_PER_UNIT)
    stage.SetTimeCodesPerSecond(sequence.fps)
    stage.SetFramesPerSecond(sequence.fps)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(len(sequence.vertices) - 1)
    root = geom.Xform.Define(stage, "/face").GetPrim()
    usd.ModelAPI(root).SetKind("component")
    stage.SetDefaultPrim(root)
    mesh = geom.Mesh.Define(stage, "/face/surface")
    polygons, corners = _polygons(sequence)
    mesh.CreateFaceVertexCountsAttr(vt.IntArray.FromNumpy((polygons >= 0).sum(axis=1).astype(np.int32)))
    mesh.CreateFaceVertexIndicesAttr(vt.IntArray.FromNumpy(polygons[polygons >= 0].astype(np.int32)))
    if corners is not None:
        sdf, uv = require("pxr.Sdf", "usd"), vt.Vec2fArray.FromNumpy(sequence.appearance.uv)
        api = geom.PrimvarsAPI(mesh)
        st = api.CreatePrimvar("st", sdf.ValueTypeNames.TexCoord2fArray, geom.Tokens.faceVarying)
        st.Set(uv)
        st.SetIndices(vt.IntArray.FromNumpy(corners[polygons >= 0].astype(np.int32)))
    mesh.CreateSubdivisionSchemeAttr(geom.Tokens.none)
    mesh.CreateDoubleSidedAttr(True)
    mesh.CreateDisplayColorAttr([_color(sequence)])
    mesh.SetNormalsInterpolation(geom.Tokens.vertex)
    _bind_material(stage, mesh, _color(sequence), picture if corners is not None else "")
    points, normals, extent = mesh.CreatePointsAttr(), mesh.CreateNormalsAttr(), mesh.CreateExtentAttr()
    for start, piece in streamed(sequence.vertices):
        for t, pose in enumerate(piece, start):
            points.Set(vt.Vec3fArray.FromNumpy(pose), t)
            normals.Set(vt.Vec3fArray.FromNumpy(vertex_normals(pose, sequence.faces)), t)
            extent.Set(vt.Vec3fArray.FromNumpy(np.stack([pose.min(axis=0), pose.max(axis=0)])), t)
        stage.GetRootLayer().Save()


def _color(sequence: Sequence) -> tuple[float, float, float]:
    return CLAY if sequence.appearance is None or sequence.appearance.color is None else sequence.appearance.color


def _polygons(sequence: Sequence) -> tuple[np.ndarray, np.ndarray | None]:
    """Vertices of each polygon's corners (P, N), rows filled with -1, and the corners' texture coordinates likewise.

    Texture coordinates belong to triangles; polygons are written only where they are what these were cut from.
    """
    faces, polygons, appearance = sequence.faces, sequence.polygons, sequence.appearance
    if appearance is None or not len(appearance.uv):
        return faces if polygons is None else polygons, None
    if polygons is None or not np.array_equal(triangulate(polygons), faces):
        return faces, appearance.corners
    # The first triangle of a fan has corners 0, 1 and 2 of its polygon, each one after it the next.
    sizes = (polygons >= 0).sum(axis=1)
    first = np.cumsum(sizes - 2) - (sizes - 2)
    corners = np.full(polygons.shape, -1)
    corners[:, :2] = appearance.corners[first, :2]
    for k in range(2, polygons.shape[1]):
        there = sizes > k
        corners[there, k] = appearance.corners[first[there] + k - 2, 2]
    return polygons, corners


def _bind_material(stage: Any, mesh: Any, color: tuple[float, float, float], picture: str) -> None:
    """A material as glTF's: one colour, or a picture."""
    sdf, shade = require("pxr.Sdf", "usd"), require("pxr.UsdShade", "usd")
    types = sdf.ValueTypeNames
    material = shade.Material.Define(stage, "/face/skin")
    shader = shade.Shader.Define(stage, "/face/skin/preview")
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("roughness", types.Float).Set(0.6)
    diffuse = shader.CreateInput("diffuseColor", types.Color3f)
    diffuse.Set(color)
    if picture:
        reader = shade.Shader.Define(stage, "/face/skin/coordinates")
        reader.CreateIdAttr("UsdPrimvarReader_float2")
        reader.CreateInput("varname", types.String).Set("st")
        texture = shade.Shader.Define(stage, "/face/skin/texture")
        texture.CreateIdAttr("UsdUVTexture")
        texture.CreateInput("file", types.Asset).Set(f"./{picture}")
        texture.CreateInput("sourceColorSpace", types.Token).Set("sRGB")
        for axis in ("wrapS", "wrapT"):
            texture.CreateInput(axis, types.Token).Set("repeat")
        result = reader.CreateOutput("result", types.Float2)
        texture.CreateInput("st", types.Float2).ConnectToSource(result)
        diffuse.ConnectToSource(texture.CreateOutput("rgb", types.Float3))
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    shade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)

"""Universal Scene Description: a mesh whose points have time samples."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from facegen.data.sequence import Sequence
from facegen.errors import FacegenError
from facegen.export.stream import streamed
from facegen.files import new_file
from facegen.mesh.tri_mesh import vertex_normals
from facegen.optional import require

CLAY = (0.62, 0.42, 0.33)
METRES_PER_UNIT = 0.001  # a sequence is in mm


def write_usd(sequence: Sequence, path: str | Path) -> str:
    """Write `.usd` or `.usdc` (binary), `.usda` (text) or `.usdz` (a package) with a time sample for each frame.

    The stage is in mm and says so (`metersPerUnit` 0.001), +y is up, frame t is time code t at `fps` time codes a
    second. Polygons are the sequence's own where it has them; they are not subdivided, and have normals. What memory
    holds does not grow with the frames.

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
    suffix = Path(path).suffix.lower()
    with new_file(path) as aside:
        try:
            if suffix in (".usd", ".usdc"):
                _write_stage(usd, sequence, aside)
            else:
                with tempfile.TemporaryDirectory(dir=aside.parent, prefix=".") as folder:
                    crate = Path(folder) / f"{Path(path).stem}.usdc"
                    _write_stage(usd, sequence, crate)
                    if suffix == ".usda":
                        sdf.Layer.OpenAsAnonymous(str(crate)).Export(str(aside))
                    elif not require("pxr.UsdUtils", "usd").CreateNewUsdzPackage(str(crate), str(aside)):
                        raise FacegenError(f"cannot write {path}: the package could not be made")
        except tf.ErrorException as error:
            # USD's message names places in its own source; the reason is what it quotes first.
            reason = re.search(r" : '(.*?)'", str(error), re.S)
            raise FacegenError(f"cannot write {path}: {reason[1] if reason else error}") from error
        return f"{len(sequence.vertices)} frames, {aside.stat().st_size / 1e6:.1f} MB"


def _write_stage(usd: Any, sequence: Sequence, path: Path) -> None:
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
    polygons = sequence.faces if sequence.polygons is None else sequence.polygons
    mesh.CreateFaceVertexCountsAttr(vt.IntArray.FromNumpy((polygons >= 0).sum(axis=1).astype(np.int32)))
    mesh.CreateFaceVertexIndicesAttr(vt.IntArray.FromNumpy(polygons[polygons >= 0].astype(np.int32)))
    mesh.CreateSubdivisionSchemeAttr(geom.Tokens.none)
    mesh.CreateDoubleSidedAttr(True)
    mesh.CreateDisplayColorAttr([CLAY])
    mesh.SetNormalsInterpolation(geom.Tokens.vertex)
    _bind_clay(stage, mesh)
    points, normals, extent = mesh.CreatePointsAttr(), mesh.CreateNormalsAttr(), mesh.CreateExtentAttr()
    for start, piece in streamed(sequence.vertices):
        for t, pose in enumerate(piece, start):
            points.Set(vt.Vec3fArray.FromNumpy(pose), t)
            normals.Set(vt.Vec3fArray.FromNumpy(vertex_normals(pose, sequence.faces)), t)
            extent.Set(vt.Vec3fArray.FromNumpy(np.stack([pose.min(axis=0), pose.max(axis=0)])), t)
        stage.GetRootLayer().Save()


def _bind_clay(stage: Any, mesh: Any) -> None:
    """A material as glTF's: clay."""
    sdf, shade = require("pxr.Sdf", "usd"), require("pxr.UsdShade", "usd")
    material = shade.Material.Define(stage, "/face/clay")
    shader = shade.Shader.Define(stage, "/face/clay/preview")
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("diffuseColor", sdf.ValueTypeNames.Color3f).Set(CLAY)
    shader.CreateInput("roughness", sdf.ValueTypeNames.Float).Set(0.6)
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    shade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)

"""A mesh and its shapes on a USD stage: blend shapes of UsdSkel."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from facegen.errors import FacegenError
from facegen.exporters.usd import METRES_PER_UNIT, pictures_of
from facegen.exporters.usd_material import dress
from facegen.files import UNWRITTEN, new_file
from facegen.mesh.appearance import DressedPolygons
from facegen.mesh.material import Texture
from facegen.optional import require
from facegen.places import folder_aside
from facegen.sequence.sequence import Sequence


def write_usd_shapes(still: Sequence, shapes: dict[str, np.ndarray], path: Path) -> None:
    """Write `.usd`, `.usdc` or `.usda`: a mesh in mm whose blend shapes have the shapes' names, and textures beside it.

    Blend shapes need a skeleton with an animation that holds their weights: one joint that stays, and weights of 0.

    Args:
        still: the mesh at rest and what it looks like, one frame.
        shapes: by name, (V, 3) mm.
        path: the file to write.

    Raises:
        FacegenError: `path` cannot be written, or the extra `usd` is missing.
    """
    usd, tf = require("pxr.Usd", "usd"), require("pxr.Tf", "usd")
    pictures = pictures_of(still, path)
    with ExitStack() as kept:
        aside = kept.enter_context(new_file(path))
        for texture, name in pictures.items():
            kept.enter_context(new_file(path.with_name(name))).write_bytes(texture.data)
        try:
            if path.suffix.lower() != ".usda":
                _write_stage(usd, still, shapes, aside, pictures)
                return
            folder = kept.enter_context(folder_aside(path))
            _write_stage(usd, still, shapes, folder / "face.usdc", pictures)
            require("pxr.Sdf", "usd").Layer.OpenAsAnonymous(str(folder / "face.usdc")).Export(str(aside))
        except tf.ErrorException as error:
            raise FacegenError(f"cannot write {path}: {UNWRITTEN}") from error


def _write_stage(
    usd: Any, still: Sequence, shapes: dict[str, np.ndarray], path: Path, pictures: dict[Texture, str]
) -> None:
    geom, skel, vt = (require(f"pxr.{name}", "usd") for name in ("UsdGeom", "UsdSkel", "Vt"))
    gf = require("pxr.Gf", "usd")
    stage = usd.Stage.CreateNew(str(path))
    geom.SetStageUpAxis(stage, geom.Tokens.y)
    geom.SetStageMetersPerUnit(stage, METRES_PER_UNIT)
    root = skel.Root.Define(stage, "/face").GetPrim()
    usd.ModelAPI(root).SetKind("component")
    stage.SetDefaultPrim(root)
    mesh = geom.Mesh.Define(stage, "/face/surface")
    dressed = DressedPolygons.of(still.faces, still.polygons, still.appearance)
    polygons, rest = dressed.polygons, np.asarray(still.vertices[0], np.float32)
    mesh.CreateFaceVertexCountsAttr(vt.IntArray.FromNumpy((polygons >= 0).sum(axis=1).astype(np.int32)))
    mesh.CreateFaceVertexIndicesAttr(vt.IntArray.FromNumpy(polygons[polygons >= 0].astype(np.int32)))
    mesh.CreateSubdivisionSchemeAttr(geom.Tokens.none)
    mesh.SetNormalsInterpolation(geom.Tokens.vertex)
    mesh.CreatePointsAttr(vt.Vec3fArray.FromNumpy(rest))
    normals = still.normals(rest)
    mesh.CreateNormalsAttr(vt.Vec3fArray.FromNumpy(np.asarray(normals, np.float32)))
    mesh.CreateExtentAttr(vt.Vec3fArray.FromNumpy(np.stack([rest.min(axis=0), rest.max(axis=0)])))
    dress(stage, mesh, still.appearance, dressed, pictures)
    names = vt.TokenArray(list(shapes))
    skeleton = skel.Skeleton.Define(stage, "/face/skeleton")
    skeleton.CreateJointsAttr(vt.TokenArray(["root"]))
    still_joint = vt.Matrix4dArray([gf.Matrix4d(1)])
    skeleton.CreateBindTransformsAttr(still_joint)
    skeleton.CreateRestTransformsAttr(still_joint)
    animation = skel.Animation.Define(stage, "/face/skeleton/weights")
    animation.CreateBlendShapesAttr(names)
    animation.CreateBlendShapeWeightsAttr(vt.FloatArray([0.0] * len(shapes)))
    binding = skel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    skel.BindingAPI.Apply(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    binding.CreateBlendShapesAttr(names)
    paths = []
    for name, shape in shapes.items():
        moved = np.flatnonzero(shape.any(axis=1))
        blend = skel.BlendShape.Define(stage, mesh.GetPath().AppendChild(name))
        turned = still.normals(rest + shape.astype(np.float32))[moved] - normals[moved]
        blend.CreateOffsetsAttr(vt.Vec3fArray.FromNumpy(np.ascontiguousarray(shape[moved], np.float32)))
        blend.CreateNormalOffsetsAttr(vt.Vec3fArray.FromNumpy(np.ascontiguousarray(turned, np.float32)))
        blend.CreatePointIndicesAttr(vt.IntArray.FromNumpy(moved.astype(np.int32)))
        paths.append(blend.GetPath())
    binding.CreateBlendShapeTargetsRel().SetTargets(paths)
    stage.GetRootLayer().Save()

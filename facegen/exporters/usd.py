"""Universal Scene Description: a mesh whose points have time samples."""

from __future__ import annotations

from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from facegen.errors import FacegenError
from facegen.exporters.stream import require_rate, streamed
from facegen.exporters.usd_material import dress
from facegen.files import UNWRITTEN, new_file
from facegen.mesh.appearance import DressedPolygons
from facegen.mesh.material import Texture, distinct
from facegen.optional import require
from facegen.places import DIGITS, folder_aside
from facegen.sequence.sequence import Sequence

METRES_PER_UNIT = 0.001
"""Metres in a stage's unit, which is the sequence's millimetre."""
SCENE_FPS = 24.0
"""Time codes a second: Blender 5.0 takes time codes for frames of a scene, and its scenes open at 24 of them."""
MOST_HELD = 1 << 26
"""Bytes of frames that USD holds before they are saved. Chosen: each save writes anew which frames there are, and
saves of a quarter of that took half of the time of a long clip."""


def write_usd(sequence: Sequence, path: str | Path, *, scene_fps: float = SCENE_FPS) -> str:
    """Write `.usd` or `.usdc` (binary), `.usda` (text) or `.usdz` (a package) with a time sample for each frame.

    The stage is in mm and says so (`metersPerUnit` 0.001), +y is up. Frame t stands at t / fps seconds, which is time
    code t * scene_fps / fps: programs that know `timeCodesPerSecond` play it right at any rate, and Blender 5.0, which
    takes time codes for frames and does not look at that, in a scene of `scene_fps`.

    Polygons are the sequence's own where it has them; they are not subdivided, and have normals. What memory holds does
    not grow with the frames. Textures are written beside the stage, see `pictures_of`, or into the package.

    Args:
        sequence: what is written.
        path: the file to write.
        scene_fps: time codes a second, 1 to `MAX_SCENE_FPS`.

    Returns:
        What was written, in one line.

    Raises:
        FacegenError: usd-core is missing, `scene_fps` is out of bounds, the sequence has no faces, or `path` cannot be
            written.
    """
    sdf, usd, tf = (require(f"pxr.{name}", "usd") for name in ("Sdf", "Usd", "Tf"))
    if not len(sequence.faces):
        raise FacegenError("USD needs faces, and the sequence has none")
    require_rate(scene_fps)
    path = Path(path)
    with new_file(path) as aside, ExitStack() as kept:
        try:
            pictures = pictures_of(sequence, path)
            if path.suffix.lower() != ".usdz":
                for texture, name in pictures.items():
                    kept.enter_context(new_file(path.with_name(name))).write_bytes(texture.data)
            if path.suffix.lower() in (".usd", ".usdc"):
                _write_stage(usd, sequence, aside, pictures, scene_fps)
            else:
                folder = kept.enter_context(folder_aside(path))
                crate = folder / f"{path.stem}.usdc"
                _write_stage(usd, sequence, crate, pictures, scene_fps)
                if path.suffix.lower() == ".usda":
                    sdf.Layer.OpenAsAnonymous(str(crate)).Export(str(aside))
                else:
                    for texture, name in pictures.items():
                        (folder / name).write_bytes(texture.data)
                    if not require("pxr.UsdUtils", "usd").CreateNewUsdzPackage(str(crate), str(aside)):
                        raise FacegenError(f"cannot write {path}: {UNWRITTEN}")
        except tf.ErrorException as error:
            raise FacegenError(f"cannot write {path}: {UNWRITTEN}") from error
        return f"{len(sequence.vertices)} frames, {aside.stat().st_size / 1e6:.1f} MB"


def pictures_of(sequence: Sequence, path: Path) -> dict[Texture, str]:
    """The name of each texture's file, in the package of a `.usdz`, else beside the stage.

    There it tells of the content, `smile_skin.0123456789ab.png`: files cannot be renamed together, so whichever stage
    is there, and whoever else writes one of the same name, the pictures that it names are its own.
    """
    textures = [] if sequence.appearance is None else sequence.appearance.textures()
    names = distinct((texture.name or "texture" for texture in textures), "texture", "A-Za-z0-9_-")
    packed = path.suffix.lower() == ".usdz"
    marks = ["" if packed else f".{sha256(each.data).hexdigest()[:DIGITS]}" for each in textures]
    return {
        texture: f"{path.stem}_{name}{mark}{texture.suffix}"
        for texture, name, mark in zip(textures, names, marks, strict=True)
    }


def _write_stage(usd: Any, sequence: Sequence, path: Path, pictures: dict[Texture, str], scene_fps: float) -> None:
    """Write a stage with one face, saved after some frames, which USD then need not hold."""
    geom, vt = require("pxr.UsdGeom", "usd"), require("pxr.Vt", "usd")
    stage = usd.Stage.CreateNew(str(path))
    geom.SetStageUpAxis(stage, geom.Tokens.y)
    geom.SetStageMetersPerUnit(stage, METRES_PER_UNIT)
    stage.SetTimeCodesPerSecond(scene_fps)
    stage.SetFramesPerSecond(scene_fps)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode((len(sequence.vertices) - 1) * scene_fps / sequence.fps)
    root = geom.Xform.Define(stage, "/face").GetPrim()
    usd.ModelAPI(root).SetKind("component")
    stage.SetDefaultPrim(root)
    mesh = geom.Mesh.Define(stage, "/face/surface")
    dressed = DressedPolygons.of(sequence.faces, sequence.polygons, sequence.appearance)
    polygons = dressed.polygons
    mesh.CreateFaceVertexCountsAttr(vt.IntArray.FromNumpy((polygons >= 0).sum(axis=1).astype(np.int32)))
    mesh.CreateFaceVertexIndicesAttr(vt.IntArray.FromNumpy(polygons[polygons >= 0].astype(np.int32)))
    mesh.CreateSubdivisionSchemeAttr(geom.Tokens.none)
    mesh.SetNormalsInterpolation(geom.Tokens.vertex)
    dress(stage, mesh, sequence.appearance, dressed, pictures)
    points, normals, extent = mesh.CreatePointsAttr(), mesh.CreateNormalsAttr(), mesh.CreateExtentAttr()
    held = 0
    for start, chunk in streamed(sequence.vertices):
        for t, (pose, normal) in enumerate(zip(chunk, sequence.normals(chunk), strict=True), start):
            code = t * scene_fps / sequence.fps
            points.Set(vt.Vec3fArray.FromNumpy(pose), code)
            normals.Set(vt.Vec3fArray.FromNumpy(normal), code)
            rows = pose.T.copy()  # numpy takes ten times as long for the least of each column
            extent.Set(vt.Vec3fArray.FromNumpy(np.stack([rows.min(axis=1), rows.max(axis=1)])), code)
        held += 2 * chunk.nbytes
        if held > MOST_HELD:
            stage.GetRootLayer().Save()
            held = 0
    stage.GetRootLayer().Save()

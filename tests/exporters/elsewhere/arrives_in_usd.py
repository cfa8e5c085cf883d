"""Prints what arrives of a file in usd-core, as JSON: see `table.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from pxr import Sdf, Tf, Usd, UsdGeom, UsdShade


def main() -> None:
    path, out, *seconds = sys.argv[1:]
    try:
        if Sdf.FileFormat.FindByExtension(path) is None:
            raise ValueError("no reader")
        stage = Usd.Stage.Open(path)
    except (Tf.ErrorException, ValueError) as error:
        Path(out).write_text(json.dumps({"refused": str(error)}))
        return
    (mesh,) = (UsdGeom.Mesh(prim) for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh))
    world = np.array(UsdGeom.Imageable(mesh).ComputeLocalToWorldTransform(0))
    codes = [float(second) * stage.GetTimeCodesPerSecond() for second in seconds]
    poses = [np.array(mesh.GetPointsAttr().Get(code), float) @ world[:3, :3] + world[3, :3] for code in codes]
    found = {
        "poses": [pose.tolist() for pose in poses],
        "metres": UsdGeom.GetStageMetersPerUnit(stage),
        "names": [prim.GetName() for prim in stage.Traverse() if prim.IsA(UsdGeom.Xform) or prim.IsA(UsdGeom.Mesh)],
        "materials": [prim.GetName() for prim in stage.Traverse() if prim.IsA(UsdShade.Material)],
        "uv": UsdGeom.PrimvarsAPI(mesh).HasPrimvar("st"),
        "morphs": [],
        "rate": f"{stage.GetTimeCodesPerSecond():g} codes/s",
    }
    Path(out).write_text(json.dumps(found))


main()

"""Prints where Blender has the vertices of a file, at frames of a scene, as JSON. Runs where `bpy` is installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy
import numpy as np

IMPORTS = {".glb": "import_scene.gltf", ".gltf": "import_scene.gltf", ".abc": "wm.alembic_import"}
IMPORTS |= {suffix: "wm.usd_import" for suffix in (".usd", ".usda", ".usdc", ".usdz")}
IMPORTS |= {".obj": "wm.obj_import", ".ply": "wm.ply_import"}


def opened(path: Path, mesh: Path) -> bpy.types.Object:
    """The object that a file shows; point caches move `mesh`."""
    cached = path.suffix in (".pc2", ".mdd")
    source = mesh if cached else path
    group, name = IMPORTS[source.suffix].split(".")
    getattr(getattr(bpy.ops, group), name)(filepath=str(source))
    (shown,) = (each for each in bpy.data.objects if each.type == "MESH")
    if cached:
        cache = shown.modifiers.new("cache", "MESH_CACHE")
        cache.cache_format, cache.filepath = path.suffix[1:].upper(), str(path)
    return shown


def placed(shown: bpy.types.Object) -> np.ndarray:
    """(V, 3) in the world, as it is shown now."""
    evaluated = shown.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    local = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", local)
    world = np.array(evaluated.matrix_world)
    return local.reshape(-1, 3).astype(float) @ world[:3, :3].T + world[:3, 3]


def vertices(shown: bpy.types.Object) -> list:
    """The same with +y up: Blender's z is up, and importers turn what they read."""
    return (placed(shown) @ np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])).tolist()


def main() -> None:
    path, mesh, out, fps, *frames = sys.argv[1:]
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if fps != "as it opens":
        bpy.context.scene.render.fps = int(fps)
    shown = opened(Path(path), Path(mesh))
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(int(frame))
        found.append(vertices(shown))
    Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main()

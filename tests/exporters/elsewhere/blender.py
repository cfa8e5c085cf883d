"""Prints where Blender has the vertices of a file, at frames of a scene, as JSON. Runs where `bpy` is installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy
import numpy as np


def opened(path: Path, mesh: Path) -> bpy.types.Object:
    """The object that a file shows; point caches move `mesh`."""
    suffix = path.suffix
    if suffix in (".glb", ".gltf"):
        bpy.ops.import_scene.gltf(filepath=str(path))
    elif suffix in (".usdc", ".usda", ".usdz", ".usd"):
        bpy.ops.wm.usd_import(filepath=str(path))
    elif suffix == ".abc":
        bpy.ops.wm.alembic_import(filepath=str(path))
    else:
        bpy.ops.wm.obj_import(filepath=str(mesh))
    (shown,) = (each for each in bpy.data.objects if each.type == "MESH")
    if suffix in (".pc2", ".mdd"):
        cache = shown.modifiers.new("cache", "MESH_CACHE")
        cache.cache_format, cache.filepath = suffix[1:].upper(), str(path)
    return shown


def vertices(shown: bpy.types.Object) -> list:
    """(V, 3) in the world, with +y up: Blender's z is up, and importers turn what they read."""
    evaluated = shown.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    local = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", local)
    world = np.array(evaluated.matrix_world)
    placed = local.reshape(-1, 3).astype(float) @ world[:3, :3].T + world[:3, 3]
    return (placed @ np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])).tolist()


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


main()

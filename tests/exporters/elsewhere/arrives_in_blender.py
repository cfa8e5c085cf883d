"""Prints what arrives of a file in Blender, as JSON: see `table.py`. Runs where `bpy` is installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy
import numpy as np

IMPORTS = {
    ".glb": "import_scene.gltf",
    ".gltf": "import_scene.gltf",
    ".usd": "wm.usd_import",
    ".usda": "wm.usd_import",
    ".usdc": "wm.usd_import",
    ".usdz": "wm.usd_import",
    ".abc": "wm.alembic_import",
    ".obj": "wm.obj_import",
    ".ply": "wm.ply_import",
}


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


def placed(shown: bpy.types.Object) -> list:
    """(V, 3) in the world, as it is shown now."""
    evaluated = shown.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    local = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", local)
    world = np.array(evaluated.matrix_world)
    return (local.reshape(-1, 3).astype(float) @ world[:3, :3].T + world[:3, 3]).tolist()


def main() -> None:
    path, mesh, out, *seconds = sys.argv[1:]
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    shown = opened(Path(path), Path(mesh))
    poses = []
    for second in seconds:
        frame = float(second) * scene.render.fps / scene.render.fps_base
        scene.frame_set(int(frame), subframe=frame % 1)
        poses.append(placed(shown))
    keys = shown.data.shape_keys.key_blocks[1:] if shown.data.shape_keys else ()  # the first is the shape at rest
    found = {
        "poses": poses,
        "metres": scene.unit_settings.scale_length,
        "names": [each.name for each in bpy.data.objects],
        "materials": [slot.material.name for slot in shown.material_slots if slot.material],
        "uv": bool(shown.data.uv_layers),
        "morphs": [key.name for key in keys],
        "rate": f"{scene.render.fps / scene.render.fps_base:g} fps",
        "range": f"; frames {scene.frame_start} to {scene.frame_end}",
    }
    Path(out).write_text(json.dumps(found))


main()

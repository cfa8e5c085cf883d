"""Prints what arrives of a file in Blender, as JSON: see `table.py`. Runs where `bpy` is installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy
from blender import opened, placed


def main() -> None:
    path, mesh, out, *seconds = sys.argv[1:]
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    shown = opened(Path(path), Path(mesh))
    poses = []
    for second in seconds:
        frame = float(second) * scene.render.fps / scene.render.fps_base
        scene.frame_set(int(frame), subframe=frame % 1)
        poses.append(placed(shown).tolist())
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

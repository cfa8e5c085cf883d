"""Prints what Blender makes of the looks of a file, as JSON. Runs where `bpy` is installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy
import numpy as np

IMPORTS = {".glb": "import_scene.gltf", ".gltf": "import_scene.gltf", ".obj": "wm.obj_import"}
IMPORTS |= {".usdc": "wm.usd_import", ".usdz": "wm.usd_import", ".abc": "wm.alembic_import"}


def looks(material: bpy.types.Material) -> dict:
    """The numbers of a material, and by input of its shader the size of the picture that feeds it."""
    found: dict = {"pictures": {}}
    nodes = material.node_tree.nodes if material.node_tree else []
    surface = next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)
    if surface is None:
        return found
    for name in ("Roughness", "Metallic", "Alpha"):
        found[name] = surface.inputs[name].default_value
    found["color"] = list(surface.inputs["Base Color"].default_value)[:3]
    for port in surface.inputs:
        waiting = [link.from_node for link in port.links]
        while waiting:
            node = waiting.pop()
            if node.type == "TEX_IMAGE" and node.image:
                found["pictures"][port.name] = [round(part, 3) for part in node.image.pixels[:3]]
            waiting += [link.from_node for each in node.inputs for link in each.links]
    return found


def main() -> None:
    path, out = map(Path, sys.argv[1:])
    bpy.ops.wm.read_factory_settings(use_empty=True)
    group, name = IMPORTS[path.suffix].split(".")
    getattr(getattr(bpy.ops, group), name)(filepath=str(path))
    (shown,) = (each for each in bpy.data.objects if each.type == "MESH")
    mesh = shown.data
    names = [slot.material.name if slot.material else "" for slot in shown.material_slots]
    uv = mesh.uv_layers[0].uv if mesh.uv_layers else None
    faces = []
    for polygon in mesh.polygons:
        corners = [[float(part) for part in uv[loop].vector] for loop in polygon.loop_indices] if uv else []
        place = np.mean([mesh.vertices[vertex].co for vertex in polygon.vertices], axis=0).tolist()
        faces.append([names[polygon.material_index] if names else "", place, corners])
    materials = {slot.material.name: looks(slot.material) for slot in shown.material_slots if slot.material}
    out.write_text(json.dumps({"faces": faces, "materials": materials}))


main()

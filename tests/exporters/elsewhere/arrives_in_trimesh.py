"""Prints what arrives of a file in trimesh, as JSON: see `table.py`. It knows no time: each second shows the same."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import trimesh

METRES = {"m": 1.0, "meters": 1.0, "mm": 0.001, "millimeters": 0.001, None: None}


def main() -> None:
    path, out, *seconds = sys.argv[1:]
    if Path(path).suffix[1:] not in trimesh.available_formats():
        Path(out).write_text(json.dumps({"refused": "no loader"}))
        return
    scene = trimesh.load_scene(path)
    pose = np.concatenate([part.vertices for part in scene.dump()]).tolist()
    looks = [part.visual for part in scene.geometry.values()]
    materials = [look.material for look in looks if look.kind == "texture"]
    found = {
        "poses": [pose] * len(seconds),
        "metres": METRES[scene.units],
        "names": sorted(scene.geometry),
        "materials": [each.name for each in materials if each.name],
        "uv": any(getattr(look, "uv", None) is not None for look in looks),
        "morphs": [],
    }
    Path(out).write_text(json.dumps(found))


main()

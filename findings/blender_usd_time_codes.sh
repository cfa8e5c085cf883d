#!/bin/sh
# Blender 5.0.1 (bpy 5.0.1): a USD stage's timeCodesPerSecond is ignored, its time codes are taken for scene frames.
#
# Done: stages of 12, 24 and 60 time codes a second, each with a triangle that rises 1 m in each second for 2 seconds,
# were imported into scenes of 24 and 30 frames a second.
# Expected: by USD's documentation timeCodesPerSecond scales time codes to seconds, so after one second of any scene the
# triangle is at 1 m.
# Seen: it is where time code 24 (or 30) lies, and the scene keeps its rate, so five of six play too fast or too slow:
#     12 time codes a second, scene of 24: 2.00 m after 1 s
#     12 time codes a second, scene of 30: 2.00 m after 1 s
#     24 time codes a second, scene of 24: 1.00 m after 1 s
#     24 time codes a second, scene of 30: 1.25 m after 1 s
#     60 time codes a second, scene of 24: 0.40 m after 1 s
#     60 time codes a second, scene of 30: 0.50 m after 1 s
# What helps: writing the stage at the rate of the scene that it is for. (The last sample is held: 2 m, not 2.5.)
# First seen with bpy 5.0.1, in November 2026. Needs Python 3.11 (PYTHON=python3.11) and 1.4 GB of disk for a while.
# Exits with 0 as long as it is so, 1 once it has changed, 2 where it could not be tried.
set -u
at=$(mktemp -d) || exit 2
trap 'rm -rf "$at"' EXIT
cd "$at" || exit 2
"${PYTHON:-python3}" -m venv venv && venv/bin/pip install --quiet --disable-pip-version-check bpy==5.0.1 || exit 2
cat > look.py <<'SCRIPT'
import sys

import bpy

STAGE = """#usda 1.0
(
    defaultPrim = "place"
    endTimeCode = {end}
    metersPerUnit = 1
    startTimeCode = 0
    timeCodesPerSecond = {rate}
    upAxis = "Z"
)
def Xform "place"
{{
    def Mesh "triangle"
    {{
        int[] faceVertexCounts = [3]
        int[] faceVertexIndices = [0, 1, 2]
        uniform token subdivisionScheme = "none"
        point3f[] points.timeSamples = {{
            0: [(0, 0, 0), (1, 0, 0), (0, 1, 0)],
            {end}: [(0, 0, 2), (1, 0, 2), (0, 1, 2)],
        }}
    }}
}}
"""
found = []
for rate in (12, 24, 60):
    with open("rising.usda", "w") as file:
        file.write(STAGE.format(rate=rate, end=2 * rate))
    for fps in (24, 30):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene = bpy.context.scene
        scene.render.fps = fps
        bpy.ops.wm.usd_import(filepath="rising.usda")
        (triangle,) = (each for each in bpy.data.objects if each.type == "MESH")
        scene.frame_set(scene.render.fps)
        shown = triangle.evaluated_get(bpy.context.evaluated_depsgraph_get())
        height = (shown.matrix_world @ shown.to_mesh().vertices[0].co).z
        print(f"{rate} time codes a second, scene of {fps}: {height:.2f} m after 1 s")
        found.append(abs(height - min(scene.render.fps / rate, 2)) < 1e-3 and scene.render.fps == fps)
sys.stdout.flush()
sys.exit(not all(found))
SCRIPT
venv/bin/python look.py

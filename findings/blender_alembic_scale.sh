#!/bin/sh
# Blender 5.0.1 (bpy 5.0.1): the scale of the Alembic import does nothing to a mesh that has no transform above it.
#
# Done: a sheet 1000 wide and 2000 tall was written by alembic3d 1.8.12.1 (an unofficial build of Alembic's own Python
# binding) twice: once as a mesh at the top of the archive, once under a transform that changes nothing. Both were
# imported with scale 0.001, "Value by which to enlarge or shrink the objects with respect to the world's origin".
# Expected: 1 m wide and 2 m tall, both.
# Seen: the mesh without a transform keeps its size, without a word:
#     mesh at the top, scale 0.001: 1000 x 2000
#     mesh under a transform, scale 0.001: 1 x 2
# Alembic has no units, so this number is the only means to bring millimetres to a scene in metres. What helps: a
# transform above the mesh.
# First seen with bpy 5.0.1, in November 2026. Needs Python 3.11 (PYTHON=python3.11) and 1.4 GB of disk for a while.
# Exits with 0 as long as it is so, 1 once it has changed, 2 where it could not be tried.
set -u
at=$(mktemp -d) || exit 2
trap 'rm -rf "$at"' EXIT
cd "$at" || exit 2
"${PYTHON:-python3}" -m venv venv && venv/bin/pip install --quiet --disable-pip-version-check bpy==5.0.1 || exit 2
"${PYTHON:-python3}" -m venv writer || exit 2
writer/bin/pip install --quiet --disable-pip-version-check alembic3d==1.8.12.1 numpy==2.4.6 || exit 2
cat > write.py <<'SCRIPT'
import alembic3d.Abc as abc
import alembic3d.AbcGeom as geom
import imath
import numpy as np

points = imath.V3fArrayFromBuffer(np.array([[0, 0, 0], [1000, 0, 0], [1000, 2000, 0], [0, 2000, 0]], np.float32))
corners, sizes = (imath.IntArrayFromBuffer(np.array(each, np.int32)) for each in ([3, 2, 1, 0], [4]))
for name in ("top", "under"):
    archive = abc.OArchive(f"{name}.abc")
    parent = archive.getTop()
    if name == "under":
        parent = geom.OXform(parent, "place")
        parent.getSchema().set(geom.XformSample())
    mesh = geom.OPolyMesh(parent, "sheet")
    mesh.getSchema().set(geom.OPolyMeshSchemaSample(points, corners, sizes))
    del mesh, parent, archive  # the archive is complete when nothing holds it
SCRIPT
writer/bin/python write.py || exit 2
cat > look.py <<'SCRIPT'
import sys

import bpy

found = []
for name, words in (("top", "at the top"), ("under", "under a transform")):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.alembic_import(filepath=f"{name}.abc", scale=0.001)
    bpy.context.view_layer.update()
    (sheet,) = (each for each in bpy.data.objects if each.type == "MESH")
    wide, _, tall = sheet.dimensions
    print(f"mesh {words}, scale 0.001: {wide:g} x {tall:g}")
    found.append([round(wide, 3), round(tall, 3)])
sys.stdout.flush()
sys.exit(found != [[1000, 2000], [1, 2]])
SCRIPT
venv/bin/python look.py

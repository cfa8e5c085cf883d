#!/bin/sh
# usd-core 26.11: a binary layer that is saved after every time sample grows with the square of the samples.
#
# Done: 2,000 time samples of 100 points were set on one attribute of a new .usdc, and the layer was saved after each,
# after every 10, after every 100, and once at the end.
# Expected: files of about the same size. A crate is appended to, and a save has nothing to write but what is new.
# Seen: each save also writes anew where all samples so far lie, and what it replaces stays in the file:
#     saved 2000 times: 34544628 bytes
#     saved 200 times: 5643828 bytes
#     saved 20 times: 2753748 bytes
#     saved once: 2448685 bytes
#     the first, exported again: 2448684 bytes
# Long caches are saved in between so that they need not fit into memory. What helps: saving after some tens of MB, or
# exporting the layer once more at the end.
# First seen with 26.11, in November 2026.
# Exits with 0 as long as it is so, 1 once it has changed, 2 where it could not be tried.
set -u
at=$(mktemp -d) || exit 2
trap 'rm -rf "$at"' EXIT
python3 -m venv "$at/venv" && "$at/venv/bin/pip" install --quiet --disable-pip-version-check usd-core==26.11 || exit 2
cd "$at" || exit 2
"$at/venv/bin/python" - <<'SCRIPT'
import os
import sys

from pxr import Usd, UsdGeom, Vt

SAMPLES = 2000


def written(path, every):
    """Bytes of a layer that is saved after every so many samples."""
    stage = Usd.Stage.CreateNew(path)
    points = UsdGeom.Points.Define(stage, "/points").CreatePointsAttr()
    for k in range(SAMPLES):
        points.Set(Vt.Vec3fArray([(k, 0, 0)] * 100), k)
        if k % every == every - 1:
            stage.GetRootLayer().Save()
    return os.path.getsize(path)


sizes = {}
for every in (1, 10, 100, SAMPLES):
    times = SAMPLES // every
    sizes[times] = written(f"saved-{times}.usdc", every)
    print(f"saved {times} times:" if times > 1 else "saved once:", sizes[times], "bytes")
stage = Usd.Stage.Open("saved-2000.usdc")
stage.GetRootLayer().Export("again.usdc")
again = os.path.getsize("again.usdc")
print("the first, exported again:", again, "bytes")
sys.exit(0 if sizes[SAMPLES] > 5 * again and again < 1.1 * sizes[1] else 1)
SCRIPT

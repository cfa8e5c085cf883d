#!/bin/sh
# MediaPipe 0.10.14: FaceMesh finds an upside-down portrait as a face that stands upright, its chin on the forehead.
#
# Done: FaceMesh for still pictures was given skimage.data.astronaut() (scikit-image 0.26.0), and the same turned by 180
# degrees, as a photograph without its EXIF rotation is.
# Expected: the same landmarks, turned (before it looks for landmarks MediaPipe turns the face by the line of its eyes),
# or no face.
# Seen: a face, with nothing that says so (FaceMesh gives no score), half a face's height off: the left eye where the
# right one is, the chin on the forehead and the forehead on the mouth. Turned back into the picture, in pixels:
#     right eye: 195, 101; from the turned picture 251, 111
#     left eye: 257, 104; from the turned picture 205, 137
#     mouth: 224, 143; from the turned picture 217, 96
#     chin: 221, 175; from the turned picture 206, 74
#     forehead: 228, 72; from the turned picture 239, 145
#     off by 0.51 of the face's height on average
# What helps: asking FaceDetection, in cuts of the picture that are turned, where eyes, nose and mouth are.
# First seen with mediapipe 0.10.14, in November 2026. Needs Python 3.11 or 3.12 (PYTHON=python3.11).
# Exits with 0 as long as it is so, 1 once it has changed, 2 where it could not be tried.
set -u
at=$(mktemp -d) || exit 2
trap 'rm -rf "$at"' EXIT
cd "$at" || exit 2
"${PYTHON:-python3}" -m venv venv || exit 2
venv/bin/pip install --quiet --disable-pip-version-check mediapipe==0.10.14 scikit-image==0.26.0 numpy==2.4.6 || exit 2
cat > look.py <<'SCRIPT'
import sys

import mediapipe
import numpy as np
from skimage import data

NAMED = {"right eye": 33, "left eye": 263, "mouth": 13, "chin": 152, "forehead": 10}
picture = data.astronaut()
size = np.array([picture.shape[1], picture.shape[0]])


def landmarks(pixels):
    """(468, 2) in pixels, or None."""
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1) as mesh:
        found = mesh.process(np.ascontiguousarray(pixels)).multi_face_landmarks
    return np.array([(point.x, point.y) for point in found[0].landmark]) * size if found else None


upright, turned = landmarks(picture), landmarks(picture[::-1, ::-1])
if upright is None or turned is None:
    print("no face:", "upright" if upright is None else "turned")
    sys.exit(1)
turned = size - 1 - turned
for name, number in NAMED.items():
    (x, y), (u, v) = upright[number], turned[number]
    print(f"{name}: {x:.0f}, {y:.0f}; from the turned picture {u:.0f}, {v:.0f}")
off = np.linalg.norm(upright - turned, axis=1).mean() / np.ptp(upright[:, 1])
print(f"off by {off:.2f} of the face's height on average")
chin, forehead = NAMED["chin"], NAMED["forehead"]
swapped = np.linalg.norm(turned[chin] - upright[forehead]) < np.linalg.norm(turned[chin] - upright[chin])
sys.exit(not (off > 0.3 and swapped))
SCRIPT
venv/bin/python look.py 2>told || { cat told >&2; exit 1; }

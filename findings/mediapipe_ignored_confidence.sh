#!/bin/sh
# MediaPipe 0.10.14: FaceDetection does not look at its min_detection_confidence.
#
# Done: skimage.data.astronaut() (scikit-image 0.26.0), upright, turned by 180 degrees, and lying on its side, was given
# to FaceDetection with the near and the far model, with min_detection_confidence of 0.01, 0.5 and 0.99.
# Expected: by its documentation the "minimum confidence value ([0.0, 1.0]) for face detection to be considered
# successful": with 0.99 none of these faces (their scores are 0.92 and below), with 0.01 more than with 0.5.
# Seen: the same with each:
#     near model, upright: 0.922 with 0.01, 0.922 with 0.5, 0.922 with 0.99
#     near model, turned: 0.647 with 0.01, 0.647 with 0.5, 0.647 with 0.99
#     near model, on its side: 0.790 with 0.01, 0.790 with 0.5, 0.790 with 0.99
#     far model, upright: 0.912 with 0.01, 0.912 with 0.5, 0.912 with 0.99
#     far model, turned: none with 0.01, none with 0.5, none with 0.99
#     far model, on its side: 0.764 with 0.01, 0.764 with 0.5, 0.764 with 0.99
#     bound of the graph that ran with 0.99: near model 0.5, far model 0.6
# The number goes into the graph's options as min_score_thresh, but the part that compares scores has kept the bound of
# its own, 0.5 in the near and 0.6 in the far model. What helps: comparing the scores oneself, which only raises it.
# First seen with mediapipe 0.10.14, in November 2026. Needs Python 3.11 or 3.12 (PYTHON=python3.11).
# Exits with 0 as long as it is so, 1 once it has changed, 2 where it could not be tried.
set -u
at=$(mktemp -d) || exit 2
trap 'rm -rf "$at"' EXIT
cd "$at" || exit 2
"${PYTHON:-python3}" -m venv venv || exit 2
venv/bin/pip install --quiet --disable-pip-version-check mediapipe==0.10.14 scikit-image==0.26.0 numpy==2.4.6 || exit 2
cat > look.py <<'SCRIPT'
import re
import sys

import mediapipe
import numpy as np
from skimage import data

ASKED = (0.01, 0.5, 0.99)
picture = data.astronaut()
pictures = {"upright": picture, "turned": picture[::-1, ::-1], "on its side": np.rot90(picture)}


def scores(pixels, model, bound):
    """The scores of the faces that were found, and the bound that the graph compares with."""
    detection = mediapipe.solutions.face_detection.FaceDetection(model_selection=model, min_detection_confidence=bound)
    with detection as faces:
        kept = re.search(r"sigmoid_score.*?min_score_thresh: ([\d.]+)", str(faces._graph.text_config), re.DOTALL)
        found = faces.process(np.ascontiguousarray(pixels)).detections or []
    return [face.score[0] for face in found], float(kept[1])


same, below, kept = [], [], []
for model, model_name in enumerate(("near", "far")):
    for name, pixels in pictures.items():
        found = [scores(pixels, model, bound) for bound in ASKED]
        words = [", ".join(f"{score:.3f}" for score in each) or "none" for each, _ in found]
        told = ", ".join(f"{each} with {bound}" for each, bound in zip(words, ASKED, strict=True))
        print(f"{model_name} model, {name}: {told}")
        same.append(len(set(words)) == 1)
        below += [score < ASKED[-1] for score in found[-1][0]]
    kept.append(found[-1][1])
print(f"bound of the graph that ran with {ASKED[-1]}: near model {kept[0]:g}, far model {kept[1]:g}")
sys.exit(not (all(same) and any(below)))
SCRIPT
venv/bin/python look.py 2>told || { cat told >&2; exit 1; }

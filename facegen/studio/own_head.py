"""The head that comes with facegen, on which the studio opens: its face moves as the model says, and the rest with it.

The model's template is the head's face. Teeth, eyes and the back of the head are moved by ARKit's shapes of the same
head, in the weights whose face comes nearest to the model's.
"""

from __future__ import annotations

import numpy as np

from facegen.checkpoint import Checkpoint
from facegen.face import Face
from facegen.mesh.tri_mesh import TriMesh
from facegen.rigging.packed_shapes import STEP
from facegen.rigging.shipped_head import shipped_head, shown_rows
from facegen.studio.first_look import Look
from facegen.studio.stage import Stage

SAME = 1e-3
"""mm by which the template may be off the head's face. Chosen: files round to less."""
RIDGE = 1e-3
"""How much small weights count beside a near face, as a share of the mean square of a shape. Chosen: without it, shapes
that are nearly alike take large weights against each other, and the teeth with them."""


class Led:
    """What carries motion of the face to the whole head.

    Args:
        shapes: (K, V, 3) float32 mm, of the head; its first F vertices are the face.
        face: F.
    """

    def __init__(self, shapes: np.ndarray, face: int) -> None:
        seen = shapes[:, :face].reshape(len(shapes), -1)
        square = seen @ seen.T
        square += RIDGE * np.trace(square) / len(square) * np.eye(len(square), dtype=square.dtype)
        self.seen = seen.T.copy()
        self.others = np.linalg.inv(square) @ shapes[:, face:].reshape(len(shapes), -1)

    def __call__(self, displacement: np.ndarray) -> np.ndarray:
        """(T, F, 3) mm of the face to (T, V, 3) float32 mm of the head."""
        moved = np.asarray(displacement, np.float32)
        led = moved.reshape(len(moved), -1) @ self.seen @ self.others
        return np.concatenate([moved, led.reshape(len(moved), -1, 3)], axis=1)


def own_head(model: Checkpoint, look: Look) -> Stage | None:
    """The head on its stage; None where the model's template is no part of it.

    Args:
        model: whose template it is.
        look: at that head.
    """
    file, template = look.shapes, model.hierarchy.template.vertices
    face = len(template)
    if file is None or len(file.mesh.vertices) < face:
        return None
    if not np.allclose(file.mesh.vertices[:face], template, atol=SAME):
        return None
    mesh, landmarks, _ = shipped_head(file)
    rows = shown_rows(len(file.mesh.vertices))
    shapes = np.stack([shape[rows] for shape in file.shapes.values()]) * np.float32(STEP)
    skin = np.arange(len(mesh.vertices)) < file.skin
    led = Led(shapes, face)
    shown = Face(TriMesh(mesh.vertices, mesh.faces), led, np.eye(3), None, "mm", 1.0, landmarks, skin=skin)
    return Stage(shown, template.astype(np.float32)[None], len(mesh.vertices), look.focus)

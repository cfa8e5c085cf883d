"""How far triangles of a surface can be seen by who stands before it."""

from __future__ import annotations

import numpy as np

from facegen.optional import require

DIRECTIONS, WIDEST = 60, 70.0
"""From where is looked, evenly, and degrees from the front within which that is. Chosen: from farther aside
a nose hides the eye."""
SPOTS = np.array([[1, 1, 1], [8, 1, 1], [1, 8, 1], [1, 1, 8]]) / [[3], [10], [10], [10]]
"""(4, 3) places of a triangle that are looked at, as shares of its corners: its middle, and one near each corner."""
LIFT = 1e-6
"""Of the mesh's box, by which rays begin off their triangle. Chosen: 0.3 micrometres for a head."""


def showing(vertices: np.ndarray, faces: np.ndarray, chosen: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """(N,) in [0, 1]: how much of each of some triangles others do not cover, over all sides before the face.

    Args:
        vertices: (V, 3) in any units.
        faces: (F, 3), what covers.
        chosen: (N,) numbers of triangles.
        rotation: (3, 3); `vertices @ rotation.T` looks along +z with +y up.

    Raises:
        FacegenError: embreex is not installed.
    """
    if not len(chosen):
        return np.zeros(0)
    scene = require("embreex.rtcore_scene", "render").EmbreeScene()
    points = np.ascontiguousarray(vertices, np.float32)
    require("embreex.mesh_construction", "render").TriangleMesh(scene, points, np.ascontiguousarray(faces, np.int32))
    number = np.arange(DIRECTIONS) + 0.5
    out = 1 - number / DIRECTIONS * (1 - np.cos(np.radians(WIDEST)))
    around = np.pi * (1 + np.sqrt(5)) * number
    aside = np.sqrt(1 - out**2)
    ways = np.stack([aside * np.cos(around), aside * np.sin(around), out], axis=1) @ rotation
    spots = np.einsum("sk,nkc->nsc", SPOTS, np.asarray(vertices, float)[faces[chosen]])
    begin = spots[:, :, None] + LIFT * np.ptp(points, axis=0).max() * ways
    rays = np.broadcast_to(ways, begin.shape)
    begin, rays = (np.ascontiguousarray(each.reshape(-1, 3), np.float32) for each in (begin, rays))
    covered = scene.run(begin, rays, query="OCCLUDED") >= 0
    return 1 - covered.reshape(len(chosen), -1).mean(axis=1)

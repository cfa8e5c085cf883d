"""A template brought onto another surface by a similarity, which the surfaces refine where landmarks began it."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from facegen.fitting.nonrigid import SAME_WAY
from facegen.mesh.alignment import Similarity
from facegen.mesh.laplacian import laplacian
from facegen.mesh.surface import Surface
from facegen.mesh.topology import border_vertices
from facegen.mesh.tri_mesh import TriMesh, vertex_normals

# Lengths are in units of the face's size, see `face_size`.
ALIGNING_ROUNDS = 30
"""Searches for nearest points, at most, while the similarity is refined. Chosen."""
ALIGNING_VERTICES = 1500
"""Vertices of the template that have a say in it, at most. Chosen: seven numbers are looked for, and each vertex tells
of one."""
ALIGNING_TRIED = 4
"""Triangles that are measured for each vertex while the similarity is refined. Chosen: fewer than `Surface.nearest`
measures else, for speed; a wrong triangle of one vertex does no harm there."""
ALIGNING_REACH = 0.06
"""A vertex whose nearest point is farther has no say in the similarity. Chosen: landmarks place it better than that."""
FEWEST_ALIGNING = 100
"""Vertices that must have a say; with fewer, the landmarks' similarity stays. Chosen."""
HALF_WEIGHT_SPREADS = 2
"""A vertex counts half in the similarity if it is off by so many times the median. Chosen."""
MOST_GROWTH = 0.1
"""Logarithm by which the scale may change in one round. Chosen: landmarks give the scale to a few per cent."""
ALIGNED_CHANGE, ALIGNED_GAP = 2e-5, 1e-6
"""Radians, lengths and logarithm of the scale: a round that changes less is the last. The median distance counts as at
least the second. Chosen: 5 micrometres and a quarter of one on a face."""
ALIGNING_RIDGE = 1e-9
"""Share of its trace that is added to the matrix of a round, so that a sphere, which may turn freely, can be solved.
Chosen far below what any face gives."""


def align(template: TriMesh, start: Similarity, target: Surface) -> Similarity:
    """Refine a similarity by nearest points on the surfaces; vertices that fit badly have little say.

    Args:
        template: (V, 3).
        start: from landmarks, template to target.
        target: the other surface, in units of the face's size.
    """
    found, normals = start, vertex_normals(template.vertices, template.faces)
    inner = ~border_vertices(template)
    _, area = laplacian(template)
    # Some are enough, evenly over the template's order.
    some = np.unique(np.linspace(0, len(inner) - 1, ALIGNING_VERTICES).astype(int))
    points, normals, inner, area = template.vertices[some], normals[some], inner[some], area[some]
    for _ in range(ALIGNING_ROUNDS):
        moved = found(points)
        hits = target.nearest(moved, normals @ found.rotation.T, tried=ALIGNING_TRIED)
        gap = np.einsum("vc,vc->v", hits.normals, hits.points - moved)
        agree = np.einsum("vc,vc->v", hits.normals, normals @ found.rotation.T)
        apart = np.linalg.norm(hits.points - moved, axis=1)
        usable = inner & ~hits.border & (agree > SAME_WAY) & (apart < ALIGNING_REACH)
        if usable.sum() < FEWEST_ALIGNING:
            return start
        spread = max(np.median(np.abs(gap[usable])), ALIGNED_GAP)
        weights = area * usable / (1 + np.square(gap / (HALF_WEIGHT_SPREADS * spread)))
        middle = np.average(moved, axis=0, weights=weights)
        arm = moved - middle
        # Small rotation, logarithm of the scale, shift: gap = n . (w x arm + s arm + t)
        rows = np.column_stack([np.cross(arm, hits.normals), np.einsum("vc,vc->v", hits.normals, arm), hits.normals])
        normal = rows.T @ (weights[:, None] * rows)
        step = np.linalg.solve(normal + ALIGNING_RIDGE * np.trace(normal) * np.eye(7), rows.T @ (weights * gap))
        turn = Rotation.from_rotvec(step[:3]).as_matrix()
        growth = float(np.exp(np.clip(step[3], -MOST_GROWTH, MOST_GROWTH)))
        shift = step[4:]
        found = Similarity(
            growth * found.scale,
            turn @ found.rotation,
            growth * turn @ (found.translation - middle) + middle + shift,
        )
        if np.abs(step).max() < ALIGNED_CHANGE:
            break
    return found

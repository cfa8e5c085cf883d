"""Mouth, eyes and brows of any face template, so that errors can be reported by region.

Nothing is known of the template but its surface, so three landmarks are sought on it: its left and right halves are
alike; on the line between them the tip of the nose stands out and the lips meet in a crease, the stomion; and beside
the nose the inner corners of the eyes lie deepest. All else is taken to be where the average adult has it.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from facegen.errors import MeshError
from facegen.mesh.tri_mesh import TriMesh, vertex_normals

OTHERS = "rest"
"""What belongs to no feature, by the name that `report.json` has for it."""
REGIONS = ("mouth", "eyes", "brows", OTHERS)
"""Parts of a face for which errors are given, in the order of the report."""

# mm between landmarks by their usual names, about the means of adult men in Farkas, "Anthropometry of the Head and
# Face", Raven Press 1994, some as later works cite it. Only proportions are used; a mm more or less decides nothing.
EYES_TO_STOMION = 70.1
"""From the line between the eyes to the slit of the mouth: (n-sn + sn-sto) - (n-gn - en-gn)."""
INTERCANTHAL, BIOCULAR = 33.3, 91.2
"""Between the inner (en-en), and the outer corners of the eyes (ex-ex)."""
PUPIL_TO_ORBIT, PUPIL_TO_BROW = 12.6, 25.4
"""From the pupil down to the orbit (pupil-or), and up to the brow's upper edge (or-sci less that)."""
FOREHEAD = 115.9
"""Its width where the brows end (ft-ft)."""
MOUTH, UPPER_LIP, LOWER_LIP = 54.5, 8.0, 9.3
"""Width of the mouth (ch-ch), height of the upper (ls-sto) and of the lower lip (sto-li)."""

# Chosen, mm of such a face. Larger values count more of the skin to a feature; a mm or two moves few vertices.
SKIN_AROUND = 7.0
"""The skin around lips and eyes that is counted to them."""
BROW_END = 10.0
"""How far the band of the brows goes on beyond where they end."""
BROW_DROP, BROW_HALF = 2.5, 13.0
"""How far the middle of the band lies below the brows' upper edge, and half its height."""
BROW_TAIL = 200.0
"""At x mm beyond the pupil the band lies x^2 / BROW_TAIL mm lower: the tail of a brow sinks."""
DEEPEST_BEHIND = 30.0
"""Nothing further behind lips and eyes belongs to a feature."""

# What must be found, mm of the mesh. The values lie well below (or around) those of faces, which stand beside them.
NOSE_OUT = 2.0
"""The least by which the nose stands out from the skin `NOSE_REACH` above and below it; faces: 4 to 12."""
NOSE_REACH = 15.0
"""From the tip of a nose to skin that is not of it any more, above and below."""
LIP_CREASE = 0.4
"""The least depth of the crease between the lips; faces: 1 to 5."""
SOCKET_DEPTH = 4.0
"""The least depth of an eye socket; faces: 10 to 25."""
EYE_HEIGHTS = (45.0, 100.0)
"""The least and largest height of the eyes over the lips; faces: 55 to 85."""

# Where it is sought, mm of the mesh, chosen wide enough for small and large adult faces.
PROFILE_STEP, PROFILE_REACH = 0.5, 150.0
"""Between points of a profile; how far it goes up and down from the foremost point."""
PROFILE_BEHIND = 100.0
"""What lies further behind is the back of the head, seen through open eyes and parted lips."""
LIPS_BELOW_NOSE = (15.0, 55.0)
"""How far the lips' crease lies below the tip of the nose: at least, at most."""
LIP_HALF = 2.5
"""From the crease to the skin of either lip that its depth is measured from."""
BESIDE_NOSE = (-21.0, -18.0, -15.0, 15.0, 18.0, 21.0)
"""x of the profiles through the sockets: just outside the inner corners of the eyes, where the nose ends."""
BROWS_ABOVE_NOSE = (30.0, 90.0)
"""How far above its lower end, on the nose, a straight edge over the socket may touch the brow: from, to."""
FORWARD_WEIGHT = 0.15
"""mm of standing out that a mm of lying further forward counts for, when the tip of the nose is chosen: full lips may
stand out as far as a nose, but lie further back."""

# The search for the plane that mirrors a face onto itself.
MIRRORED_WITHIN = 90.0
"""mm from the foremost point; chosen, so that it is the face that counts, and hardly ears and neck."""
MIRROR_STEPS = 8
"""Steps of Gauss-Newton; chosen: fewer may stop short on a tilted face, more cost a search of all points each."""
MIRRORED_SHARE = 0.8
"""Share of the points that count, those that fit best: faces are not quite symmetric."""
MOST_TILT = 25.0
"""Degrees between the plane's normal and the x axis; a face turned further, or a shape that is none, is refused."""


def face_regions(template: TriMesh) -> np.ndarray:
    """The region of each vertex.

    The mouth is an ellipse around the lips, each eye one around lids and socket; the brows are a band above the eyes
    with the glabella between them, which the same muscles move. All else is `OTHERS`, and so is
    all that lies far behind the features.

    Args:
        template: (V, 3) in mm, a neutral face that looks along +z with +y up; ten degrees of tilt are no matter.

    Returns:
        (V,) int64, indices into `REGIONS`.

    Raises:
        MeshError: it is no such face; the message says what was not found.
    """
    place = _in_face(template.vertices, template.faces)
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    eye_x, eye_half = (BIOCULAR + INTERCANTHAL) / 4, (BIOCULAR - INTERCANTHAL) / 4 + SKIN_AROUND
    eyes = np.hypot((x - eye_x) / eye_half, (y - EYES_TO_STOMION) / PUPIL_TO_ORBIT) < 1
    brow_y = EYES_TO_STOMION + PUPIL_TO_BROW - BROW_DROP - np.maximum(x - eye_x, 0) ** 2 / BROW_TAIL
    brows = ((x - eye_x) / (FOREHEAD / 2 + BROW_END - eye_x)) ** 4 + ((y - brow_y) / BROW_HALF) ** 4 < 1
    lips_y, lips_half = (UPPER_LIP - LOWER_LIP) / 2, (UPPER_LIP + LOWER_LIP) / 2 + SKIN_AROUND
    mouth = np.hypot(x / (MOUTH / 2 + SKIN_AROUND), (y - lips_y) / lips_half) < 1
    regions = np.where(z > -DEEPEST_BEHIND, np.select([mouth, eyes, brows], [0, 1, 2], default=3), 3)
    if missing := [name for i, name in enumerate(REGIONS) if i not in regions]:
        raise _no_face(f"no vertex lies on the {' or the '.join(missing)}")
    return regions


def _no_face(reason: str) -> MeshError:
    return MeshError(f"expected a face at rest, in mm, +y up and +z out of it; this is none: {reason}")


def _in_face(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) positions in mm of the average adult: leftward and up from the stomion, and before lips and eyes."""
    if not len(faces) or not np.isfinite(vertices).all():
        raise _no_face("it has no triangles, or positions that are not finite")
    centred = vertices - vertices[vertices[:, 2].argmax()]  # the tip of the nose, or not far from it
    across, offset = _symmetry(centred, vertex_normals(vertices, faces))
    up = np.array([-across[1], across[0], 0.0]) / np.hypot(across[0], across[1])
    placed = centred @ np.stack([across, up, np.cross(across, up)], axis=1) - [offset, 0.0, 0.0]
    y, z = _profile(placed, faces, 0.0)
    nose = z - np.maximum(np.interp(y - NOSE_REACH, y, z), np.interp(y + NOSE_REACH, y, z))
    if nose.max() < NOSE_OUT:
        raise _no_face("no nose stands out")
    tip = y[(nose + FORWARD_WEIGHT * z).argmax()]
    lips = np.arange(tip - LIPS_BELOW_NOSE[1], tip - LIPS_BELOW_NOSE[0], PROFILE_STEP)
    # On both sides, unlike the fold above the chin.
    beside = np.minimum(np.interp(lips - LIP_HALF, y, z), np.interp(lips + LIP_HALF, y, z))
    crease = beside - np.interp(lips, y, z)
    if crease.max() < LIP_CREASE:
        raise _no_face("there is no crease between lips below the nose")
    stomion = np.array([lips[crease.argmax()], np.interp(lips[crease.argmax()], y, z)])
    sockets = [_socket(*_profile(placed, faces, x), tip) for x in BESIDE_NOSE]
    height, depth = np.median(sockets, axis=0) - stomion
    if not EYE_HEIGHTS[0] < height < EYE_HEIGHTS[1]:
        raise _no_face(f"its eyes are {height:.0f} mm above its lips, not about {EYES_TO_STOMION:.0f}")
    x, y, z = (placed - [0.0, *stomion]).T
    return np.stack([x, y, z - y * (depth / height)], axis=1) * (EYES_TO_STOMION / height)


def _symmetry(points: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, float]:
    """The plane that best mirrors onto itself what is `MIRRORED_WITHIN` the origin: unit normal (3,), offset in mm.

    Gauss-Newton from x = 0 on distances of mirrored points from tangent planes, of the `MIRRORED_SHARE` that fits best.
    """
    near = np.linalg.norm(points, axis=1) < MIRRORED_WITHIN
    points, normals, tree = points[near], normals[near], KDTree(points[near])
    across, offset = np.array([1.0, 0.0, 0.0]), 0.0
    for _ in range(MIRROR_STEPS):
        side = points @ across - offset
        distance, nearest = map(np.asarray, tree.query(points - 2 * side[:, None] * across))
        kept = distance <= np.quantile(distance, MIRRORED_SHARE)
        point, side, other, normal = points[kept], side[kept, None], points[nearest[kept]], normals[nearest[kept]]
        along = (normal @ across)[:, None]
        gap = ((point - 2 * side * across - other) * normal).sum(axis=1)
        slopes = 2 * np.hstack([along, -(along * point + side * normal)[:, 1:]])
        step = np.linalg.lstsq(slopes, -gap)[0]
        across = across + [0.0, *step[1:]]
        across, offset = across / np.linalg.norm(across), offset + step[0]
    if across[0] < np.cos(np.radians(MOST_TILT)):
        raise _no_face("its left half does not mirror its right half")
    return across, offset


def _profile(points: np.ndarray, faces: np.ndarray, x: float) -> tuple[np.ndarray, np.ndarray]:
    """y and z (N,) in mm, upwards, of the foremost points where a plane of this x cuts the mesh near the origin."""
    left = points[:, 0] > x
    edges = faces[left[faces].any(axis=1) & ~left[faces].all(axis=1)][:, [[0, 1], [1, 2], [2, 0]]]
    # Two edges of each such triangle are cut: between them lies a segment.
    start, end = np.moveaxis(points[edges[left[edges[..., 0]] != left[edges[..., 1]]]], 1, 0)
    cut = start + (end - start) * ((x - start[:, :1]) / (end[:, :1] - start[:, :1]))
    (y0, z0), (y1, z1) = np.moveaxis(cut[:, 1:].reshape(-1, 2, 2), 0, -1)
    y = np.arange(-PROFILE_REACH, PROFILE_REACH, PROFILE_STEP)
    part = (y[:, None] - y0) / np.where(y0 == y1, np.inf, y1 - y0)
    height = z0 + part * (z1 - z0)
    seen = (part >= 0) & (part <= 1) & (y0 != y1) & (height > -PROFILE_BEHIND)
    known = np.flatnonzero(seen.any(axis=1))
    if not len(known):
        raise _no_face("it has too little surface about its foremost point")
    z = np.where(seen, height, -np.inf).max(axis=1)[known]
    return y[known[0] : known[-1] + 1], np.interp(y[known[0] : known[-1] + 1], y[known], z)


def _socket(y: np.ndarray, z: np.ndarray, tip: float) -> tuple[float, float]:
    """(y, z) in mm of the point of a profile (N,) that is deepest below a straight edge laid on nose and brow."""
    start = np.where(np.abs(y - tip) < NOSE_REACH, z, -np.inf).argmax()
    away = y - y[start]
    brow = (away > BROWS_ABOVE_NOSE[0]) & (away < BROWS_ABOVE_NOSE[1])
    slope = np.where(brow, (z - z[start]) / np.maximum(away, PROFILE_STEP), -1e3)  # steeper than any face
    depth = np.where((away > 0) & (away < away[slope.argmax()]), z[start] + slope.max() * away - z, 0.0)
    if depth.max() < SOCKET_DEPTH:
        raise _no_face("there are no eye sockets beside its nose")
    return y[depth.argmax()], z[depth.argmax()]

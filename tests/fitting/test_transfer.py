"""Motion from one topology to another, piece by piece."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.spatial.transform import Rotation
from shapes import grid, sphere

from facegen.fitting.head import FaceFrame, Jaw
from facegen.fitting.lips import lip_sides, lips_are_fused
from facegen.fitting.parts import TALL, TONGUE, _lower, lining, sort_parts
from facegen.fitting.transfer import Extension, few_fields, local_maps
from facegen.landmarks.points import BELOW_MOUTH, BELOW_NOSE, CHIN, LEFT_EYE, LIP_MIDDLES, MOUTH, RIGHT_EYE
from facegen.mesh import TriMesh, vertex_normals
from facegen.mesh.topology import pieces


def test_few_fields_say_the_same() -> None:
    rng = np.random.default_rng(0)
    moved = np.einsum("tk,kvc->tvc", rng.normal(size=(40, 5)), rng.normal(size=(5, 30, 3)))
    weights, fields = few_fields(moved)
    assert len(fields) == 5
    np.testing.assert_allclose(np.einsum("tk,kvc->tvc", weights, fields), moved, atol=1e-10)
    assert len(few_fields(np.zeros((4, 9, 3)))[1]) == 0


def test_an_affine_map_is_found_everywhere() -> None:
    mesh = sphere(400)
    turn = 1.3 * Rotation.from_rotvec([0.2, 0.5, -0.3]).as_matrix()
    maps = local_maps(mesh, mesh.vertices @ turn.T + 4, 10.0)
    np.testing.assert_allclose(maps, np.broadcast_to(turn, maps.shape), atol=1e-6)


def test_motion_dies_out_with_distance_and_is_never_larger_than_its_anchors() -> None:
    strip = grid(4, 60)
    anchors = np.flatnonzero(strip.vertices[:, 0] < 10)
    moved = Extension(strip, anchors, 6.0)(np.tile([1.0, 0, -2], (len(anchors), 1)))
    along = moved[:, 0].reshape(4, 60).mean(axis=0)
    assert (np.diff(along[9:]) < 0).all()
    assert along[-1] < 1e-3 < 0.3 < along[9 + 6] < 0.45  # 6 beyond the last anchor: 1/e
    assert np.abs(moved).max() == 2


def test_pieces_without_anchors_stay() -> None:
    one, two = grid(4, 4), grid(4, 4)
    both = TriMesh(np.concatenate([one.vertices, two.vertices + 9]), np.concatenate([one.faces, two.faces + 16]))
    assert len(np.unique(pieces(both))) == 2
    moved = Extension(both, np.arange(4), 5.0)(np.ones((4, 3)))
    assert (moved[:16] > 0).all()
    assert not moved[16:].any()


def test_the_side_of_the_mouth_changes_at_once_between_lips_that_touch() -> None:
    plate = grid(21, 21)
    slit = (plate.vertices[:, 1] == 10) & (np.abs(plate.vertices[:, 0] - 10) < 7)
    twin = np.where(slit, len(plate.vertices) + np.cumsum(slit) - 1, np.arange(len(plate.vertices)))
    upper = plate.vertices[plate.faces].mean(axis=1)[:, 1] > 10
    cut = TriMesh(
        np.concatenate([plate.vertices, plate.vertices[slit]]), np.where(upper[:, None], twin[plate.faces], plate.faces)
    )
    landmarks = np.full((468, 3), np.nan)
    landmarks[list(BELOW_NOSE)], landmarks[list(BELOW_MOUTH)] = (10, 15, 0), (10, 5, 0)
    side = lip_sides(cut, landmarks)
    # Not at the corners, where the one lip becomes the other.
    below, above = side[: len(plate.vertices)][slit][3:-3], side[len(plate.vertices) :][3:-3]
    assert (below < -0.1).all()
    assert (above > 0.1).all()
    assert not lip_sides(cut, np.full((468, 3), np.nan)).any()
    assert not lips_are_fused(cut, np.full((468, 3), np.nan))
    landmarks[list(LIP_MIDDLES)] = (10, 12, 0), (10, 8, 0)
    assert lips_are_fused(plate, landmarks)
    assert not lips_are_fused(cut, landmarks)


def _head() -> tuple[FaceFrame, dict[str, TriMesh]]:
    """A flat face, 230 mm large, and what lies behind it."""
    landmarks = np.full((468, 3), np.nan)
    for names, at in ((LEFT_EYE, (32, 0)), (RIGHT_EYE, (-32, 0)), (MOUTH, (0, -70)), (CHIN, (0, -110))):
        landmarks[list(names)] = (*at, 0)
    landmarks[[61, 291], 0] = -25, 25
    skin = grid(41, 41)
    ball = sphere(120)
    tooth = ball.vertices * (0.08, 0.1, 0.06)
    parts = {
        "skin": TriMesh((skin.vertices - [20, 27, 0]) * [5, 5, 1], skin.faces),
        "eyeball": TriMesh(ball.vertices * 0.25 + [32, 0, -14], ball.faces),
        "upper tooth": TriMesh(tooth + [5, -63, -12], ball.faces),
        "lower tooth": TriMesh(tooth + [5, -76, -12], ball.faces),
        "lash": TriMesh(ball.vertices * [0.3, 0.04, 0.04] + [32, 6, 1], ball.faces),
        "hat": TriMesh(ball.vertices + [0, 150, -80], ball.faces),
    }
    return FaceFrame.of(landmarks, np.eye(3), 230.0), parts


def test_eyeballs_stay_teeth_follow_the_jaw_and_lashes_the_skin() -> None:
    head, parts = _head()
    counts = np.cumsum([0] + [len(part.vertices) for part in parts.values()])
    vertices = np.concatenate([part.vertices for part in parts.values()])
    faces = np.concatenate([part.faces + start for part, start in zip(parts.values(), counts, strict=False)])
    where = {name: np.arange(*pair) for name, pair in zip(parts, zip(counts, counts[1:], strict=False), strict=True)}
    mesh = TriMesh(vertices, faces)
    piece = pieces(mesh)
    rest = np.ones(len(vertices), dtype=bool)
    rest[where["skin"]] = False
    found = sort_parts(vertices, vertex_normals(vertices, faces), piece, where["skin"], rest, head)
    assert (found.jaw[where["lower tooth"]] == 1).all()
    assert np.flatnonzero(found.jaw).tolist() == where["lower tooth"].tolist()
    assert np.flatnonzero(found.mouth).tolist() == [*where["upper tooth"], *where["lower tooth"]]
    solids = [(solid.members.tolist(), solid.flat, solid.hinged) for solid in found.solids]
    assert solids == [
        (where["eyeball"].tolist(), False, False),
        (where["upper tooth"].tolist(), True, False),
        (where["lower tooth"].tolist(), True, True),
    ]
    follows = np.flatnonzero(np.asarray(found.roots.sum(axis=1)).ravel())
    assert len(follows)
    assert np.isin(follows, where["lash"]).all()
    assert found.roots.sum(axis=1)[follows] == pytest.approx(1)

    chin = csr_matrix(([1.0], ([0], [0])), shape=(1, 1))
    hinge = Jaw.of(head, chin, np.array([[0.0, -110, 0]]))
    opened, raised = hinge.angle(np.array([[[0.0, -12, -8]], [[0.0, 6, 2]]]))
    assert raised == 0
    was = vertices[where["lower tooth"]]
    tooth = hinge.turn(was, opened)
    assert (tooth[:, 1] - was[:, 1] < -4).all()
    np.testing.assert_allclose(hinge.turn(was, 1e-5) - was, 1e-5 * hinge.swing(was), atol=1e-7)
    # Turned, not bent: distances within a tooth stay.
    np.testing.assert_allclose(
        np.linalg.norm(tooth - tooth[0], axis=1), np.linalg.norm(was - was[0], axis=1), atol=1e-4
    )


def test_the_lining_of_the_mouth_goes_with_what_lies_along_it() -> None:
    head, parts = _head()
    skin, sheet = parts["skin"], grid(5, 9)
    bag = TriMesh((sheet.vertices - [4, 2, 0]) * [3, 6, 1] + [0, -70, -20], sheet.faces)
    held = [parts["upper tooth"], parts["lower tooth"]]
    every = [skin, bag, *held]
    counts = np.cumsum([0] + [len(part.vertices) for part in every])
    mesh = TriMesh(
        np.concatenate([part.vertices for part in every]),
        np.concatenate([part.faces + start for part, start in zip(every, counts, strict=False)]),
    )
    own = np.arange(len(mesh.vertices)) < counts[2]
    anchors = np.arange(counts[1])
    found = sort_parts(mesh.vertices, mesh.vertices * 0 + [0, 0, 1], pieces(mesh), anchors, ~own, head)
    chosen, share = lining(mesh, own, anchors, found, head)
    assert len(chosen)
    assert ((chosen >= counts[1]) & (chosen < counts[2])).all()
    height = mesh.vertices[chosen, 1]
    assert (np.diff(share[np.argsort(height)]) <= 0).all()
    assert share.min() < 0.2
    assert share.max() > 0.8


def test_a_tongue_goes_with_the_lower_jaw_and_a_palate_does_not() -> None:
    """A piece that holds gums of both jaws, cut at height 0: what looks up is the lower jaw's a little above that."""
    heights = np.array([-TALL, 0.7 * TONGUE, 0.7 * TONGUE, TALL])
    lower = _lower(heights, np.array([0.0, 1.0, -1.0, 1.0]), 0.0)
    np.testing.assert_array_equal(lower, [1, 1, 0, 0])
    assert _lower(np.array([-0.05, 0.02]), np.zeros(2), 0.0) == 1  # a tooth is whole

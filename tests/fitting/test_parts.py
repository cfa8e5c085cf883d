"""What a head holds beside its skin, and what it moves with."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from shapes import grid, sphere

from facegen.fitting.head import FaceFrame, Jaw
from facegen.fitting.parts import TEETH_HEIGHT, THROAT, TONGUE_HEIGHT, _lower, lining, sort_parts
from facegen.landmarks.points import CHIN, LEFT_EYE, MOUTH, RIGHT_EYE
from facegen.mesh import TriMesh, vertex_normals
from facegen.mesh.topology import pieces


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
    others = np.ones(len(vertices), dtype=bool)
    others[where["skin"]] = False
    found = sort_parts(vertices, vertex_normals(vertices, faces), piece, where["skin"], others, head)
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


def test_a_tongue_goes_with_the_lower_jaw_and_a_palate_and_a_throat_do_not() -> None:
    """A piece that holds gums of both jaws, cut at height 0: what looks up is the lower jaw's a little above that."""
    heights = np.array([-TEETH_HEIGHT, 0.7 * TONGUE_HEIGHT, 0.7 * TONGUE_HEIGHT, TEETH_HEIGHT, -TEETH_HEIGHT])
    spots = np.column_stack([0 * heights, heights, [0, 0, 0, 0, THROAT[0]]])
    lower = _lower(spots, np.array([0.0, 1.0, -1.0, 1.0, 0.0]), 0.0)
    np.testing.assert_array_equal(lower, [1, 1, 0, 0, 0])
    assert _lower(np.array([[0, -0.05, 0], [0, 0.02, 0]]), np.zeros(2), 0.0) == 1  # a tooth is whole


def test_a_jaw_that_slides_aside_moves_less_farther_back_and_one_that_slides_forwards_as_a_whole() -> None:
    head = FaceFrame(np.eye(3), np.zeros(3), 200.0, np.zeros((468, 3)))
    jaw = Jaw.of(head, csr_matrix((0, 1)), np.zeros((0, 3)))
    points = np.array([[0.0, -50.0, 0.0], [0.0, -50.0, -60.0]])
    aside = np.array([5.0, 0.0, 0.0])
    front, back = jaw.slides(points, aside) - points
    np.testing.assert_allclose(front, [5, 0, 0], atol=1e-12)
    assert 2 < back[0] < 4
    np.testing.assert_allclose(jaw.slides(jaw.slides(points, aside), aside, back=True), points, atol=1e-12)
    np.testing.assert_allclose(jaw.slides(points, np.array([0.0, 0.0, 5.0])) - points, [[0, 0, 5]] * 2, atol=1e-12)

"""Lips that cross are parted, and others are left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix, diags, identity
from shapes import grid

from facegen.fitting.lip_contact import LipContact
from facegen.fitting.lip_guard import PRESSED, TOUCHING, LipGuard

SIZE = 230.0


def _lips(gap: float) -> tuple[np.ndarray, LipContact, LipGuard]:
    """Two sheets, the lower one looking up and the upper one down, so far apart; their middles are asked."""
    sheet = grid(21, 21)
    lower, count = sheet.vertices[:, [0, 2, 1]] * [1, 1, -1], len(sheet.vertices)
    points = np.concatenate([lower, lower + [0, gap, 0]])
    faces = sheet.faces, sheet.faces[:, ::-1] + count
    side = np.repeat([-1, 1], count)
    asked = np.flatnonzero((np.abs(points[:, [0, 2]] - [10, -10]) < 6).all(axis=1))
    contact = LipContact(
        around=np.arange(2 * count),
        faces=np.concatenate(faces),
        asked=asked,
        side=side[asked],
        lips=(faces[1], faces[0]),
        rest=np.zeros(len(asked)),
        up=np.array([0.0, 1, 0]),
        size=SIZE,
    )
    beside = csr_matrix(identity(2 * count))
    return points, contact, LipGuard(contact, np.arange(2 * count), points, side.astype(float), beside, points, SIZE)


def test_depth_is_asked_of_both_lips_where_they_look_at_each_other() -> None:
    points, contact, _ = _lips(gap=1.0)
    assert not contact.depths(points)[0].any()
    crossed = points + np.where(np.arange(len(points)) < len(points) // 2, 0.9, -0.9)[:, None] * [0, 1, 0]
    depth, normal = contact.depths(crossed)
    np.testing.assert_allclose(depth, 0.8, atol=1e-9)
    np.testing.assert_allclose(normal[:, 1], contact.side)
    turned = LipContact(**{**contact.__dict__, "faces": contact.faces[:, ::-1]})
    assert not turned.depths(crossed)[0].any()  # as the inside of one lip and the outside of the other


def test_each_lip_gives_way_by_half_and_what_does_not_cross_is_left_alone() -> None:
    points, contact, guard = _lips(gap=1.0)
    off = points[:, [0, 2]] - [10, -10]
    bump = np.exp(-np.square(off / 4).sum(axis=1))
    moved = np.zeros((2, len(points), 3))
    moved[0, :, 1] = np.where(np.arange(len(points)) < len(points) // 2, 1.5, -0.5) * bump
    moved[1] = moved[0] * 0.4
    was = moved.copy()
    guard(moved)
    np.testing.assert_array_equal(moved[1], was[1])
    assert contact.depths(points + was[0])[0].max() > 0.9
    left = contact.depths(points + moved[0])[0].max()
    assert left < (PRESSED + TOUCHING) * SIZE + 1e-9
    way = moved[0, :, 1] - was[0, :, 1]
    lower, upper = np.split(way, 2)
    assert lower.max() <= 0 <= upper.min()
    np.testing.assert_allclose(-lower.min(), upper.max(), rtol=0.2)
    np.testing.assert_array_equal(moved[0][np.abs(off).max(axis=1) > 9.5], was[0][np.abs(off).max(axis=1) > 9.5])


def test_lips_part_as_far_as_they_have_to_where_few_vertices_cross_deeply() -> None:
    points, contact, guard = _lips(gap=1.0)
    edges = np.concatenate([contact.faces[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    graph = csr_matrix((np.ones(len(edges)), edges.T), (len(points),) * 2)
    graph = graph + graph.T
    mean = csr_matrix(diags(1 / np.asarray(graph.sum(axis=1)).ravel()) @ graph)
    guard = replace(guard, beside=csr_matrix((mean + identity(len(points))) / 2))
    narrow = np.exp(-np.square((points[:, [0, 2]] - [10, -10]) / 0.7).sum(axis=1))
    for depth in (1.0, 1.2):
        moved = (np.where(np.arange(len(points)) < len(points) // 2, depth, -depth) * 2 * narrow)[None, :, None]
        moved = moved * [0, 1, 0]
        assert contact.depths(points + moved[0])[0].max() > 1.4
        guard(moved)
        assert contact.depths(points + moved[0])[0].max() < (PRESSED + TOUCHING) * SIZE

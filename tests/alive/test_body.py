"""What curves do to a mesh: lids over eyeballs, eyes and heads that turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from seeing_head import body, deepest, done, head

from facegen.alive.body import Body
from facegen.alive.enliven import enliven
from facegen.alive.frames import LivingFrames, few_fields
from facegen.alive.life import Life
from facegen.alive.present import own_kinds
from facegen.face import Face
from facegen.mesh import TriMesh
from facegen.sequence.frames import FewFields
from facegen.sequence.sequence import Sequence

DEEPEST = 0.1
"""mm by which lids may cross an eyeball."""


def posed(state, of: Body | None = None, mesh: TriMesh | None = None) -> np.ndarray:
    vertices = (mesh or head()[0]).vertices[None].astype(np.float32)
    (of or body()).move(vertices, state)
    return vertices[0]


def test_lids_stay_out_of_eyeballs_in_any_state() -> None:
    generator = np.random.default_rng(0)
    for number in range(15):
        shut = tuple(generator.random(2)) if number % 3 else (1.0, 1.0)
        gaze = tuple(generator.uniform([-20, -14], [20, 14]))
        assert deepest(body(), head()[0], posed(done(shut, gaze))) < DEEPEST


def test_the_measure_sees_a_lid_that_crosses() -> None:
    mesh, _ = head()
    moved = mesh.vertices.astype(np.float32)
    eye, lids = body().eyes[0], body().lids[0]
    rows = body().first[lids.near]
    moved[rows] -= 0.1 * (moved[rows] - eye.centre)
    assert deepest(body(), mesh, moved) > 0.5


def test_no_gap_is_left_when_eyes_shut() -> None:
    """Seen from the eye's centre and from the front, no ray between the corners goes out."""
    mesh, _ = head()
    moved = posed(done((1, 1)))
    skin = mesh.faces[(mesh.faces < 2500).all(axis=1)]
    for eye, lids in zip(body().eyes, body().lids, strict=True):
        low, high = lids.opening.along[[2, -3]]
        assert _uncovered(eye.local(moved), skin, low, high) == 0
        assert _uncovered(eye.local(mesh.vertices), skin, low, high) > 50


def _uncovered(points: np.ndarray, faces: np.ndarray, low: float, high: float) -> int:
    """How many places of a grid, (mm along the lids, angle about them), no triangle covers."""
    plane = np.stack([points[:, 0], 10 * np.arctan2(points[:, 1], points[:, 2])], axis=1)
    x, y = np.meshgrid(np.linspace(low, high, 40), np.linspace(-5, 5, 81))
    spots = np.stack([x.ravel(), y.ravel()], axis=1)
    faces = faces[(points[faces, 2] > 2).all(axis=1) & (np.abs(plane[faces, 1]) < 12).any(axis=1)]
    faces = faces[(np.abs(points[faces, 0]) < 25).all(axis=1)]
    free = np.ones(len(spots), bool)
    for a, b, c in plane[faces]:
        sides = [
            (q[0] - p[0]) * (spots[:, 1] - p[1]) - (q[1] - p[1]) * (spots[:, 0] - p[0])
            for p, q in ((a, b), (b, c), (c, a))
        ]
        free &= ~(np.all(np.array(sides) >= -1e-9, axis=0) | np.all(np.array(sides) <= 1e-9, axis=0))
    return int(free.sum())


def test_eyes_turn_rigidly_about_their_own_centres() -> None:
    """A glance to the left by 10 degrees of an eye whose partner does the same but for where they meet."""
    mesh, _ = head()
    moved = posed(done(gaze=(10, 0))).astype(float)
    for eye in body().eyes:
        own = np.isin(body().index, eye.members)
        before, after = mesh.vertices[own] - eye.centre, moved[own] - eye.centre
        np.testing.assert_allclose(np.linalg.norm(after, axis=1), np.linalg.norm(before, axis=1), atol=1e-4)
        pole = before[:, 2].argmax()  # the pupil
        side = body().head.local(eye.centre)[0] * body().head.size
        turn = np.arctan2(800 * np.sin(np.radians(10)) - side, 800 * np.cos(np.radians(10)))
        assert np.arctan2(after[pole, 0], after[pole, 2]) == pytest.approx(turn, abs=0.01)


def test_the_upper_lid_comes_down_with_the_eye() -> None:
    for eye, lids in zip(body().eyes, body().lids, strict=True):
        heights = []
        for up in (-10.0, 0.0, 10.0):
            top = lids.opening.upper.points(posed(done(gaze=(0, up)))[None])[0]
            heights.append(np.degrees(eye.cylinder(top)[1]).max())
        assert 5 < heights[1] - heights[0] < 11 and 5 < heights[2] - heights[1] < 11


def test_an_expression_that_has_shut_the_eye_is_not_shut_again() -> None:
    once = posed(done((1, 1)))
    again = once[None].copy()
    body().move(again, done((1, 1)))
    lids = body().lids[0]
    assert np.abs(again[0] - once)[body().first[lids.near]].max() < 0.6  # mm


def test_heads_without_a_neck_turn_as_one_and_others_leave_the_chest() -> None:
    mesh, marks = head()
    turned = posed(done(turn=(0, 10, 0))).astype(float) - mesh.vertices
    assert np.linalg.norm(turned, axis=1).max() > 10
    neck = body().neck
    rotation = np.array(
        [[np.cos(0.1745329), 0, np.sin(0.1745329)], [0, 1, 0], [-np.sin(0.1745329), 0, np.cos(0.1745329)]]
    )
    wanted = (mesh.vertices - neck.pivot) @ neck.axes.T @ rotation.T @ neck.axes + neck.pivot
    upper = (neck.share == 1) & ~np.isin(body().index, np.concatenate([eye.members for eye in body().eyes]))
    around = np.concatenate([body().first[lids.near] for lids in body().lids])
    upper[around] = False  # eyes stay on what they look at, and lids follow them
    np.testing.assert_allclose((mesh.vertices + turned)[upper], wanted[upper], atol=1e-3)
    longer = np.concatenate([mesh.vertices, mesh.vertices[:1] - [0, 250, 60]])
    whole = Body.of(TriMesh(longer, mesh.faces), marks)
    assert whole.neck.share[-1] == 0


def test_a_mesh_without_lids_or_eyes_says_so() -> None:
    mesh, marks = head()
    blind = TriMesh(mesh.vertices[:2500], mesh.faces[(mesh.faces < 2500).all(axis=1)])
    notes = Body.of(blind, marks).notes
    assert len(notes) == 1 and "no eyeballs" in notes[0]
    covered = _without_openings(blind)
    notes = Body.of(covered, marks).notes
    assert len(notes) == 2 and "no lids" in notes[0]


def _without_openings(mesh: TriMesh) -> TriMesh:
    """Both eyes closed by a fan of triangles."""
    from facegen.mesh.topology import border_edges

    start, stop = border_edges(mesh)
    vertices, faces = [mesh.vertices], [mesh.faces]
    for side in (1, -1):
        chosen = (np.abs(mesh.vertices[start] - [side * 30.5, 0, 80]) < [17, 12, 17]).all(axis=1)
        faces.append(np.stack([stop[chosen], start[chosen], np.full(chosen.sum(), len(np.concatenate(vertices)))], 1))
        vertices.append(mesh.vertices[start[chosen]].mean(axis=0, keepdims=True) + [0, 0, 2])
    return TriMesh(np.concatenate(vertices), np.concatenate(faces))


def still(frames: int = 90) -> FewFields:
    mesh, _ = head()
    return FewFields(mesh.vertices, np.zeros((frames, 1)), np.zeros((1, *mesh.vertices.shape), np.float32))


def test_any_chunks_are_the_same_frames() -> None:
    living = LivingFrames(still(), body(), Life(2, np.zeros((90, 1)), ("sad",), 30.0))
    whole = np.asarray(living)
    assert np.ptp(whole, axis=0).max() > 3
    for start, stop in ((0, 1), (17, 40), (63, 65), (89, 90)):
        np.testing.assert_allclose(living[start:stop], whole[start:stop], atol=2e-4)
    assert np.linalg.norm(np.asarray(few_fields(living)) - whole, axis=-1).max() < 0.1


def test_what_a_motion_has_is_not_doubled() -> None:
    blinking = np.asarray(LivingFrames(still(), body(), Life(0, np.ones((90, 1)), ("sad",), 30.0, ("blinks",))))
    nodding = np.asarray(LivingFrames(still(), body(), Life(0, np.ones((90, 1)), ("sad",), 30.0, ("head",))))
    assert own_kinds(still(), body(), 30.0) == []
    assert own_kinds(blinking, body(), 30.0) == ["blinks"]
    assert "head" in own_kinds(nodding, body(), 30.0)
    mesh, marks = head()
    face = Face(mesh, lambda moved: moved, np.eye(3), None, "mm", 1.0, marks)
    sequence = Sequence(blinking, mesh.faces, 30.0, np.ones((90, 1)), ("sad",))
    made, notes = enliven(sequence, face)
    assert any("blinks: the motion has its own" in note for note in notes)
    assert isinstance(made.vertices, np.ndarray)
    bare, none = enliven(replace(sequence, vertices=still()), face)
    assert none == () and isinstance(bare.vertices, FewFields)

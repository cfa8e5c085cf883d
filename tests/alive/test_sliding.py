"""Skin above a lid that shuts lies as high as what lay there, and pushes no ridge before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from seeing_head import body, done, head

from facegen.alive.body import Body
from facegen.alive.eye import Eye
from facegen.alive.sliding import Sliding

RADIUS, BROW, SIZE = 13.0, 8.0, 230.0
"""mm, of lids about an eye's centre, by how much farther from it a brow lies, and of a face."""
OUTWARDS = 0.1
"""mm by which skin may go outwards as the eye shuts."""


def _height(angle: np.ndarray) -> np.ndarray:
    """mm from the eye's centre, of skin that rises from the lids to a brow."""
    part = np.clip((angle - 0.4) / 0.8, 0, 1)
    return RADIUS + BROW * part * part * (3 - 2 * part)


def test_skin_lies_where_it_slides_to_as_high_as_what_lay_there() -> None:
    x, angle = (each.ravel() for each in np.meshgrid(np.linspace(-15, 15, 31), np.linspace(0.2, 1.3, 45)))
    high = _height(angle)
    points = np.stack([x, high * np.sin(angle), high * np.cos(angle)], axis=1)
    eye = Eye("Left", np.zeros(3), np.eye(3), np.zeros(0, np.int64), None, None)
    sides = np.full(len(x), 0.2), np.ones(len(x))
    sliding = Sliding.of(eye, points, np.ones(len(x), bool), *sides, SIZE)
    middle = (np.abs(x) < 1) & (angle > 0.9) & (angle < 1.2)
    for down in (0.0, 0.3, 0.6):
        rise = sliding(np.full((1, len(x)), -down))[0]
        # Heights are averaged over some millimetres, and this brow is steep.
        np.testing.assert_allclose(rise[middle], (_height(angle - down) - high)[middle], atol=1.2)
    assert (_height(angle - 0.6) - high)[middle].max() < -5  # which is no small thing


def test_no_skin_above_a_lid_that_shuts_goes_outwards() -> None:
    assert max(_outwards(body())) < OUTWARDS
    turned = [replace(lids, sliding=Sliding(np.zeros_like(lids.sliding.rise))) for lids in body().lids if lids]
    assert min(_outwards(replace(body(), lids=turned))) > 2 * OUTWARDS  # as it does where it only turns about the eye


def _outwards(found: Body) -> list[float]:
    """mm by which skin above the upper margin goes away from each eye's centre, at most, as the eye shuts."""
    mesh, _ = head()
    moved = mesh.vertices[None].astype(np.float32)
    found.move(moved, done((1, 1)))
    far = []
    for eye, lids in zip(found.eyes, found.lids, strict=True):
        assert lids is not None
        near = found.first[lids.near]
        x, angle, _ = eye.cylinder(mesh.vertices[near])
        _, edge, _ = eye.cylinder(lids.opening.upper.points(mesh.vertices[None])[0])
        along = lids.opening.along
        above = (angle > np.interp(x, along, edge) + 0.02) & (x > along[0]) & (x < along[-1]) & (lids.upper > 0.05)
        before, after = (np.linalg.norm(pose[near] - eye.centre, axis=1) for pose in (mesh.vertices, moved[0]))
        far.append(float((after - before)[above].max()))
    return far

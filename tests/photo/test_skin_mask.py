"""What of a drawn face counts as skin, and which colour its eyes have."""

from __future__ import annotations

import numpy as np
import pytest

from facegen.landmarks.points import CHEEKS, LEFT_BROW, LEFT_LIDS, OVAL, RIGHT_BROW, RIGHT_LIDS
from facegen.photo.eye_color import eye_color
from facegen.photo.skin_mask import skin_weights

image = pytest.importorskip("PIL.Image")
drawing = pytest.importorskip("PIL.ImageDraw")
SKIN, HAIR, BROW, IRIS = (205, 160, 135), (96, 70, 40), (70, 50, 35), (60, 110, 150)
MIDDLE, HIGH, WIDE = np.array([200.0, 220.0]), 150.0, 110.0
EYES = {side: np.array([200.0 + 45 * side, 200.0]) for side in (-1, 1)}


def landmarks() -> np.ndarray:
    """(468, 2): the oval, brows, lids and cheeks of a face from the front; the others lie in its middle."""
    points = np.tile(MIDDLE, (468, 1))
    turn = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    points[list(OVAL)] += np.stack([WIDE * np.sin(turn), -HIGH * np.cos(turn)], axis=1)
    for side, brow, lids in ((-1, RIGHT_BROW, RIGHT_LIDS), (1, LEFT_BROW, LEFT_LIDS)):
        x = np.linspace(-28, 28, 5)
        points[list(brow)] = EYES[side] + np.stack([x, -34 + 0.01 * x**2], axis=1)
        points[list(lids)] = EYES[side] + [[-25, 0], [-9, -10], [9, -10], [25, 0], [9, 9], [-9, 9]]
    for side, cheek in zip((-1, 1), CHEEKS, strict=True):
        around = np.linspace(0, 2 * np.pi, len(cheek), endpoint=False)
        points[list(cheek)] = MIDDLE + [50 * side, 30] + 20 * np.stack([np.cos(around), np.sin(around)], axis=1)
    return points


def portrait(fringe: float) -> np.ndarray:
    """(400, 400, 3) uint8: skin on a green wall, hair down to a row, brows, and eyes with pupils and lights in them."""
    made = image.new("RGB", (400, 400), (60, 140, 70))
    draw = drawing.Draw(made)
    draw.ellipse([*(MIDDLE - [WIDE, HIGH]), *(MIDDLE + [WIDE, HIGH])], fill=SKIN)
    if fringe:
        draw.rectangle([80, 40, 320, fringe], fill=HAIR)
    points = landmarks()
    for side, brow, lids in ((-1, RIGHT_BROW, RIGHT_LIDS), (1, LEFT_BROW, LEFT_LIDS)):
        draw.line([tuple(each) for each in points[list(brow)]], fill=BROW, width=8)
        draw.polygon([tuple(each) for each in points[list(lids)]], fill=(235, 230, 225))
        middle = EYES[side] + [3, 0]
        for radius, color in ((9.5, IRIS), (3.5, (10, 10, 10))):
            draw.ellipse([*(middle - radius), *(middle + radius)], fill=color)
        draw.ellipse([*(middle - [5, 7]), *(middle + [-1, -3])], fill=(255, 255, 255))
    return np.array(made)


def test_skin_counts_and_what_is_around_it_does_not() -> None:
    asked = skin_weights(portrait(0), landmarks())
    brows = [EYES[side] + [0, -34] for side in EYES]
    assert asked(np.array([[200, 250], [200, 120], [150, 250], *brows])).min() == 1
    assert asked(np.array([[100, 100], [200, 60], [-5, 220], [500, 500], [395, 395]])).max() == 0
    across = asked(np.stack([np.arange(80, 200), np.full(120, 310.0)], axis=1))
    assert (np.diff(across) >= 0).all() and np.diff(across).max() < 0.15  # it fades


def test_hair_over_the_forehead_is_left_out_and_brows_below_it_stay() -> None:
    asked = skin_weights(portrait(150), landmarks())
    assert asked(np.array([[200, 120], [160, 140], [240, 148], [200, 152]])).max() == 0
    brows = np.array([EYES[side] + [0, -34] for side in EYES])
    assert (
        skin_weights(portrait(158), landmarks())(brows).min() > 0.8
        and asked(np.array([[200, 185], [200, 250]])).min() == 1
    )


def test_the_irises_tell_the_colour_of_the_eyes_without_pupils_and_lights() -> None:
    shot = portrait(0), landmarks()
    np.testing.assert_allclose(eye_color([shot]), IRIS, atol=12)
    small = shot[0][::4, ::4], shot[1] / 4
    assert eye_color([small]) is None
    np.testing.assert_allclose(eye_color([small, shot]), IRIS, atol=12)

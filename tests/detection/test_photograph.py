"""Faces of photographs that are far away, many, or turned."""

from __future__ import annotations

import numpy as np
import pytest

from facegen.detection.detector import detect
from facegen.detection.photograph import Cut, faces_in

pytest.importorskip("mediapipe")
image = pytest.importorskip("PIL.Image")
data = pytest.importorskip("skimage.data")
WALL = (120, 130, 140)


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return data.astronaut()[:300, 90:390]


@pytest.fixture(scope="module")
def points(portrait: np.ndarray) -> np.ndarray:
    (found,) = faces_in(portrait)
    return found


def off(found: np.ndarray, wanted: np.ndarray) -> float:
    """Mean distance of landmarks, in units of the face's width."""
    return float(np.linalg.norm(found - wanted, axis=1).mean() / np.ptp(wanted[:, 0]))


@pytest.mark.parametrize("share", [0.12, 0.08, 0.06])
def test_a_face_far_away(portrait: np.ndarray, points: np.ndarray, share: float) -> None:
    """`share` of the picture's width; the landmarks' own detector sees none below a ninth."""
    scale = share * 1600 / np.ptp(points[:, 0])
    small = image.fromarray(portrait).resize((int(300 * scale),) * 2, image.Resampling.LANCZOS)
    wall = image.new("RGB", (1600, 1200), WALL)
    wall.paste(small, (700, 300))
    (found,) = faces_in(np.array(wall))
    assert off(found, points * small.width / 300 + [700, 300]) < 0.03
    assert share > 0.11 or not detect(np.array(wall))


def test_every_face_of_a_group_from_the_largest_on(portrait: np.ndarray, points: np.ndarray) -> None:
    edges = [560, 500, 470, 440, 420, 400]
    wall = image.new("RGB", (1800, 1200), WALL)
    for number, edge in enumerate(edges):
        one = image.fromarray(portrait).resize((edge, edge), image.Resampling.LANCZOS)
        wall.paste(one, (600 * (number % 3), 600 * (number // 3)))
    found = faces_in(np.array(wall))
    assert len(found) == 6
    for number, (face, edge) in enumerate(zip(found, edges, strict=True)):
        assert off(face, points * edge / 300 + [600 * (number % 3), 600 * (number // 3)]) < 0.03


@pytest.mark.parametrize("share", [0.08, 0.05])
def test_all_of_a_group_far_away(portrait: np.ndarray, points: np.ndarray, share: float) -> None:
    """One of them stands on its head."""
    edge = int(share * 2000 * 300 / np.ptp(points[:, 0]))
    one = image.fromarray(portrait).resize((edge, edge), image.Resampling.LANCZOS)
    wall, places = image.new("RGB", (2000, 1333), WALL), [(x, y) for y in (60, 700) for x in (60, 560, 1060, 1560)]
    for place in places:
        wall.paste(one.rotate(180) if place == places[3] else one, place)
    found = faces_in(np.array(wall))
    assert len(found) == len(places)
    for place in places:
        here = points * edge / 300
        wanted = np.array(place) + (edge - here if place == places[3] else here)
        assert min(off(face, wanted) for face in found) < 0.05


@pytest.mark.parametrize("degrees", [90, 150, 180, 200, 270])
def test_a_portrait_that_is_turned(portrait: np.ndarray, points: np.ndarray, degrees: int) -> None:
    turned = image.fromarray(portrait).rotate(degrees, expand=True, fillcolor=WALL)
    angle = np.radians(degrees)
    back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    (found,) = faces_in(np.array(turned))
    assert off(found, (points - 150) @ back.T + np.array(turned.size) / 2) < 0.05


def test_what_is_no_face(portrait: np.ndarray) -> None:
    for picture in (data.coffee(), data.rocket(), np.full((300, 400, 3), 128, np.uint8)):
        assert faces_in(picture) == []


def test_a_cut_knows_where_it_comes_from() -> None:
    rows, columns = np.mgrid[:200, :300]
    picture = np.stack([columns % 256, rows, 0 * rows], axis=2).astype(np.uint8)
    cut = Cut(picture, np.array([120.0, 90.0]), 40.0, 0.3)
    spots = np.array([[50, 60], [192, 192], [300, 200]])
    there = cut.back(spots + 0.5)
    seen = cut.made[spots[:, 1], spots[:, 0], :2].astype(float)
    np.testing.assert_allclose(seen, there - 0.5, atol=1)
    np.testing.assert_allclose(cut.back(np.array([[192.0, 192.0]])), [[120, 90]])

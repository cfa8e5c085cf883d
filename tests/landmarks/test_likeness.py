"""Landmarks that lie on no face are told from those that do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from facegen.landmarks.file import OF_68
from facegen.landmarks.likeness import LARGEST_DOUBT, SMALLEST_RELIEF, Likeness
from facegen.landmarks.places import ELSEWHERE, PLACES, nearest_places, place_names
from facegen.landmarks.points import COUNT, face_size

SOME = np.array([number for number in OF_68 if number >= 0])


def only(points: np.ndarray, kept: np.ndarray) -> np.ndarray:
    few = np.full_like(points, np.nan)
    few[kept] = points[kept]
    return few


@pytest.mark.parametrize("kept", [np.arange(COUNT), SOME])
def test_a_face_is_accepted_of_any_size_and_turned_anyhow(seen: np.ndarray, kept: np.ndarray) -> None:
    turn = Rotation.from_quat(np.random.default_rng(1).normal(size=4)).as_matrix()
    noise = np.random.default_rng(2).normal(0, 0.004 * face_size(seen), seen.shape)
    for change in (1, [0.85, 1.1, 1], [1, 1, 0.75], [1.2, 1, 1.1]):
        found = Likeness.of(only(0.01 * (seen + noise) * change @ turn.T + 4, kept), seen)
        assert not found.refusal
        assert found.doubt < LARGEST_DOUBT - 0.5


@pytest.mark.parametrize("kept", [np.arange(COUNT), SOME])
def test_what_is_no_face_is_refused_with_a_reason(seen: np.ndarray, kept: np.ndarray) -> None:
    middle = np.nanmean(seen, axis=0)
    flat = middle + (seen - middle) * [1, 1, 0.06]
    ball = np.column_stack([seen[:, :2], np.sqrt(150**2 - np.square(seen[:, :2]).sum(axis=1))])
    known = np.flatnonzero(np.isfinite(seen).all(axis=1))
    turn = Rotation.from_euler("y", 50, degrees=True).as_matrix()
    aside = seen[known[KDTree(seen[known]).query(np.nan_to_num(seen @ turn.T))[1]]]
    for points in (flat, ball, seen * [1, -1, 1]):
        assert "% of a face's relief" in Likeness.of(only(points, kept), seen).refusal
    assert Likeness.of(only(flat, kept), seen).relief < SMALLEST_RELIEF / 3
    for points in (aside, np.random.default_rng(0).permutation(seen)):
        assert Likeness.of(only(points, kept), seen).refusal


def test_landmarks_that_slide_from_view_to_view_lie_on_no_face(seen: np.ndarray) -> None:
    size, generator = face_size(seen), np.random.default_rng(0)
    for slide, refused in ((0.003, False), (0.08, True)):
        views = seen + generator.normal(0, slide * size, (6, 1, 3)) * [1, 1, 0.2]
        found = Likeness.of(seen, seen, views)
        assert 0.4 * slide < found.spread < 2 * slide
        assert bool(found.refusal) == refused
    assert "from one view to the next" in found.refusal
    one = np.full((2, *seen.shape), np.nan)
    one[0] = seen
    assert np.isnan(Likeness.of(seen, seen, one).spread)  # a view alone agrees with itself


def test_a_few_landmarks_are_judged_by_what_they_say(seen: np.ndarray) -> None:
    few = np.array([33, 133, 362, 263, 61, 291, 4])
    found = Likeness.of(only(seen, few), seen)
    assert np.isnan(found.relief) and np.isnan(found.asymmetry) and not found.refusal
    assert Likeness.of(only(seen[::-1], few), seen).refusal


def test_places_have_names(seen: np.ndarray) -> None:
    numbers = [number for each in PLACES.values() for number in each]
    assert len(set(numbers)) == len(numbers) and max(numbers) < COUNT
    named = nearest_places(seen, np.nan_to_num(seen[[17, 0, 159, 386, 4, 152, 278]]))
    expected = ["lower lip", "upper lip", "right upper lid", "left upper lid", "nose", "chin", "left nostril"]
    assert [place_names()[number] for number in named] == expected
    assert place_names()[nearest_places(seen, np.array([[0.0, 0, -100]]))[0]] == ELSEWHERE
    for name, places in PLACES.items():
        x = np.nanmean(seen[list(places), 0])
        assert x > 5 if "left" in name else x < -5 if "right" in name else abs(x) < 5, name

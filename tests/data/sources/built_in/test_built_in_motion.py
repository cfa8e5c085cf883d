"""What muscles, jaw and lids do, and what they may not do."""

from functools import cache

import numpy as np
import pytest

from facegen.data.sources.built_in.face_map import face_map
from facegen.data.sources.built_in.folds import TURN_LIMIT, turned, unfold
from facegen.data.sources.built_in.landmarks import landmarks
from facegen.data.sources.built_in.muscles import CORNER, _Side, above_slit
from facegen.data.sources.built_in.people import MEASURES, draw_person, measure, variety
from facegen.data.sources.built_in.skin import JAW_ANGLE, JAW_JOINT, Head, skin
from facegen.data.sources.built_in.skull import slit_half_height, slit_line, unroll
from facegen.data.sources.built_in.temperament import SIDED, Temperament, draw_blinks
from facegen.data.sources.casting import Casting
from facegen.data.sources.synthetic import SyntheticSource
from facegen.motion.label import EXPRESSIONS, Phases

COUNT = 2000
CENTRAL = ("AU17", "AU24", "AU25", "AU27")
ALL = (*(f"{unit}_{side}" for unit in sorted(SIDED) for side in "LR"), *CENTRAL)
STRETCHED = 4.0  # no edge becomes longer than so many times its length at rest


@cache
def mean_head() -> Head:
    base = skin(COUNT)
    return Head(base, base.mean, np.repeat(np.eye(3, dtype=np.float32)[:, :, None], COUNT, axis=2))


@cache
def head(seed: int) -> Head:
    return draw_person(variety(COUNT), np.random.default_rng(seed))


def shown(who: Head, **weights: float) -> np.ndarray:
    """(V, 3) how far the face moves with both sides alike."""
    named = {f"{unit}_{side}": weight for unit, weight in weights.items() if unit in SIDED for side in "LR"}
    named |= {unit: weight for unit, weight in weights.items() if unit not in SIDED}
    return who.pose({unit: np.array([weight]) for unit, weight in named.items()})[0] - who.neutral


def test_every_unit_moves_something_and_rest_moves_nothing() -> None:
    for unit in ALL:
        moved = np.linalg.norm(mean_head().pose({unit: np.array([0.0, 1.0])}) - mean_head().neutral, axis=2)
        assert moved[0].max() == 0
        assert 1 < moved[1].max() < 45, unit


@pytest.mark.parametrize("unit", sorted(SIDED))
def test_a_unit_of_one_side_stays_there_and_mirrors_the_other(unit: str) -> None:
    left, right = (
        mean_head().pose({f"{unit}_{side}": np.array([1.0])})[0] - mean_head().neutral for side in ("L", "R")
    )
    strength = np.linalg.norm(left, axis=1)
    assert mean_head().neutral[strength.argmax(), 0] > 0
    assert strength[mean_head().neutral[:, 0] < -12].max() < 0.5
    np.testing.assert_allclose(left[face_map(COUNT).mirror] * [-1, 1, 1], right, atol=2e-4)


def test_corners_brows_lids_and_lips_go_where_units_say() -> None:
    at = landmarks(COUNT)

    def moved(place: str, **weights: float) -> np.ndarray:
        return shown(mean_head(), **weights)[at[place]]

    assert moved("ch_L", AU12=1)[0] > 3 and moved("ch_L", AU12=1)[1] > 5
    assert moved("ch_R", AU12=1)[0] < -3
    assert moved("ch_L", AU15=1)[1] < -4
    assert moved("ch_L", AU20=1)[0] > 5
    assert moved("brow_inner_L", AU1=1)[1] > 5 and abs(moved("brow_outer_L", AU1=1)[1]) < 2
    assert moved("brow_outer_L", AU2=1)[1] > 5 and abs(moved("brow_inner_L", AU2=1)[1]) < 2
    assert moved("brow_inner_L", AU4=1)[1] < -3 and moved("brow_inner_L", AU4=1)[0] < -1.5
    assert moved("ps_L", AU5=1)[1] > 2
    assert moved("ps_L", AU7=1)[1] < -1 and moved("pi_L", AU7=1)[1] > 1
    assert moved("ls", AU10=1)[1] > 2 and abs(moved("li", AU10=1)[1]) < 1
    assert moved("li", AU16=1)[1] < -2 and abs(moved("ls", AU16=1)[1]) < 1
    assert moved("sl", AU17=1)[1] > 2
    assert moved("sto_low", AU27=1)[1] < -15 and abs(moved("sto", AU27=1)[1]) < 2


def test_a_linear_muscle_is_waters() -> None:
    """Nothing at the bone and beyond its reach and spread, most at the insertion, always towards the bone."""
    frontal = np.array([[57.0, -22.0], CORNER, [0.0, -120.0], [57.0, 40.0]])
    side = _Side(*frontal.T, unroll(frontal), above_slit(frontal))
    slide = side.linear((57, -22), CORNER, 24, 30, 12.5)
    bone = unroll(np.array([57.0, -22.0]))
    towards = bone - unroll(frontal[1])
    np.testing.assert_allclose(slide[1], 12.5 * towards / np.linalg.norm(towards), rtol=1e-6)
    np.testing.assert_allclose(slide[[0, 2, 3]], 0, atol=1e-9)


def test_the_jaw_turns_about_its_joint() -> None:
    """The chin keeps its distance from the axis, and turns by the angle: no straight line."""
    at, angles = landmarks(COUNT)["pg"], []
    before = mean_head().neutral[at].astype(np.float64) - JAW_JOINT
    for weight in (0.5, 1.0):
        after = before + shown(mean_head(), AU27=weight)[at]
        assert np.hypot(*after[1:]) == pytest.approx(np.hypot(*before[1:]), abs=0.05)
        angles.append(np.arctan2(before[1], before[2]) - np.arctan2(after[1], after[2]))
    np.testing.assert_allclose(angles, [JAW_ANGLE / 2, JAW_ANGLE], rtol=0.03)


def test_motion_is_not_linear_in_the_label() -> None:
    for units in ({"AU12": 1.0, "AU6": 1.0}, {"AU27": 1.0}, {"AU5": 1.0}):
        half, whole = (shown(mean_head(), **{unit: weight for unit in units}) for weight in (0.5, 1.0))
        assert np.linalg.norm(half - whole / 2) > 0.02 * np.linalg.norm(whole)


def test_skin_slides_over_the_skull() -> None:
    """Where the mouth's corner is pulled 12 mm sideways and up, the skin does not sink in by what the chord would."""
    base = skin(COUNT)
    corner = landmarks(COUNT)["ch_L"]
    moved = shown(mean_head(), AU20=1)
    chord = np.linalg.norm(moved[corner])
    into = -(moved[corner] * base.normal[corner]).sum()
    assert chord > 6
    assert moved[corner][2] < -1.5  # around the side of the face, backwards
    assert into < 0.55 * chord


def test_motion_follows_the_persons_own_shape() -> None:
    shapes = [shown(head(seed), AU12=1, AU27=0.5) for seed in range(4)]
    for one in range(4):
        for other in range(one):
            difference = np.linalg.norm(shapes[one] - shapes[other])
            assert 0.03 * np.linalg.norm(shapes[one]) < difference < np.linalg.norm(shapes[one])


def test_a_blink_shuts_the_eyes_and_no_lid_passes_the_other() -> None:
    at = landmarks(COUNT)
    for seed in range(6):
        assert head(seed).neutral[at["ps_L"], 1] - head(seed).neutral[at["pi_L"], 1] > 3  # open at rest
        for weights in ({"AU45": 1.0}, {"AU45": 1.0, "AU7": 1.2, "AU6": 1.2, "AU9": 1.0}, {"AU7": 1.5, "AU6": 1.5}):
            posed = head(seed).neutral + shown(head(seed), **weights)
            gap = posed[at["ps_L"], 1] - posed[at["pi_L"], 1]
            assert gap > -0.1
            if "AU45" in weights:
                assert gap < 0.25 * (head(seed).neutral[at["ps_L"], 1] - head(seed).neutral[at["pi_L"], 1])


def lips(who: np.ndarray) -> np.ndarray:
    """(N,) mm from the border of the lower lip up to that of the upper, along the slit, for vertices (V, 3)."""
    x, y = face_map(COUNT).frontal.T
    border = np.abs(np.abs(y - slit_line(x)) - slit_half_height(x)) < 0.05
    upper = np.flatnonzero(border & (y > slit_line(x)) & (np.abs(x) < 20))
    lower = np.flatnonzero(border & (y < slit_line(x)) & (np.abs(x) < 24))
    order = np.argsort(who[lower, 0])
    height = np.interp(who[upper, 0], who[lower[order], 0], who[lower[order], 1])
    return who[upper, 1] - height


def test_lips_do_not_pass_each_other() -> None:
    """Not at rest; pressed, they dent each other by less than a millimetre."""
    for seed in range(12):
        assert lips(head(seed).neutral).min() > 0
        for weights in ({"AU24": 1.3}, {"AU17": 1.3, "AU15": 1.2}, {"AU12": 1.3, "AU6": 1.0}, {"AU20": 1.2}):
            assert lips(head(seed).neutral + shown(head(seed), **weights)).min() > -1.0
    assert lips(head(0).neutral + shown(head(0), AU27=1)).max() > 10


@cache
def acted() -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Expression, neutral and the frames of two dozen people who also blink."""
    source = SyntheticSource(Casting(24, frames=(30, 36), seed=11), COUNT, blinks=True)
    takes = [(key.expression, source.read(key)) for key in source.keys]
    return [(expression, take.neutral, take.vertices[::3]) for expression, take in takes]


def test_no_person_and_no_expression_turns_a_triangle_over() -> None:
    faces, mean = face_map(COUNT).faces, skin(COUNT).mean
    for _, neutral, frames in acted():
        assert turned(mean, neutral, faces).min() > 0.5
        assert min(turned(neutral, pose, faces).min() for pose in frames) > 0


def test_no_triangle_is_stretched_beyond_the_bound() -> None:
    faces = face_map(COUNT).faces

    def lengths(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points[faces] - points[np.roll(faces, -1, axis=1)], axis=2)

    largest = max((lengths(pose) / lengths(neutral)).max() for _, neutral, frames in acted() for pose in frames)
    assert 1.5 < largest < STRETCHED


def test_a_fold_is_smoothed_and_the_rest_left_alone() -> None:
    faces, neutral = face_map(COUNT).faces, skin(COUNT).mean
    pushed = np.repeat(neutral[None], 2, axis=0)
    vertex = landmarks(COUNT)["sl"]
    pushed[1, vertex, 1] += 12
    assert turned(neutral, pushed[1], faces).min() < 0
    kept = pushed.copy()
    unfold(pushed, neutral, faces, worst=1)
    assert turned(neutral, pushed[1], faces).min() >= TURN_LIMIT
    np.testing.assert_array_equal(pushed[0], neutral)
    far = np.linalg.norm(neutral - neutral[vertex], axis=1) > 40
    np.testing.assert_array_equal(pushed[1, far], kept[1, far])


def test_measures_spread_as_published_and_nobody_is_twice() -> None:
    people = [draw_person(variety(COUNT), np.random.default_rng([5, number])) for number in range(200)]
    from facegen.data.sources.built_in.landmarks import LANDMARKS

    at = [landmarks(COUNT)[name] for name in LANDMARKS]
    drawn = np.array([measure(person.neutral[at]) for person in people])
    published = np.array([np.hypot(spread, between / 2) for spread, between in MEASURES.values()])
    ratio = drawn.std(axis=0) / published
    assert (ratio > 0.6).all() and (ratio < 2.0).all()
    assert np.median(ratio) == pytest.approx(1.1, abs=0.25)
    apart = [np.linalg.norm(a.neutral - b.neutral, axis=1).mean() for a, b in zip(people, people[1:], strict=False)]
    assert min(apart) > 1.5


def test_a_seed_is_a_person() -> None:
    first, same, other = (draw_person(variety(COUNT), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.neutral.tobytes() == same.neutral.tobytes()
    assert 1 < np.linalg.norm(first.neutral - other.neutral, axis=1).mean() < 20


def test_the_same_label_is_performed_in_as_many_ways_as_people_are() -> None:
    phases, ways = Phases(5, 20, 35, 50), []
    for seed in range(30):
        curves = Temperament.draw(np.random.default_rng(seed)).perform("happy", 60, phases, 0.8)
        assert all(
            not curve[: phases.onset + 1].any() and not curve[phases.offset :].any() for curve in curves.values()
        )
        assert curves["AU12_L"][phases.onset + 1] > 0  # the leading unit sets in with the label
        ways.append(tuple(round(float(curve.max()), 3) for curve in curves.values()))
    assert len(set(ways)) == 30
    assert len({len(way) for way in ways}) > 1  # habits


def test_blinks_come_when_asked_and_no_label_tells_of_them() -> None:
    closed = draw_blinks(10_000, 25.0, np.random.default_rng(0))
    assert closed.min() == 0 and 0.9 < closed.max() <= 1
    starts = ((closed[1:] > 0) & (closed[:-1] == 0)).sum()
    assert 60 < starts < 140  # in 400 seconds
    plain, with_them = (SyntheticSource(Casting(3, frames=(60, 60)), 600, blinks) for blinks in (False, True))
    differ = 0
    for key in plain.keys:
        one, other = plain.read(key), with_them.read(key)
        assert one.phases == other.phases
        np.testing.assert_array_equal(one.neutral, other.neutral)
        differ += not np.array_equal(one.vertices, other.vertices)
    assert 3 <= differ < len(plain.keys)


def test_all_six_expressions_can_be_acted() -> None:
    assert set(Temperament.draw(np.random.default_rng(0)).gain) == set(EXPRESSIONS)

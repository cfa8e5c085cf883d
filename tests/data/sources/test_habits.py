from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from facegen.data.sources.habits import OPENING, PARTS, habitual_style, openness
from facegen.data.sources.prototypes import PROTOTYPES
from facegen.data.sources.recorded_acting import RecordedStyle
from facegen.motion.label import EXPRESSIONS

PEOPLE, TAKES, FRAMES, FPS = 60, 2, 40, 12.0
UNITS = sorted({unit for kinds in PROTOTYPES.values() for _, weights in kinds for unit in weights})


def faces(draw: Callable[[np.random.Generator], RecordedStyle], expression: str) -> np.ndarray:
    """(P, K, U): how much of each unit people show in each take while it lasts, of a sum of squares of 1."""
    shown = np.zeros((PEOPLE, TAKES, len(UNITS)))
    for who in range(PEOPLE):
        style = draw(np.random.default_rng([1, who]))
        for take in range(TAKES):
            stream = np.random.default_rng([2, EXPRESSIONS.index(expression), who, take])
            curves, phases = style.perform(expression, FRAMES, FPS, stream)
            for unit, curve in curves.items():
                if unit in UNITS:
                    shown[who, take, UNITS.index(unit)] = curve[phases.apex_start : phases.apex_end + 1].mean()
    return shown / np.linalg.norm(shown, axis=-1, keepdims=True)


def agreement(shown: np.ndarray) -> float:
    """The intraclass correlation of takes (P, K, U) of one person."""
    within = np.square(shown - shown.mean(1, keepdims=True)).sum() / (shown.shape[0] * (shown.shape[1] - 1))
    return 1 - within / (np.square(shown - shown.mean((0, 1))).sum() / (shown.shape[0] * shown.shape[1]))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_people_of_habit_do_again_what_they_did_and_others_hardly(expression: str) -> None:
    of_habit, others = (agreement(faces(draw, expression)) for draw in (habitual_style, RecordedStyle.draw))
    assert of_habit > 0.55
    assert of_habit > others + 0.15


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_all_people_together_show_each_prototype_as_often_as_it_is_shown(expression: str) -> None:
    shares = np.mean([habitual_style(np.random.default_rng(seed)).taste[expression] for seed in range(1000)], axis=0)
    assert shares == pytest.approx([share for share, _ in PROTOTYPES[expression]], abs=0.04)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_who_opens_the_mouth_in_one_expression_opens_it_in_the_others(expression: str) -> None:
    def open_mouths(draw: Callable[[np.random.Generator], RecordedStyle], shown: str) -> list[float]:
        kinds = np.array([openness(weights) for _, weights in PROTOTYPES[shown]])
        return [float(draw(np.random.default_rng(seed)).taste[shown] @ kinds) for seed in range(200)]

    other = "happy" if expression != "happy" else "surprise"
    told = np.corrcoef(open_mouths(habitual_style, expression), open_mouths(habitual_style, other))[0, 1]
    untold = np.corrcoef(open_mouths(RecordedStyle.draw, expression), open_mouths(RecordedStyle.draw, other))[0, 1]
    assert told > 0.6 > 0.2 > abs(untold)


def test_a_person_is_as_strong_in_all_units_of_a_part_of_the_face() -> None:
    gains = np.log([[habitual_style(np.random.default_rng(seed)).gain[unit] for unit in UNITS] for seed in range(200)])
    alike = np.corrcoef(gains.T)
    for one in range(len(UNITS)):
        for other in range(one):
            same = any({UNITS[one], UNITS[other]} <= part for part in PARTS)
            assert (alike[one, other] > 0.55) if same else (abs(alike[one, other]) < 0.25), (UNITS[one], UNITS[other])


def test_each_unit_is_of_one_part_and_those_that_open_the_mouth_are_units() -> None:
    assert Counter(unit for part in PARTS for unit in part) == Counter(UNITS)
    assert set(OPENING) <= set(UNITS)


@pytest.mark.parametrize("expression", ["surprise", "fear"])  # some rise slowly in fear, and always do
def test_takes_that_go_by_a_persons_own_course_rise_and_fall_alike(expression: str) -> None:
    spread = []
    for own in (False, True):
        within, between = [], []
        for who in range(30):
            style = habitual_style(np.random.default_rng([1, who]))
            style = style if own else replace(style, own_course=None)
            rises = []
            for take, frames in enumerate((100, 120, 144)):
                _, phases = style.perform(expression, frames, 30.0, np.random.default_rng([2, who, take]))
                rises.append(phases.apex_start - phases.onset)
            within.append(np.var(rises))
            between.append(np.mean(rises))
        spread.append(np.mean(within) / np.var(between))
    assert spread[1] < 0.2 * spread[0]


def test_all_people_together_rise_as_quickly_as_others() -> None:
    rises = []
    for draw in (habitual_style, RecordedStyle.draw):
        styles = (draw(np.random.default_rng([1, who])) for who in range(300))
        found = [style.perform("sad", 120, 30.0, np.random.default_rng(i))[1] for i, style in enumerate(styles)]
        rises.append(np.quantile([phases.apex_start - phases.onset for phases in found], [0.25, 0.5, 0.75]))
    np.testing.assert_allclose(rises[0], rises[1], rtol=0.25, atol=2)

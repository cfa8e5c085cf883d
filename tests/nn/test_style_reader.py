"""A style that is read from takes: what is looked at, how takes count together, and that it can be learnt."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from facegen.models.style_lessons import MOST, StyleLessons
from facegen.nn.performance_form import LOOKS, STAGES
from facegen.nn.style_reader import StyleReader, look_at, stages

POINTS, EXPRESSIONS, STYLE = 10, 4, 3


def label(before: int, rise: int, hold: int, fall: int, after: int, row: int = 0) -> torch.Tensor:
    level = np.concatenate([np.zeros(before), np.linspace(0, 1, rise), np.ones(hold), np.linspace(1, 0, fall)])
    motion = torch.zeros(len(level) + after, EXPRESSIONS)
    motion[: len(level), row] = torch.from_numpy(level)
    return motion


def test_stages_lie_where_a_label_says_something_however_long_it_rests() -> None:
    at = stages(label(10, 5, 6, 5, 20))
    assert len(at) == STAGES and (at.diff() > 0).all()
    assert at[0] > 10 and at[-1] < 25
    assert stages(label(0, 5, 6, 5, 0)).tolist() == pytest.approx((at - 10).tolist(), abs=1e-6)


def test_stages_of_a_quick_take_and_a_slow_one_have_the_same_levels() -> None:
    levels = []
    for times in (1, 4):
        motion = label(3, 10 * times + 1, 20 * times, 10 * times + 1, 9)[:, 0].numpy()
        levels.append(np.interp(stages(torch.from_numpy(motion)[:, None]), np.arange(len(motion)), motion))
    np.testing.assert_allclose(levels[0], levels[1], atol=0.04)


@pytest.mark.parametrize("motion", [torch.zeros(5, 2), torch.ones(1, 2), torch.ones(4, 2)])
def test_labels_that_say_nothing_and_takes_of_one_frame_are_looked_at_too(motion: torch.Tensor) -> None:
    look = look_at([torch.randn(len(motion), 3)], [motion])
    assert look.tracks.shape == (1, STAGES, 3) and look.tracks.isfinite().all() and look.shares.isfinite().all()


def test_a_look_is_the_same_of_a_face_that_moves_twice_as_far() -> None:
    track, motion = torch.randn(40, 3 * POINTS), label(4, 10, 10, 10, 6, row=2)
    one, two = (look_at([times * track], [motion]) for times in (1, 2))
    torch.testing.assert_close(one.tracks, two.tracks)
    assert one.shares.tolist() == [[0, 0, 1, 0]]


def test_takes_count_by_how_sure_they_are_in_any_order_and_none_tells_nothing() -> None:
    torch.manual_seed(0)
    reader = StyleReader(POINTS, EXPRESSIONS, STYLE)
    features, shares = torch.randn(1, 2, STAGES * LOOKS), torch.eye(EXPRESSIONS)[[0, 2]][None]
    with torch.no_grad():
        found = reader(features, shares, torch.ones(1, 2))
        told = []
        for take, expression in ((0, 0), (1, 2)):
            seen = features[0, take] @ reader.weight[expression] + reader.bias[expression]
            mean, sure = reader.out(torch.nn.functional.elu(seen)).chunk(2)
            told.append((mean, softplus(sure)))
        wanted = sum(mean * sure for mean, sure in told) / (1 + sum(sure for _, sure in told))
        torch.testing.assert_close(found[0], wanted)
        torch.testing.assert_close(reader(features.flip(1), shares.flip(1), torch.ones(1, 2)), found)
        assert not reader(features, shares, torch.zeros(1, 2)).any()


def made_corpus(people: int, takes: int) -> Any:
    """People of two numbers each, which show in every expression, each in its own way; the last fifth is not trained
    on."""
    ways = np.random.default_rng(0).normal(0, 1, (EXPRESSIONS, 2, 3 * POINTS))
    mean = np.random.default_rng(1).normal(0, 2, (EXPRESSIONS, 3 * POINTS))
    entries, shown, motions = [], [], []
    for person in range(people):
        who = np.random.default_rng([2, person]).normal(0, 1, 2)
        for take in range(takes * EXPRESSIONS):
            row, chance = take % EXPRESSIONS, np.random.default_rng([3, person, take])
            motion = label(*chance.integers(2, 12, 5).tolist(), row=row)
            far = mean[row] + who @ ways[row] + chance.normal(0, 0.3, 3 * POINTS)
            shown.append((motion[:, row, None].numpy() * far).reshape(len(motion), POINTS, 3).astype(np.float32))
            motions.append(motion.numpy())
            entries.append(SimpleNamespace(subject=f"{person:03}", expression=str(row)))
    learnt = [i for i, entry in enumerate(entries) if int(entry.subject) < people * 4 // 5]
    others = [i for i in range(len(entries)) if i not in learnt]
    return SimpleNamespace(
        entries=entries,
        expressions=tuple(str(row) for row in range(EXPRESSIONS)),
        split=lambda name: learnt if name == "train" else others,
        displacement=lambda index: shown[index],
        motion=lambda index: motions[index],
    )


def test_lessons_tell_a_take_from_takes_of_other_expressions_alone() -> None:
    corpus = made_corpus(6, 3)
    lessons = StyleLessons(StyleReader(POINTS, EXPRESSIONS, STYLE), corpus, torch.arange(POINTS))
    takes = torch.arange(len(lessons.person)).repeat(20)
    drawn, counted = lessons.drawn(takes, torch.Generator().manual_seed(0))
    known = counted > 0
    assert (lessons.person[drawn] == lessons.person[takes][:, None])[known].all()
    assert (lessons.expression[drawn] != lessons.expression[takes][:, None])[known].all()
    for row, there in zip(lessons.expression[drawn], known, strict=True):
        assert len(set(row[there].tolist())) == there.sum()
    assert set(known.sum(1).tolist()) == set(range(min(MOST, EXPRESSIONS - 1) + 1))


def test_what_is_usual_is_nothing_and_takes_spread_by_one_about_it() -> None:
    corpus = made_corpus(10, 2)
    lessons = StyleLessons(StyleReader(POINTS, EXPRESSIONS, STYLE), corpus, torch.arange(POINTS))
    for row in range(EXPRESSIONS):
        assert lessons.features[lessons.expression == row].mean(0).abs().max() < 1e-4
    assert float(lessons.features.square().mean().sqrt()) == pytest.approx(1, abs=1e-4)


def test_a_reader_learns_to_tell_how_people_act_whom_it_never_saw() -> None:
    torch.manual_seed(0)
    corpus = made_corpus(60, 3)
    reader = StyleReader(POINTS, EXPRESSIONS, STYLE)
    lessons = StyleLessons(reader, corpus, torch.arange(POINTS))
    lessons.teach(reader, 150)
    looks = [
        look_at([torch.from_numpy(corpus.displacement(i)).flatten(1)], [torch.from_numpy(corpus.motion(i))])
        for i in corpus.split("test")
    ]
    features = torch.cat([reader.features(look) for look in looks])
    shares, missed = torch.cat([look.shares for look in looks]), []
    with torch.no_grad():
        for count in (0, 1, 3):
            errors = []
            for first in range(0, len(looks), 3 * EXPRESSIONS):  # takes 0 to 3 of a person are of one expression each
                for wanted in range(EXPRESSIONS):
                    others = [first + row for row in range(EXPRESSIONS) if row != wanted][:count]
                    style = reader(features[None, others], shares[None, others], torch.ones(1, count))
                    made = reader.teller(style, torch.tensor([wanted]))
                    errors.append(float((made - features[first + wanted]).norm()))
            missed.append(np.mean(errors))
    assert reader.taught and not any(each.requires_grad for each in reader.parameters())
    torch.testing.assert_close(lessons.styles_of_people(reader).std(0, correction=0), torch.ones(STYLE))
    assert missed[1] < 0.85 * missed[0]
    assert missed[2] < 0.92 * missed[1]


def test_styles_of_another_size_tell_the_same() -> None:
    torch.manual_seed(0)
    reader, expression = StyleReader(POINTS, EXPRESSIONS, STYLE), torch.tensor([1, 2])
    takes = torch.randn(2, 1, STAGES * LOOKS), torch.eye(EXPRESSIONS)[[0, 3]][:, None], torch.ones(2, 1)
    with torch.no_grad():
        style = reader(*takes)
        told, size = reader.teller(style, expression), torch.tensor([0.5, 2.0, 10.0])
        reader.shrink(size)
        torch.testing.assert_close(reader(*takes), style / size)
        torch.testing.assert_close(reader.teller(reader(*takes), expression), told)

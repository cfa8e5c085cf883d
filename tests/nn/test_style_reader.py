"""A style that is read from takes: what is looked at, how takes count together, and that it can be learnt."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from facegen.models.style_lessons import MOST, StyleLessons
from facegen.nn.look import Look, look_at, stages
from facegen.nn.performance_form import FACTS, FADE, GROWTH, LARGEST_SIZE, LOOKS, PLACES, STAGES, facts, gestures
from facegen.nn.style_reader import StyleReader

POINTS, EXPRESSIONS, STYLE, TAKE = 10, 4, 3, 2


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


def test_a_gesture_is_as_far_as_the_stages_of_a_take_are() -> None:
    motion = label(10, 5, 6, 8, 20)
    along, peak, took, _ = gestures((0.5 * motion).numpy())
    at = np.interp(stages(motion).numpy(), np.arange(len(motion)), along[:, 0])
    np.testing.assert_allclose(at, np.arange(1, STAGES + 1) / (STAGES + 1), atol=1e-6)
    assert along[10, 0] == along[0, 0] == along[-1, 0] == 0 and 0.9 < along[27, 0] < 1
    assert peak[:, 0].max() == 0.5 and not along[:, 1:].any() and not peak[:, 1:].any()
    # The ramps begin and end at 0, and their last and first frames are at the height.
    np.testing.assert_allclose(took[15, 0], np.log([4, 8, 7]))
    assert not took[:, 1:].any()


def test_each_gesture_of_a_label_is_one_of_its_own() -> None:
    one, two = label(3, 5, 6, 4, 3), 0.5 * label(5, 2, 9, 4, 2)
    together = torch.cat([one, two])
    together[:, 2] = torch.linspace(0.1, 1, len(together))  # another, beside them
    along, peak, took, _ = gestures(together.numpy())
    for part, place in ((one, slice(0, len(one))), (two, slice(len(one), None))):
        alone = gestures(part.numpy())
        np.testing.assert_allclose(along[place, 0], alone.along[:, 0])
        np.testing.assert_allclose(peak[place, 0], alone.peak[:, 0])
        np.testing.assert_allclose(took[place, 0], alone.took[:, 0])
    assert (peak[:, 2] == 1).all()


def test_a_gesture_that_is_cut_off_is_halfway_at_its_height() -> None:
    assert gestures(np.ones((1, 2))).along.tolist() == [[0.5, 0.5]]
    along, _, took, rest = gestures(np.r_[0.0, 0.5, np.ones(8)][:, None])
    np.testing.assert_allclose(took[-1, 0], np.log([2, 8, 1]))
    assert 0.7 < along[-1, 0] < 0.75  # what it says is nearly over, what it changes half


def test_rest_belongs_to_the_gestures_beside_it_the_more_the_nearer() -> None:
    level = torch.zeros(12 + 3 * FADE, EXPRESSIONS)
    level[2:4, 0], level[7:9, 0], level[-4:-2, 1] = 0.5, 1.0, 0.8
    rest = gestures(level.numpy()).rest
    last = len(level) - 4
    # All of the rest that the label begins and ends with, in thirds to what is next of the same expression.
    np.testing.assert_allclose(rest[:9, 0, 0], [0.5, 0.5, 0, 0, 0.25, 0.5, 0.75, 0, 0])
    np.testing.assert_allclose(rest[:9, 0, 1], [0, 0, 0, 0, 0.375, 0.25, 0.125, 0, 0])
    np.testing.assert_allclose(rest[-4:, 1, 1], [0, 0, 0.8, 0.8])
    # Beside others' gestures it fades, however long there is nothing.
    faded = np.arange(FADE, 0, -1) / (FADE + 1)
    np.testing.assert_allclose(rest[9 : 9 + FADE, 0, 1], faded)
    np.testing.assert_allclose(rest[last - FADE : last, 1, 0], 0.8 * faded[::-1])
    assert not rest[9 + FADE :, 0].any() and not rest[: last - FADE, 1].any()
    assert not rest[:, 2:].any() and not gestures(np.zeros((4, 2))).rest.any()


def no_facts(takes: int) -> torch.Tensor:
    return torch.zeros(takes, EXPRESSIONS, FACTS)


def test_takes_of_labels_as_strong_as_can_be_are_as_far_away_as_they_are() -> None:
    reader, shares = StyleReader(POINTS, EXPRESSIONS, STYLE, TAKE), torch.eye(EXPRESSIONS)[[0, 2]]
    look = Look(torch.zeros(2, PLACES, 3 * POINTS), shares, shares * torch.tensor([[1.0], [0.25]]), no_facts(2))
    moved = torch.randn(2, PLACES * LOOKS)
    nn.init.constant_(reader.reach, 2.0)
    away = reader.away(moved, look)
    # What a code tells for a height is again what was there: 0.25 of the movement of a label of 1.
    told = away * reader.grown(look.peaks).sum(1, keepdim=True)
    torch.testing.assert_close(told, moved * reader.heights(look.peaks).sum(1, keepdim=True))
    torch.testing.assert_close(away[1], moved[1] * 0.25 ** (1 - GROWTH))


def test_how_somebody_moves_is_what_their_style_tells_of_every_expression() -> None:
    torch.manual_seed(0)
    reader, style = StyleReader(POINTS, EXPRESSIONS, STYLE, TAKE), torch.randn(2, STYLE)
    with torch.no_grad():
        for each in (reader.usual, reader.teller.mean, reader.spread):
            nn.init.normal_(each)
        found = reader.moves(style)
        for row in range(EXPRESSIONS):
            told = reader.teller(style, torch.tensor([row, row]))
            wanted = reader.usual[row] + reader.spread * nn.functional.pad(told, (LOOKS, LOOKS))
            torch.testing.assert_close(found[:, row], wanted)


@pytest.mark.parametrize("motion", [torch.zeros(5, 2), torch.ones(1, 2), torch.ones(4, 2)])
def test_labels_that_say_nothing_and_takes_of_one_frame_are_looked_at_too(motion: torch.Tensor) -> None:
    look = look_at([torch.randn(len(motion), 3)], [motion])
    assert look.tracks.shape == (1, PLACES, 3) and look.tracks.isfinite().all() and look.shares.isfinite().all()


def test_a_look_is_of_points_between_frames_and_of_what_the_label_shows() -> None:
    motion = label(4, 10, 10, 10, 6, row=2)
    track = torch.arange(len(motion))[:, None] * torch.ones(3 * POINTS)
    look = look_at([track], [0.7 * motion])
    # A ramp begins and ends at 0: its first frame and its last are part of the rest.
    wanted = torch.cat([torch.tensor([2.0]), stages(motion).float(), torch.tensor([36.0])])
    torch.testing.assert_close(look.tracks[0, :, 0], wanted)
    assert look.shares.tolist() == [[0, 0, 1, 0]] and look.peaks[0].tolist() == pytest.approx([0, 0, 0.7, 0])
    np.testing.assert_allclose(look.facts[0, 2], [0.7, np.log(0.7), *np.log([9, 12, 9])], rtol=1e-6)


def test_a_label_says_how_strong_and_how_long_the_strongest_gesture_of_each_expression_is() -> None:
    motion = 0.5 * torch.cat([label(3, 5, 6, 4, 3, row=1), label(5, 2, 9, 4, 2, row=1)])
    motion[:20] *= 0.5
    found = facts(motion.numpy())
    alone = gestures(motion.numpy())
    np.testing.assert_allclose(found[1], [0.5, np.log(0.5), *alone.took[30, 1]])
    np.testing.assert_allclose(found[0], [0, np.log(0.01), 0, 0, 0])  # as little as can be said, of what is not shown


def test_what_labels_say_is_one_of_all_that_those_of_training_say() -> None:
    reader = StyleReader(POINTS, EXPRESSIONS, STYLE, TAKE)
    reader.known.copy_(torch.tensor([[1.0, 0, 0, 0, 2], [3, 1, 4, 2, 2]]))
    found = reader.of_all(torch.tensor([[1.0, 0.5, 4, 9, 2], [2, -8, 1, 1, 2]]))
    assert found.tolist() == [[-1, 0, 1, 1, 0], [0, -1, -0.5, 0, 0]]


def test_heights_are_as_far_as_faces_go_in_proportion_to_how_strong_their_labels_are() -> None:
    reader, peaks = StyleReader(POINTS, EXPRESSIONS, STYLE, TAKE), torch.linspace(0.2, 1, 32)
    shares = torch.eye(EXPRESSIONS)[torch.arange(32) % EXPRESSIONS]
    by_chance = torch.tensor([1.25, 0.8])[torch.arange(32) // EXPRESSIONS % 2]  # 1 in the mean of logs
    far = shares @ torch.arange(1.0, 1 + EXPRESSIONS) * peaks * by_chance
    tracks = far[:, None, None] * nn.functional.normalize(torch.randn(32, PLACES, 3 * POINTS), dim=2)
    reader.get_used_to(Look(tracks, shares, shares * peaks[:, None], no_facts(32)))
    found = reader.heights(torch.eye(EXPRESSIONS)[[0, 0, 1, 3]] * torch.tensor([1, 0.25, 0.5, 0.5])[:, None]).sum(1)
    torch.testing.assert_close(found / found[0], torch.tensor([1.0, 0.25, 1.0, 2.0]))
    left = far / reader.heights(shares * peaks[:, None]).sum(1)
    torch.testing.assert_close(left / left[0], by_chance / by_chance[0])
    assert not reader.heights(torch.zeros(2, EXPRESSIONS)).any()


def test_who_moves_farther_by_the_same_label_is_seen_to() -> None:
    corpus = made_corpus(4, 2)
    reader = StyleReader(POINTS, EXPRESSIONS, STYLE, TAKE)
    StyleLessons(reader, corpus, torch.arange(POINTS))
    track, motion = torch.randn(40, 3 * POINTS), label(4, 10, 10, 10, 6, row=2)
    one, two, strong = (
        reader.features(look_at([times * track], [high * motion])) + reader.usual[2, LOOKS:-LOOKS] / reader.spread
        for times, high in ((1, 1), (2, 1), (1, 0.25))
    )
    torch.testing.assert_close(two, 2 * one)
    torch.testing.assert_close(strong, 4 * one)


def test_takes_and_labels_count_by_how_sure_they_are_in_any_order_and_none_tells_nothing() -> None:
    torch.manual_seed(0)
    reader = StyleReader(POINTS, EXPRESSIONS, STYLE, TAKE)
    reader.known.copy_(torch.tensor([-1.0, 1.0])[:, None].expand(2, FACTS))
    features, shares = torch.randn(1, 2, STAGES * LOOKS), torch.eye(EXPRESSIONS)[[0, 2]][None]
    said = 2 * torch.rand(1, 2, EXPRESSIONS, FACTS) - 1
    label = torch.tensor([[0.0, 0.25, 0.75, 0.0]]), 2 * torch.rand(1, EXPRESSIONS, FACTS) - 1
    with torch.no_grad():
        told = []
        for take, expression in ((0, 0), (1, 2)):
            known = torch.cat([features[0, take], said[0, take, expression]])
            seen = known @ reader.weight[expression] + reader.bias[expression]
            mean, sure = reader.out(nn.functional.elu(seen)).chunk(2)
            told.append((mean, softplus(sure)))
        hears, by_label = reader.label, []
        for expression, share in ((1, 0.25), (2, 0.75)):
            seen = nn.functional.elu(label[1][0, expression] @ hears.weight[expression] + hears.bias[expression])
            mean, sure = (seen @ hears.out[expression] + hears.shift[expression]).chunk(2)
            by_label.append((mean, share * softplus(sure)))

        def wanted(parts: list[tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
            return sum(mean * sure for mean, sure in parts) / (1 + sum(sure for _, sure in parts))

        found = reader(features, shares, said, torch.ones(1, 2))
        torch.testing.assert_close(found[0], wanted(told))
        torch.testing.assert_close(reader(features.flip(1), shares.flip(1), said.flip(1), torch.ones(1, 2)), found)
        both = reader(features, shares, said, torch.ones(1, 2), label)
        torch.testing.assert_close(both[0], wanted([*told, *by_label]))
        torch.testing.assert_close(reader.by_labels(*label)[0], wanted(by_label))
        torch.testing.assert_close(reader(features, shares, said, torch.zeros(1, 2), label), reader.by_labels(*label))
        assert not reader(features, shares, said, torch.zeros(1, 2)).any()


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
    lessons = StyleLessons(StyleReader(POINTS, EXPRESSIONS, STYLE, TAKE), corpus, torch.arange(POINTS))
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
    lessons = StyleLessons(StyleReader(POINTS, EXPRESSIONS, STYLE, TAKE), corpus, torch.arange(POINTS))
    for row in range(EXPRESSIONS):
        assert lessons.features[lessons.expression == row].mean(0).abs().max() < 1e-4
    assert float(lessons.features.square().mean().sqrt()) == pytest.approx(1, abs=1e-4)


def test_codes_say_by_how_many_standard_deviations_takes_differ_from_their_persons_mean() -> None:
    rng, features = np.random.default_rng(0), PLACES * LOOKS
    reader, ways = StyleReader(POINTS, EXPRESSIONS, STYLE, TAKE), np.linalg.qr(rng.normal(size=(features, 2)))[0].T
    codes = rng.normal(size=(500, 3, 2)) * [3.0, 0.5]  # of three takes of each person
    away = torch.from_numpy((codes - codes.mean(axis=1, keepdims=True)).reshape(-1, 2) @ ways).float()
    shares, counts = torch.eye(EXPRESSIONS)[torch.ones(1500, dtype=torch.long)], torch.full((1500,), 3.0)
    reader.get_used_to_takes(away, counts, shares)
    assert not reader.takes[[0, 2, 3]].any()
    torch.testing.assert_close(reader.takes[1].norm(dim=1), torch.tensor([3.0, 0.5]), rtol=0.05, atol=0)
    np.testing.assert_allclose(np.abs(reader.takes[1].numpy() @ ways.T), np.diag([3.0, 0.5]), atol=0.1)
    found = reader.codes(away, shares)
    torch.testing.assert_close(reader.differs(found)[:, 1], away, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.std(0), torch.full((2,), (2 / 3) ** 0.5), rtol=0.01, atol=0)
    norms = np.linalg.norm(found.numpy(), axis=1) * 1.5**0.5
    np.testing.assert_allclose(
        reader.sizes, np.quantile(norms, np.linspace(0, LARGEST_SIZE, len(reader.sizes))), rtol=1e-4
    )


def test_who_shows_an_expression_once_does_so_as_ever() -> None:
    corpus = made_corpus(6, 2)
    corpus.entries[3].subject = "once"  # of the last expression, and so is the other of who was it
    lessons = StyleLessons(StyleReader(POINTS, EXPRESSIONS, STYLE, TAKE), corpus, torch.arange(POINTS))
    others = torch.stack([lessons.codes[4], lessons.codes[0], lessons.codes[8]])
    assert not lessons.codes[[3, 7]].any() and others.any(1).all()
    torch.testing.assert_close(lessons.codes[0], -lessons.codes[4], atol=1e-5, rtol=1e-4)


def test_a_take_whose_code_is_told_moves_as_its_person_does_and_in_other_expressions_by_a_style() -> None:
    corpus, style = made_corpus(5, 2), torch.randn(2, STYLE)
    reader = StyleReader(POINTS, EXPRESSIONS, STYLE, TAKE)
    lessons = StyleLessons(reader, corpus, torch.arange(POINTS))
    takes = torch.tensor([1, 10])  # of two people: the first's others of its expression are 5 alone, and 14
    seen = [
        reader.seen(
            look_at([torch.from_numpy(corpus.displacement(i)).flatten(1)], [torch.from_numpy(corpus.motion(i))])
        )
        for i in (1, 5, 10, 14)
    ]
    with torch.no_grad():
        found, told = lessons.moves(reader, style, takes), reader.moves(style)
    torch.testing.assert_close(found[0, 1], (seen[0] + seen[1])[0] / 2)
    torch.testing.assert_close(found[1, 2], (seen[2] + seen[3])[0] / 2)
    torch.testing.assert_close(found[0, [0, 2, 3]], told[0, [0, 2, 3]])
    torch.testing.assert_close(found[1, [0, 1, 3]], told[1, [0, 1, 3]])


@pytest.mark.parametrize(("takes", "lessons"), [(40, 500), (1280, 920), (20_000, 6000)])
def test_there_are_as_many_lessons_as_takes_warrant(takes: int, lessons: int, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, asked = StyleReader(POINTS, EXPRESSIONS, STYLE, TAKE), []
    school = StyleLessons(reader, made_corpus(10, 1), torch.arange(POINTS))
    school.person = torch.zeros(takes, dtype=torch.long)
    monkeypatch.setattr(school, "missed", lambda reader, generator: asked.append(1) or reader.out.bias.sum())
    school.teach(reader)
    assert len(asked) == lessons


def test_a_reader_learns_to_tell_how_people_act_whom_it_never_saw() -> None:
    torch.manual_seed(0)
    corpus = made_corpus(200, 3)
    reader = StyleReader(POINTS, EXPRESSIONS, STYLE, TAKE)
    lessons = StyleLessons(reader, corpus, torch.arange(POINTS))
    lessons.teach(reader, 150)
    looks = [
        look_at([torch.from_numpy(corpus.displacement(i)).flatten(1)], [torch.from_numpy(corpus.motion(i))])
        for i in corpus.split("test")
    ]
    features, said = torch.cat([reader.features(look) for look in looks]), torch.cat([look.facts for look in looks])
    shares, missed = torch.cat([look.shares for look in looks]), []
    with torch.no_grad():
        for count in (0, 1, 3):
            errors = []
            for first in range(0, len(looks), 3 * EXPRESSIONS):  # takes 0 to 3 of a person are of one expression each
                for wanted in range(EXPRESSIONS):
                    others = [first + row for row in range(EXPRESSIONS) if row != wanted][:count]
                    known = features[None, others], shares[None, others], said[None, others]
                    label = shares[first + wanted][None], said[first + wanted][None]
                    style = reader(*known, torch.ones(1, count), label)
                    made = reader.teller(style, torch.tensor([wanted]))
                    errors.append(float((made - features[first + wanted]).norm()))
            missed.append(np.mean(errors))
    assert reader.taught and not any(each.requires_grad for each in reader.parameters())
    torch.testing.assert_close(lessons.styles_of_people(reader).std(0, correction=0), torch.ones(STYLE))
    assert missed[1] < 0.85 * missed[0]
    assert missed[2] < 0.95 * missed[1]


def test_styles_of_another_size_tell_the_same() -> None:
    torch.manual_seed(0)
    reader, expression = StyleReader(POINTS, EXPRESSIONS, STYLE, TAKE), torch.tensor([1, 2])
    shares, said = torch.eye(EXPRESSIONS)[[0, 3]][:, None], torch.rand(2, 1, EXPRESSIONS, FACTS)
    label = shares[:, 0], torch.rand(2, EXPRESSIONS, FACTS)
    takes = torch.randn(2, 1, STAGES * LOOKS), shares, said, torch.ones(2, 1), label
    reader.known.copy_(torch.tensor([0.0, 1.0])[:, None].expand(2, FACTS))
    with torch.no_grad():
        style = reader(*takes)
        told, size = reader.teller(style, expression), torch.tensor([0.5, 2.0, 10.0])
        reader.shrink(size)
        torch.testing.assert_close(reader(*takes), style / size)
        torch.testing.assert_close(reader.teller(reader(*takes), expression), told)

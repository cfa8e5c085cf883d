"""The network of performances: proportions, styles that are found again, codes that are drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from shapes import plate_with_hole
from torch import nn

from facegen.errors import FacegenError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.look import Reference, look_at
from facegen.nn.performance_form import FACTS, GROWTH, LOOKS, PLACES, drawn_code, drawn_style, facts, looked_at
from facegen.nn.performance_network import PerformanceNetwork, frame_owners
from facegen.nn.proportions import FIRST_EXPONENT, Proportions

HIERARCHY = MeshHierarchy.build(plate_with_hole(), depth=1)
EXPRESSIONS = 3


def network(people: int = 12, style: int = 2, bidirectional: bool = False) -> PerformanceNetwork:
    torch.manual_seed(0)
    made = PerformanceNetwork(
        HIERARCHY, EXPRESSIONS, people, latent=8, channels=[8], bidirectional=bidirectional, style=style, take=4
    )
    made.people.normal_()
    with torch.no_grad():
        nn.init.normal_(made.guide.weight)
    return made.eval()


def neutrals(count: int) -> torch.Tensor:
    points = torch.from_numpy(HIERARCHY.template.vertices.astype(np.float32))
    return torch.stack([points * (1 + 0.1 * number) for number in range(count)])


def label(frames: int, row: int) -> torch.Tensor:
    motion = torch.zeros(frames, EXPRESSIONS)
    motion[:, row] = torch.linspace(0, 1, frames)
    return motion


def test_proportions_are_those_along_each_axis_wherever_the_head_stands() -> None:
    template = np.random.default_rng(0).normal(0, (60, 80, 40), (50, 3))
    larger = (template - template.mean(0)) * (1.1, 0.9, 1.2)
    of = Proportions(template)
    heads = [larger, larger @ Rotation.from_rotvec((0.4, -1.2, 0.3)).as_matrix() + (300, -20, 1000)]
    neutrals = torch.from_numpy(np.stack(heads).astype(np.float32))
    found = of.sizes(neutrals)
    np.testing.assert_allclose(found[0], (1.1, 0.9, 1.2), atol=0.01)  # laid on as a body, it turns a little
    np.testing.assert_allclose(found[1], found[0], atol=1e-4)
    with torch.no_grad():
        of.exponent[:] = torch.tensor([0.0, 1.0, 2.0])
        moved = of(neutrals)[0]
    np.testing.assert_allclose(moved, [1, found[0, 1], found[0, 2] ** 2], rtol=1e-5)


def test_what_is_made_stays_the_same_where_the_head_stands_elsewhere_and_grows_with_it() -> None:
    made, (small, large) = network(), neutrals(2)
    turn = torch.from_numpy(Rotation.from_rotvec((0.1, 0.7, -0.4)).as_matrix()).float()
    moved = large @ turn.T + torch.tensor([10.0, -300.0, 50.0])
    with torch.no_grad():
        one, two, three = (made(label(5, 0), neutral=each[None]) for each in (small, large, moved))
    torch.testing.assert_close(two, 1.1**FIRST_EXPONENT * one, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(three, two, rtol=1e-3, atol=1e-3)


def test_sequences_of_a_batch_keep_apart() -> None:
    made, lengths = network(), (4, 6)
    motion = torch.cat([label(4, 0), label(6, 1)])
    ptr, style, take = torch.tensor([0, 4, 10]), torch.randn(2, 2), torch.randn(2, 4)
    assert frame_owners(ptr).tolist() == [0] * 4 + [1] * 6
    with torch.no_grad():
        together = made(motion, ptr, None, neutrals(2), style, take)
        alone = [
            made(part, None, None, neutrals(2)[i : i + 1], style[i : i + 1], take[i : i + 1])
            for i, part in enumerate(motion.split(lengths))
        ]
        some = made(motion, ptr, torch.tensor([1, 7]), neutrals(2), style, take)
    torch.testing.assert_close(together, torch.cat(alone))
    torch.testing.assert_close(some, together[[1, 7]])


def by_places(rows: torch.Tensor, along: float) -> torch.Tensor:
    """(`LOOKS`,) of what is told of places (M,), so far along a gesture."""
    rows, place = rows.view(PLACES, LOOKS), along * (PLACES - 1)
    return torch.lerp(rows[int(place)], rows[int(place) + 1], place - int(place))


def own_network() -> PerformanceNetwork:
    """Somebody acts as nobody does, and how long a label takes tells of who."""
    made = network(bidirectional=True)
    reader = made.style_reader
    for each in (reader.reach, reader.usual, reader.spread, reader.takes):
        nn.init.uniform_(each, 0.5, 1.5)
    reader.known.copy_(torch.tensor([-1.0, 4.0])[:, None].expand(2, FACTS))
    return made


def test_who_acts_guides_the_latents_by_how_strong_a_gesture_gets() -> None:
    made, style, ptr, mean = own_network(), torch.tensor([[2.0, -1.0]]), torch.tensor([0, 5]), torch.zeros(1, 4)
    motion = torch.tensor([0.0, 0.5, 1.0, 0.5, 0.0])[:, None] * torch.tensor([1.0, 0.0, 0.0])
    reader = made.style_reader
    with torch.no_grad():
        nn.init.zeros_(made.encoder.out.weight)  # deaf
        moves = reader.moves(style)[0, 0]
        full = made.expected(motion, ptr, style, mean)
        torch.testing.assert_close(full[2], reader.reach[0] * by_places(moves, 0.5))
        torch.testing.assert_close(made.latents(motion, ptr, style) - made.encoder.out.bias, made.guide(full))
        torch.testing.assert_close(made.expected(0.5 * motion, ptr, style, mean), 0.5 * full)
        parts = [made.expected(motion.roll(row, 1), ptr, style, mean) for row in (0, 1)]
        both = made.expected(motion + motion.roll(1, 1), ptr, style, mean)
    # Before and after it, somebody is at rest as others are.
    torch.testing.assert_close(full[[0, 4]], reader.reach[0] * reader.usual[0].view(PLACES, LOOKS)[[0, -1]])
    torch.testing.assert_close(both, parts[0] + parts[1])


def test_somebody_acts_the_same_however_long_a_label_takes_and_nobody_as_who_would_act_so_long() -> None:
    made, at, who = own_network(), {}, {}
    for frames in (9, 91):
        motion, ptr = torch.minimum(label(frames, 1), label(frames, 1).flip(0)), torch.tensor([0, frames])
        with torch.no_grad():
            who[frames] = made.by_label(motion, ptr)
            for name, style in (("somebody", torch.tensor([[0.8, -0.6]])), ("nobody", who[frames])):
                at[name, frames] = made.expected(motion, ptr, style, torch.zeros(1, 4))[frames // 2]
            torch.testing.assert_close(made(motion), made(motion, style=who[frames]))
        said = torch.from_numpy(facts(motion.numpy()))[None]
        torch.testing.assert_close(who[frames], made.style_reader.by_labels(torch.tensor([[0.0, 1.0, 0.0]]), said))
    torch.testing.assert_close(at["somebody", 9], at["somebody", 91])
    assert not torch.allclose(who[9], who[91], atol=0.05)
    assert not torch.allclose(at["nobody", 9], at["nobody", 91], atol=1e-3)


def test_a_style_is_found_in_takes_by_their_labels_and_another_or_in_a_label_alone() -> None:
    made, points = own_network(), len(HIERARCHY.template.vertices)
    taken, wanted = label(20, 1), label(30, 0)
    with torch.no_grad():
        reader = made.style_reader
        nn.init.normal_(reader.components)
        reference = Reference(torch.randn(20, points, 3), taken)
        alone, both = made.style_of([reference]), made.style_of([reference], wanted)
        look = look_at([reference.displacement[:, made.points].flatten(1)], [taken])
        known = reader.features(look)[None], look.shares[None], look.facts[None], torch.ones(1, 1)
        torch.testing.assert_close(alone, reader(*known)[0])
        said = torch.tensor([[1.0, 0.0, 0.0]]), torch.from_numpy(facts(wanted.numpy()))[None]
        torch.testing.assert_close(both, reader(*known, said)[0])
        assert not torch.allclose(alone, both, atol=1e-3)
        torch.testing.assert_close(made.style_of([], wanted), made.by_label(wanted, torch.tensor([0, 30]))[0])
        assert not made.style_of([]).any()


def test_who_is_known_better_than_by_a_style_moves_as_they_do() -> None:
    made, style, take = own_network(), torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0, -0.5, 2.0]])
    motion, ptr = label(30, 2), torch.tensor([0, 30])
    with torch.no_grad():
        other = made.style_reader.moves(torch.tensor([[-1.0, 3.0]]))
        wanted = made(motion, ptr, style=style, take=take, moves=made.style_reader.moves(style))
        torch.testing.assert_close(made(motion, ptr, style=style, take=take), wanted)
        assert not torch.allclose(made(motion, ptr, style=style, take=take, moves=other), wanted)
        told = made.expected(motion, ptr, style, take, other)
        torch.testing.assert_close(told, made.expected(motion, ptr, torch.tensor([[-1.0, 3.0]]), take))


def test_a_code_moves_a_face_by_what_takes_differ_by_whoever_acts() -> None:
    made, ptr, take = own_network(), torch.tensor([0, 5]), torch.tensor([[1.0, 0.0, -0.5, 2.0]])
    motion = torch.tensor([0.0, 0.5, 1.0, 0.5, 0.0])[:, None] * torch.tensor([0.0, 0.7, 0.0])
    reader = made.style_reader
    for style in (torch.tensor([[2.0, -1.0]]), made.no_style()):
        with torch.no_grad():
            more = made.expected(motion, ptr, style, take) - made.expected(motion, ptr, style, torch.zeros(1, 4))
        moves = 0.7**GROWTH * reader.reach[1] * (take[0] @ reader.takes[1])
        torch.testing.assert_close(more[2], by_places(moves, 0.5))
        torch.testing.assert_close(more[[0, 4]], moves.view(PLACES, LOOKS)[[0, -1]])


def test_the_code_of_a_take_is_what_it_does_otherwise_than_its_style_tells() -> None:
    made, points = own_network(), len(HIERARCHY.template.vertices)
    style, motion = torch.tensor([1.0, 0.5]), torch.cat([label(300, 1), label(300, 1).flip(0)])
    reader, take = made.style_reader, torch.tensor([1.5, -0.5, 0.0, 1.0])
    reader.takes.copy_(torch.linalg.qr(torch.randn(EXPRESSIONS, PLACES * LOOKS, 4))[0].mT)  # none is another's part
    reader.components.copy_(torch.linalg.qr(torch.randn(len(reader.components), LOOKS))[0])
    ptr = torch.tensor([0, len(motion)])
    with torch.no_grad():
        found = made.expected(motion, ptr, style[None], take[None]) @ reader.components.T
        moved = torch.zeros(len(motion), points, 3)
        moved[:, made.points] = found.unflatten(1, (-1, 3))
        torch.testing.assert_close(made.take_of(moved, motion, style), take, rtol=0.1, atol=0.1)


def moves_of(people: np.ndarray) -> np.ndarray:
    """(P, 1, M): everybody moves as far as their first number is large."""
    moves = np.zeros((len(people), 1, PLACES * LOOKS))
    moves[:, 0, 3] = people[:, 0]
    return moves


def test_styles_are_drawn_as_people_have_them() -> None:
    made = network(people=400)
    with torch.no_grad():
        made.people[:, 1] = 0.5 * made.people[:, 0] + 0.3
        reach = made.style_reader.moves(made.people).unflatten(2, (PLACES, LOOKS)).norm(dim=3).amax(2)
        usual = made.people[(reach <= reach.quantile(0.9, dim=0, interpolation="higher")).all(1)]
        drawn = torch.stack([made.draw_style(seed) for seed in range(2000)])
    assert 0.7 * 400 < len(usual) <= 400
    torch.testing.assert_close(drawn.mean(0), usual.mean(0), rtol=0, atol=0.08)
    torch.testing.assert_close(torch.cov(drawn.T), torch.cov(usual.T), rtol=0.15, atol=0.02)


def test_a_drawn_style_is_near_somebodys_and_nobodys_own() -> None:
    sides = np.repeat([[-3.0, 1], [3, 1]], 50, axis=0)
    drawn = np.stack([drawn_style(seed, sides, moves_of(sides)) for seed in range(500)])
    assert (np.abs(drawn[:, 0]) < 1).mean() < 0.06  # between the two, where a normal distribution has a quarter
    assert abs((drawn[:, 0] > 0).mean() - 0.5) < 0.1
    assert len(np.unique(drawn[:, 0])) == len(drawn)
    np.testing.assert_allclose(drawn[:, 1], 1, atol=0.02)


def test_no_style_is_drawn_near_those_who_go_farthest() -> None:
    people = np.stack([np.linspace(1, 2, 40), np.zeros(40)], axis=1)
    people[[3, 17], 0] = 50, -60
    drawn = np.stack([drawn_style(seed, people, moves_of(people)) for seed in range(200)])
    assert drawn[:, 0].min() > 0.5 and drawn[:, 0].max() < 2.5


def test_where_one_person_trained_theirs_is_the_style_that_is_drawn() -> None:
    people = np.array([[2.0, -1]])
    np.testing.assert_allclose(drawn_style(5, people, moves_of(people)), [2, -1], atol=0.02)


def test_a_take_is_the_same_by_the_same_seed_alone() -> None:
    made = own_network()
    made.style_reader.sizes.copy_(torch.linspace(1, 2, len(made.style_reader.sizes)))
    assert torch.equal(made.draw_take(3), made.draw_take(3))
    assert not torch.allclose(made.draw_take(3), made.draw_take(4))


def test_codes_are_drawn_in_all_directions_as_large_as_those_of_takes() -> None:
    sizes = np.linspace(0, 2, 64) ** 2
    drawn = np.stack([drawn_code(seed, 3, sizes) for seed in range(4000)])
    found = np.quantile(np.linalg.norm(drawn, axis=1), np.linspace(0, 1, 64))
    np.testing.assert_allclose(found, sizes, atol=0.12)
    np.testing.assert_allclose(np.cov(drawn.T), np.eye(3) * np.square(sizes).mean() / 3, atol=0.12)
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=0.08)


def test_points_are_vertices_of_the_finest_level() -> None:
    fine = MeshHierarchy.build(plate_with_hole(21), depth=2, factor=4)
    points = looked_at(fine)
    assert len(points) == fine.sizes[1]  # the next one has fewer than are wanted
    np.testing.assert_allclose(fine.levels[0].vertices[points], fine.levels[1].vertices)


def test_sizes_out_of_range_are_refused() -> None:
    with pytest.raises(FacegenError, match="people, style and take must be at least 1, got 0, 32 and 32"):
        PerformanceNetwork(HIERARCHY, EXPRESSIONS, 0, channels=[8])

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
from facegen.nn.performance_codes import TakeSource
from facegen.nn.performance_form import STAGES, looked_at
from facegen.nn.performance_network import PerformanceNetwork, frame_owners, spread_of
from facegen.nn.proportions import FIRST_EXPONENT, Proportions

HIERARCHY = MeshHierarchy.build(plate_with_hole(), depth=1)
EXPRESSIONS = 3


def network(people: int = 12, style: int = 2) -> PerformanceNetwork:
    torch.manual_seed(0)
    made = PerformanceNetwork(HIERARCHY, EXPRESSIONS, people, latent=8, channels=[8], style=style, take=4)
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


def test_habits_guide_the_latents_by_how_strong_a_gesture_gets_and_add_up() -> None:
    torch.manual_seed(0)
    made = PerformanceNetwork(HIERARCHY, EXPRESSIONS, 12, latent=8, channels=[8], style=2, take=4, bidirectional=True)
    ptr, style = torch.tensor([0, 5]), torch.tensor([[2.0, -1.0]])
    told = made.style_reader.teller.habits(style)[0, 0]  # at the stages of the first expression
    motion = torch.tensor([0.0, 0.5, 1.0, 0.5, 0.0])[:, None] * torch.tensor([1.0, 0.0, 0.0])
    with torch.no_grad():
        nn.init.normal_(made.guide.weight)
        nn.init.zeros_(made.encoder.out.weight)  # deaf
        made.style_reader.reach[:, 1] = 1
        found = made.latents(motion, ptr, style) - made.latents(motion, ptr)
        apex = torch.lerp(*told[STAGES // 2 : STAGES // 2 + 2], (STAGES + 1) / 2 - STAGES // 2)
        torch.testing.assert_close(found[2], made.guide(apex))
        torch.testing.assert_close(made.habits(0.5 * motion, ptr, style), 0.5 * made.habits(motion, ptr, style))
        parts = [made.habits(motion.roll(row, 1), ptr, style) for row in (0, 1)]
        both = made.habits(motion + motion.roll(1, 1), ptr, style)
    assert not found[[0, 4]].any()
    torch.testing.assert_close(both, parts[0] + parts[1])


def test_styles_are_drawn_as_people_have_them() -> None:
    made = network(people=400)
    with torch.no_grad():
        made.people[:, 1] = 0.5 * made.people[:, 0] + 0.3
    mean, root = spread_of(made.people)
    drawn = torch.stack([made.draw_style(seed).detach() for seed in range(2000)])
    torch.testing.assert_close(drawn.mean(0), mean, rtol=0, atol=0.08)
    torch.testing.assert_close(torch.cov(drawn.T), root @ root.T, rtol=0.15, atol=0.02)


def test_a_take_is_the_same_by_the_same_seed_alone() -> None:
    made = network()

    def drawn(seed: int) -> torch.Tensor:
        with torch.no_grad():
            return made.draw_take(label(9, 0), None, seed)

    assert torch.equal(drawn(3), drawn(3))
    assert not torch.allclose(drawn(3), drawn(4))


def test_the_flow_learns_two_kinds_of_takes_and_how_often_each_comes() -> None:
    torch.manual_seed(0)
    source = TakeSource(expressions=1, style=1, take=2, hidden=64)
    optimizer = torch.optim.Adam(source.parameters(), 5e-3)
    told = torch.zeros(512, 3)
    for _ in range(500):
        kind = (torch.rand(512, 1) < 0.25).float()
        code = torch.cat([4 * kind - 2, 0.5 * torch.randn(512, 1)], 1) + 0.1 * torch.randn(512, 2)
        loss = source.loss(code, told, torch.randn(512, 2), torch.rand(512, 1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        made = source(torch.randn(512, 2), told)
    assert ((made[:, 0].abs() - 2).abs() < 0.7).float().mean() > 0.85  # few lie between
    assert 0.18 < (made[:, 0] > 0).float().mean() < 0.32
    assert 0.4 < made[:, 1].std() < 0.65


def test_points_are_vertices_of_the_finest_level() -> None:
    fine = MeshHierarchy.build(plate_with_hole(21), depth=2, factor=4)
    points = looked_at(fine)
    assert len(points) == fine.sizes[1]  # the next one has fewer than are wanted
    np.testing.assert_allclose(fine.levels[0].vertices[points], fine.levels[1].vertices)


def test_sizes_out_of_range_are_refused() -> None:
    with pytest.raises(FacegenError, match="people, style and take must be at least 1, got 0, 32 and 32"):
        PerformanceNetwork(HIERARCHY, EXPRESSIONS, 0, channels=[8])

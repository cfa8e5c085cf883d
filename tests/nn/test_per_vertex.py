"""Gains and shifts of each vertex in the spiral decoder."""

from __future__ import annotations

import pytest
import torch
from shapes import sphere

from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.spiral_decoder import BLOCK_FRAMES, SpiralDecoder


@pytest.fixture
def decoders() -> tuple[SpiralDecoder, SpiralDecoder]:
    """The same weights without and with gains and shifts, in float64."""
    hierarchy = MeshHierarchy.build(sphere(200), depth=2)
    made = []
    for per_vertex in (False, True):
        torch.manual_seed(0)
        made.append(SpiralDecoder(hierarchy, 5, (6, 4), "elu", 2.0, per_vertex).double())
    return made[0], made[1]


def test_they_begin_as_nothing(decoders: tuple[SpiralDecoder, SpiralDecoder]) -> None:
    plain, own = decoders
    latent = torch.randn(7, 5, dtype=torch.float64)
    torch.testing.assert_close(own(latent), plain(latent))
    assert [tuple(gain.shape) for gain in own.gains] == [(own.convs[0].fine, 4, 1), (200, 3, 1)]
    assert [tuple(shift.shape) for shift in own.shifts] == [(own.convs[0].fine, 4, 1)]
    assert not list(plain.gains)


def test_a_gain_of_the_finest_level_is_its_vertex_s_own(decoders: tuple[SpiralDecoder, SpiralDecoder]) -> None:
    _, own = decoders
    latent = torch.randn(3, 5, dtype=torch.float64)
    before = own(latent).detach()
    with torch.no_grad():
        own.gains[-1][17, 1] = 3.0
    moved = own(latent).detach() / before
    assert moved[:, 17, 1].allclose(torch.tensor(3.0, dtype=torch.float64))
    moved[:, 17, 1] = 1
    assert moved.allclose(torch.ones_like(moved))


def test_a_level_below_by_the_equation(decoders: tuple[SpiralDecoder, SpiralDecoder]) -> None:
    _, own = decoders
    with torch.no_grad():
        for values in (*own.gains, *own.shifts):
            values.normal_()
    latent = torch.randn(4, 5, dtype=torch.float64)
    coarse = own.full(latent).view(4, own.coarsest, 6).permute(1, 2, 0)
    hidden = torch.nn.functional.elu(own.convs[0](coarse) + own.shifts[0]) * own.gains[0]
    wanted = own.convs[1](hidden) * own.gains[1] * 2.0
    torch.testing.assert_close(own(latent), wanted.permute(2, 0, 1))


def test_gradients_reach_them_and_blocks_agree(decoders: tuple[SpiralDecoder, SpiralDecoder]) -> None:
    _, own = decoders
    with torch.no_grad():
        for values in (*own.gains, *own.shifts):
            values.normal_()
    latent = torch.randn(BLOCK_FRAMES + 3, 5, dtype=torch.float64)
    made = own(latent)
    made.square().sum().backward()
    assert all(values.grad.abs().sum() > 0 for values in (*own.gains, *own.shifts))
    with torch.no_grad():
        torch.testing.assert_close(own(latent), made)

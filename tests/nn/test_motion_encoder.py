"""The encoder in both directions: it looks ahead, and sequences stay apart."""

from __future__ import annotations

import pytest
import torch

from facegen.nn.motion_encoder import MotionEncoder


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_first_latent_depends_on_later_labels_only_in_both_directions(bidirectional: bool) -> None:
    encoder = MotionEncoder(6, 16, bidirectional)
    motion = torch.rand(7, 6)
    jacobian = torch.autograd.functional.jacobian(encoder, motion)  # (T, Z, T, E)
    reaches = jacobian.abs().sum(dim=(1, 3)) > 0
    past = torch.ones(7, 7, dtype=torch.bool).tril()
    assert torch.equal(reaches, torch.ones_like(past) if bidirectional else past)


@pytest.mark.parametrize("lengths", [(5, 7), (7, 5), (1, 9, 1, 4)])
def test_sequences_in_both_directions_keep_apart(lengths: tuple[int, ...]) -> None:
    encoder = MotionEncoder(6, 16, bidirectional=True)
    motion = torch.rand(sum(lengths), 6)
    ptr = torch.tensor([0, *lengths]).cumsum(0)
    together = encoder(motion, ptr)
    assert together.shape == (sum(lengths), 16)
    torch.testing.assert_close(together, torch.cat([encoder(part) for part in motion.split(lengths)]))


def test_both_directions_are_two_lstms_and_a_linear_layer() -> None:
    encoder = MotionEncoder(6, 16, bidirectional=True).double()
    motion = torch.rand(8, 6, dtype=torch.float64)
    states = []
    for suffix, label in (("", motion), ("_reverse", motion.flip(0))):
        lstm = torch.nn.LSTM(6, 16).double()
        weights = {name: getattr(encoder.lstm, name + suffix) for name, _ in lstm.named_parameters()}
        states.append(torch.func.functional_call(lstm, weights, (label,))[0])
    wanted = torch.cat([states[0], states[1].flip(0)], dim=1) @ encoder.out.weight.T + encoder.out.bias
    torch.testing.assert_close(encoder(motion), wanted)


@pytest.mark.parametrize("ptr", [[0, 12], [0, 5, 12]])
def test_the_gradient_reaches_every_weight_and_the_label(ptr: list[int]) -> None:
    encoder = MotionEncoder(6, 16, bidirectional=True)
    motion = torch.rand(12, 6, requires_grad=True)
    encoder(motion, torch.tensor(ptr)).square().sum().backward()
    assert all(weights.grad.abs().sum() > 0 for weights in encoder.parameters())
    assert (motion.grad.abs().sum(dim=1) > 0).all()

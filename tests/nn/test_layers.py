"""Eq. 3, the unpooling of section 3.2, Table 1 and Eq. 5."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from shapes import plate_with_hole, sphere
from torch import Tensor

from facegen.errors import FacegenError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.mesh.subdivision import subdivide_to
from facegen.nn import losses
from facegen.nn.after_conv import AfterConv
from facegen.nn.losses import motion_loss
from facegen.nn.motion_encoder import MotionEncoder
from facegen.nn.spiral_conv import SpiralConv
from facegen.nn.spiral_decoder import BLOCK_FRAMES, SpiralDecoder
from facegen.nn.spiral_network import SpiralNetwork
from facegen.nn.unpool_conv import UnpoolConv
from facegen.nn.upsample import Upsample


@pytest.fixture(scope="module")
def hierarchy() -> MeshHierarchy:
    return MeshHierarchy.build(plate_with_hole(21), depth=2, factor=4)


def naive_conv(x: Tensor, spiral: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Eq. 3 as it reads: x (V, C)."""
    out = []
    for row in spiral.tolist():
        total = bias.clone()
        for j, other in enumerate(row):
            if other >= 0:
                total = total + x[other] @ weight[j]
        out.append(total)
    return torch.stack(out)


def test_spiral_conv_is_eq_3(hierarchy: MeshHierarchy) -> None:
    spiral = torch.from_numpy(hierarchy.spirals[0])
    conv = SpiralConv(3, 5, spiral).double()
    x = torch.randn(2, len(spiral), 3, dtype=torch.float64)
    for got, pose in zip(conv(x), x, strict=True):
        torch.testing.assert_close(got, naive_conv(pose, spiral, conv.weight, conv.bias))


def test_an_output_depends_on_exactly_its_spiral(hierarchy: MeshHierarchy) -> None:
    spiral = torch.from_numpy(hierarchy.spirals[1])
    conv = SpiralConv(2, 2, spiral)
    jacobian = torch.autograd.functional.jacobian(conv, torch.randn(len(spiral), 2))
    reaches = jacobian.abs().sum(dim=(1, 3)) > 0
    for vertex, row in enumerate(spiral.tolist()):
        assert set(torch.nonzero(reaches[vertex]).ravel().tolist()) == {other for other in row if other >= 0}


def test_upsample_is_its_matrix(hierarchy: MeshHierarchy) -> None:
    matrix = hierarchy.upsample[0]
    x = torch.randn(4, matrix.shape[1], 3)
    wanted = np.stack([matrix @ pose for pose in x.numpy()])
    torch.testing.assert_close(Upsample(matrix)(x), torch.from_numpy(wanted).float())
    assert torch.allclose(Upsample(matrix)(torch.ones(matrix.shape[1], 1)), torch.ones(matrix.shape[0], 1))


@pytest.mark.parametrize("level", [0, 1])
def test_unpool_conv_is_unpooling_then_convolution_gradients_too(hierarchy: MeshHierarchy, level: int) -> None:
    matrix, spiral = hierarchy.upsample[level], hierarchy.spirals[level].copy()
    spiral[3, 5:] = -1  # as on a component of few vertices
    up, conv = Upsample(matrix).double(), SpiralConv(4, 3, torch.from_numpy(spiral)).double()
    fused = UnpoolConv(4, 3, matrix, spiral).double()
    fused.load_state_dict(conv.state_dict())
    x = torch.randn(5, matrix.shape[1], 4, dtype=torch.float64, requires_grad=True)
    y = x.detach().clone().requires_grad_()
    slow, fast = conv(up(x)), fused(y.permute(1, 2, 0)).permute(2, 0, 1)
    torch.testing.assert_close(fast, slow, rtol=1e-12, atol=1e-12)
    pull = torch.randn_like(slow)
    (slow * pull).sum().backward()
    (fast * pull).sum().backward()
    torch.testing.assert_close(y.grad, x.grad, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(fused.weight.grad, conv.weight.grad, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(fused.bias.grad, conv.bias.grad, rtol=1e-12, atol=1e-12)


def test_the_decoder_is_table_1_at_the_paper_s_size() -> None:
    fine, _ = subdivide_to(sphere(8000), 28431)
    decoder = SpiralDecoder(MeshHierarchy.build(fine))
    assert (decoder.full.in_features, decoder.full.out_features) == (64, 46 * 64)
    sizes = [(conv.coarse, conv.in_channels, conv.fine, conv.out_channels) for conv in decoder.convs]
    assert sizes == [(46, 64, 228, 32), (228, 32, 1138, 16), (1138, 16, 5687, 8), (5687, 8, 28431, 3)]
    assert decoder(torch.randn(2, 64)).shape == (2, 28431, 3)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("frames", [1, 2, BLOCK_FRAMES, BLOCK_FRAMES + 3])
@pytest.mark.parametrize("activation", ["relu", "elu"])
def test_the_decoder_in_blocks_is_the_chain_of_naive_layers_gradients_too(
    hierarchy: MeshHierarchy, frames: int, activation: str, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:
        monkeypatch.setattr("facegen.nn.native.library", None)
    decoder = SpiralDecoder(hierarchy, latent=8, channels=(6, 5), activation=activation, scale=2.0).double()
    torch.nn.init.normal_(decoder.convs[-1].bias)
    z = torch.randn(frames, 8, dtype=torch.float64, requires_grad=True)
    fast = decoder(z)
    exact = {"rtol": 1e-12, "atol": 1e-12}
    with torch.no_grad():
        torch.testing.assert_close(decoder(z), fast, **exact)
    pull = torch.randn_like(fast)
    wanted = torch.autograd.grad((fast * pull).sum(), [z, *decoder.parameters()])
    x = decoder.full(z).view(frames, hierarchy.sizes[-1], 6)
    for number, (level, fused) in enumerate(zip((1, 0), decoder.convs, strict=True)):
        conv = SpiralConv(fused.in_channels, fused.out_channels, torch.from_numpy(hierarchy.spirals[level])).double()
        conv.weight, conv.bias = fused.weight, fused.bias
        x = conv(Upsample(hierarchy.upsample[level]).double()(x))
        x = x if number else getattr(torch.nn.functional, activation)(x)
    torch.testing.assert_close(fast, 2 * x, **exact)
    got = torch.autograd.grad((2 * x * pull).sum(), [z, *decoder.parameters()])
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-11)
    assert (fast < 0).any()  # displacements are signed: no ReLU at the end


def test_a_layer_refuses_other_shapes(hierarchy: MeshHierarchy) -> None:
    layer = UnpoolConv(4, 3, hierarchy.upsample[0], hierarchy.spirals[0])
    coarse = layer.coarse
    for x in (
        torch.randn(coarse, 9, 5),
        torch.randn(coarse, 3, 5),
        torch.randn(coarse - 1, 4, 5),
        torch.randn(coarse, 4),
    ):
        with pytest.raises(FacegenError, match=rf"\({coarse}, 4, T\) goes in here, got"):
            layer(x)
        with pytest.raises(FacegenError, match="goes in here"):
            layer.write(x, torch.empty(layer.fine, 3, 5))


def test_no_frames_give_no_frames(hierarchy: MeshHierarchy) -> None:
    decoder = SpiralDecoder(hierarchy, latent=8, channels=(6, 5))
    assert decoder(torch.randn(0, 8)).shape == (0, len(hierarchy.template.vertices), 3)
    with torch.no_grad():
        assert decoder(torch.randn(0, 8)).shape == (0, len(hierarchy.template.vertices), 3)


def test_what_was_decoded_stays_when_more_is_decoded(hierarchy: MeshHierarchy) -> None:
    decoder = SpiralDecoder(hierarchy, latent=8, channels=(6, 5))
    z = torch.randn(5, 8)
    first = decoder(z)
    kept = first.clone()
    decoder(torch.randn(5, 8))
    assert torch.equal(first, kept)


def test_the_decoder_refuses_a_wrong_number_of_channels(hierarchy: MeshHierarchy) -> None:
    with pytest.raises(FacegenError, match="2 numbers, one for each step up, got 4"):
        SpiralDecoder(hierarchy, channels=(64, 32, 16, 8))


def test_encoder_is_causal_and_keeps_sequences_apart() -> None:
    encoder = MotionEncoder(6, 16)
    motion = torch.rand(12, 6)
    ptr = torch.tensor([0, 5, 12])
    together = encoder(motion, ptr)
    assert together.shape == (12, 16)
    torch.testing.assert_close(together[:5], encoder(motion[:5]))
    torch.testing.assert_close(together[5:], encoder(motion[5:]))
    later = motion[:5].clone()
    later[3:] = 0
    torch.testing.assert_close(encoder(later)[:3], together[:3])


@pytest.mark.parametrize("ptr", [[0, 12], [0, 5, 12]])
def test_the_encoder_s_gradients_are_the_lstm_s_and_threads_are_as_before(ptr: list[int]) -> None:
    encoder = MotionEncoder(6, 16).double()
    motion = torch.rand(12, 6, dtype=torch.float64, requires_grad=True)
    slow = torch.cat([encoder.lstm(motion[a:b])[0] for a, b in zip(ptr[:-1], ptr[1:], strict=True)])
    pull, inputs = torch.randn_like(slow), [motion, *encoder.parameters()]
    wanted = torch.autograd.grad(slow, inputs, pull)
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        got = torch.autograd.grad(encoder(motion, torch.tensor(ptr)), inputs, pull)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other)
    encoder.lstm.weight_ih_l0.requires_grad_(False)
    encoder(motion.detach()).sum().backward()
    assert encoder.lstm.weight_ih_l0.grad is None
    assert encoder.lstm.weight_hh_l0.grad is not None


def test_the_network_s_checkpoint_holds_weights_and_not_the_mesh(hierarchy: MeshHierarchy) -> None:
    names = set(SpiralNetwork(hierarchy, 6, channels=(8, 4)).state_dict())
    assert not [name for name in names if "columns" in name or "values" in name]
    assert "decoder.scale" in names


def naive_loss(x: Tensor, y: Tensor, ptr: list[int], coherence: float = 1.0) -> Tensor:
    """Eq. 5 as it reads, as means over frames and over steps."""
    reconstruction = [(x[t] - y[t]).abs() for t in range(len(x))]
    temporal = [
        ((x[t] - x[t - 1]) - (y[t] - y[t - 1])).abs()
        for start, stop in zip(ptr[:-1], ptr[1:], strict=True)
        for t in range(start + 1, stop)
    ]
    return torch.stack(reconstruction).mean() + (coherence * torch.stack(temporal).mean() if temporal else 0)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("innermost", [True, False])
@pytest.mark.parametrize("coherence", [1.0, 0.3, 0.0])
@pytest.mark.parametrize("ptr", [[0, 9], [0, 4, 9], [0, 1, 2, 9], [0, 1]])
def test_eq_5_and_its_gradient(
    ptr: list[int], coherence: float, innermost: bool, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:
        monkeypatch.setattr("facegen.nn.native.library", None)
    monkeypatch.setattr(losses, "CHUNK_NUMBERS", 70)  # several chunks, the last of them smaller
    order = (2, 0, 1) if innermost else (0, 1, 2)
    shape = (7, 3, ptr[-1]) if innermost else (ptr[-1], 7, 3)
    x, y = (torch.randn(shape, dtype=torch.float64).permute(order) for _ in range(2))
    y[0, 0] = x[0, 0]  # no error, no gradient
    first, second = x.clone().requires_grad_(), x.clone().requires_grad_()
    fast, distance = motion_loss(first, y, torch.tensor(ptr), coherence)
    with torch.no_grad():
        assert all(map(torch.equal, motion_loss(first, y, torch.tensor(ptr), coherence), (fast, distance)))
    torch.testing.assert_close(distance, torch.linalg.vector_norm(x - y, dim=-1).mean(-1), rtol=1e-12, atol=1e-12)
    slow = naive_loss(second, y, ptr, coherence)
    torch.testing.assert_close(fast, slow, rtol=1e-12, atol=1e-12)
    for pull in (1, 3):
        one, other = (
            torch.autograd.grad(pull * loss, x, retain_graph=True)[0] for loss, x in ((fast, first), (slow, second))
        )
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("room", [0, 5])
def test_eq_5_takes_rows_with_room_behind_them(room: int) -> None:
    whole, y, ptr = torch.full((7, 3, 61 + room), torch.nan), torch.randn(61, 7, 3), torch.tensor([0, 20, 61])
    x = whole[..., :61].permute(2, 0, 1).copy_(torch.randn(61, 7, 3)).requires_grad_()
    other = x.detach().contiguous().requires_grad_()
    (loss, errors), (wanted, other_errors) = motion_loss(x, y, ptr), motion_loss(other, y, ptr)
    assert torch.equal(loss, wanted)
    assert torch.equal(errors, other_errors)
    assert torch.equal(*(torch.autograd.grad(one, at)[0] for one, at in ((loss, x), (wanted, other))))


@pytest.mark.parametrize("activation", ["relu", "elu"])
def test_an_activation_in_place_has_the_gradient_that_torch_gives(activation: str) -> None:
    start = torch.randn(300, 8, 200, dtype=torch.float64)  # large enough for memory that is used again
    x, y, pull = start.clone().requires_grad_(), start.clone().requires_grad_(), torch.randn(start.shape)
    made = AfterConv(activation)(2 * x)
    wanted = getattr(torch.nn.functional, activation)(2 * y)
    assert torch.equal(made, wanted)
    torch.testing.assert_close(*(torch.autograd.grad(one, at, pull)[0] for one, at in ((made, x), (wanted, y))))


def test_eq_5_refuses_what_cannot_be_compared() -> None:
    x, ptr = torch.randn(9, 4, 3), torch.tensor([0, 9])
    for other in (torch.randn(8, 4, 3), torch.randn(9, 5, 3), torch.randn(9, 4, 2)):
        for one, two in ((x, other), (other, x), (torch.randn(9, 4, 2),) * 2):
            with pytest.raises(FacegenError, match="two arrays"):
                motion_loss(one, two, ptr)


def test_eq_5_takes_no_difference_across_sequences() -> None:
    x, y, ptr = torch.randn(9, 4, 3), torch.randn(9, 4, 3), torch.tensor([0, 4, 9])
    jump = torch.zeros(9, 1, 1)
    jump[4:] = 100
    together, still = motion_loss(x + jump, y + jump, ptr)[0], motion_loss(x, y, ptr)[0]
    torch.testing.assert_close(together, still, rtol=1e-4, atol=1e-4)
    assert motion_loss(x + jump, y, ptr)[0] > 50


def test_eq_5_over_other_counts_of_frames_and_steps() -> None:
    x, y, ptr = torch.randn(9, 4, 3), torch.randn(9, 4, 3), torch.tensor([0, 4, 9])
    reconstruction = motion_loss(x, y, ptr, coherence=0)[0]
    temporal = motion_loss(x, y, ptr)[0] - reconstruction
    wanted = reconstruction * 9 / 18 + temporal * 7 / 28
    torch.testing.assert_close(motion_loss(x, y, ptr, counts=(18, 28))[0], wanted)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (SpiralConv(3, 5, torch.zeros(7, 9, dtype=torch.int64)), "SpiralConv(3 -> 5, V=7, L=9)"),
    ],
)
def test_repr(module: torch.nn.Module, text: str) -> None:
    assert repr(module) == text


def test_repr_of_layers_on_a_mesh(hierarchy: MeshHierarchy) -> None:
    fine, coarse = hierarchy.sizes[:2]
    assert repr(Upsample(hierarchy.upsample[0])) == f"Upsample({coarse} -> {fine})"
    length = hierarchy.spirals[0].shape[1]
    fused = UnpoolConv(4, 3, hierarchy.upsample[0], hierarchy.spirals[0])
    assert repr(fused) == f"UnpoolConv(4 -> 3, V={coarse} -> {fine}, L={length})"

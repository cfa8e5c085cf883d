"""One operator after the other gives what the fused form gives, of the same weights, and takes other layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from shapes import plate_with_hole
from torch import Tensor, nn

from facegen.errors import FacegenError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.blendshape_network import BlendshapeNetwork
from facegen.nn.spiral_decoder import SpiralDecoder
from facegen.nn.spiral_network import SpiralNetwork

EXACT = {"rtol": 1e-11, "atol": 1e-11}


@pytest.fixture(scope="module")
def hierarchy() -> MeshHierarchy:
    """With spirals that end before their length."""
    hierarchy = MeshHierarchy.build(plate_with_hole(15), depth=2, factor=4, spiral_length=7)
    spirals = [spiral.copy() for spiral in hierarchy.spirals]
    for spiral in spirals:
        spiral[3, 4:] = -1
    return replace(hierarchy, spirals=tuple(spirals))


@pytest.mark.parametrize("per_vertex", [False, True])
def test_both_forms_are_one_function_gradients_too(hierarchy: MeshHierarchy, per_vertex: bool) -> None:
    settings: dict[str, Any] = {"latent": 5, "channels": (6, 4), "activation": "elu", "scale": 2.0}
    fused = SpiralNetwork(hierarchy, 3, **settings, per_vertex=per_vertex).double()
    for weight in fused.parameters():
        nn.init.normal_(weight, std=0.3)
    written = SpiralNetwork(hierarchy, 3, **settings, per_vertex=per_vertex, fused=False).double()
    written.load_state_dict(fused.state_dict())
    motion, ptr = torch.randn(9, 3).double(), torch.tensor([0, 4, 9])
    one, two = fused(motion, ptr), written(motion, ptr)
    torch.testing.assert_close(one, two, **EXACT)
    towards = torch.randn_like(one)
    gradients = (
        torch.autograd.grad((made * towards).sum(), [*net.parameters()]) for made, net in ((one, fused), (two, written))
    )
    for name, wanted, got in zip(dict(fused.named_parameters()), *gradients, strict=True):
        torch.testing.assert_close(got, wanted, **EXACT, msg=name)
    latent = torch.randn(2, 5).double()
    x = written.decoder.full(latent).view(2, written.decoder.coarsest, -1).permute(1, 2, 0)
    for decoder in (fused.decoder, written.decoder):  # the steps one by one, as a notebook goes through them
        torch.testing.assert_close(decoder.finish(decoder.step(0, x.contiguous())), written.decoder(latent), **EXACT)


class Mean(nn.Module):
    """A layer that is not facegen's: the mean over the spiral, and one map."""

    def __init__(self, in_channels: int, out_channels: int, spiral: Tensor) -> None:
        super().__init__()
        self.register_buffer("spiral", spiral.clamp(min=0), persistent=False)
        self.map = nn.Linear(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.map(x[:, self.spiral].mean(dim=2))


def test_another_layer_stands_in_the_place_of_the_convolution(hierarchy: MeshHierarchy) -> None:
    path = f"{__name__}.Mean"
    decoder = SpiralDecoder(hierarchy, 5, (6, 4), per_vertex=True, fused=False, convolution=path)
    assert [type(conv) for conv in decoder.convs] == [Mean, Mean]
    assert decoder(torch.randn(3, 5)).shape == (3, hierarchy.sizes[0], 3)
    with pytest.raises(FacegenError, match="give fused: false with it"):
        SpiralDecoder(hierarchy, 5, (6, 4), convolution=path)
    for wrong, reason in (
        ("Mean", "'Mean' is no path of a class"),
        (f"{__name__}.Median", f"{__name__} has no class Median"),
        (f"{__name__}.Any", f"{__name__} has no class Any that is derived from Module"),
        ("no_such_layers.Mean", "there is no module no_such_layers in the current folder"),
        ("facegen.nn.upsample.Upsample", "cannot be named here; facegen's own are facegen.nn.spiral_conv.SpiralConv"),
    ):
        with pytest.raises(FacegenError, match=reason):
            SpiralDecoder(hierarchy, 5, (6, 4), fused=False, convolution=wrong)


@pytest.mark.parametrize(
    "network",
    [
        lambda hierarchy: SpiralNetwork(hierarchy, 3, 5, (6, 4)),
        lambda hierarchy: SpiralNetwork(hierarchy, 3, 5, (6, 4), fused=False),
        lambda hierarchy: BlendshapeNetwork(hierarchy, 3, 5),
    ],
)
def test_blocks_of_one_length_are_sequences_one_after_the_other(network: Any, hierarchy: MeshHierarchy) -> None:
    network = network(hierarchy).double().eval()
    motion = torch.rand(2, 4, 3).double()
    rows, ptr = motion.reshape(8, 3), torch.tensor([0, 4, 8])
    torch.testing.assert_close(network(motion), network(rows, ptr).unflatten(0, (2, 4)))
    with torch.no_grad():
        torch.testing.assert_close(network(motion), network(rows, ptr).unflatten(0, (2, 4)))
    for wrong, reason in (
        ((motion[..., :2],), r"a label is \(N, 3\), .* or \(B, T, 3\), all of one length; got \(2, 4, 2\)"),
        ((motion[0, 0],), r"got \(3,\)"),
        ((motion, ptr), "leave them out"),
        ((motion, None, torch.tensor([0])), "leave them out"),
    ):
        with pytest.raises(FacegenError, match=reason):
            network(*wrong)
    with pytest.raises(FacegenError, match=r"a latent is \(N, 5\), .* got \(8, 3\)"):
        network.decoder(rows)

"""torch.export makes a graph of the networks for any number of frames; torch.jit, which cannot, is refused."""

from __future__ import annotations

import pytest
import torch
from shapes import plate_with_hole
from torch.export import Dim, export

from facegen.errors import FacegenError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.blendshape_network import BlendshapeNetwork
from facegen.nn.spiral_network import SpiralNetwork

HIERARCHY = MeshHierarchy.build(plate_with_hole(9), depth=1, factor=4, spiral_length=7)
NETWORKS = {
    "spiral": lambda: SpiralNetwork(HIERARCHY, 3, 4, (4,), "elu", 2.5, True, True),
    "spiral as the paper writes it": lambda: SpiralNetwork(HIERARCHY, 3, 4, (4,), fused=False),
    "blendshape": lambda: BlendshapeNetwork(HIERARCHY, 3, 4),
}


@pytest.fixture(params=NETWORKS)
def network(request) -> torch.nn.Module:
    torch.manual_seed(0)
    made = NETWORKS[request.param]().eval()
    for values in (*made.parameters(), *made.buffers()):
        if values.is_floating_point() and values.dim() > 1 and not values.is_sparse:
            torch.nn.init.normal_(values)
    return made


@pytest.mark.filterwarnings("ignore")
def test_a_graph_of_torch_takes_any_length(network: torch.nn.Module) -> None:
    graph = export(network, (torch.rand(5, 3),), dynamic_shapes=({0: Dim("frames", min=1)},)).module()
    for frames in (1, 2, 70):  # more than a block of the decoder
        label = torch.rand(frames, 3)
        torch.testing.assert_close(graph(label), network(label), atol=1e-4, rtol=1e-4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", ["network", "decoder"])
def test_what_would_keep_the_number_of_frames_is_refused(network: torch.nn.Module, part: str) -> None:
    given = (torch.rand(5, 3), network) if part == "network" else (torch.rand(5, 4), network.decoder)
    with pytest.raises(
        FacegenError, match=r"^torch.jit.trace keeps one number of .*; take torch.export.export, or .*$"
    ):
        torch.jit.trace(given[1], given[0])
    with pytest.raises(FacegenError, match=r"^torch.jit.script cannot read a \w+; take torch.export.export, or .*$"):
        torch.jit.script(given[1])

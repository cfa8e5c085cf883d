"""Networks of each kind, and how near to torch another program has to come."""

from __future__ import annotations

import torch
from shapes import plate_with_hole

from facegen.checkpoint import Checkpoint
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.blendshape_network import BlendshapeNetwork
from facegen.nn.spiral_network import SpiralNetwork

NEAR = 1e-4
"""mm between what torch and what onnxruntime make."""
HIERARCHY = MeshHierarchy.build(plate_with_hole(21), depth=2, factor=4, spiral_length=(9, 120, 9))
NETWORKS = {
    "spiral": lambda: SpiralNetwork(HIERARCHY, 3, 8, (8, 4)),
    "spiral with all settings": lambda: SpiralNetwork(HIERARCHY, 3, 8, (8, 4), "elu", 2.5, True, True),
    "spiral as the paper writes it": lambda: SpiralNetwork(HIERARCHY, 3, 8, (8, 4), per_vertex=True, fused=False),
    "blendshape": lambda: BlendshapeNetwork(HIERARCHY, 3, 8),
    "blendshape in both directions": lambda: BlendshapeNetwork(HIERARCHY, 3, 8, True),
}


def made(kind: str) -> Checkpoint:
    """A checkpoint whose every number matters."""
    torch.manual_seed(0)
    network = NETWORKS[kind]().eval()
    for name, values in (*network.named_parameters(), *network.named_buffers()):
        if values.is_floating_point() and name.partition(".")[2].startswith(("gains", "shifts", "mean", "rows")):
            torch.nn.init.normal_(values, 1.0)
    return Checkpoint(network, HIERARCHY, ("happy", "sad", "fear"), 12.5, 0.25, "0" * 64, 3)

"""The network as published code computes it: unpooled, then gathered, then multiplied."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facegen.errors import FacegenError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.spiral_network import SpiralNetwork


class GatherUnpool(nn.Module):
    """Unpooling by an index per entry of the matrix: (T, V_coarse, C) -> (T, V_fine, C)."""

    row: Tensor
    column: Tensor
    value: Tensor

    def __init__(self, hierarchy: MeshHierarchy, level: int) -> None:
        super().__init__()
        matrix = hierarchy.upsample[level].tocoo()
        self.fine, _ = hierarchy.upsample[level].get_shape()
        self.register_buffer("row", torch.from_numpy(matrix.row).long())
        self.register_buffer("column", torch.from_numpy(matrix.col).long())
        self.register_buffer("value", torch.from_numpy(matrix.data).float()[:, None])

    def forward(self, x: Tensor) -> Tensor:
        parts = x.index_select(1, self.column) * self.value
        rows = self.row[None, :, None].expand_as(parts)
        return x.new_zeros(len(x), self.fine, x.shape[2]).scatter_add(1, rows, parts)


class GatherConv(nn.Module):
    """Eq. 3 by a tensor that holds every spiral's features: (T, V, C) -> (T, V, L C) -> (T, V, C')."""

    spiral: Tensor

    def __init__(self, in_channels: int, out_channels: int, hierarchy: MeshHierarchy, level: int) -> None:
        super().__init__()
        spiral = torch.from_numpy(hierarchy.spirals[level])
        if bool((spiral < 0).any()):
            raise FacegenError("the gather form has no place for spirals that are shorter than L")
        self.vertices = len(spiral)
        self.register_buffer("spiral", spiral.reshape(-1))
        self.linear = nn.Linear(in_channels * spiral.shape[1], out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.index_select(1, self.spiral).view(len(x), self.vertices, -1))


class GatherDecoder(nn.Module):
    """`SpiralDecoder` as published code computes it, with a copy of its weights: (T, Z) -> (T, V, 3)."""

    def __init__(self, network: SpiralNetwork, hierarchy: MeshHierarchy) -> None:
        super().__init__()
        fused = network.decoder
        self.coarsest = fused.coarsest
        self.full = nn.Linear(fused.full.in_features, fused.full.out_features)
        self.full.load_state_dict(fused.full.state_dict())
        self.steps = nn.ModuleList()
        for level, layer in zip(reversed(range(len(fused.convs))), fused.convs, strict=True):
            conv = GatherConv(layer.in_channels, layer.out_channels, hierarchy, level)
            with torch.no_grad():
                conv.linear.weight.copy_(layer.weight.reshape(-1, layer.out_channels).t())
                conv.linear.bias.copy_(layer.bias)
            self.steps += [GatherUnpool(hierarchy, level), conv]

    def forward(self, latent: Tensor) -> Tensor:
        x = self.full(latent).view(len(latent), self.coarsest, -1)
        for number, step in enumerate(self.steps):
            x = step(x)
            if isinstance(step, GatherConv) and number < len(self.steps) - 1:
                x = torch.relu(x)
        return x


def gather_loss(generated: Tensor, recorded: Tensor) -> Tensor:
    """Eq. 5 of one sequence, written as the equation reads."""
    steps, wanted = generated[1:] - generated[:-1], recorded[1:] - recorded[:-1]
    return (generated - recorded).abs().mean() + (steps - wanted).abs().mean()

"""The paper's model."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor

from facegen.checkpoint_entry import NETWORKS
from facegen.classes import named_class
from facegen.data.corpus import Corpus
from facegen.errors import FacegenError, unknown
from facegen.models.generator import ExpressionGenerator
from facegen.models.muon import Muon
from facegen.nn.spiral_decoder import CHANNELS
from facegen.nn.spiral_network import SpiralNetwork

OPTIMIZERS = ("adam", "muon")
"""What can train the network."""


class SpiralGenerator(ExpressionGenerator):
    """LSTM encoder and spiral decoder (section 4, Table 1, Eqs. 3 to 5).

    Args:
        corpus: linked from the data module.
        latent: size of z_t.
        bidirectional: read the label in both directions instead of forward, as the paper does; see `MotionEncoder`.
        channels: features at the coarsest level and after each step up but the last; a number for each step.
        activation: relu, the paper's, or elu; see `SpiralDecoder`.
        per_vertex: give every vertex gains and shifts of its own, which the paper does not; see `SpiralDecoder`.
        fused: run unpooling and convolution as one linear map; false runs them one after the other, as the paper writes
            them, with the same weights; see `SpiralDecoder`.
        convolution: path of another layer in the place of `SpiralConv`, such as `my_layers.MyConv`; it needs `fused`
            false; see `SpiralDecoder`.
        network: path of another network in the place of `SpiralNetwork`, such as `my_nets.MyNetwork`, called
            `MyNetwork(hierarchy, expressions, ...)` with those of the settings above that it has arguments for.
        network_args: its other arguments, by name.
        normalise: let the last layer's unit be the training displacements' root mean square instead of one mm.
        optimizer: adam, the paper's, or muon, which needs fewer steps; see `Muon`.
        lr, decay, weight_decay, coherence, stride: see `ExpressionGenerator`.
    """

    def __init__(
        self,
        corpus: Corpus,
        latent: int = 64,
        channels: list[int] = list(CHANNELS),  # noqa: B006 (a default that the command line can show)
        activation: str = "relu",
        per_vertex: bool = False,
        normalise: bool = False,
        bidirectional: bool = False,
        optimizer: str = "adam",
        lr: float = 1e-3,
        decay: float = 0.99,
        weight_decay: float = 5e-5,
        coherence: float = 1.0,
        stride: int | str = 1,
        fused: bool = True,
        convolution: str | None = None,
        network: str | None = None,
        network_args: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(corpus, lr, decay, weight_decay, coherence, stride)
        if optimizer not in OPTIMIZERS:
            raise FacegenError(unknown("optimizer", optimizer, OPTIMIZERS))
        self.optimizer = optimizer
        self.settings = {
            "latent": latent,
            "channels": list(channels),
            "activation": activation,
            "per_vertex": per_vertex,
            "scale": corpus.displacement_scale if normalise else 1.0,
            "bidirectional": bidirectional,
            "fused": fused,
            "convolution": convolution,
        }
        kind: type[torch.nn.Module] = SpiralNetwork
        if network is not None:
            kind = named_class(network, torch.nn.Module, NETWORKS)
            self.settings = _settings(kind, self.settings) | dict(network_args or {})
        elif network_args:
            raise FacegenError("network_args are of a network of your own; give its path as network")
        self.network = kind(corpus.hierarchy, len(corpus.expressions), **self.settings)

    def make_optimizer(self) -> torch.optim.Optimizer:
        if self.optimizer == "adam":
            return super().make_optimizer()
        matrices = self.matrices()
        known = {id(weight) for weight in matrices}
        others = [weight for weight in self.parameters() if id(weight) not in known]
        return Muon(matrices, others, self.lr, self.weight_decay)

    def matrices(self) -> list[Tensor]:
        """The weights that Muon steps as matrices: of the network behind its `encoder`, all that have several rows and
        columns. The encoder's take Adam's steps, and so do gains and shifts, whose columns are one."""
        named = self.network.named_parameters()
        return [weight for name, weight in named if not name.startswith("encoder.") and _is_matrix(weight)]

    def network_settings(self) -> dict[str, Any]:
        return self.settings


def _is_matrix(weight: Tensor) -> bool:
    return weight.dim() > 1 and weight.shape[-1] > 1 and weight.numel() > weight.shape[-1]


def _settings(kind: type[torch.nn.Module], settings: dict[str, Any]) -> dict[str, Any]:
    """Those of the settings that a network's constructor has arguments for.

    Raises:
        FacegenError: it has none for one that is not at its default, which would be dropped in silence.
    """
    arguments = inspect.signature(kind).parameters
    if any(each.kind is each.VAR_KEYWORD for each in arguments.values()):
        return settings
    defaults = inspect.signature(SpiralNetwork).parameters
    dropped = []
    for name in [name for name in settings if name not in arguments]:
        usual = defaults[name].default
        if settings[name] != (list(usual) if isinstance(usual, tuple) else usual):
            dropped.append(f"{name} {settings[name]}")
    if dropped:
        raise FacegenError(
            f"{kind.__name__} has no arguments for the settings {', '.join(dropped)}; leave them out of the config, or "
            "give the network arguments of these names"
        )
    return {name: value for name, value in settings.items() if name in arguments}

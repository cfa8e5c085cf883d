"""`SpiralDecoder` without torch, over the same compiled forms."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from facegen.memory import recycled_array, recycled_array_rows
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.native import one_frame
from facegen.nn.native import unpool_conv as native
from facegen.nn.native.one_frame import FRAMES_ONE_BY_ONE, OneFramePlan
from facegen.nn.native.unpool_conv import Plan
from facegen.nn.spiral_steps import BLOCK_FRAMES, CHANNELS, require_settings, spiral_matrix, spiral_steps


def _relu(x: np.ndarray) -> None:
    np.maximum(x, 0, out=x)


def _elu(x: np.ndarray) -> None:
    below = np.minimum(x, 0)
    np.expm1(below, out=below)
    np.maximum(x, 0, out=x)
    x += below


ACTIVATIONS = {"relu": _relu, "elu": _elu}
"""What can stand between two steps; each works in place."""


class LightSpirals:
    """A fully connected layer to the coarsest level, then unpooling and convolution up to the finest (Table 1).

    Args:
        hierarchy, latent, channels, activation, scale, per_vertex: see `facegen.nn.spiral_decoder.SpiralDecoder`.

    Attributes:
        shapes: of its weights, by name.

    Shapes: (T, Z) -> (T, V, 3) float32, mm; frames innermost in memory

    Raises:
        FacegenError: see `facegen.nn.spiral_steps.require_settings`.
    """

    def __init__(
        self,
        hierarchy: MeshHierarchy,
        latent: int = 64,
        channels: Sequence[int] = CHANNELS,
        activation: str = "relu",
        scale: float = 1.0,
        per_vertex: bool = False,
    ) -> None:
        require_settings(hierarchy, latent, channels, activation, ACTIVATIONS)
        float(scale)  # a number, though weights have another in its place
        self.hierarchy, self.activate = hierarchy, ACTIVATIONS[activation]
        self.fine, self.coarsest = hierarchy.sizes[-2::-1], hierarchy.sizes[-1]
        widths, lengths = [*channels, 3], [spiral.shape[1] for spiral in hierarchy.spirals[-2::-1]]
        wide = self.coarsest * channels[0]
        self.shapes: dict[str, tuple[int, ...]] = {"full.weight": (wide, latent), "full.bias": (wide,), "scale": ()}
        for i, (length, fine) in enumerate(zip(lengths, self.fine, strict=True)):
            self.shapes[f"convs.{i}.weight"] = (length, widths[i], widths[i + 1])
            self.shapes[f"convs.{i}.bias"] = (widths[i + 1],)
            if per_vertex:
                self.shapes[f"gains.{i}"] = (fine, widths[i + 1], 1)
            if per_vertex and i < len(lengths) - 1:
                self.shapes[f"shifts.{i}"] = (fine, widths[i + 1], 1)
        self.per_vertex, self.weights = per_vertex, dict[str, np.ndarray]()

    def take(self, weights: dict[str, np.ndarray]) -> None:
        """Compute with these from now on; each has the shape of its name."""
        self.weights = {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in weights.items()}
        last = len(self.fine) - 1
        for part in ("weight", "bias"):
            self.weights[f"convs.{last}.{part}"] = self.weights[f"convs.{last}.{part}"] * self.weights["scale"]

    @cached_property
    def steps(self) -> list[_Step]:
        """The steps up, from the coarsest level; made when they are first used."""
        return [_Step(*step) for step in spiral_steps(self.hierarchy)]

    def __call__(self, latent: np.ndarray) -> np.ndarray:
        last = len(self.fine) - 1
        out = recycled_array_rows(np.float32, self.fine[last], 3, len(latent))
        for at in range(0, len(latent), BLOCK_FRAMES):
            part = out[..., at : at + BLOCK_FRAMES]
            self._step(last, self._features(latent[at : at + BLOCK_FRAMES]), part)
            if self.per_vertex:
                part *= self.weights[f"gains.{last}"]
        return out.transpose(2, 0, 1)

    def _features(self, latent: np.ndarray) -> np.ndarray:
        """(T, Z) -> (V_1, C, T), what the last step up starts from."""
        x = self.weights["full.weight"] @ latent.T + self.weights["full.bias"][:, None]
        x = x.reshape(self.coarsest, -1, len(latent))
        for number in range(len(self.fine) - 1):
            channels = self.shapes[f"convs.{number}.bias"][0]
            out = recycled_array(np.float32, self.fine[number], channels, len(latent), brief=True)
            self._step(number, x, out)
            if self.per_vertex:
                out += self.weights[f"shifts.{number}"]
            self.activate(out)
            if self.per_vertex:
                out *= self.weights[f"gains.{number}"]
            x = out
        return x

    def _step(self, number: int, x: np.ndarray, out: np.ndarray) -> None:
        weight, bias = (self.weights[f"convs.{number}.{part}"] for part in ("weight", "bias"))
        self.steps[number](x, weight, bias, out)


class _Step:
    """Unpooling and the spiral convolution after it, see `facegen.nn.unpool_conv.UnpoolConv`.

    Args:
        upsample: (V_fine, V_coarse).
        spiral: (V_fine, L), -1 where nothing is.
        order: (V_fine,) the row of the output that each fine vertex goes to; None leaves them where they are.
    """

    def __init__(self, upsample: csr_matrix, spiral: np.ndarray, order: np.ndarray | None) -> None:
        self.upsample, self.spiral = upsample, spiral
        self.order = np.arange(len(spiral)) if order is None else order
        self.plan: Plan | None = None
        self.one_frame_plan: OneFramePlan | None = None

    def __call__(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray, out: np.ndarray) -> None:
        """(V_coarse, C, T) to `out`, (V_fine, C', T), a slice of frames of contiguous memory."""
        length, in_channels, out_channels = weight.shape
        if x.shape[2] <= FRAMES_ONE_BY_ONE:
            if self.one_frame_plan is None:
                self.one_frame_plan = OneFramePlan.build(self.upsample, self.spiral, out_channels)
            one_frame.forward(x, weight, bias, self.one_frame_plan, self.order, out)
            return
        if self.plan is None:
            self.plan = Plan.forward(spiral_matrix(self.upsample, self.spiral), length, in_channels, out_channels)
        taps = weight.transpose(0, 2, 1).reshape(-1, in_channels)
        native.forward(x, taps, bias, self.plan, self.order, out)

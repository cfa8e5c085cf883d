"""`SpiralDecoder` without torch, over the same compiled forms."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from facegen.memory import recycled_array, recycled_array_rows
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.native import unpool_conv as native
from facegen.nn.native.after import ACTIVATIONS, After
from facegen.nn.native.one_frame import FRAMES_ONE_BY_ONE, OneFrame, OneFramePlan, OneFrameStep
from facegen.nn.native.unpool_conv import Plan
from facegen.nn.spiral_steps import BLOCK_FRAMES, CHANNELS, require_settings, spiral_matrix, spiral_steps


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
        self.hierarchy, self.activation = hierarchy, activation
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
        self.__dict__.pop("_one_frame", None)
        last = len(self.fine) - 1
        for part in ("weight", "bias"):
            self.weights[f"convs.{last}.{part}"] = self.weights[f"convs.{last}.{part}"] * self.weights["scale"]

    @cached_property
    def steps(self) -> list[_Step]:
        """The steps up, from the coarsest level; made when they are first used."""
        return [_Step(*step) for step in spiral_steps(self.hierarchy)]

    def __call__(self, latent: np.ndarray) -> np.ndarray:
        out = recycled_array_rows(np.float32, self.fine[-1], 3, len(latent))
        for at in range(0, len(latent), BLOCK_FRAMES):
            self._block(latent[at : at + BLOCK_FRAMES], out[..., at : at + BLOCK_FRAMES])
        return out.transpose(2, 0, 1)

    def _block(self, latent: np.ndarray, out: np.ndarray) -> None:
        """(T, Z) to `out`, (V, 3, T)."""
        x = self.weights["full.weight"] @ latent.T + self.weights["full.bias"][:, None]
        x = x.reshape(self.coarsest, -1, len(latent))
        if len(latent) <= FRAMES_ONE_BY_ONE:
            self._one_frame(x, out)
            return
        last = len(self.steps) - 1
        for number, step in enumerate(self.steps):
            weight, bias, after = self._given(number)
            shape = self.fine[number], len(bias), len(latent)
            made = out if number == last else recycled_array(np.float32, *shape, brief=True)
            step(x, weight, bias, after, made)
            x = made

    @cached_property
    def _one_frame(self) -> OneFrame:
        return OneFrame([step.of_one_frame(*self._given(number)) for number, step in enumerate(self.steps)])

    def _given(self, number: int) -> tuple[np.ndarray, np.ndarray, After]:
        """Weights and bias of a step, and what follows it."""
        weight, bias = (self.weights[f"convs.{number}.{part}"] for part in ("weight", "bias"))
        activation = self.activation if number < len(self.steps) - 1 else None
        shift, gain = (self.weights.get(f"{part}.{number}") for part in ("shifts", "gains"))
        return weight, bias, After(activation, shift, gain)


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

    def __call__(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray, after: After, out: np.ndarray) -> None:
        """(V_coarse, C, T) to `out`, (V_fine, C', T), a slice of frames of contiguous memory."""
        length, in_channels, out_channels = weight.shape
        if self.plan is None:
            self.plan = Plan.forward(spiral_matrix(self.upsample, self.spiral), length, in_channels, out_channels)
        taps = weight.transpose(0, 2, 1).reshape(-1, in_channels)
        native.forward(x, taps, bias, self.plan, self.order, out, after)

    def of_one_frame(self, weight: np.ndarray, bias: np.ndarray, after: After) -> OneFrameStep:
        """The step as it is for very few frames."""
        if self.one_frame_plan is None:
            self.one_frame_plan = OneFramePlan.build(self.upsample, self.spiral, *weight.shape[1:])
        return OneFrameStep(weight, bias, self.one_frame_plan, self.order, after)

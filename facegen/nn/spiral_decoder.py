"""From a latent vector to displacements of all vertices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from facegen.classes import class_path, named_class
from facegen.errors import FacegenError
from facegen.memory import recycled_rows
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn import triton
from facegen.nn.after_conv import ACTIVATIONS, AfterConv
from facegen.nn.exporting import Exportable, exporting
from facegen.nn.native import takes
from facegen.nn.native.one_frame import FRAMES_ONE_BY_ONE, OneFrame
from facegen.nn.rows import as_rows
from facegen.nn.spiral_conv import SpiralConv
from facegen.nn.spiral_steps import BLOCK_FRAMES, CHANNELS, require_settings, spiral_steps
from facegen.nn.unpool_conv import UnpoolConv
from facegen.nn.upsample import Upsample

CONVOLUTIONS = {class_path(SpiralConv): SpiralConv}
"""facegen's own layers that can stand after an unpooling, by path."""


class SpiralDecoder(Exportable):
    r"""A fully connected layer to the coarsest level, then unpooling and convolution up to the finest (Table 1).

    Every convolution but the last is followed by the activation; displacements are signed, so the last one cannot
    be, which departs from the sentence in section 4. The paper's activation is the ReLU. With it and an L1 loss the
    network can die in its first steps: most vertices hardly move, zero is the median, and units that are switched
    off for all frames stay so. The ELU, which the authors of the spiral operator use, keeps a gradient.

    All vertices share a convolution's weights, but on a decimated mesh no two neighbourhoods are alike. Weights that
    are right on average are a little wrong at each vertex, so the face is bumpy where it moves. With `per_vertex`,
    which departs from the paper, each vertex has gains on what it gives, and below the finest level shifts before
    the activation.

    Args:
        hierarchy: of the template, D steps.
        latent: Z.
        channels: features at the coarsest level and after each step but the last, which gives 3; D numbers.
        activation: relu or elu.
        scale: mm of one unit of the last layer's output, so that what the layers learn is of order one.
        per_vertex: give each vertex these gains and shifts.
        fused: run each step up as one linear map, `UnpoolConv`, which is by far faster. False runs `Upsample` and then
            `SpiralConv`, features (T, V, C), as the paper writes them and as published code computes them: the form to
            read, to change and to compare with. Weights have the same names and shapes in both.
        convolution: path of another layer in the place of `SpiralConv`, which only the form that is not fused can run:
            `MyConv(in_channels, out_channels, spiral)`, whose `forward` goes from (T, V, C) to (T, V, C'); spiral is
            (V, L) int64, its column 0 the vertex itself, and -1 is nothing.

    Shapes: (T, Z) -> (T, V, 3), mm; or (B, T, Z), all of one length -> (B, T, V, 3)

    Raises:
        FacegenError: `channels` has not D numbers, the activation is unknown, a size is below 1, or the convolution
            cannot be found or is given to the fused form.
    """

    convs: Sequence[UnpoolConv]  # or, where they are not fused, `SpiralConv` or another layer in its place
    scale: Tensor

    def __init__(
        self,
        hierarchy: MeshHierarchy,
        latent: int = 64,
        channels: Sequence[int] = CHANNELS,
        activation: str = "relu",
        scale: float = 1.0,
        per_vertex: bool = False,
        fused: bool = True,
        convolution: str | None = None,
    ) -> None:
        super().__init__()
        require_settings(hierarchy, latent, channels, activation, ACTIVATIONS)
        if fused and convolution is not None:
            raise FacegenError(f"{convolution} runs in the form that is not fused alone; give fused: false with it")
        self.activation, self.fused, self.latent = activation, fused, latent
        self.coarsest = hierarchy.sizes[-1]
        self.full = nn.Linear(latent, self.coarsest * channels[0])
        widths, layer = [*channels, 3], SpiralConv
        if convolution is not None:
            layer = named_class(convolution, nn.Module, CONVOLUTIONS)
        convs, unpools = [], []
        for i, (upsample, spiral, order) in enumerate(spiral_steps(hierarchy, own_order=not fused)):
            if fused:
                convs.append(UnpoolConv(widths[i], widths[i + 1], upsample, spiral, order))
            else:
                unpools.append(Upsample(upsample))
                convs.append(layer(widths[i], widths[i + 1], torch.from_numpy(spiral)))
        self.convs = cast(Sequence[UnpoolConv], nn.ModuleList(convs))  # which does not say of what it is a list
        self.unpools = nn.ModuleList(unpools)
        fine = reversed(hierarchy.sizes[:-1])
        sizes = [(*size, 1) for size in zip(fine, widths[1:], strict=True)] if per_vertex else []
        self.gains = nn.ParameterList(nn.Parameter(torch.ones(size)) for size in sizes)
        self.shifts = nn.ParameterList(nn.Parameter(torch.zeros(size)) for size in sizes[:-1])
        self.register_buffer("scale", torch.tensor(float(scale)))
        self._one_frame: tuple[tuple[int | None, ...], OneFrame] | None = None

    def forward(self, latent: Tensor) -> Tensor:
        codes = as_rows(latent, self.latent, "a latent")
        if exporting() and self.fused:
            made = self.finish(self._features(codes))
        else:
            made = self._decoded(codes) if self.fused else self._written_out(codes)
        return made if latent.dim() == 2 else made.unflatten(0, latent.shape[:2])

    def _written_out(self, latent: Tensor) -> Tensor:
        """(T, Z) -> (T, V, 3), one operator after the other."""
        x = self.full(latent).view(latent.shape[0], self.coarsest, -1)
        for number in range(len(self.convs) - 1):
            x = self._step_written_out(number, x)
        return self._finish_written_out(x)

    def _step_written_out(self, number: int, x: Tensor) -> Tensor:
        """(T, V, C) -> (T, V', C')."""
        x, activate = self.convs[number](self.unpools[number](x)), ACTIVATIONS[self.activation]
        return activate(x + self.shifts[number][..., 0]) * self.gains[number][..., 0] if self.gains else activate(x)

    def _finish_written_out(self, x: Tensor) -> Tensor:
        made = self.convs[-1](self.unpools[-1](x)) * self.scale
        return made * self.gains[-1][..., 0] if self.gains else made

    def _decoded(self, latent: Tensor) -> Tensor:
        blocks, last, after = latent.split(BLOCK_FRAMES), self.convs[-1], self._after(len(self.convs) - 1)
        if torch.is_grad_enabled():
            made = last(*(self._features(block) for block in blocks), scale=self.scale, after=after)
            return made.permute(2, 0, 1)
        # Nothing of a block is kept, so that memory beyond the result does not grow with the frames.
        out = recycled_rows(self.full.weight, last.fine, 3, len(latent))
        for block, part in zip(blocks, out.split(BLOCK_FRAMES, dim=2), strict=True):
            compiled = takes(block, self.full.weight, part) and not triton.takes(last, block)
            if len(block) <= FRAMES_ONE_BY_ONE and compiled:
                self._write_one_frame(block, part)
            else:
                last.write(self._features(block), part, self.scale, after)
        return out.permute(2, 0, 1)

    def _write_one_frame(self, latent: Tensor, out: Tensor) -> None:
        """(T, Z) to `out`, (V, 3, T), by all steps at once; torch's threads, given work, would keep a core busy."""
        weight, bias, code = (each.detach().numpy() for each in (self.full.weight, self.full.bias, latent))
        x = (weight @ code.T + bias[:, None]).reshape(self.coarsest, len(weight) // self.coarsest, len(code))
        self._prepared()(x, out.numpy(), self.scale.item())

    def _prepared(self) -> OneFrame:
        """The steps as they are for very few frames, made anew where weights have moved, or are copied as they lie."""
        places = tuple(weight.data_ptr() if weight.is_contiguous() else None for weight in self.parameters())
        if self._one_frame is None or self._one_frame[0] != places or None in places:
            steps = [conv.of_one_frame(self._after(number)) for number, conv in enumerate(self.convs)]
            self._one_frame = places, OneFrame(steps)
        return self._one_frame[1]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_one_frame": None}  # a copy has its own

    def _features(self, latent: Tensor) -> Tensor:
        """(T, Z) -> (V_1, C, T), what the last step up starts from."""
        x = torch.addmm(self.full.bias[:, None], self.full.weight, latent.t())
        x = x.view(self.coarsest, self.full.out_features // self.coarsest, latent.shape[0])
        for number in range(len(self.convs) - 1):
            x = self.step(number, x)
        return x

    def step(self, number: int, x: Tensor) -> Tensor:
        """One step up but the last, (V, C, T) -> (V', C', T): unpooling and convolution, shift, activation and gain.

        Args:
            number: of the step, 0 from the coarsest level.
            x: features, vertices in the level's own order, see `space_filling_order`.
        """
        if not self.fused:
            return self._step_written_out(number, x.permute(2, 0, 1)).permute(1, 2, 0)
        return self.convs[number](x, after=self._after(number))

    def _after(self, number: int) -> AfterConv:
        """What follows a convolution."""
        gain = self.gains[number] if self.gains else None
        if number == len(self.convs) - 1:
            return AfterConv(gain=gain)
        return AfterConv(self.activation, self.shifts[number] if self.gains else None, gain)

    def finish(self, x: Tensor) -> Tensor:
        """The last step up, (V_1, C, T) -> (T, V, 3) mm, the template's vertices in their own order."""
        if not self.fused:
            return self._finish_written_out(x.permute(2, 0, 1))
        return self.convs[-1](x, scale=self.scale, after=self._after(len(self.convs) - 1)).permute(2, 0, 1)

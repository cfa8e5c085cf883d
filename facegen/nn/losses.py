"""What training minimises."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from facegen.errors import FacegenError
from facegen.nn.native import in_rows, takes
from facegen.nn.native import loss as native

CHUNK_NUMBERS = 800_000
"""Numbers that are gone through at once on a processor, so that they stay in its caches between one operation and the
next. Measured at 100 frames of 28,431 vertices on two cores: 50,000 to 1,600,000 take the same time, all at once twice
as much."""


def motion_loss(
    generated: Tensor,
    recorded: Tensor,
    ptr: Tensor,
    coherence: float = 1.0,
    counts: tuple[float, float] | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Reconstruction and temporal coherence (Eq. 5), as means over frames, vertices and axes.

    .. math::
        L_r = \|\hat x_t - x_t\|_1, \quad L_c = \|(\hat x_t - \hat x_{t-1}) - (x_t - x_{t-1})\|_1, \quad
        L = L_r + L_c

    Frames t - 1 and t are neighbours among those that are given: with a `stride` in training, which the paper has not,
    they are `stride` frames of the recording apart, and L_c is of that coarser motion.

    Means instead of sums, so that the learning rate does not depend on the vertex count. The loss, its gradient and
    the error of each frame come from one pass; it is quickest where the frames of both are innermost in memory.

    Args:
        generated, recorded: (N, V, 3), sequences one after the other; positions or displacements from one neutral.
        ptr: (B + 1,), where each sequence begins; no difference is taken across.
        coherence: weight of the second term; 0 leaves it out.
        counts: numbers of frames and of steps between frames that the sums are divided by; None takes this batch's,
            N and N - B. Others let means be taken over more than this batch.

    Raises:
        FacegenError: the two shapes differ, or are not (N, V, 3).

    Returns:
        L, a number, and, without gradient, the mean Euclidean distance of the vertices in each frame, (N,).
    """
    if generated.shape != recorded.shape or generated.shape[2:] != (3,):
        raise FacegenError(f"two arrays (N, V, 3) are compared, got {(*generated.shape,)} and {(*recorded.shape,)}")
    frames, vertices, axes = generated.shape
    over_frames, over_steps = counts or (frames, frames - len(ptr) + 1)
    each = 1.0 / (over_frames * vertices * axes) if over_frames else 0.0
    # The weight of the step to each frame from the one before.
    steps = recorded.new_full((frames + 1,), coherence / (over_steps * vertices * axes) if over_steps else 0.0)
    steps[ptr] = 0
    return _MotionLoss.apply(generated, recorded, steps, each)


class _MotionLoss(torch.autograd.Function):
    """Eq. 5 and its gradient, frames innermost."""

    @staticmethod
    def forward(ctx: Any, generated: Tensor, recorded: Tensor, steps: Tensor, each: float) -> tuple[Tensor, Tensor]:
        ctx.dtype = generated.dtype
        made, wanted = (part.to(recorded.dtype).permute(1, 2, 0) for part in (generated, recorded))
        if takes(recorded):
            made, wanted = in_rows(made), wanted.contiguous()
            total, gradient, distance = native.motion_loss(made, wanted, steps, each, ctx.needs_input_grad[0])
        else:
            total, gradient, distance = _by_chunks(made, wanted, steps, each)
        ctx.save_for_backward(gradient)
        ctx.mark_non_differentiable(distance)
        return total, distance

    @staticmethod
    @torch.autograd.function.once_differentiable
    # The decorator's stub makes `ctx` an argument by position alone.
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (gradient,) = ctx.saved_tensors
        # In training it is times one, which a processor can be asked without waiting.
        if grad.device.type != "cpu" or grad != 1:
            gradient = gradient * grad
        return gradient.to(ctx.dtype).permute(2, 0, 1), None, None, None


def _by_chunks(generated: Tensor, recorded: Tensor, steps: Tensor, each: float) -> tuple[Tensor, Tensor, Tensor]:
    """The sum of Eq. 5, its gradient and the error of each frame on any device, vertices in chunks.

    Arguments and results are those of the compiled form, see `facegen.nn.native.loss.motion_loss`.
    """
    vertices, axes, frames = generated.shape
    gradient = recorded.new_empty(generated.shape)
    total, distance = recorded.new_zeros(()), recorded.new_zeros(frames)
    rows = min(vertices, max(1, CHUNK_NUMBERS // (axes * frames))) if recorded.device.type == "cpu" else vertices
    for i in range(0, vertices, rows):
        error = generated[i : i + rows] - recorded[i : i + rows]
        signs = torch.sign(error, out=gradient[i : i + rows]).mul_(each)
        # (x^_t - x^_t-1) - (x_t - x_t-1) is the difference of errors.
        turned = error.diff().sign_().mul_(steps[1:-1])
        signs[..., 1:].add_(turned)
        signs[..., :-1].sub_(turned)
        # Sums of absolute values are their own gradient times what they are of.
        total += torch.dot(error.reshape(-1), signs.reshape(-1))
        distance += error.square_().sum(1).sqrt_().sum(0)
    return total, gradient, distance / vertices

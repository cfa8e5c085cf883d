"""What training minimises."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from facegen.memory import recycled

CHUNK = 800_000  # numbers gone through at once: they stay in the processor's caches between one operation and the next


def motion_loss(
    generated: Tensor,
    recorded: Tensor,
    ptr: Tensor,
    coherence: float = 1.0,
    counts: tuple[float, float] | None = None,
) -> Tensor:
    r"""Reconstruction and temporal coherence (Eq. 5), as means over frames, vertices and axes.

    .. math::
        L_r = \|\hat x_t - x_t\|_1, \quad L_c = \|(\hat x_t - \hat x_{t-1}) - (x_t - x_{t-1})\|_1, \quad
        L = L_r + L_c

    Means instead of sums, so that the learning rate does not depend on the vertex count. Loss and gradient come from
    one pass; it is quickest where the frames of both are innermost in memory, as the decoder makes them.

    Args:
        generated, recorded: (N, V, 3), sequences one after the other; positions or displacements from one neutral.
        ptr: (B + 1,), where each sequence begins; no difference is taken across.
        coherence: weight of the second term; 0 leaves it out.
        counts: numbers of frames and of steps between frames that the sums are divided by; None takes this batch's,
            N and N - B. Others let means be taken over more than this batch.

    Returns:
        L, a number.
    """
    frames, vertices, axes = generated.shape
    over_frames, over_steps = counts or (frames, frames - len(ptr) + 1)
    cuts = (ptr[1:-1] - 1).tolist() if len(ptr) > 2 else []
    each = 1.0 / (over_frames * vertices * axes) if over_frames else 0.0
    # The weight of a step in units of that of a frame.
    step = coherence * over_frames / over_steps if over_steps else 0.0
    return _MotionLoss.apply(generated, recorded, cuts, each, step)


class _MotionLoss(torch.autograd.Function):
    """Eq. 5 and its gradient, vertices in chunks and frames innermost."""

    @staticmethod
    def forward(ctx: Any, generated: Tensor, recorded: Tensor, cuts: list[int], each: float, step: float) -> Tensor:
        frames, vertices, axes = generated.shape
        signs = recycled(recorded, vertices, axes, frames)
        rows = min(vertices, max(1, CHUNK // (axes * frames))) if signs.device.type == "cpu" else vertices
        errors, differences = (recycled(recorded, rows, axes, frames) for _ in range(2))
        total = recorded.new_zeros(())
        for i in range(0, vertices, rows):
            sign = signs[i : i + rows]
            error, steps = errors[: len(sign)], differences[: len(sign)]
            torch.sub(*(frames_in[:, i : i + rows].permute(1, 2, 0) for frames_in in (generated, recorded)), out=error)
            torch.sign(error, out=sign)
            if step and frames > 1:
                # (x^_t - x^_t-1) - (x_t - x_t-1) is the difference of errors.
                steps = steps[..., 1:]
                torch.sub(error[..., 1:], error[..., :-1], out=steps)
                steps[..., cuts] = 0
                steps.sign_()
                sign[..., 1:].add_(steps, alpha=step)
                sign[..., :-1].sub_(steps, alpha=step)
            # Sums of absolute values are their own gradient times what they are of.
            total += torch.dot(error.view(-1), sign.view(-1))
        ctx.signs, ctx.each, ctx.dtype = signs, each, generated.dtype
        return total * each

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        signs, ctx.signs = ctx.signs, None  # gone after one use, as what autograd keeps itself
        return signs.mul_(grad * ctx.each).to(ctx.dtype).permute(2, 0, 1), None, None, None, None

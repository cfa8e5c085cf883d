"""What training minimises."""

from __future__ import annotations

import torch
from torch import Tensor


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

    Means instead of sums, so that the learning rate does not depend on the vertex count.

    Args:
        generated, recorded: (N, V, 3), sequences one after the other; positions or displacements from one neutral.
        ptr: (B + 1,), where each sequence begins; no difference is taken across.
        coherence: weight of the second term; 0 leaves it out.
        counts: numbers of frames and of differences that the sums are divided by, instead of the batch's own N and
            N - B; so means can be taken over more than this batch.

    Returns:
        The two terms, the second already weighted.
    """
    error = generated - recorded
    frames, differences = counts or (len(error), len(error) - len(ptr) + 1)
    reconstruction = error.abs().mean() * (len(error) / frames)
    if not coherence:
        return reconstruction, reconstruction.new_zeros(())
    # (x^_t - x^_t-1) - (x_t - x_t-1) is the difference of errors.
    steps = error[1:] - error[:-1]
    inside = torch.ones(len(steps), dtype=torch.bool, device=error.device)
    inside[ptr[1:-1] - 1] = False
    chosen = steps if len(ptr) == 2 else steps[inside]
    temporal = chosen.abs().mean() * (len(chosen) / differences) if len(chosen) else error.new_zeros(())
    return reconstruction, coherence * temporal

"""From some takes of a person to how that person acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from facegen.nn.performance_form import LEAST_SPREAD

LOOKED_AT = 6
"""Frames of each take, evenly, by which a style is judged. Chosen: with twelve, styles err by 0.0006 mm less, and take
half as long again."""
STEPS, STEP = 30, 0.15
"""Steps of Adam, and the length of the first. Chosen: twice as many change nothing."""
TRUST = 0.1
"""Error of a take's mean frame, as a share of the network's scale, that weighs as much as a style that is one standard
deviation from the people's mean. Chosen on validation people."""
SMOOTH = 1e-6
"""mm^2 added to squared distances, so that their root has a slope where they are 0."""


@dataclass(frozen=True, eq=False)
class Reference:
    """A take that shows how somebody acts.

    Args:
        displacement: (T, V, 3) mm.
        motion: (T, E), its label.
        neutral: (V, 3) mm.
    """

    displacement: Tensor
    motion: Tensor
    neutral: Tensor


def spread_of(styles: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (S,) and a root of the covariance (S, S) of the styles (P, S) of people."""
    mean = styles.mean(0)
    away = (styles - mean).double()
    covariance = away.t() @ away / max(len(styles) - 1, 1)
    root = torch.linalg.cholesky(covariance + LEAST_SPREAD * torch.eye(len(mean), dtype=torch.float64))
    return mean, root.to(styles)


def style_of(network: Any, references: Sequence[Reference]) -> Tensor:
    """The likeliest style (S,) of somebody who made some takes.

    It maximises the posterior of a style whose prior is the normal distribution of the people who trained, and under
    which a take's mean error is exponentially distributed: any number of takes of any expressions count together.

    Args:
        network: a `PerformanceNetwork`, which makes the takes again, without their codes.
        references: the takes; without one, the style of nobody in particular.
    """
    if not references:
        return network.no_style()[0]
    device = network.people.device
    mean, root = (part.detach() for part in spread_of(network.styles()))
    motion = torch.cat([each.motion for each in references]).to(device)
    lengths = [len(each.motion) for each in references]
    ptr = torch.tensor([0, *np.cumsum(lengths).tolist()], device=device)
    picked = [np.linspace(0, length - 1, min(LOOKED_AT, length)).round().astype(int) for length in lengths]
    frames = torch.cat([torch.from_numpy(part) + int(start) for part, start in zip(picked, ptr, strict=False)])
    wanted = torch.cat(
        [each.displacement[torch.from_numpy(part)] for part, each in zip(picked, references, strict=True)]
    ).to(device)
    neutral = torch.stack([each.neutral for each in references]).to(device)
    of = torch.repeat_interleave(torch.arange(len(references)), torch.tensor([len(part) for part in picked]))
    away = torch.zeros(len(mean), device=device, requires_grad=True)
    optimizer = torch.optim.Adam([away], STEP)
    with torch.enable_grad():
        for number in range(STEPS):
            for group in optimizer.param_groups:
                group["lr"] = STEP * (1 - number / STEPS)
            style = (mean + root @ away).expand(len(references), -1)
            made = network(motion, ptr, frames, neutral=neutral, style=style)
            errors = torch.zeros(len(references), device=device).index_add(0, of.to(device), _distance(made, wanted))
            by_take = errors / torch.bincount(of).to(errors)
            loss = by_take.sum() / (TRUST * network.scale) + away.square().sum() / 2
            (away.grad,) = torch.autograd.grad(loss, away)
            optimizer.step()
    return (mean + root @ away).detach()


def _distance(made: Tensor, wanted: Tensor) -> Tensor:
    """(N,) mm: the mean distance of the vertices of each frame."""
    return (made - wanted).square().sum(-1).add(SMOOTH).sqrt().mean(-1)

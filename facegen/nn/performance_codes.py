"""What is read out of a performance, and what draws one: the code of a take."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from facegen.nn.performance_form import DRAWING_STEPS, MOMENTS, READER_WIDTH, SOURCE_WIDTH

LEAST_LOG, MOST_LOG = -8.0, 3.0
"""Bounds of the log of a code's variance, so that no step of training makes it overflow. Chosen."""
FIRST_LOG = -4.0
"""Log of the variance before training: noise as large as what is said would drown the label too. Chosen."""


class TakeReader(nn.Module):
    """Mean and variance of a take's code, of how some points of a face moved and what the label said of it.

    Args:
        points: Q, the vertices that are looked at.
        expressions: E.
        style: S.
        take: C.

    Shapes: tracks (N, 3 Q) in units of the network's scale, motion (N, E), ptr (B + 1,), style (B, S) -> mean and log
    of the variance, (B, C) each
    """

    def __init__(self, points: int, expressions: int, style: int, take: int, hidden: int = READER_WIDTH) -> None:
        super().__init__()
        self.look = nn.Sequential(
            nn.Conv1d(3 * points + expressions, hidden, 1),
            nn.Conv1d(hidden, hidden, 5, 2, 2),
            nn.ELU(),
            nn.Conv1d(hidden, hidden, 5, 2, 2),
            nn.ELU(),
            nn.Flatten(),
        )
        self.out = nn.Sequential(
            nn.Linear(hidden * MOMENTS // 4 + style, 2 * hidden), nn.ELU(), nn.Linear(2 * hidden, 2 * take)
        )
        with torch.no_grad():
            last = self.out[-1]
            last.bias[take:] = FIRST_LOG  # pyright: ignore[reportIndexIssue,reportArgumentType]

    def forward(self, tracks: Tensor, motion: Tensor, ptr: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        parts = torch.cat([tracks, motion], 1).split(ptr.diff().tolist())
        evenly = [interpolate(part.t()[None], MOMENTS, mode="linear", align_corners=True) for part in parts]
        mean, log = self.out(torch.cat([self.look(torch.cat(evenly)), style], 1)).chunk(2, 1)
        return mean, log.clamp(LEAST_LOG, MOST_LOG)


class TakeSource(nn.Module):
    r"""Draws codes of takes, of a label and a style: a flow from noise to the codes that takes were found to have.

    It learns a field of velocities, and a code is where noise is carried by it from time 0 to 1 (Lipman et al., "Flow
    matching for generative modeling", ICLR 2023, with straight paths):

    .. math:: \mathcal{L} = \| v(x_t, t) - (c - x_0) \|^2, \quad x_t = (1 - t)\, x_0 + t\, c, \quad x_0 \sim N(0, I)

    Args:
        expressions: E.
        style: S.
        take: C.
    """

    def __init__(self, expressions: int, style: int, take: int, hidden: int = SOURCE_WIDTH) -> None:
        super().__init__()
        self.take = take
        widths = [take + 3 + 2 * expressions + style, hidden, hidden, take]
        layers: list[nn.Module] = []
        for some, more in zip(widths, widths[1:], strict=False):
            layers += [nn.Linear(some, more), nn.SiLU()]
        self.velocity = nn.Sequential(*layers[:-1])

    def _field(self, code: Tensor, time: Tensor, told: Tensor) -> Tensor:
        turned = torch.cat([time, torch.sin(torch.pi * time), torch.cos(torch.pi * time)], 1)
        return self.velocity(torch.cat([code, turned, told], 1))

    def loss(self, code: Tensor, told: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        """The square by which velocities are missed, (B,), of codes (B, C) and noise (B, C) at times (B, 1)."""
        between = (1 - time) * noise + time * code
        return (self._field(between, time, told) - (code - noise)).square().mean(1)

    def forward(self, noise: Tensor, told: Tensor) -> Tensor:
        """(B, C) noise -> (B, C) codes."""
        code, step = noise, 1 / DRAWING_STEPS
        for number in range(DRAWING_STEPS):  # by midpoints
            time = torch.full_like(code[:, :1], number * step)
            half = code + step / 2 * self._field(code, time, told)
            code = code + step * self._field(half, time + step / 2, told)
        return code


def told_of(motion: Tensor, ptr: Tensor, style: Tensor) -> Tensor:
    """What a code is drawn by, (B, 2 E + S): the peak and the mean of each row of the labels (N, E), and the style."""
    parts: Sequence[Tensor] = motion.split(ptr.diff().tolist())
    said = [torch.cat([part.amax(0), part.mean(0)]) for part in parts]
    return torch.cat([torch.stack(said), style], 1)

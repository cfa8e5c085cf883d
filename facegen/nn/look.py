"""What a style and a take's code are read from: how takes move some points, at the stages of their labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from facegen.nn.performance_form import LEAST, PLACES, facts


class Reference(NamedTuple):
    """A take that shows how somebody acts.

    Args:
        displacement: (T, V, 3) mm.
        motion: (T, E), its label.
    """

    displacement: Tensor
    motion: Tensor


class Look(NamedTuple):
    """What is seen of takes, before it is known what is usual.

    Args:
        tracks: (R, `PLACES`, 3 Q) mm, how some points moved.
        shares: (R, E), how much of each expression their labels show; they add up to 1.
        peaks: (R, E), how strong their labels get.
        facts: (R, E, `FACTS`), what their labels say, see `facegen.nn.performance_form.facts`.
    """

    tracks: Tensor
    shares: Tensor
    peaks: Tensor
    facts: Tensor


def look_at(tracks: Sequence[Tensor], motions: Sequence[Tensor]) -> Look:
    """What there is to see of takes.

    Args:
        tracks: of each take (T, 3 Q), how its points moved.
        motions: its label (T, E).
    """
    seen, shares, peaks, said = [], [], [], []
    for track, motion in zip(tracks, motions, strict=True):
        at = stages(motion)
        below = at.floor().long().clamp(0, max(len(track) - 2, 0))
        above = (below + 1).clamp_max(len(track) - 1)
        moved = torch.lerp(track[below], track[above], (at - below)[:, None].to(track))
        shown = motion.any(1).nonzero()[:, 0].tolist() or [0]
        before, after = track[: max(shown[0], 1)], track[min(shown[-1] + 1, len(track) - 1) :]
        seen.append(torch.cat([before.mean(0)[None], moved, after.mean(0)[None]]))
        shares.append(shares_of(motion))
        peaks.append(motion.amax(0))
        said.append(torch.from_numpy(facts(motion.cpu().numpy())))
    return Look(*(torch.stack(each) for each in (seen, shares, peaks, said)))


def shares_of(motion: Tensor) -> Tensor:
    """(E,): how much of each expression a label (T, E) shows."""
    return motion.sum(0) / motion.sum().clamp_min(LEAST)


def stages(motion: Tensor) -> Tensor:
    """(`STAGES`,) float64 frames, between two where need be, evenly by how much a label (T, E) says and changes: the
    rest before and after takes none of them, whoever is quick."""
    motion = motion.double()
    changes, said = motion.diff(dim=0).abs().sum(1), (motion[1:] + motion[:-1]).sum(1)
    steps = changes / changes.sum().clamp_min(LEAST) + said / said.sum().clamp_min(LEAST)
    along = torch.cat([steps.new_zeros(1), (steps + LEAST).cumsum(0)])
    wanted = torch.linspace(0, 1, PLACES, dtype=along.dtype, device=along.device)[1:-1] * along[-1]
    after = torch.searchsorted(along, wanted).clamp(1, max(len(along) - 1, 1)).clamp_max(len(along) - 1)
    before = (after - 1).clamp_min(0)
    share = (wanted - along[before]) / (along[after] - along[before]).clamp_min(LEAST)
    return before + share.clamp(0, 1)

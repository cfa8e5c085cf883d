"""From the motion label to a latent vector per frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence, unpack_sequence


class MotionEncoder(nn.Module):
    r"""One LSTM layer over the motion label, :math:`z_t = E(e_t)` (Eq. 4).

    Args:
        expressions: E, rows of the label.
        latent: Z, its hidden size; the latent is the hidden state.

    Shapes: motion (N, E) of sequences one after the other, ptr (B + 1,) -> (N, Z)
    """

    def __init__(self, expressions: int, latent: int = 64) -> None:
        super().__init__()
        self.lstm = nn.LSTM(expressions, latent, batch_first=True)

    def forward(self, motion: Tensor, ptr: Tensor | None = None) -> Tensor:
        if ptr is None or len(ptr) == 2:
            return self.lstm(motion.unsqueeze(0))[0].squeeze(0)
        sequences = torch.split(motion, ptr.diff().tolist())
        states, _ = self.lstm(pack_sequence(sequences, enforce_sorted=False))
        return torch.cat(unpack_sequence(states))

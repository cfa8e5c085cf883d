"""From the motion label to a latent vector per frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence, unpack_sequence

from facegen.errors import FacegenError
from facegen.nn.exporting import Exportable, exporting, lstm_states
from facegen.nn.rows import as_rows, starts
from facegen.nn.threads import one_thread


class MotionEncoder(Exportable):
    r"""One LSTM layer over the motion label, :math:`z_t = E(e_t)` (Eq. 4).

    The paper's LSTM runs forward, and the latent is its hidden state. But the whole label is known before anything is
    made: an LSTM that runs in both directions also knows during the onset how strong the apex will be and how long the
    rise takes, and the course of the face depends on both. A linear layer then makes the latent from the two hidden
    states.

    Args:
        expressions: E, rows of the label.
        latent: Z, its hidden size.
        bidirectional: read the label in both directions, which departs from the paper.

    Shapes: motion (N, E) of sequences one after the other, ptr (B + 1,) -> (N, Z); or (B, T, E), all of one length,
    without ptr -> (B, T, Z)

    Raises:
        FacegenError: the label has another shape.
    """

    def __init__(self, expressions: int, latent: int = 64, bidirectional: bool = False) -> None:
        super().__init__()
        self.lstm = nn.LSTM(expressions, latent, batch_first=True, bidirectional=bidirectional)
        self.out = nn.Linear(2 * latent, latent) if bidirectional else nn.Identity()

    def forward(self, motion: Tensor, ptr: Tensor | None = None) -> Tensor:
        rows, ptr = as_rows(motion, self.lstm.input_size, "a label"), starts(motion, ptr)
        if exporting():
            if ptr is not None:
                raise FacegenError("a graph is made of one label, (T, E) without ptr")
            return self.out(lstm_states(self.lstm, rows))
        states = _OnOneThread.apply(lambda motion: self._states(motion, ptr), rows, *self.parameters())
        return states.view(*motion.shape[:-1], -1)

    def _states(self, motion: Tensor, ptr: Tensor | None) -> Tensor:
        if ptr is None or len(ptr) == 2:
            return self.out(self.lstm(motion.unsqueeze(0))[0].squeeze(0))
        sequences = list(torch.split(motion, ptr.diff().tolist()))
        states, _ = self.lstm(pack_sequence(sequences, enforce_sorted=False))
        return self.out(torch.cat(unpack_sequence(states)))


class _OnOneThread(torch.autograd.Function):
    """A function of a tensor and of parameters that it knows already, forward and backward on one thread.

    Every step of so small an LSTM is a few microseconds of work; threads that share it wait for each other ten times as
    long. On devices other than a processor nothing changes. The number of threads is set for the whole process while
    this runs: another Python thread that first uses torch during that time keeps to one thread.
    """

    @staticmethod
    def forward(ctx: Any, run: Callable[[Tensor], Tensor], motion: Tensor, *parameters: Tensor) -> Tensor:
        ctx.inputs = (motion.detach().requires_grad_(motion.requires_grad), *parameters)
        with one_thread(), torch.set_grad_enabled(any(ctx.needs_input_grad)):
            ctx.states = run(ctx.inputs[0])
        return ctx.states.detach()

    @staticmethod
    @torch.autograd.function.once_differentiable
    # The decorator's stub makes `ctx` an argument by position alone.
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        wanted = [part for part in ctx.inputs if part.requires_grad]
        with one_thread():
            # Kept for as long as this graph is, which may be gone through again.
            found = iter(torch.autograd.grad(ctx.states, wanted, grad, retain_graph=True))
        return None, *(next(found) if part.requires_grad else None for part in ctx.inputs)

"""What is done otherwise where torch makes a graph of a network, and which ways of making one are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from facegen.errors import FacegenError


class Exportable(nn.Module):
    """A network that `torch.export.export` makes a graph of, for any number of frames.

    `torch.jit.trace` keeps the number of frames that it saw, in loops and in sizes, and what it makes of others is
    garbage. `torch.jit.script` cannot read the compiled forms. Both are refused.
    """

    def __prepare_scriptable__(self) -> NoReturn:
        # torch.jit.script asks each part of a network for this before it reads it.
        raise FacegenError(f"torch.jit.script cannot read a {type(self).__name__}; {INSTEAD}")


INSTEAD = "take torch.export.export, or write an .onnx with `facegen export model.ckpt --out model.onnx`"
"""What to do where a graph cannot be made."""


def exporting() -> bool:
    """Whether `torch.export.export` is at work: then plain operations alone are allowed.

    Raises:
        FacegenError: it is `torch.jit.trace`, or what calls it, such as the older `torch.onnx.export`.
    """
    if torch.jit.is_tracing():  # pyright: ignore[reportPrivateImportUsage]  # documented, not in its list of names
        raise FacegenError(f"torch.jit.trace keeps one number of frames and gives garbage for others; {INSTEAD}")
    return torch.compiler.is_exporting()


def lstm_states(lstm: nn.LSTM, motion: Tensor) -> Tensor:
    """The hidden states of one layer, (T, E) -> (T, Z) or (T, 2 Z), for any T.

    torch.export unrolls `nn.LSTM` step by step and so fixes T; its `scan` stays one operation.
    """
    from torch._higher_order_ops.scan import scan  # not public yet, and slow to import

    ways = ("", "_reverse") if lstm.bidirectional else ("",)
    return torch.cat([_one_way(lstm, motion, way, scan) for way in ways], dim=1)


def _one_way(lstm: nn.LSTM, motion: Tensor, way: str, scan: Callable[..., tuple[Any, Tensor]]) -> Tensor:
    inputs, again = getattr(lstm, f"weight_ih_l0{way}"), getattr(lstm, f"weight_hh_l0{way}").t()
    gates = motion @ inputs.t() + getattr(lstm, f"bias_ih_l0{way}") + getattr(lstm, f"bias_hh_l0{way}")

    def step(state: tuple[Tensor, Tensor], gate: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        hidden, cell = state
        enter, forget, new, leave = (gate + hidden @ again).chunk(4)
        cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
        hidden = leave.sigmoid() * cell.tanh()
        return (hidden, cell), hidden.clone()  # what is given is not to share memory with what is carried on

    rest = again.new_zeros(lstm.hidden_size)
    found = scan(step, (rest, rest.clone()), gates.flip(0) if way else gates)[1]
    return found.flip(0) if way else found

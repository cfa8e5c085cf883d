"""The encoder of Eq. 4 as nodes of an ONNX graph."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from facegen.engines.graph import Graph
from facegen.nn.motion_encoder import MotionEncoder


def latents(graph: Graph, encoder: MotionEncoder, frame: str | None) -> str:
    """From the input `label` to latents, (T, Z), or (1, Z) of the frame whose number the input `frame` is."""
    lstm, directions = encoder.lstm, 2 if encoder.lstm.bidirectional else 1
    ways = ("", "_reverse")[:directions]
    weights, again = (
        np.stack([_gates(getattr(lstm, f"weight_{part}_l0{way}")) for way in ways]) for part in ("ih", "hh")
    )
    biases = np.stack(
        [np.concatenate([_gates(getattr(lstm, f"bias_{part}_l0{way}")) for part in ("ih", "hh")]) for way in ways]
    )
    label = graph.add("Unsqueeze", "label", np.array([1]))  # sequences are ONNX's second axis
    direction = "bidirectional" if directions == 2 else "forward"
    states = graph.add(
        "LSTM", label, weights, again, biases, hidden_size=lstm.hidden_size, direction=direction
    )  # (T, directions, 1, Z)
    states = graph.add("Reshape", states, np.array([-1, directions * lstm.hidden_size]))
    if frame is not None:
        states = graph.add("Gather", states, frame)
    if isinstance(encoder.out, nn.Linear):
        states = graph.add("Gemm", states, numbers(encoder.out.weight), numbers(encoder.out.bias), transB=1)
    return states


def _gates(weight: Tensor) -> np.ndarray:
    """Rows in ONNX's order of gates, input, output, forget and cell, from torch's: input, forget, cell and output."""
    first, forget, cell, output = np.split(numbers(weight), 4)
    return np.concatenate([first, output, forget, cell])


def numbers(tensor: Tensor) -> np.ndarray:
    """A tensor as float32 in numpy."""
    return tensor.detach().cpu().float().numpy()

"""`MotionEncoder` without torch."""

from __future__ import annotations

import numpy as np

from facegen.errors import FacegenError


class LightEncoder:
    r"""One LSTM layer over the motion label and, where it reads in both directions, a linear layer (Eq. 4).

    It computes in double precision: a label has few numbers, and the result is then as near to the exact one as single
    precision is.

    Args:
        expressions, latent, bidirectional: see `facegen.nn.motion_encoder.MotionEncoder`.

    Attributes:
        shapes: of its weights, by name.

    Shapes: motion (T, E) -> (T, Z) float32

    Raises:
        ValueError: a size is none.
    """

    def __init__(self, expressions: int, latent: int = 64, bidirectional: bool = False) -> None:
        if type(latent) is not int or latent < 1:
            raise ValueError(f"latent must be a whole number from 1 on, got {latent!r}")
        self.expressions, self.latent = expressions, latent
        self.ways = ("", "_reverse") if bidirectional else ("",)
        self.shapes: dict[str, tuple[int, ...]] = {}
        for way in self.ways:
            self.shapes |= {
                f"lstm.weight_ih_l0{way}": (4 * latent, expressions),
                f"lstm.weight_hh_l0{way}": (4 * latent, latent),
                f"lstm.bias_ih_l0{way}": (4 * latent,),
                f"lstm.bias_hh_l0{way}": (4 * latent,),
            }
        if bidirectional:
            self.shapes |= {"out.weight": (latent, 2 * latent), "out.bias": (latent,)}
        self.weights: dict[str, np.ndarray] = {}

    def take(self, weights: dict[str, np.ndarray]) -> None:
        """Compute with these from now on; each has the shape of its name."""
        self.weights = {name: value.astype(np.float32).astype(np.float64) for name, value in weights.items()}

    def __call__(self, motion: np.ndarray) -> np.ndarray:
        if motion.ndim != 2 or motion.shape[1] != self.expressions:
            raise FacegenError(f"a label is (T, {self.expressions}), got {motion.shape}")
        states = np.concatenate([self._states(motion.astype(np.float64), way) for way in self.ways], axis=1)
        if len(self.ways) == 2:
            states = states @ self.weights["out.weight"].T + self.weights["out.bias"]
        return states.astype(np.float32)

    def _states(self, motion: np.ndarray, way: str) -> np.ndarray:
        """(T, Z), the hidden states of one direction."""
        inputs, again, one, other = (
            self.weights[f"lstm.{part}_l0{way}"] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        gates = (motion[::-1] if way else motion) @ inputs.T + (one + other)
        found, z = np.empty((len(motion), self.latent)), self.latent
        hidden, cell = np.zeros(z), np.zeros(z)
        for row, gate in zip(found, gates, strict=True):
            gate = gate + again @ hidden
            cell = _sigmoid(gate[z : 2 * z]) * cell + _sigmoid(gate[:z]) * np.tanh(gate[2 * z : 3 * z])
            row[:] = hidden = _sigmoid(gate[3 * z :]) * np.tanh(cell)
        return found[::-1] if way else found


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * x)  # which never overflows

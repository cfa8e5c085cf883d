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
        # Gates other than the cell's are sigmoids, 0.5 + 0.5 tanh(0.5 x): halved before and after, all are one tanh.
        self._halves = np.repeat([0.5, 0.5, 1.0, 0.5], latent)

    def take(self, weights: dict[str, np.ndarray]) -> None:
        """Compute with these from now on; each has the shape of its name."""
        self.weights = {name: value.astype(np.float32).astype(np.float64) for name, value in weights.items()}
        inputs, again, one, other = (
            np.stack([self.weights[f"lstm.{part}_l0{way}"] for way in self.ways])
            for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        halves = self._halves
        self._inputs, self._again, self._bias = (
            halves[:, None] * inputs,
            halves[:, None] * again,
            halves * (one + other),
        )

    def __call__(self, motion: np.ndarray) -> np.ndarray:
        if motion.ndim != 2 or motion.shape[1] != self.expressions:
            raise FacegenError(f"a label is (T, {self.expressions}), got {motion.shape}")
        states = self._states(motion.astype(np.float64))
        if len(self.ways) == 2:
            states = states @ self.weights["out.weight"].T + self.weights["out.bias"]
        return states.astype(np.float32)

    def _states(self, motion: np.ndarray) -> np.ndarray:
        """(T, W Z), the hidden states of both directions, or of one, a step of both at once."""
        ways, z = len(self.ways), self.latent
        read = np.stack([motion, motion[::-1]][:ways])
        gates = read @ self._inputs.transpose(0, 2, 1) + self._bias[:, None]
        found = np.empty((ways, len(motion), z))
        hidden, cell, gate = np.zeros((ways, z)), np.zeros((ways, z)), np.empty((ways, 4 * z))
        let_in, kept, new, out = (gate[:, at : at + z] for at in range(0, 4 * z, z))
        rest = 1 - self._halves
        # So few numbers take less time than numpy takes to make an array for them: each is written where one was.
        for step in range(len(motion)):
            np.matmul(self._again, hidden[..., None], out=gate[..., None])
            np.tanh(np.add(gate, gates[:, step], out=gate), out=gate)
            np.add(np.multiply(gate, self._halves, out=gate), rest, out=gate)
            np.add(np.multiply(cell, kept, out=cell), np.multiply(let_in, new, out=new), out=cell)
            np.multiply(np.tanh(cell, out=hidden), out, out=hidden)
            found[:, step] = hidden
        found[1:] = found[1:, ::-1].copy()
        return found.transpose(1, 0, 2).reshape(len(motion), ways * z)

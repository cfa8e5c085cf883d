"""`PerformanceNetwork` without torch, as far as it acts: styles of takes are found by torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from facegen.mesh.alignment import rigid_transform
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.acts_usually import ActsUsually
from facegen.nn.light.encoder import LightEncoder
from facegen.nn.light.generator import LightGenerator
from facegen.nn.light.spirals import LightSpirals
from facegen.nn.performance_form import (
    DRAWING_STEPS,
    LEAST_SPREAD,
    LOOKS,
    MOMENTS,
    READER_WIDTH,
    SOURCE_WIDTH,
    STAGES,
    STYLE_WIDTH,
    TELLER_WIDTH,
    gestures,
    looked_at,
    noise_of,
    require_usual,
)
from facegen.nn.spiral_steps import CHANNELS


class LightPerformance(ActsUsually, LightGenerator):
    """Acts labels for a person at rest, in a style, by a seed.

    Args:
        hierarchy, expressions, people, latent, channels, activation, scale, bidirectional, per_vertex, style, take,
            usual: see `facegen.nn.performance_network.PerformanceNetwork`.

    Attributes:
        shapes: of all weights, by the names that the network has for them.
    """

    alone = False

    def __init__(
        self,
        hierarchy: MeshHierarchy,
        expressions: int,
        people: int,
        latent: int = 64,
        channels: Sequence[int] = CHANNELS,
        activation: str = "relu",
        scale: float = 1.0,
        bidirectional: bool = False,
        per_vertex: bool = False,
        style: int = 32,
        take: int = 32,
        usual: int | None = None,
    ) -> None:
        require_usual(usual, people)
        encoder = LightEncoder(expressions + style + take + 1 + LOOKS, latent, bidirectional)
        super().__init__(encoder, LightSpirals(hierarchy, latent, channels, activation, scale, per_vertex))
        self.expressions, self.style, self.take_numbers, self.usual = expressions, style, take, usual
        self.template = hierarchy.template.vertices.astype(np.float64)
        told = take + 3 + 2 * expressions + style
        self.shapes |= {
            "proportions.exponent": (3,),
            "people": (people, style),
            **_layers("source.velocity", (0, 2, 4), [told, SOURCE_WIDTH, SOURCE_WIDTH, take]),
            **_reader(len(looked_at(hierarchy)), expressions, style, take),
            **_style_reader(len(looked_at(hierarchy)), expressions, style),
            "guide.weight": (latent, LOOKS),
        }
        self.weights: dict[str, np.ndarray] = {}
        self._sized: tuple[np.ndarray, np.ndarray] = np.zeros((0, 3)), np.ones((1, 3), np.float32)

    def take(self, weights: Mapping[str, np.ndarray]) -> None:
        super().take(weights)
        self.weights = {name: weights[name].astype(np.float64) for name in self.shapes if name in _USED}
        self._sized = np.zeros((0, 3)), np.ones((1, 3), np.float32)

    def performed(self, label: np.ndarray, style: np.ndarray | None, seed: int | None) -> np.ndarray:
        """(T, Z) of a label (T, E), in a style (S,), nobody's where it is None, of the take that a seed draws, the mean
        of all takes where that is None."""
        label = label.astype(np.float64)
        own = np.zeros(self.style) if style is None else style.astype(np.float64)
        known = float(seed is not None)
        code = np.zeros(self.take_numbers) if seed is None else self._code(label, own, seed)
        said = np.concatenate([own, code, [known]])
        told = np.concatenate([label, np.tile(said, (len(label), 1))], axis=1)
        habits = self._habits(label, own)
        latents = self.parts["encoder"](np.concatenate([told, habits], axis=1))
        return (latents + habits @ self.weights["guide.weight"].T).astype(np.float32)

    def _habits(self, label: np.ndarray, style: np.ndarray) -> np.ndarray:
        """(T, `LOOKS`): see `facegen.nn.performance_network.PerformanceNetwork.habits`."""
        along, peak = gestures(label)
        found = np.zeros((len(label), LOOKS))
        for expression in np.flatnonzero(peak.any(axis=0)).tolist():
            more = self._told(style, expression) - self._told(np.zeros_like(style), expression)
            rows = np.pad(more.reshape(STAGES, LOOKS), ((1, 1), (0, 0)))
            place = along[:, expression] * (STAGES + 1)
            below = np.floor(place).clip(0, STAGES).astype(int)
            part = (place - below)[:, None]
            a, b = self.weights["style_reader.reach"][expression]
            height = (np.exp(a) * peak[:, expression] ** b * (peak[:, expression] > 0))[:, None]
            found += height * ((1 - part) * rows[below] + part * rows[below + 1])
        return found

    def _told(self, style: np.ndarray, expression: int) -> np.ndarray:
        """(F,): see `facegen.nn.style_reader.Teller`."""
        first, bias, second, straight = (self.weights[f"style_reader.teller.{name}"][expression] for name in _TELLS)
        seen = style @ first + bias
        return np.where(seen > 0, seen, np.expm1(np.minimum(seen, 0))) @ second + style @ straight

    def usual_style(self) -> np.ndarray | None:
        """(S,) float32: see `facegen.nn.performance_network.PerformanceNetwork.usual_style`."""
        return None if self.usual is None else self.weights["people"][self.usual].astype(np.float32)

    def style_drawn(self, seed: int) -> np.ndarray:
        """(S,) float32: a style as the people who trained have them."""
        styles = self.weights["people"]
        away = styles - styles.mean(axis=0)
        covariance = away.T @ away / max(len(styles) - 1, 1)
        root = np.linalg.cholesky(covariance + LEAST_SPREAD * np.eye(self.style))
        return (styles.mean(axis=0) + root @ noise_of(seed, self.style)).astype(np.float32)

    def proportions(self, neutral: np.ndarray) -> np.ndarray:
        """(1, 3) float32: how far a face (1, V, 3) moves for its size, see `facegen.nn.proportions`."""
        asked, found = self._sized
        if not np.array_equal(asked, neutral[0]):  # who is animated is mostly who was
            self._sized = neutral[0].copy(), (found := self._size(neutral[0]))
        return found

    def _size(self, neutral: np.ndarray) -> np.ndarray:
        points = neutral.astype(np.float64)
        rotation, _ = rigid_transform(points, self.template)
        sizes = [(each - each.mean(axis=0)) for each in (points @ rotation.T, self.template)]
        one, other = (np.sqrt(np.square(each).mean(axis=0)) for each in sizes)
        return ((one / other) ** self.weights["proportions.exponent"]).astype(np.float32)[None]

    def _code(self, label: np.ndarray, style: np.ndarray, seed: int) -> np.ndarray:
        """(C,) of the take that a seed draws, see `facegen.nn.performance_codes.TakeSource`."""
        told = np.concatenate([label.max(axis=0), label.mean(axis=0), style])
        code, step = noise_of(seed, self.take_numbers).astype(np.float64), 1 / DRAWING_STEPS
        for number in range(DRAWING_STEPS):
            half = code + step / 2 * self._velocity(code, number * step, told)
            code = code + step * self._velocity(half, (number + 0.5) * step, told)
        return code

    def _velocity(self, code: np.ndarray, time: float, told: np.ndarray) -> np.ndarray:
        x = np.concatenate([code, [time, np.sin(np.pi * time), np.cos(np.pi * time)], told])
        for number in (0, 2, 4):
            x = self.weights[f"source.velocity.{number}.weight"] @ x + self.weights[f"source.velocity.{number}.bias"]
            if number < 4:
                x = x * (0.5 + 0.5 * np.tanh(0.5 * x))  # SiLU
        return x


_TELLS = ("first", "bias", "second", "straight")
"""Weights of a teller but for its mean, which nobody's takes are told from."""
_USED = {
    "proportions.exponent",
    "people",
    "guide.weight",
    "style_reader.reach",
    *(f"style_reader.teller.{name}" for name in _TELLS),
    *(f"source.velocity.{number}.{part}" for number in (0, 2, 4) for part in ("weight", "bias")),
}
"""Weights that act, besides the encoder's and the decoder's; the others read takes, which torch does."""


def _layers(name: str, places: Sequence[int], widths: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Shapes of linear layers, one behind the other."""
    shapes: dict[str, tuple[int, ...]] = {}
    for place, some, more in zip(places, widths, widths[1:], strict=False):
        shapes |= {f"{name}.{place}.weight": (more, some), f"{name}.{place}.bias": (more,)}
    return shapes


def _reader(points: int, expressions: int, style: int, take: int) -> dict[str, tuple[int, ...]]:
    """Shapes of `facegen.nn.performance_codes.TakeReader`."""
    wide = READER_WIDTH
    shapes: dict[str, tuple[int, ...]] = {"reader.look.0.weight": (wide, 3 * points + expressions, 1)}
    shapes |= {f"reader.look.{place}.weight": (wide, wide, 5) for place in (1, 3)}
    shapes |= {f"reader.look.{place}.bias": (wide,) for place in (0, 1, 3)}
    return shapes | _layers("reader.out", (0, 2), [wide * MOMENTS // 4 + style, 2 * wide, 2 * take])


def _style_reader(points: int, expressions: int, style: int) -> dict[str, tuple[int, ...]]:
    """Shapes of `facegen.nn.style_reader.StyleReader`."""
    features = STAGES * LOOKS
    shapes: dict[str, tuple[int, ...]] = {
        "reach": (expressions, 2),
        "components": (3 * points, LOOKS),
        "usual": (expressions, features),
    }
    shapes |= {"spread": (), "weight": (expressions, features, STYLE_WIDTH), "bias": (expressions, STYLE_WIDTH)}
    shapes |= {"out.weight": (2 * style, STYLE_WIDTH), "out.bias": (2 * style,)}
    shapes |= {"teller.first": (expressions, style, TELLER_WIDTH), "teller.bias": (expressions, TELLER_WIDTH)}
    shapes |= {"teller.second": (expressions, TELLER_WIDTH, features), "teller.mean": (expressions, features)}
    shapes["teller.straight"] = (expressions, style, features)
    return {f"style_reader.{name}": shape for name, shape in shapes.items()}

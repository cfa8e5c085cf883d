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
    FACTS,
    GROWTH,
    LABEL_WIDTH,
    LEAST,
    LOOKS,
    PLACES,
    SIZES,
    STAGES,
    STYLE_WIDTH,
    TELLER_WIDTH,
    drawn_code,
    drawn_style,
    facts,
    gestures,
    looked_at,
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
        encoder = LightEncoder(expressions + style + 1 + LOOKS, latent, bidirectional)
        super().__init__(encoder, LightSpirals(hierarchy, latent, channels, activation, scale, per_vertex))
        self.expressions, self.style, self.take_numbers, self.usual = expressions, style, take, usual
        self.template = hierarchy.template.vertices.astype(np.float64)
        self.shapes |= {
            "proportions.exponent": (3,),
            "people": (people, style),
            **_style_reader(len(looked_at(hierarchy)), expressions, style, take),
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
        own = self._by_label(label) if style is None else style.astype(np.float64)
        code = None if seed is None else drawn_code(seed, self.take_numbers, self.weights["style_reader.sizes"])
        said = np.concatenate([own, [float(seed is not None)]])
        told = np.concatenate([label, np.tile(said, (len(label), 1))], axis=1)
        expected = self._expected(label, own, code)
        latents = self.parts["encoder"](np.concatenate([told, expected], axis=1))
        return (latents + expected @ self.weights["guide.weight"].T).astype(np.float32)

    def _expected(self, label: np.ndarray, style: np.ndarray, code: np.ndarray | None) -> np.ndarray:
        """(T, `LOOKS`): see `facegen.nn.performance_network.PerformanceNetwork.expected`."""
        along, peak, _, rest = gestures(label)
        found = np.zeros((len(label), LOOKS))
        for expression in np.flatnonzero(peak.any(axis=0)).tolist():
            place = along[:, expression] * (PLACES - 1)
            below = np.floor(place).clip(0, PLACES - 2).astype(int)
            share = np.zeros((len(label), PLACES))
            share[np.arange(len(label)), below] = 1 - (place - below)
            share[np.arange(len(label)), below + 1] = place - below
            strong = peak[:, expression, None] * share
            strong[:, [0, -1]] += rest[:, expression]
            reach = self.weights["style_reader.reach"][expression]
            told = [(reach * strong, self._moves(style, expression))]
            if code is not None:
                grown = peak[:, expression, None] ** GROWTH * share
                grown[:, [0, -1]] += rest[:, expression] ** GROWTH
                told.append((reach * grown, code @ self.weights["style_reader.takes"][expression]))
            for each, moved in told:
                found += each @ moved.reshape(PLACES, LOOKS)
        return found

    def _by_label(self, label: np.ndarray) -> np.ndarray:
        """(S,): see `facegen.nn.performance_network.PerformanceNetwork.by_label`."""
        least, most = self.weights["style_reader.known"]
        said = ((facts(label) - (least + most) / 2) / ((most - least) / 2).clip(LEAST)).clip(-1, 1)
        weight, bias, out, shift = (self.weights[f"style_reader.label.{name}"] for name in _HEARS)
        seen = np.einsum("ef,efw->ew", said, weight) + bias
        told = np.einsum("ew,ews->es", np.where(seen > 0, seen, np.expm1(np.minimum(seen, 0))), out) + shift
        mean, sure = np.split(told, 2, axis=1)
        sure = np.logaddexp(0, sure) * (label.sum(axis=0) / max(label.sum(), LEAST))[:, None]
        return (sure * mean).sum(axis=0) / (1 + sure.sum(axis=0))

    def _moves(self, style: np.ndarray, expression: int) -> np.ndarray:
        """(..., M), of styles (..., S): see `facegen.nn.style_reader.StyleReader.moves`."""
        teller = {name: self.weights[f"style_reader.teller.{name}"][expression] for name in _TELLS}
        seen = style @ teller["first"] + teller["bias"]
        told = np.where(seen > 0, seen, np.expm1(np.minimum(seen, 0))) @ teller["second"]
        told = told + style @ teller["straight"] + teller["mean"]
        told = np.pad(told, [(0, 0)] * (told.ndim - 1) + [(LOOKS, LOOKS)])
        return self.weights["style_reader.usual"][expression] + self.weights["style_reader.spread"] * told

    def usual_style(self) -> np.ndarray | None:
        """(S,) float32: see `facegen.nn.performance_network.PerformanceNetwork.usual_style`."""
        return None if self.usual is None else self.weights["people"][self.usual].astype(np.float32)

    def knows_takes(self) -> bool:
        """Whether anybody who trained it showed an expression several times, so that seeds draw different takes."""
        return bool(self.weights["style_reader.sizes"].any())

    def style_drawn(self, seed: int) -> np.ndarray:
        """(S,) float32: a style as the people who trained have them."""
        people = self.weights["people"]
        moves = np.stack([self._moves(people, expression) for expression in range(self.expressions)], axis=1)
        return drawn_style(seed, people, moves)

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


_TELLS = ("first", "bias", "second", "straight", "mean")
"""Weights of a teller."""
_HEARS = ("weight", "bias", "out", "shift")
"""Weights of what reads labels."""
_USED = {
    "proportions.exponent",
    "people",
    "guide.weight",
    "style_reader.reach",
    "style_reader.known",
    "style_reader.usual",
    "style_reader.spread",
    "style_reader.takes",
    "style_reader.sizes",
    *(f"style_reader.teller.{name}" for name in _TELLS),
    *(f"style_reader.label.{name}" for name in _HEARS),
}
"""Weights that act, besides the encoder's and the decoder's; the others read takes, which torch does."""


def _style_reader(points: int, expressions: int, style: int, take: int) -> dict[str, tuple[int, ...]]:
    """Shapes of `facegen.nn.style_reader.StyleReader`."""
    features = STAGES * LOOKS
    shapes: dict[str, tuple[int, ...]] = {
        "reach": (expressions,),
        "components": (3 * points, LOOKS),
        "usual": (expressions, PLACES * LOOKS),
        "known": (2, FACTS),
        "takes": (expressions, take, PLACES * LOOKS),
        "sizes": (SIZES,),
    }
    shapes |= {"spread": (), "weight": (expressions, features + FACTS, STYLE_WIDTH), "bias": (expressions, STYLE_WIDTH)}
    shapes |= {"out.weight": (2 * style, STYLE_WIDTH), "out.bias": (2 * style,)}
    shapes |= {"teller.first": (expressions, style, TELLER_WIDTH), "teller.bias": (expressions, TELLER_WIDTH)}
    shapes |= {"teller.second": (expressions, TELLER_WIDTH, features), "teller.mean": (expressions, features)}
    shapes |= {"label.weight": (expressions, FACTS, LABEL_WIDTH), "label.bias": (expressions, LABEL_WIDTH)}
    shapes |= {"label.out": (expressions, LABEL_WIDTH, 2 * style), "label.shift": (expressions, 2 * style)}
    shapes["teller.straight"] = (expressions, style, features)
    return {f"style_reader.{name}": shape for name, shape in shapes.items()}

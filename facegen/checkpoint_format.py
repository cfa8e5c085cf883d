"""What stands in a checkpoint beside Lightning's own, as far as reading it takes neither torch nor a corpus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from facegen.classes import is_own
from facegen.errors import CheckpointError
from facegen.schema import WrongValueError
from facegen.tables import CHECKPOINT, OWN_SETTINGS

FORMAT = 3
"""Version of the entry that `pack` makes. Format 2 is read too: it names its network by the bare name and no model."""
KEY = "facegen"
"""Name of that entry in a Lightning checkpoint."""
MODELS = (
    "facegen.models.spiral_generator.SpiralGenerator",
    "facegen.models.blendshape_generator.BlendshapeGenerator",
    "facegen.models.performance_generator.PerformanceGenerator",
    "facegen.models.expression_classifier.ExpressionClassifier",
)
"""Every model of this package's own, whose network is all there is to it; by path, since models lie in a room below."""
GENERATOR, CLASSIFIER = "generator", "classifier"
"""What a model can be."""
KINDS = {
    "facegen.nn.spiral_network.SpiralNetwork": GENERATOR,
    "facegen.nn.blendshape_network.BlendshapeNetwork": GENERATOR,
    "facegen.nn.performance_network.PerformanceNetwork": GENERATOR,
    "facegen.nn.sequence_classifier.SequenceClassifier": CLASSIFIER,
}
"""Every network of this package's own that a checkpoint may hold, by the path that stands in it, and what it is."""
BASES = {
    GENERATOR: "facegen.models.generator.ExpressionGenerator",
    CLASSIFIER: "facegen.models.expression_classifier.ExpressionClassifier",
}
"""What a model of each kind is derived from, by path."""
PERFORMERS = ("facegen.nn.performance_network.PerformanceNetwork",)
"""Networks that know styles and takes, by path."""
MOST_MOVED = 10_000.0
"""mm that a model moves a vertex at most. Chosen: faces move by some 30; weights that are damaged or have diverged, and
are finite all the same, move them by any amount."""
DIVERGED = "weights are NaN or infinite: training has diverged; take a smaller lr"
"""What is said of weights that are no numbers."""
SHOWN_WEIGHTS = 3
"""Names of weights that a message lists, at most."""


def as_now(packed: Mapping[str, Any]) -> Mapping[str, Any]:
    """An entry of format 2 as this version writes it, as far as it says so much."""
    if packed["format"] == FORMAT:
        return packed
    path = {path.rpartition(".")[2]: path for path in KINDS}[packed["network"]]
    named = {"kind": KINDS[path], "model": None, "init_args": {}, "network": path}
    return {**packed, **named, "format": FORMAT}


def require_entry(packed: Mapping[str, Any]) -> None:
    """Require that an entry, as `as_now` gives it, has all parts, each of its kind.

    Raises:
        CheckpointError: it has not; the message says which.
    """
    try:
        CHECKPOINT.check(packed, "")
        if packed["network"] in KINDS:
            OWN_SETTINGS.check(packed["settings"], "settings")
    except WrongValueError as error:
        raise CheckpointError(f"the entry {error}") from error


def short(value: Any) -> Any:
    """Of the path of a class of this package its last part, which is all that its user knows."""
    return value.rpartition(".")[2] if isinstance(value, str) and is_own(value) else value


def require_weights(given: Mapping[str, Any], wanted: Mapping[str, tuple[int, ...]]) -> None:
    """Require that a checkpoint's weights are those of what is built, each in its shape.

    Args:
        given: tensors or arrays by name.
        wanted: shapes by name.

    Raises:
        CheckpointError: they are not; the message says how many, and names some.
    """
    has = {name: tuple(value.shape) for name, value in given.items()}
    imaginary = {name for name, value in given.items() if "complex" in str(value.dtype)}
    wrong = [name for name in sorted({**wanted, **has}) if wanted.get(name) != has.get(name) or name in imaginary]
    if wrong:
        shown = ", ".join(wrong[:SHOWN_WEIGHTS])
        raise CheckpointError(f"{len(wrong)} weights are missing, unknown or of another shape, such as {shown}")


def diverged(name: object) -> CheckpointError:
    """The error about a checkpoint whose weights are finite, and what they make is none of a face."""
    return CheckpointError(
        f"{name}: expected a model that moves faces by less than {MOST_MOVED / 1000:g} m, this one moves them "
        "further, or by no number; its weights are damaged or have diverged: train it again, or take another"
    )


def told_nothing(name: object) -> CheckpointError:
    """The error about a checkpoint of a classifier whose weights are finite, and its scores are not."""
    return CheckpointError(
        f"{name}: expected a score of each expression, it gives some that are no numbers; its weights are damaged or "
        "have diverged: train it again, or take another"
    )


def sound_displacements(name: object, displacements: np.ndarray) -> np.ndarray:
    """Displacements (N, V, 3) mm that a checkpoint's model has made.

    Raises:
        CheckpointError: one is beyond `MOST_MOVED`, or no number.
    """
    if not -MOST_MOVED <= displacements.min(initial=0) <= displacements.max(initial=0) <= MOST_MOVED:  # nor is NaN
        raise diverged(name)
    return displacements

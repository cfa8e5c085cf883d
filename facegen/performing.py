"""Who acts, and which take: what `animate` asks of a model that knows styles and takes."""

from __future__ import annotations

from collections.abc import Sequence as Series
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from facegen.checkpoint import Checkpoint
from facegen.errors import MotionError, unknown
from facegen.mesh.alignment import rigid_transform
from facegen.motion.label import require_label
from facegen.sequence.sequence import Sequence

if TYPE_CHECKING:
    from facegen.nn.performer import Performer

MEAN = "mean"
"""The seed of no take in particular, the mean of all, and the style of the mean of all people."""
STILL = 1e-6
"""Height of a label up to which it says rest."""

Style = np.ndarray | int | Series[Sequence] | Literal["mean"] | None
"""How somebody acts: the numbers of a style (S,), a whole number that draws one, takes that show it, `MEAN`, or None
for the model's usual one, which is the mean where it has none."""


def require_performs(model: Checkpoint, asked: str) -> None:
    """Require that a model knows styles and takes.

    Args:
        model: a loaded checkpoint.
        asked: what asks for it, for the message.

    Raises:
        MotionError: it does not.
    """
    if not model.performs:
        raise MotionError(
            f"{asked} asks for a model that knows styles and takes, and this one acts a label in one way; train a "
            "PerformanceGenerator, such as configs/ict_performance.yaml's"
        )


def performer(model: Checkpoint, neutral: np.ndarray, style: Style = None, seed: int | str = 0) -> Performer:
    """What acts labels for one face, in the place of the model's generator.

    Args:
        model: a loaded checkpoint that knows styles and takes.
        neutral: (1, V, 3) mm, the face at rest in the template's topology.
        style: see `Style`.
        seed: of the take, or `MEAN`.

    Raises:
        MotionError: the model knows none, the seed is none, or a take of the style does not fit the model.
    """
    require_performs(model, "a style or take")
    from facegen.nn.performer import Performer

    drawn = isinstance(seed, int | np.integer) and not isinstance(seed, bool) and seed >= 0
    if not drawn and seed != MEAN:
        raise MotionError(f"the seed of a take is a whole number from 0 on, or {MEAN}; got {seed!r}")
    if isinstance(style, str) and style != MEAN:
        raise MotionError(f"a style is a whole number, takes, or {MEAN}; got {style!r}")
    if isinstance(style, int) and style < 0:
        raise MotionError(f"a number that draws a style is a whole number from 0 on, got {style}")
    generator: Any = model.generator
    own: np.ndarray | int | None = None
    if style is None:
        own = generator.usual_style()
    elif isinstance(style, np.ndarray | int):
        own = style
    elif not isinstance(style, str):
        own = style_of(model, style)
    return Performer(generator, neutral, own, None if isinstance(seed, str) else int(seed))


def style_of(model: Checkpoint, takes: Series[Sequence]) -> np.ndarray:
    """How somebody acts, (S,), by any number of their takes, of whatever expressions.

    Args:
        model: a loaded checkpoint that knows styles.
        takes: of the model's topology, with the labels of what they show; one frame of each has to be at rest.

    Raises:
        MotionError: the model knows no styles; a take has another topology, no label, none of the model's expressions,
            or no frame at rest.

    Examples:
        >>> import facegen
        >>> model = facegen.load("runs/ict_performance/version_0/checkpoints/last.ckpt")
        >>> facegen.style_of(model, [facegen.Sequence.load("take.npz")]).shape
        (8,)
    """
    require_performs(model, "a style")
    import torch

    from facegen.nn.look import Reference

    references = []
    for number, take in enumerate(takes, 1):
        whose = f"take {number} of the style"
        motion = _label(take, model, whose)
        resting = np.flatnonzero(motion.max(axis=1) <= STILL)
        if take.vertices.shape[1] != len(model.hierarchy.template.vertices):
            raise MotionError(
                f"{whose} has {take.vertices.shape[1]} vertices, the model's template "
                f"{len(model.hierarchy.template.vertices)}; give takes of the model's topology, as `facegen register` "
                "and `facegen export` make them"
            )
        if not len(resting):
            raise MotionError(
                f"{whose} has no frame whose label says rest, so its neutral is not known; give one that has"
            )
        vertices = np.asarray(take.vertices, dtype=np.float32)
        neutral = vertices[resting[0]]
        rotation, _ = rigid_transform(neutral, model.hierarchy.template.vertices)
        arrays = ((vertices - neutral) @ rotation.T, motion)
        references.append(Reference(*(torch.from_numpy(np.ascontiguousarray(each, np.float32)) for each in arrays)))
    found = model.network.style_of(references)  # pyright: ignore[reportCallIssue]
    return found.numpy()


def _label(take: Sequence, model: Checkpoint, whose: str) -> np.ndarray:
    """(T, E) the take's label by the model's expressions."""
    motion = np.zeros((len(take.motion), len(model.expressions)), np.float32)
    try:
        require_label(take.motion, take.expressions)
    except MotionError as error:
        raise MotionError(f"{whose}: {error}") from error
    for name, column in zip(take.expressions, take.motion.T, strict=True):
        if column.any():
            if name not in model.expressions:
                raise MotionError(f"{whose}: {unknown('expression', name, model.expressions)}")
            motion[:, model.expressions.index(name)] = column
    if not motion.any():
        raise MotionError(f"{whose} has no label that says what it shows; give takes with their motion labels")
    return motion

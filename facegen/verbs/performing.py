"""Steps of `animate` with models that know styles and takes: who acts, and which take."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Iterator
from copy import copy
from typing import TYPE_CHECKING, Any

from facegen.errors import FacegenError
from facegen.places import at_home
from facegen.verbs.numbers import whole
from facegen.verbs.shared import chosen, places_of_takes

if TYPE_CHECKING:
    from facegen.checkpoint import Checkpoint
    from facegen.performing import Style
    from facegen.sequence.sequence import Sequence

MOST_TAKES = 1000
"""Takes that one command makes at most. Chosen: each is a file."""


def _take(text: str) -> str:
    """What stands for a style; where it is a file, with `~` as a shell has it."""
    expression, given, place = text.rpartition("=")
    return f"{expression}{given}{at_home(place)}" if place.startswith("~") else text


def add_performance(parser: argparse.ArgumentParser) -> None:
    """The options of it."""
    acting = parser.add_argument_group("who acts, and how (models that know styles and takes)")
    acting.add_argument(
        "--seed",
        metavar="N",
        help="which take: another N, another take, and with --alive other blinks and glances; mean: the mean of all "
        "takes (default: 0)",
    )
    acting.add_argument(
        "--takes",
        type=whole(1, MOST_TAKES),
        metavar="K",
        help="make K takes, of the seeds N, N + 1 ...: K files with numbers behind their names, or K rows of a .png",
    )
    acting.add_argument(
        "--style",
        type=_take,
        nargs="+",
        metavar="TAKE",
        help="how the person acts: one or more .npz of their takes, of whatever expressions, in the model's topology "
        "and with their labels, or Live Link Face's as EXPRESSION=FILE.csv; or a whole number, "
        "which draws a style, or mean: the mean of all people's (default: the model's usual one)",
    )


def require_performance(options: Namespace) -> None:
    """Read the seed, and refuse numbers that are none.

    Raises:
        FacegenError: the seed is none, or options contradict each other.
    """
    options.style_basis = options.arkit_basis
    if _recorded(options) and options.out.suffix.lower() != ".csv":
        options.arkit_basis = None  # it is of the style, and of no writer
    options.seed_given = options.seed is not None
    options.seed = _seed("0" if options.seed is None else options.seed)
    if options.takes is not None and isinstance(options.seed, str):
        raise FacegenError("--takes draws several takes, and --seed mean is the mean of all; give one of the two")


def _recorded(options: Namespace) -> bool:
    """Whether a style is asked of takes that shapes of ARKit play."""
    return any(text.lower().endswith(".csv") for text in options.style or ())


def _seed(text: str) -> int | str:
    from facegen.performing import MEAN

    if text == MEAN:
        return text
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise FacegenError(f"--seed must be a whole number from 0 on, or {MEAN}, got {text[:40]}")
    return int(text)


def require_performer(options: Namespace, model: Checkpoint) -> None:
    """Refuse what is asked of a model that acts a label in one way only.

    Raises:
        MotionError: it does.
        FacegenError: a seed is given to nothing that draws.
    """
    from facegen.performing import MEAN, require_performs

    asked = {"--style": options.style is not None, "--takes": options.takes is not None}
    for option in [name for name, given in asked.items() if given] + ["--seed mean"] * (options.seed == MEAN):
        require_performs(model, option)
    generator: Any = model.generator
    if options.takes is not None and not generator.knows_takes():
        raise FacegenError(
            "--takes draws takes that differ, and this model was trained on people who showed each expression once; "
            "train it on a corpus of several takes, see `facegen prepare --takes-per-expression`"
        )
    if options.seed_given and not options.alive and not model.performs:
        raise FacegenError(
            "--seed says which take a model makes that knows takes, which this one does not, and which blinks and "
            "glances --alive adds; give --alive with it, or leave it out"
        )


def require_no_performer(options: Namespace) -> None:
    """Refuse what is asked of a model, where a recording is played and none acts.

    Raises:
        FacegenError: it is asked.
    """
    for option, given in (("--style", options.style is not None), ("--takes", options.takes is not None)):
        if given:
            raise FacegenError(f"{option} is of models that make motion, and a recording is played; leave it out")
    if options.seed_given and not options.alive:
        raise FacegenError("--seed says which blinks and glances --alive adds; give --alive with it, or leave it out")


def style_asked(options: Namespace, model: Checkpoint) -> Style:
    """What --style names, the style of takes found once for all that is made.

    Raises:
        FacegenError: a file cannot be read, or a number stands beside others.
    """
    from facegen.performing import MEAN, style_of

    if options.style is None:
        return None
    if options.style == [MEAN]:
        return MEAN
    numbers = [text for text in options.style if text.isascii() and text.isdecimal()]
    if numbers and len(options.style) > 1:
        raise FacegenError(f"--style takes one whole number, or files of takes; got {' '.join(options.style)}")
    if numbers:
        if len(numbers[0]) > 18:
            raise FacegenError(f"--style: a number that draws has at most 18 digits, got {len(numbers[0])}")
        return int(numbers[0])
    return style_of(model, [_take_of_style(text, options, model) for text in options.style])


def _take_of_style(text: str, options: Namespace, model: Checkpoint) -> Sequence:
    """The take that a word of --style names."""
    from facegen.pretrained import BASIS
    from facegen.recorded_take import recorded_take
    from facegen.sequence.sequence import Sequence

    if not text.lower().endswith(".csv"):
        return Sequence.load(text)
    expression, equals, path = text.partition("=")
    if not equals:
        raise FacegenError(
            f"--style: a Live Link Face take does not say what it shows; write {model.expressions[0]}={text}, or "
            "another of the model's expressions"
        )
    return recorded_take(model, path, expression, options.style_basis or BASIS)


def write_takes(shown: list[tuple[str, Sequence]], options: Namespace) -> None:
    """Write a sheet of takes, a row each, and print what was written."""
    from facegen.exporters.png import write_rows

    given = {name: value for name, value in chosen(options).items() if name in ("size", "view")}
    names, takes = zip(*shown, strict=True)
    print(f"{options.out}: {write_rows(takes, names, options.out, **given)}")


def takes_of(options: Namespace) -> Iterator[Namespace]:
    """The options of each take, with its seed and its file; of a `.png`, which shows all, the file stays."""
    if options.takes is None:
        yield options
        return
    for number, place in enumerate(places_of_takes(options.out, options.takes)):
        each = copy(options)
        each.seed, each.out = options.seed + number, place
        yield each

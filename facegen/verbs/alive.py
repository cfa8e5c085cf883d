"""Steps of `animate --alive`: what a face does beside its expressions."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from facegen.errors import FacegenError

if TYPE_CHECKING:
    from facegen.face import Face
    from facegen.sequence.sequence import Sequence


def add_alive(parser: argparse.ArgumentParser) -> None:
    """The options of it."""
    alive = parser.add_argument_group("a living face")
    alive.add_argument(
        "--alive",
        action="store_true",
        help="blinks, gaze, motion of the head and breath over the motion, where it has none of its own; see "
        "docs/animate.md",
    )
    alive.add_argument("--seed", type=int, metavar="N", help="of --alive: another N, another person (default: 0)")


def require_alive(options: Namespace) -> None:
    """Refuse a seed of nothing, or one that is none.

    Raises:
        FacegenError: see above.
    """
    if options.seed is None:
        return
    if not options.alive:
        raise FacegenError("--seed says which blinks and glances --alive adds; give --alive with it, or leave it out")
    if options.seed < 0:
        raise FacegenError(f"--seed must be a whole number from 0 on, got {options.seed}")


def enlivened(sequence: Sequence, face: Face, options: Namespace) -> Sequence:
    """The sequence, alive where the options ask for that; what is left out is printed."""
    if not options.alive:
        return sequence
    from facegen.alive.enliven import enliven

    made, notes = enliven(sequence, face, options.seed or 0)
    for reason in notes:
        print(f"facegen: left out: {reason}", file=sys.stderr)
    return made

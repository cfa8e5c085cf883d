"""Steps of `animate --alive`: what a face does beside its expressions."""

from __future__ import annotations

import argparse
from argparse import Namespace
from typing import TYPE_CHECKING

import numpy as np

from facegen.errors import FacegenError
from facegen.standard_streams import say_left_out

if TYPE_CHECKING:
    from facegen.alive.life import Life
    from facegen.face import Face
    from facegen.motion.live_link import Take
    from facegen.scene.asset import Asset
    from facegen.scene.driven import Driven
    from facegen.scene.own_shapes import OwnShape
    from facegen.sequence.sequence import Sequence

TURNED = 0.03
"""Radians by which a recorded head has turned, from which a recording has head motion. Chosen: noise is less."""


def add_alive(parser: argparse.ArgumentParser) -> None:
    """The options of it."""
    alive = parser.add_argument_group("a living face")
    alive.add_argument(
        "--alive",
        action="store_true",
        help="blinks, gaze, motion of the head and breath over the motion, where it has none of its own; see "
        "docs/animate.md",
    )


def require_alive(options: Namespace) -> None:
    """Refuse weights, which say what an expression does alone.

    Raises:
        FacegenError: see above.
    """
    if options.alive and options.out.suffix.lower() == ".csv":
        raise FacegenError("--alive turns eyes and head, which weights of a .csv cannot say; give --out another suffix")


def _seed(options: Namespace) -> int:
    """Of what is drawn; the mean of all takes is as alive as the take of seed 0."""
    return 0 if isinstance(options.seed, str) else options.seed


def enlivened(sequence: Sequence, face: Face, options: Namespace) -> Sequence:
    """The sequence, alive where the options ask for that; what is left out is printed."""
    if not options.alive:
        return sequence
    from facegen.alive.enliven import enliven

    made, notes = enliven(sequence, face, _seed(options))
    for reason in notes:
        say_left_out(reason)
    return made


def driven_alive(
    driven: Driven, sequence: Sequence, face: Face, own: tuple[Asset, list[OwnShape]], options: Namespace
) -> Driven:
    """The weights of an avatar's own shapes, with blinks and gaze where it has shapes for them, and what these draw.

    A blink adds to what the motion itself shuts, unless that blinks itself; a glance takes the place of it.
    """
    if not options.alive:
        return driven
    from facegen.alive.life import Life
    from facegen.alive.present import blinks_in
    from facegen.alive.shapes import blinking
    from facegen.scene.drawn import arkit_targets
    from facegen.scene.driven import with_targets

    asset, shapes = own
    # Shapes of gaze take no part in expressions, and are not among those that were solved for.
    places = {shape.name: dict(shape.targets) for shape in shapes}
    for place, name in arkit_targets(asset).items():
        places.setdefault(name, {})[place] = 1.0
    kinds = ("blinks", "gaze")
    shut = [
        driven.targets[place] for name in blinking(list(places)) for place in places[name] if place in driven.targets
    ]
    if any(blinks_in(1 - row, sequence.fps) for row in shut):
        say_left_out("blinks: the motion has its own")
        kinds = ("gaze",)
    life = Life(_seed(options), sequence.motion, sequence.expressions, sequence.fps, kinds)
    targets = dict(driven.targets)
    times = np.arange(len(sequence.vertices)) / sequence.fps
    for name, row in _weights(life, times, list(places), kinds).items():
        for place, share in places[name].items():
            targets[place] = np.maximum(targets.get(place, np.zeros(len(row))), share * row)
    rows = None if face.portion is None else face.portion.vertices
    return with_targets(driven, targets, asset, face.mesh.vertices, face.factor, rows)


def take_alive(
    take: Take, times: np.ndarray, weights: dict[str, np.ndarray], have: set[str], options: Namespace
) -> dict[str, np.ndarray]:
    """The weights of a recorded take by Apple's names, with blinks and gaze where it has none and there are shapes."""
    if not options.alive:
        return weights
    from facegen.alive.life import Life
    from facegen.rigging.played import ACTIVE

    used = {name for name, curve in weights.items() if curve.max(initial=0) > ACTIVE}
    has = {
        kind
        for kind, begins in (("blinks", "eyeBlink"), ("gaze", "eyeLook"))
        if any(name.startswith(begins) for name in used)
    }
    if take.rotations is not None and np.ptp(take.rotations[:, :3], axis=0).max() > TURNED:
        has.add("head")
    kinds = tuple(kind for kind in ("blinks", "gaze") if kind not in has)
    life = Life(_seed(options), np.zeros((2, 0)), (), 1.0, kinds)
    if has:
        say_left_out(f"{' and '.join(sorted(has))}: the recording has its own")
    return weights | _weights(life, times, sorted(have), kinds)


def _weights(
    life: Life, times: np.ndarray, names: list[str], wanted: tuple[str, ...] = ("blinks", "gaze")
) -> dict[str, np.ndarray]:
    """What shapes with these names do; what they cannot is printed."""
    from facegen.alive.shapes import LOOK, kinds_of, shape_weights

    can = kinds_of(names)
    missing = [kind for kind in wanted if kind not in can]
    if missing:
        examples = " or ".join({"blinks": "eyeBlinkLeft", "gaze": "eyeLookUpLeft"}[kind] for kind in missing)
        say_left_out(f"{' and '.join(missing)}: it has no shapes for them, such as {examples}")
    say_left_out("turns of the head and breath: shapes of its own do none")
    found = shape_weights(life.at(times), names)
    return {name: row for name, row in found.items() if ("gaze" if name.startswith(LOOK) else "blinks") in wanted}

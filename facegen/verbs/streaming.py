"""The verb that sends motion out live: stream."""

from __future__ import annotations

import argparse
import signal
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from facegen.errors import FacegenError
from facegen.standard_streams import say_notes
from facegen.verbs.faces import add_label, animate
from facegen.verbs.numbers import number
from facegen.verbs.performing import add_performance
from facegen.verbs.shared import add_model, add_verb, title

if TYPE_CHECKING:
    from facegen.rigging.track import Track

FPS = 60.0
"""Frames a second, as Live Link Face sends them."""
FASTEST = 1000.0
"""Frames a second at most. Chosen: far above what any receiver shows."""


def add_stream(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "stream",
        stream,
        "send motion out live, to Unreal as a phone does or to VRM avatars",
        "facegen stream take.csv --to live-link://127.0.0.1:11111\n"
        "  facegen stream smile.npz --to vmc://127.0.0.1:39539 --loop\n"
        "  facegen stream face.obj --expression happy --alive --to vmc://127.0.0.1:39539",
    )
    parser.add_argument(
        "neutral",
        type=Path,
        metavar="MESH|SEQUENCE",
        help="a face at rest, moved as `facegen animate` does; a .npz sequence; or a .csv of Live Link Face",
    )
    parser.add_argument(
        "--to", required=True, metavar="ADDRESS", help="live-link://HOST:PORT (Unreal) or vmc://HOST:PORT (VRM avatars)"
    )
    parser.add_argument(
        "--fps",
        type=number(1, FASTEST),
        default=FPS,
        metavar="F",
        help=f"frames that are sent a second (default: {FPS:g})",
    )
    parser.add_argument("--loop", action="store_true", help="begin anew at the end, until it is stopped by Ctrl+C")
    parser.add_argument(
        "--name",
        type=title,
        default="facegen",
        metavar="TEXT",
        help="of the face, as Unreal lists it (default: facegen)",
    )
    parser.add_argument(
        "--arkit-basis",
        type=Path,
        metavar="DIR",
        help="folder with a mesh for each of ARKit's shapes, such as ICT-FaceKit's FaceXModel (default: the shapes "
        "that the face has itself, or those that come with facegen)",
    )
    add_model(parser)
    add_label(parser)
    add_performance(parser)
    parser.add_argument("--alive", action="store_true", help="of a MESH: blinks, gaze and motion of the head too")


def stream(options: Namespace) -> None:
    """Motion goes out, a frame at its time."""
    from facegen.live.address import Address
    from facegen.live.sender import Line, words_for
    from facegen.live.sender import stream as send_all

    address = Address.parse(options.to)
    words = words_for(address.scheme, options.name, options.fps)  # refused now, and not after the motion is made
    track = _track(options)
    say_notes()
    stop: list[int] = []
    before = {
        each: signal.signal(each, lambda number, _: stop.append(number)) for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        print(f"{options.to}: {len(track.weights)} frames at {options.fps:g} a second; Ctrl+C stops", flush=True)
        with Line(address) as line:
            pace = send_all(track, words, line.send, loop=options.loop, stopped=lambda: bool(stop))
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    print(f"{options.to}: {pace}, then a face at rest")


def _track(options: Namespace) -> Track:
    """What is sent, at the rate at which it is sent."""
    from facegen.rigging.track import Track
    from facegen.sequence.sequence import Sequence
    from facegen.verbs.tracks import animated_track, take_track

    suffix = options.neutral.suffix.lower()
    if suffix not in (".csv", ".npz"):
        return animated_track(options, animate)[0].at_rate(options.fps)
    asked = {"--model": options.model, "--expression": options.expression, "--timeline": options.timeline}
    asked |= {
        "--alive": options.alive or None,
        "--style": options.style,
        "--seed": options.seed,
        "--takes": options.takes,
    }
    given = [name for name, value in asked.items() if value is not None]
    if given:
        raise FacegenError(f"{', '.join(given)}: {options.neutral} moves already; leave the option out")
    if suffix == ".csv":
        return take_track(options.neutral, options.fps)
    sequence = Sequence.load(options.neutral)
    return Track.of_sequence(sequence, options.arkit_basis, f"{options.neutral}").at_rate(options.fps)

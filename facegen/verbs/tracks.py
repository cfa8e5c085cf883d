"""Steps of verbs that want weights of ARKit's shapes and turns of head and eyes: of a take, a sequence or a motion."""

from __future__ import annotations

import io
import tempfile
from argparse import Namespace
from collections.abc import Callable
from contextlib import redirect_stdout
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facegen.errors import FacegenError

if TYPE_CHECKING:
    from facegen.rigging.track import Track
    from facegen.sequence.sequence import Sequence


def take_track(path: Path, fps: float | None) -> Track:
    """The track of a Live Link Face recording, at its own rate where none is given; what is to be said is printed."""
    from facegen.motion.live_link import Take
    from facegen.rigging.track import Track

    take = Take.load(path)
    print(f"{path.name}: {take}", *take.notes, sep="\n")
    return Track.of_take(take, fps or float(take.rate))


def animated_track(
    options: Namespace, animate: Callable[[Namespace], None], fps: float | None = None
) -> tuple[Track, Sequence]:
    """The track of what `facegen animate` would make of the options, and the sequence that it is solved from.

    Args:
        options: those of `animate` that say what is made, and no output's.
        animate: the verb.
        fps: frames a second of what is made; None for the model's.

    Raises:
        FacegenError: as `animate` has it, or the shapes that come with facegen cannot be carried onto the face.
    """
    from facegen.alive.track import living_track
    from facegen.mesh.tri_mesh import TriMesh
    from facegen.rigging.track import Track
    from facegen.sequence.sequence import Sequence
    from facegen.verbs.shared import document_of
    from facegen.verbs.takes import carried_basis, own_basis

    if options.takes is not None:
        raise FacegenError("--takes makes several motions, and one is wanted; give --seed N for another take")
    if options.timeline is not None and options.timeline.suffix.lower() == ".csv" and options.expression is None:
        raise FacegenError(f"give {options.timeline} itself in the place of {options.neutral}: it has all weights")
    basis = options.arkit_basis
    if basis is None:
        document_of(options)  # which what is asked twice shares
        basis = own_basis(_asked(options, Path("weights.csv")))
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        path = Path(folder) / "motion.npz"
        animate(_asked(options, path, fps))
        sequence = Sequence.load(path)
    if basis is None:
        rest = sequence.vertices[int(sequence.motion.sum(axis=1).argmin())]
        basis = carried_basis(TriMesh(np.asarray(rest, np.float64), sequence.faces))
    track = Track.of_sequence(sequence, basis, "a track")
    if not options.alive:
        return track, sequence
    seed = options.seed or "0"  # which `animate` has looked at
    return living_track(track, int(seed) if seed.isdecimal() else 0, sequence.motion, sequence.expressions), sequence


def write_animated(options: Namespace, animate: Callable[[Namespace], None]) -> None:
    """Write what `animate` makes of the options, or the take that they name, as a `.vrma`, and print it."""
    from facegen.exporters.vrma import labels_of, write_track

    if options.timeline is not None and options.timeline.suffix.lower() == ".csv" and options.expression is None:
        write_take(options, options.timeline, options.fps)
        return
    track, sequence = animated_track(options, animate, options.fps)
    print(f"{options.out.name}: {write_track(track, options.out, labels_of(sequence) if options.presets else None)}")


def write_take(options: Namespace, path: Path, fps: float | None = None) -> None:
    """Write a Live Link Face recording as a `.vrma`, and print it."""
    from facegen.exporters.vrma import write_track

    if options.out.suffix.lower() != ".vrma":
        raise FacegenError(
            f"{path} is weights without a face; it becomes a .vrma, and `facegen animate` gives it a face"
        )
    track = take_track(path, fps)
    print(f"{options.out.name}: {write_track(track, options.out, {} if options.presets else None)}")


def _asked(options: Namespace, out: Path, fps: float | None = None) -> Namespace:
    """What `animate` is asked for: the motion itself, still but for the expression."""
    asked = copy(options)
    asked.out, asked.fps, asked.drive = out, fps, "added"
    asked.alive, asked.arkit_basis = False, options.arkit_basis if options.style else None
    for name in ("tolerance", "size", "view", "scene_fps"):
        setattr(asked, name, None)
    asked.per_frame = asked.presets = False
    return asked

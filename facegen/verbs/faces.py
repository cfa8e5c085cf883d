"""Verbs that move a face: animate, interpolate."""

from __future__ import annotations

import argparse
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from facegen.errors import FacegenError, MotionError
from facegen.exporters.page import SUFFIX as PAGE
from facegen.motion.label import EASINGS
from facegen.motion.limits import MOST_FRAMES, MOST_STEPS
from facegen.standard_streams import say_left_out
from facegen.tables import FPS
from facegen.verbs.alive import add_alive, driven_alive, enlivened, require_alive
from facegen.verbs.assets import asset_of, write_moved
from facegen.verbs.driving import add_drive, by_own_shapes, require_own, write_own
from facegen.verbs.numbers import number, whole
from facegen.verbs.performing import (
    add_performance,
    require_no_performer,
    require_performance,
    require_performer,
    style_asked,
    takes_of,
    write_takes,
)
from facegen.verbs.shared import add_model, add_output, add_verb, document_of, face_of, loaded_model, require_output
from facegen.verbs.takes import carried_basis, own_basis, play
from facegen.verbs.tracks import write_animated

if TYPE_CHECKING:
    from facegen.face import Face
    from facegen.mesh.appearance import Appearance
    from facegen.scene.asset import Asset
    from facegen.sequence.sequence import Sequence

# Everything else is imported where it is used: a verb that needs no network starts without loading torch.


def add_animate(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "animate",
        animate,
        "animate a neutral face: a motion label becomes a 4D expression",
        "facegen animate scan.obj --expression happy --alive --out smile.glb\n"
        "  facegen animate neutral.obj --model demo/model.ckpt --expression happy --timeline take.csv --out happy.abc\n"
        "  facegen animate rigged.glb --timeline take.csv --out take.glb",
    )
    parser.add_argument(
        "neutral", type=Path, metavar="NEUTRAL", help=".obj, .ply, .glb, .gltf, .vrm of any face at rest"
    )
    add_model(parser)
    add_label(parser)
    parser.add_argument(
        "--fps",
        type=number(FPS.low, FPS.high),
        metavar="F",
        help="frames a second (default: those of the corpus the model was trained on)",
    )
    add_drive(parser)
    add_performance(parser)
    add_alive(parser)
    add_output(parser)


def add_label(parser: argparse.ArgumentParser) -> None:
    """The options that say what a face shows, and when."""
    parser.add_argument(
        "--expression", metavar="NAME", help="one of the model's expressions; `facegen inspect CKPT` lists them"
    )
    parser.add_argument(
        "--timeline",
        type=Path,
        metavar="FILE",
        help=".yaml: several expressions over time, instead of --expression; .csv: a Live Link Face recording that "
        "says when and how strongly the face shows --expression; without that, it is played by the mesh's own shapes "
        "with ARKit's names, see `facegen rig`",
    )
    parser.add_argument("--frames", type=whole(1, MOST_FRAMES), metavar="N", help="length in frames (default: 100)")
    parser.add_argument(
        "--onset",
        type=whole(0, MOST_FRAMES),
        metavar="I",
        help="last frame at rest before the expression; frames count from 0",
    )
    parser.add_argument(
        "--apex", type=whole(0, MOST_FRAMES), nargs=2, metavar=("I", "J"), help="first and last frame at the peak"
    )
    parser.add_argument("--offset", type=whole(0, MOST_FRAMES), metavar="I", help="first frame back at rest")
    parser.add_argument(
        "--intensity", type=number(0, 1), metavar="S", help="how strong the expression is, 0 to 1 (default: 1)"
    )
    parser.add_argument(
        "--ease", metavar="NAME", help=f"how it rises and falls: {', '.join(EASINGS)} (default: linear)"
    )


def animate(options: Namespace) -> None:
    """One neutral and a motion label become a 4D expression."""
    from facegen.motion.label import Phases, label_of_curve, motion_label
    from facegen.motion.live_link import Take
    from facegen.motion.timeline import Timeline

    recorded = options.timeline is not None and options.timeline.suffix.lower() == ".csv"
    _require_one_label(options, recorded)
    if options.out.suffix.lower() == ".vrma":
        require_output(options)
        return write_animated(options, animate)
    require_performance(options)
    require_alive(options)
    require_output(options)  # refused now, and not after the fit
    if recorded and options.expression is None:
        require_no_performer(options)
        return play(options)
    basis = own_basis(options)
    options.arkit_basis = options.arkit_basis if basis is None else basis
    asset, own = asset_of(options), require_own(options)
    timeline = None
    if options.timeline is not None:
        timeline = Take.load(options.timeline) if recorded else Timeline.load(options.timeline)
        if isinstance(timeline, Take):
            print(f"{options.timeline.name}: {timeline}", *timeline.notes, sep="\n")
    from facegen import animation as making

    model = loaded_model(options)
    require_performer(options, model)
    style = style_asked(options, model)
    fps = model.fps if options.fps is None else options.fps
    intensity = 1.0 if options.intensity is None else options.intensity
    if isinstance(timeline, Take):
        motion = label_of_curve(timeline.amplitude(fps), options.expression, intensity, model.expressions)
    elif timeline is not None:
        try:
            motion = timeline.motion(model.expressions)
        except MotionError as error:
            raise MotionError(f"{options.timeline}: {error}") from error
        fps = timeline.fps if options.fps is None and timeline.fps is not None else fps
    else:
        frames = 100 if options.frames is None else options.frames
        phases = Phases.fill(frames, options.onset, options.apex, options.offset)
        ease = options.ease or "linear"
        motion = motion_label(frames, options.expression, phases, intensity, model.expressions, ease)
    face = face_of(options, model)
    if options.out.suffix.lower() == ".csv" and options.arkit_basis is None:
        options.arkit_basis = carried_basis(face.mesh)
    # What fits is made once; writers go through the frames several times. Motion carried onto another topology is few
    # fields, which need no more room than that.
    streamed = face.fit is not None or 12 * len(motion) * len(face.mesh.vertices) > making.HELD_BYTES
    shown, look = [], None if own is not None and asset is not None else _look(face, options, asset)
    for take in takes_of(options):
        into = asset if asset is None or options.takes is None else asset.another()
        made = making.animate(model, face, motion, fps, streamed=streamed, seed=take.seed, style=style)
        if own is not None:
            made, driven = by_own_shapes(made, face, own)
            driven = driven_alive(driven, made, face, own, take)
            made = replace(made, vertices=driven.frames)
            if into is not None:
                write_own(made, driven, into, face, take, _motion_name(options))
                _judge(made, face, take)
                continue
        living = made if own is not None else enlivened(made, face, take)
        dressed = _dressed(living, face, take, asset, look)
        if options.takes is not None and options.out.suffix.lower() == ".png":
            shown.append((f"take {take.seed}", dressed))
        else:
            write_moved(dressed, face, take, into, _motion_name(options))
        _judge(living, face, take)
    if shown:
        write_takes(shown, options)


def _require_one_label(options: Namespace, recorded: bool) -> None:
    """An expression with its phases, a timeline, or a recording with the expression that it times."""
    when = {
        "--frames": options.frames,
        "--onset": options.onset,
        "--apex": options.apex,
        "--offset": options.offset,
        "--ease": options.ease,
    }
    if not recorded and (options.timeline is None) == (options.expression is None):
        raise FacegenError("give --expression NAME or --timeline FILE.yaml, one of the two")
    if options.timeline is not None:
        what = {} if recorded else {"--intensity": options.intensity}
        given = [name for name, value in (when | what).items() if value is not None]
        if given:
            raise FacegenError(f"a timeline says {', '.join(given)} itself; leave the option out")


def add_interpolate(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "interpolate",
        interpolate,
        "make the faces between two expressions, through the latent space (section 5.5 of the paper)",
        "facegen interpolate --model demo/model.ckpt --neutral neutral.obj --from sad --to happy --out walk.png",
    )
    add_model(parser)
    parser.add_argument(
        "--neutral",
        type=Path,
        required=True,
        metavar="FILE",
        help=".obj, .ply, .glb, .gltf, .vrm of any face at rest",
    )
    parser.add_argument("--from", dest="start", required=True, metavar="NAME", help="expression to begin with")
    parser.add_argument("--to", dest="stop", required=True, metavar="NAME", help="expression to end with")
    parser.add_argument(
        "--steps",
        type=whole(2, MOST_STEPS),
        default=7,
        metavar="N",
        help="number of faces, both ends included (default: 7)",
    )
    add_output(parser)


def interpolate(options: Namespace) -> None:
    """Faces between two expressions' latents."""
    from facegen import animation as making

    require_output(options)
    asset = asset_of(options)
    model = loaded_model(options)
    face = face_of(options, model)
    made = making.interpolate(model, face, options.start, options.stop, options.steps)
    dressed = _dressed(made, face, options, asset, _look(face, options, asset))
    write_moved(dressed, face, options, asset, f"{options.start} to {options.stop}")
    _judge(made, face, options)


def _judge(made: Sequence, face: Face, options: Namespace) -> None:
    """Say where what was made of a face turned over or stretched too far, with a picture of that."""
    from facegen.judgement import judge, strain_picture
    from facegen.pictures.sheets import write_beside

    judgement = judge(face, made)
    shown = ""
    if not judgement.sound:
        shown = f"; {write_beside(options.out, 'strain', strain_picture(face, judgement))} shows it"
    print(f"{options.out.name}: {judgement}{shown}")


def _motion_name(options: Namespace) -> str:
    """What an animation is called: the expression, or the timeline's file."""
    return options.timeline.stem if options.expression is None else options.expression


def _look(face: Face, options: Namespace, asset: Asset | None) -> Appearance | None:
    """The colour and texture of the neutral's file; what is left out of it is said."""
    from facegen.mesh.formats.io import read_appearance

    whole = face.mesh if face.portion is None else face.portion.whole
    appearance = read_appearance(options.neutral, whole, document_of(options))
    if appearance is not None and face.portion is not None:
        appearance = face.portion.dressed(appearance)
    for reason in () if appearance is None or asset is not None else appearance.left_out:
        say_left_out(reason)
    return appearance


def _dressed(
    sequence: Sequence, face: Face, options: Namespace, asset: Asset | None, look: Appearance | None
) -> Sequence:
    """The sequence with a look; for pictures, which are taken from the front, a face that was turned otherwise is
    turned there."""
    from facegen.animation_frames import TurnedFrames

    if options.out.suffix.lower() in (".png", ".mp4", ".gif") or (options.out.suffix.lower() == PAGE and asset is None):
        sequence = replace(sequence, vertices=TurnedFrames(sequence.vertices, face.rotation))
    return replace(sequence, appearance=look, focus=face.focus())

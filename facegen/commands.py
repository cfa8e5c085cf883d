"""What each verb does, after the command line has been parsed."""

from __future__ import annotations

import sys
from argparse import Namespace

from facegen.errors import FacegenError, unknown

# Everything else is imported where it is used: a verb that needs no network starts without loading torch.


def demo(options: Namespace) -> None:
    """The whole chain on the built-in faces."""
    from facegen.demo import demo as run_demo

    run_demo(options.out, options.seed)


def prepare(options: Namespace) -> None:
    """A source becomes a corpus."""
    from facegen.data import prepare as preparing
    from facegen.data.processes import usable_cores
    from facegen.data.recipe import Recipe
    from facegen.data.sources import open_source
    from facegen.files import require_new_folder

    require_new_folder(options.out)
    source = open_source(options.source, vars(options))
    habits, acted = source.habits, options.source in ("synthetic", "ict_facekit")
    per_level = {
        name: (value[0] if value is not None and len(value) == 1 else value)
        for name, value in (("spiral_length", options.spiral_length), ("dilation", options.dilation))
    }
    recipe = Recipe(
        fps=None if acted else habits.fps if options.fps is None else options.fps,
        neutral=options.neutral or habits.neutral,
        align=options.align or habits.align,
        label=options.label or habits.label,
        peaks=options.peaks,
        confidence=options.confidence,
        depth=options.depth,
        factor=options.factor,
        components=options.components,
        strict=options.strict,
        **per_level,
    )
    workers = min(usable_cores(), preparing.MOST_WORKERS) if options.workers is None else options.workers
    try:
        preparing.prepare(source, options.source, options.out, recipe, workers)
    except KeyboardInterrupt:
        print("facegen: what is done is kept; the same command goes on from there", file=sys.stderr)
        raise
    from facegen.inspection import summary

    print(f"{options.out}: {summary(options.out)}")


def _write(sequence: object, options: Namespace) -> None:
    from facegen.export import export as write

    names = ("tolerance", "size", "view", "arkit_basis")
    chosen = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.per_frame:
        chosen["per_frame"] = True
    print(write(sequence, options.out, **chosen))


def register(options: Namespace) -> None:
    """Any face mesh becomes one of the model's topology."""
    from facegen import checkpoint
    from facegen.face import read_face
    from facegen.mesh.io import WRITERS, write_mesh

    if options.out.suffix.lower() not in WRITERS:
        raise FacegenError(unknown("suffix to write a mesh with", options.out.suffix, WRITERS))
    model = checkpoint.load(options.model)
    face = read_face(options.neutral, model.hierarchy.template, options.out, options.units, options.landmarks)
    if face.fit is None:
        raise FacegenError(f"{options.neutral} has the model's topology already; `facegen animate` takes it as it is")
    write_mesh(options.out, model.hierarchy.template.with_vertices(face.fit.vertices * face.factor))
    print(f"{options.out}: {len(face.fit.vertices)} vertices in mm, where {options.neutral.name} is")


def photo(options: Namespace) -> None:
    """A photograph becomes a neutral of the model's topology."""
    from facegen import checkpoint
    from facegen.photo import neutral as making
    from facegen.photo.picture import find_face, read_picture
    from facegen.photo.report import report
    from facegen.photo.surface_color import places
    from facegen.views import write_picture

    making.require_suffix(options.out)
    if (options.compare is None) != (options.expression is None):
        raise FacegenError(
            "--compare PICTURE and --expression NAME go together: what is made, and what it is held against"
        )
    picture = read_picture(options.picture)
    pixels = find_face(picture, options.face, str(options.picture))
    model = checkpoint.load(options.model)
    if options.expression is not None and options.expression not in model.expressions:
        raise FacegenError(unknown("expression", options.expression, model.expressions))
    target = None
    if options.compare is not None:
        other = read_picture(options.compare)
        target = other, find_face(other, None, str(options.compare))
    fit = making.fit_neutral(model, making.identity_of(model, options.corpus, str(options.model)), pixels)
    template = model.hierarchy.template
    where = places(fit, template.faces, picture)
    making.write_neutral(options.out, template.with_vertices(fit.neutral), where, picture, model)
    shown = options.out.with_suffix(".report.png")
    write_picture(shown, report(picture, pixels, fit, template.faces))
    print(f"{options.out}: {len(template.vertices)} vertices in mm; {fit.text(model.expressions)}; {shown} shows it")
    if target is not None:
        made = making.compare(model, fit, options.expression, picture, pixels, target, where)
        write_picture(options.out.with_suffix(".compare.png"), made)


def _dressed(sequence: object, face: object, options: Namespace) -> object:
    """The sequence with the colour and texture of the neutral's file; for pictures, which are taken from the front, a
    face that was turned otherwise is turned there."""
    from dataclasses import replace

    from facegen.animate import TurnedFrames
    from facegen.mesh.io import read_appearance

    appearance = read_appearance(options.neutral, face.mesh)
    for reason in () if appearance is None else appearance.left_out:
        print(f"facegen: left out: {reason}", file=sys.stderr)
    if options.out.suffix.lower() in (".png", ".mp4", ".gif"):
        sequence = replace(sequence, vertices=TurnedFrames(sequence.vertices, face.rotation))
    return replace(sequence, appearance=appearance)


def animate(options: Namespace) -> None:
    """One neutral and a motion label become a 4D expression."""
    from facegen.live_link import Take
    from facegen.motion import Phases, Timeline, label_of_curve, motion_label

    recorded = options.timeline is not None and options.timeline.suffix.lower() == ".csv"
    _require_one_label(options, recorded)
    if options.timeline is not None:
        timeline = Take.load(options.timeline) if recorded else Timeline.load(options.timeline)
    from facegen import animate as making
    from facegen import checkpoint
    from facegen.face import read_face

    model = checkpoint.load(options.model)
    fps = model.fps if options.fps is None else options.fps
    intensity = 1.0 if options.intensity is None else options.intensity
    if recorded:
        motion = label_of_curve(timeline.amplitude(fps), options.expression, intensity, model.expressions)
    elif options.timeline is not None:
        motion = timeline.motion(model.expressions)
        fps = timeline.fps if options.fps is None and timeline.fps is not None else fps
    else:
        frames = 100 if options.frames is None else options.frames
        phases = Phases.fill(frames, options.onset, options.apex, options.offset)
        ease = options.ease or "linear"
        motion = motion_label(frames, options.expression, phases, intensity, model.expressions, ease)
    face = read_face(options.neutral, model.hierarchy.template, options.out, options.units, options.landmarks)
    # What fits is made once; writers go through the frames several times.
    streamed = 12 * len(motion) * len(face.mesh.vertices) > making.HELD
    _write(_dressed(making.animate(model, face, motion, fps, streamed=streamed), face, options), options)


def _require_one_label(options: Namespace, recorded: bool) -> None:
    """An expression with its phases, a timeline, or a recording with the expression that it times."""
    when = {
        "--frames": options.frames,
        "--onset": options.onset,
        "--apex": options.apex,
        "--offset": options.offset,
        "--ease": options.ease,
    }
    if recorded and options.expression is None:
        raise FacegenError(f"{options.timeline} says when and how much, not what; give --expression NAME with it")
    if not recorded and (options.timeline is None) == (options.expression is None):
        raise FacegenError("give --expression NAME or --timeline FILE.yaml, one of the two")
    if options.timeline is not None:
        what = {} if recorded else {"--intensity": options.intensity}
        given = [name for name, value in (when | what).items() if value is not None]
        if given:
            raise FacegenError(f"a timeline says {', '.join(given)} itself; leave the option away")


def evaluate(options: Namespace) -> None:
    """A corpus and checkpoints become a report."""
    from facegen import evaluation
    from facegen.evaluation.rows import MODELS, TITLES

    _require_device(options.device)
    if options.seed < 0:
        raise FacegenError(f"the seed must be 0 or more, got {options.seed}")
    names = (*MODELS, evaluation.CLASSIFIER)
    checkpoints = {name: getattr(options, name) for name in names}
    report = evaluation.evaluate(options.corpus, checkpoints, options.out, options.device, options.seed)
    for name in report["left_out"]:
        print(f"left out, since no checkpoint was given: {name}")
    for name, values in report["table2"].items():
        print(f"{TITLES[name]:<32}{values['total']['mean_mm']:.3f} mm")
    print(f"read {options.out / 'report.md'}")


def _require_device(name: str) -> None:
    import torch

    if name not in ("cpu", "cuda"):
        raise FacegenError(unknown("device", name, ("cpu", "cuda")))
    if name == "cuda" and not torch.cuda.is_available():
        raise FacegenError("torch finds no CUDA device here; take --device cpu")


def interpolate(options: Namespace) -> None:
    """Faces between two expressions' latents."""
    from facegen import animate as making
    from facegen import checkpoint
    from facegen.face import read_face

    model = checkpoint.load(options.model)
    face = read_face(options.neutral, model.hierarchy.template, options.out, options.units, options.landmarks)
    made = making.interpolate(model, face, options.start, options.stop, options.steps)
    _write(_dressed(made, face, options), options)


def export(options: Namespace) -> None:
    """A sequence becomes a file."""
    from facegen.data.corpus import Corpus
    from facegen.data.sequence import Sequence

    if options.sequence.is_dir():
        corpus = Corpus(options.sequence)
        first = corpus.entries[corpus.split("test")[0]].subject
        subject = options.subject or first
        shown = [entry.expression for entry in corpus.entries if entry.subject == subject]
        expression = options.expression or (shown[0] if shown else "")
        sequence = corpus.sequence(corpus.find(subject, expression, options.take))
    else:
        if options.subject or options.expression or options.take:
            raise FacegenError("--subject, --expression and --take choose from a corpus; a sequence is one already")
        sequence = Sequence.load(options.sequence, streamed=True)
    _write(sequence, options)


def inspect(options: Namespace) -> None:
    """Print what is in a file, and whether it is sound."""
    from facegen import inspection

    report = inspection.inspect(options.path, options.source, options.layout)
    if (options.source or options.layout) and report.facts["kind"] != "dataset":
        raise FacegenError(f"--source and --layout are of a dataset; {options.path} is a {report.facts['kind']}")
    for sheet, name in ((options.phases, "phases"), (options.people, "people")):
        if sheet is not None and report.facts["kind"] != "corpus":
            raise FacegenError(f"--{name} are of a corpus; {options.path} is a {report.facts['kind']}")
    if options.phases is not None or options.people is not None:
        from facegen.data.corpus import Corpus
        from facegen.people_sheet import draw_people
        from facegen.phase_sheet import draw_phases

        corpus = Corpus(options.path)
        if options.phases is not None:
            draw_phases(corpus, options.phases)
        if options.people is not None:
            draw_people(corpus, options.people)
    print(report.json() if options.json else report.text())


def bench(options: Namespace) -> None:
    """Print timings as JSON; progress goes to standard error."""
    import json

    import torch

    from facegen import benchmark

    numbers = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    for value, known, what in (
        (options.part or "decoder", benchmark.PARTS, "part"),
        (options.dtype, numbers, "dtype"),
    ):
        if value not in known:
            raise FacegenError(unknown(what, value, known))
    _require_device(options.device)
    if min(options.frames) < 1 or options.repeats < 1:
        raise FacegenError(f"frames and repeats must be at least 1, got {options.frames} and {options.repeats}")
    setting = benchmark.Setting(
        options.vertices,
        options.frames,
        options.repeats,
        not options.only_fused,
        torch.device(options.device),
        numbers[options.dtype],
    )
    chosen = [options.part] if options.part else list(benchmark.PARTS)
    print(json.dumps(benchmark.bench(chosen, setting), indent=1))

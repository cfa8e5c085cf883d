"""Verbs that write out or measure what there is: export, evaluate, bench."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from facegen.errors import FacegenError, unknown
from facegen.verbs.shared import add_output, add_trust, add_verb, chosen, require_device, write_sequence

# Everything else is imported where it is used: a verb that needs no network starts without loading torch.


def add_export(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "export",
        export,
        "write a sequence as a file that other tools open, a film or a picture; or a model for engines and browsers",
        "facegen export demo/corpus --subject 003 --expression fear --out fear.mp4\n"
        "  facegen export fear.npz --arkit-basis ICT-FaceKit/FaceXModel --out fear.csv\n"
        "  facegen export demo/model.ckpt --out model.onnx",
    )
    parser.add_argument(
        "sequence",
        type=Path,
        metavar="CORPUS|SEQUENCE|CKPT",
        help="a corpus, a .npz sequence, or a checkpoint of a generator, which becomes an .onnx",
    )
    parser.add_argument(
        "--subject", metavar="NAME", help="of a corpus: whose sequence (default: the first test subject's)"
    )
    parser.add_argument(
        "--expression", metavar="NAME", help="of a corpus: which expression (default: the subject's first)"
    )
    parser.add_argument(
        "--take",
        type=int,
        default=0,
        metavar="N",
        help="of a corpus: which take of that expression, from 0 (default: 0)",
    )
    add_output(parser)
    model = parser.add_argument_group(".onnx, of a checkpoint")
    model.add_argument(
        "--one-frame",
        action="store_true",
        help="take the number of a frame as a third input and make that frame alone, for engines that ask for a frame "
        "each time they draw",
    )


def export(options: Namespace) -> None:
    """A sequence becomes a file, or a checkpoint one that engines run."""
    if options.out.suffix.lower() == ".onnx" or options.sequence.suffix.lower() == ".ckpt":
        _export_model(options)
        return
    if options.one_frame:
        raise FacegenError("--one-frame is of a checkpoint that becomes an .onnx, and this is a sequence")
    from facegen.data.corpus import Corpus
    from facegen.sequence.sequence import Sequence

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
    write_sequence(sequence, options)


def _export_model(options: Namespace) -> None:
    if options.out.suffix.lower() != ".onnx":
        raise FacegenError(
            f"cannot write {options.out}: a checkpoint becomes an .onnx; for {options.out.suffix or 'other formats'} "
            "make a sequence with `facegen animate`"
        )
    if options.sequence.is_dir() or options.sequence.suffix.lower() == ".npz":
        raise FacegenError(f"an .onnx is made of a checkpoint, and {options.sequence} is none")
    given = [f"--{name}" for name in ("subject", "expression", "take") if getattr(options, name)]
    given += [f"--{name.replace('_', '-')}" for name in chosen(options)]
    if given:
        raise FacegenError(f"{given[0]} is of a sequence; an .onnx has no options but --one-frame")
    from facegen import checkpoint
    from facegen.classes import UntrustedClassError
    from facegen.engines.onnx import FOREIGN, write_onnx

    try:
        model = checkpoint.load(options.sequence)
    except UntrustedClassError as error:  # to trust it would not help
        raise FacegenError(f"{options.sequence} names a class that is not facegen's own; {FOREIGN}") from error
    print(write_onnx(model, options.out, options.one_frame))


def add_evaluate(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "evaluate",
        evaluate,
        "report on a corpus's test subjects: the paper's tables 2 and 3 and figures 3 to 6",
        "facegen evaluate --corpus corpora/ict --spiral spiral.ckpt --blendshape blendshape.ckpt \\\n"
        "      --classifier classifier.ckpt --out report",
    )
    parser.add_argument(
        "--corpus", type=Path, required=True, metavar="CORPUS", help="the corpus that the checkpoints were trained on"
    )
    for name, text in (
        ("--spiral", "checkpoint of the spiral generator; of several, such as one a seed, the mean counts"),
        ("--blendshape", "checkpoint of the blendshape generator, the baseline"),
        ("--classifier", "checkpoint of the expression classifier; without it there is no Table 3"),
        (
            "--paper-spiral",
            "checkpoint of the spiral generator, trained by the paper's recipe; it has a row of its own",
        ),
        ("--paper-blendshape", "checkpoint of the baseline, trained by the paper's recipe; it has a row of its own"),
    ):
        parser.add_argument(name, type=Path, nargs="+", default=[], metavar="CKPT", help=text)
    add_trust(parser)
    parser.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="MODULE:FUNCTION",
        help="also measure by a function of your own, (made, recorded, corpus, index) -> number, such as "
        "my_metrics:lip_error; may be repeated",
    )
    parser.add_argument(
        "--beside",
        type=Path,
        metavar="REPORT",
        help="an earlier report of the same recordings with another --label: errors of both are printed in one table",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder to make; an earlier report there is replaced"
    )
    parser.add_argument("--device", default="cpu", metavar="NAME", help="where to compute: cpu or cuda (default: cpu)")
    parser.add_argument(
        "--style",
        default="screen",
        metavar="NAME",
        help="of the figures, each as .png, .pdf and .svg. paper: 84 or 174 mm wide, one or two columns, type of 7 and "
        "8 pt, 300 dpi, faces on white; screen: 120 or 240 mm wide, type of 9 and 10 pt, 150 dpi, faces in a studio "
        "(default: screen)",
    )


def evaluate(options: Namespace) -> None:
    """A corpus and checkpoints become a report."""
    from facegen import evaluation
    from facegen.evaluation.beside import beside_table
    from facegen.evaluation.own_metrics import named_metric
    from facegen.evaluation.rows import MODELS, TITLES

    require_device(options.device)
    names = (*MODELS, evaluation.CLASSIFIER)
    checkpoints = {name: getattr(options, name) for name in names}
    metrics = {name: named_metric(name) for name in options.metric}
    report = evaluation.evaluate(
        options.corpus, checkpoints, options.out, options.device, options.style, options.trust, metrics, options.beside
    )
    for name in report["left_out"]:
        print(f"left out, since no checkpoint was given: {name}")
    for name, values in report["table2"].items():
        print(f"{TITLES[name]:<32}{values['total']['mean_mm']:.3f} mm")
    if "beside" in report:
        print(beside_table(report["beside"]))
    print(f"read {options.out / 'report.md'}")


def add_bench(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "bench",
        bench,
        "measure speed against the published form and against what the machine can do, or how truly motion is carried "
        "onto other heads, as JSON",
        "facegen bench decoder > decoder.json\n  facegen bench own-face --root ICT-FaceKit > carried.json\n"
        "  facegen bench animate --mesh head.obj --model demo/model.ckpt --against ../facegen-before",
    )
    parser.add_argument(
        "part",
        nargs="?",
        metavar="PART",
        help="what to measure: decoder, train, prepare or loader (default: these four), or own-face, how truly motion "
        "is carried onto heads for which an artist made the same shapes, or animate, what that verb costs from its "
        "start to the .glb",
    )
    parser.add_argument("--mesh", type=Path, nargs="+", metavar="FILE", help="of animate: faces at rest")
    parser.add_argument("--model", type=Path, metavar="CKPT", help="of animate: checkpoint that `facegen fit` wrote")
    parser.add_argument(
        "--expression", default="surprise", metavar="NAME", help="of animate: what is shown (default: surprise)"
    )
    parser.add_argument(
        "--against", type=Path, metavar="DIR", help="of animate: another checkout of facegen, timed by turns with this"
    )
    parser.add_argument(
        "--root",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="of own-face: a clone of ICT-FaceKit, whose face is the template, and also a folder with MakeHuman's "
        "base.obj and units/*.target",
    )
    parser.add_argument(
        "--region",
        default="face",
        metavar="NAME",
        help="of own-face: the part of ICT's head that is the template, narrow or face (default: face)",
    )
    parser.add_argument(
        "--vertices",
        type=int,
        default=28431,
        metavar="V",
        help="size of the template (default: 28431, as in the paper)",
    )
    parser.add_argument(
        "--frames",
        type=int,
        nargs="+",
        default=[1, 20, 100],
        metavar="N",
        help="how many frames to decode at once, measured one after the other (default: 1 20 100)",
    )
    parser.add_argument(
        "--repeats",
        type=int,
        default=7,
        metavar="N",
        help="how often to repeat each measurement, not counting warm-up (default: 7)",
    )
    parser.add_argument(
        "--only-fused",
        action="store_true",
        help="leave the published form out, for sizes that are too large for it",
    )
    parser.add_argument("--device", default="cpu", metavar="NAME", help="where to compute: cpu or cuda (default: cpu)")
    parser.add_argument(
        "--dtype",
        default="float32",
        metavar="NAME",
        help="numbers to compute with: float32 or bfloat16 (default: float32)",
    )


def bench(options: Namespace) -> None:
    """Print what was measured as JSON; progress goes to standard error."""
    import json

    import torch

    from facegen import benchmark

    if options.part == benchmark.OWN_FACE:
        from facegen.benchmark.own_face import TEMPLATES, own_face

        if options.root is None:
            raise FacegenError("own-face needs heads with shapes; give a clone of ICT-FaceKit as --root")
        if options.region not in TEMPLATES:
            raise FacegenError(unknown("region", options.region, TEMPLATES))
        print(json.dumps(own_face(options.root, options.region), indent=1))
        return
    if options.part == benchmark.ANIMATE:
        from facegen.benchmark.animate import animate

        if options.mesh is None or options.model is None:
            raise FacegenError("animate needs faces and a model; give --mesh FILE and --model CKPT")
        if options.repeats < 1:
            raise FacegenError(f"repeats must be at least 1, got {options.repeats}")
        timed = animate(options.mesh, options.model, options.expression, options.against, options.repeats)
        print(json.dumps(timed, indent=1))
        return
    for name in ("mesh", "model", "against"):
        if getattr(options, name) is not None:
            raise FacegenError(f"--{name} is of animate; the other parts are timed on built-in faces")
    if options.root is not None:
        raise FacegenError("--root is of own-face; the other parts are timed on built-in faces")
    numbers = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    for value, known, what in (
        (options.part or "decoder", (*benchmark.PARTS, benchmark.OWN_FACE, benchmark.ANIMATE), "part"),
        (options.dtype, numbers, "dtype"),
    ):
        if value not in known:
            raise FacegenError(unknown(what, value, known))
    require_device(options.device)
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
    chosen: list[str] = [options.part] if options.part else list(benchmark.PARTS)
    print(json.dumps(benchmark.bench(chosen, setting), indent=1))

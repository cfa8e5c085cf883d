"""Verbs that write out or measure what there is: export, evaluate."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from facegen.errors import FacegenError
from facegen.remote import place_of
from facegen.verbs.numbers import whole
from facegen.verbs.shared import add_output, add_trust, add_verb, chosen, require_device, write_sequence

MOST_SEQUENCES = 1_000_000
"""Takes of an expression at most, by number. Chosen: more than any corpus has."""

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
        help="a corpus, a .npz sequence, a .csv of Live Link Face, which becomes a .vrma, or a checkpoint of a "
        "generator, which becomes an .onnx",
    )
    parser.add_argument(
        "--subject", metavar="NAME", help="of a corpus: whose sequence (default: the first test subject's)"
    )
    parser.add_argument(
        "--expression", metavar="NAME", help="of a corpus: which expression (default: the subject's first)"
    )
    parser.add_argument(
        "--take",
        type=whole(0, MOST_SEQUENCES),
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
    if options.sequence.suffix.lower() == ".csv":
        from facegen.verbs.tracks import write_take

        return write_take(options, options.sequence)
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
        "--corpus",
        type=place_of,
        required=True,
        metavar="CORPUS",
        help="the corpus that the checkpoints were trained on, a folder or a URL",
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
        (
            "--performance",
            "checkpoint of the generator of performances; it has rows for its mean, the best of its takes, and styles "
            "of the test people's other takes, and a table of how diverse and how real its takes are",
        ),
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
        "--acting-root",
        type=Path,
        metavar="DIR",
        help="with --performance, of a corpus of ict_facekit: the clone it was made of, for what its people's own "
        "acting would make of each label",
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
    names = (*MODELS, evaluation.PERFORMANCE, evaluation.CLASSIFIER)
    checkpoints = {name: getattr(options, name) for name in names}
    metrics = {name: named_metric(name) for name in options.metric}
    report = evaluation.evaluate(
        options.corpus,
        checkpoints,
        options.out,
        options.device,
        options.style,
        options.trust,
        metrics,
        options.beside,
        options.acting_root,
    )
    if report["no_oracle"]:
        print(f"left out: oracle: {report['no_oracle']}")
    for name in report["left_out"]:
        print(f"left out, since no checkpoint was given: {name}")
    for name, values in report["table2"].items():
        print(f"{TITLES[name]:<32}{values['total']['mean_mm']:.3f} mm")
    if "beside" in report:
        print(beside_table(report["beside"]))
    print(f"read {options.out / 'report.md'}")

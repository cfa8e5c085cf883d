"""Verbs that show what there is: export, evaluate, bench."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from facegen.errors import FacegenError, unknown
from facegen.verbs.shared import add_output, add_verb, require_device, write_sequence

# Everything else is imported where it is used: a verb that needs no network starts without loading torch.


def add_export(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "export",
        export,
        "a sequence becomes a file that other tools open, or a picture",
        "facegen export demo/corpus --subject 003 --expression fear --out fear.mp4\n"
        "  facegen export fear.npz --arkit-basis ICT-FaceKit/FaceXModel --out fear.csv",
    )
    parser.add_argument("sequence", type=Path, metavar="CORPUS|SEQUENCE", help="a corpus, or a .npz sequence")
    parser.add_argument("--subject", metavar="NAME", help="of a corpus (default: its first test subject)")
    parser.add_argument("--expression", metavar="NAME", help="of a corpus (default: that subject's first)")
    parser.add_argument("--take", type=int, default=0, metavar="N", help="which of several, from 0 (default: 0)")
    add_output(parser)


def export(options: Namespace) -> None:
    """A sequence becomes a file."""
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


def add_evaluate(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "evaluate",
        evaluate,
        "the paper's tables 2 and 3 and figures 3 to 6, of a corpus's test subjects, as a report",
        "facegen evaluate --corpus corpora/ict --spiral spiral.ckpt --blendshape blendshape.ckpt \\\n"
        "      --classifier classifier.ckpt --out report",
    )
    parser.add_argument(
        "--corpus", type=Path, required=True, metavar="CORPUS", help="what the checkpoints were trained on"
    )
    for name, text in (
        ("--spiral", "of the spiral generator; several, such as of other seeds, count by their mean"),
        ("--blendshape", "of the blendshape generator, the baseline"),
        ("--classifier", "of the expression classifier, without which there is no Table 3"),
        ("--paper-spiral", "of the spiral generator trained by the paper's recipe, for a row of its own"),
        ("--paper-blendshape", "of the baseline trained by the paper's recipe"),
    ):
        parser.add_argument(name, type=Path, nargs="+", default=[], metavar="CKPT", help=text)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make, or to make anew")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu or cuda (default: cpu)")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default: 0)")


def evaluate(options: Namespace) -> None:
    """A corpus and checkpoints become a report."""
    from facegen import evaluation
    from facegen.evaluation.rows import MODELS, TITLES

    require_device(options.device)
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


def add_bench(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "bench",
        bench,
        "times beside those of the published form, and shares of what the machine can do, as JSON",
        "facegen bench decoder > decoder.json",
    )
    parser.add_argument("part", nargs="?", metavar="PART", help="decoder, train, prepare or loader (default: all)")
    parser.add_argument(
        "--vertices", type=int, default=28431, metavar="V", help="of the template (default: 28431, the paper's)"
    )
    parser.add_argument(
        "--frames", type=int, nargs="+", default=[1, 20, 100], metavar="N", help="to decode (default: 1 20 100)"
    )
    parser.add_argument("--repeats", type=int, default=7, metavar="N", help="rounds that count (default: 7)")
    parser.add_argument(
        "--only-fused", action="store_true", help="leave the published form out, for sizes it cannot do"
    )
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu or cuda (default: cpu)")
    parser.add_argument("--dtype", default="float32", metavar="NAME", help="float32 or bfloat16 (default: float32)")


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

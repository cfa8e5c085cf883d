"""The verb that looks at what is there: inspect."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from pathlib import Path

from facegen.errors import FacegenError
from facegen.remote import place_of
from facegen.verbs.shared import add_groups, add_trust, add_verb, require_sheet

# Everything else is imported where it is used: a verb that needs no network starts without loading torch.


def add_inspect(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "inspect",
        inspect,
        "say what is in a corpus, dataset, mesh, sequence or checkpoint, and whether it is sound",
        "facegen inspect corpora/coma --phases phases.png",
    )
    parser.add_argument(
        "path",
        type=place_of,
        metavar="PATH",
        help="a corpus (a folder or a URL), a dataset's folder, a mesh (.obj, .ply, .glb, .gltf, .vrm), a sequence "
        "(.npz) or a checkpoint",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument(
        "--phases",
        type=Path,
        metavar="FILE.png",
        help="of a corpus: draw the motion and the label of its sequences, the least certain first, 48 on FILE.png, "
        "then on FILE-2.png and so on",
    )
    parser.add_argument(
        "--people",
        type=Path,
        metavar="FILE.png",
        help="of a corpus: draw up to 12 people, each at rest and at the apex of each expression",
    )
    parser.add_argument(
        "--motion",
        action="store_true",
        help="of a corpus: also say how its faces move, beside recorded takes: rise and fall, steps, sags, returns, "
        "sides, spectrum of speed",
    )
    parser.add_argument(
        "--source",
        metavar="NAME",
        help="of a dataset's folder: the source to read it as, by name or as MODULE:CLASS of your own (default: the "
        "one that matches most files)",
    )
    parser.add_argument(
        "--layout",
        type=Path,
        metavar="FILE.yaml",
        help="of a dataset's folder, for fourdfab: a file that says how the folder is laid out",
    )
    parser.add_argument(
        "--mapping",
        type=Path,
        metavar="FILE.yaml",
        help="of a dataset's folder: a file that says what names which expression; d3dfacs, express4d, keyframeface",
    )
    parser.add_argument(
        "--basis",
        type=Path,
        metavar="DIR",
        help="of a folder of recorded weights: the clone of ICT-FaceKit that `prepare` would be given, to check all",
    )
    add_groups(parser)
    add_trust(parser)


def inspect(options: Namespace) -> None:
    """Print what is in a file, and whether it is sound."""
    from facegen.inspection.inspect import inspect as look

    for name in ("phases", "people"):
        if (sheet := getattr(options, name)) is not None:
            require_sheet(sheet, name)
    of_dataset = {"layout": options.layout, "mapping": options.mapping, "basis": options.basis}
    report = look(options.path, options.source, of_dataset, options.trust, options.groups)
    if (options.source or any(of_dataset.values())) and report.facts["kind"] != "dataset":
        raise FacegenError(
            f"--source, --layout, --mapping and --basis are of a dataset; {options.path} is a {report.facts['kind']}"
        )
    if options.groups is not None and report.facts["kind"] != "mesh":
        raise FacegenError(f"--groups are of a mesh; {options.path} is a {report.facts['kind']}")
    asked = {"phases": options.phases, "people": options.people, "motion": options.motion or None}
    for name, given in asked.items():
        if given is not None and report.facts["kind"] != "corpus":
            verb = "is" if name == "motion" else "are"
            raise FacegenError(f"--{name} {verb} of a corpus; {options.path} is a {report.facts['kind']}")
    if options.phases is not None or options.people is not None:
        from facegen.data.corpus import Corpus
        from facegen.inspection.people_sheet import draw_people
        from facegen.inspection.phase_sheet import draw_phases

        corpus = Corpus(options.path)
        if options.phases is not None:
            pages = draw_phases(corpus, options.phases)
            if len(pages) > 1:
                print(f"phases on {len(pages)} pages: {pages[0]} to {pages[-1].name}", file=sys.stderr)
        if options.people is not None:
            draw_people(corpus, options.people)
    motion = None
    if options.motion:
        from facegen.data.corpus import Corpus
        from facegen.inspection.motion import MotionReport

        motion = MotionReport.of(Corpus(options.path))
        if options.json:
            report.facts["motion"] = motion.facts()
    print(report.json() if options.json else report.text())
    if motion is not None and not options.json:
        print(motion.text())

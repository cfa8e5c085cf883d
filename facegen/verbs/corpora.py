"""Verbs that make data: demo, prepare."""

from __future__ import annotations

import argparse
import re
import sys
from argparse import Namespace
from concurrent.futures import Executor
from pathlib import Path

from facegen.data.processes import MOST_PROCESSES
from facegen.data.recipe import ALIGNMENTS, LABELS, MOST_COMPONENTS, NEUTRALS, PEAKS
from facegen.data.sources import OPTIONS
from facegen.data.sources.casting import MOST_SUBJECTS, MOST_TAKES, MOST_VERTICES
from facegen.errors import FacegenError, Terminated
from facegen.mesh.limits import DEEPEST, LARGEST_FACTOR, LONGEST_SPIRAL, WIDEST_DILATION
from facegen.motion.limits import MOST_FRAMES
from facegen.tables import FPS
from facegen.verbs.numbers import LARGEST_SEED, number, whole
from facegen.verbs.shared import add_verb

# Everything else is imported where it is used: a verb that needs no network starts without loading torch.


def add_demo(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "demo",
        demo,
        "show the model that comes with facegen, then run the whole chain on the built-in faces",
        "facegen demo --out demo",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("demo"),
        metavar="DIR",
        help="folder to make; an earlier demo there is replaced (default: demo)",
    )
    parser.add_argument(
        "--first",
        action="store_true",
        help="only what the model that comes with facegen makes; a demo after it keeps that and goes on from there",
    )
    parser.add_argument(
        "--seed",
        type=whole(0, LARGEST_SEED),
        default=0,
        metavar="N",
        help="seed of faces, takes and weights (default: 0)",
    )


def demo(options: Namespace) -> None:
    """The whole chain on the built-in faces."""
    from facegen.demo import demo as run_demo

    run_demo(options.out, options.seed, options.first)


def add_prepare(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "prepare",
        prepare,
        "turn a dataset, or faces that are made here, into a corpus to train on",
        "facegen prepare ict_facekit --root ICT-FaceKit --subjects 60 --out corpora/ict",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="?",
        help=f"one of: {', '.join(OPTIONS)}; or a class of your own, such as my_sources:MySource",
    )
    parser.add_argument("--source", dest="own_source", metavar="MODULE:CLASS", help="the same as SOURCE")
    parser.add_argument(
        "--root", type=Path, metavar="DIR", help="folder of the dataset; every source but synthetic needs it"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="CORPUS", help="folder to make")
    parser.add_argument(
        "--seed", type=whole(0, LARGEST_SEED), default=0, metavar="N", help="seed of all random choices (default: 0)"
    )
    parser.add_argument(
        "--test-subjects",
        nargs="+",
        metavar="N|NAME",
        help="test subjects: how many to draw, or their names (default: the dataset's own, else 15 %% of all)",
    )
    parser.add_argument(
        "--val-subjects",
        nargs="+",
        metavar="N|NAME",
        help="validation subjects: how many to draw, 0 for none, or their names (default: the dataset's own, else "
        "10 %% of those who do not test; of fewer than 8 people none)",
    )
    recorded = parser.add_argument_group("recorded sources (all but synthetic and ict_facekit)")
    recorded.add_argument(
        "--expressions",
        nargs="+",
        metavar="NAME",
        help="which recordings to use, by the dataset's own names (default: those the source knows)",
    )
    recorded.add_argument(
        "--units", metavar="U", help="mm, cm or m, if yours differ from those of the published dataset"
    )
    recorded.add_argument(
        "--layout",
        type=Path,
        metavar="FILE.yaml",
        help="fourdfab: a file that says how the dataset's folder is laid out",
    )
    recorded.add_argument(
        "--ranges",
        type=Path,
        metavar="FILE",
        help="coma: a file with a line `subject expression from to` for each part of a recording to use; live_link: "
        "`subject expression file from to`",
    )
    recorded.add_argument(
        "--mapping",
        type=Path,
        metavar="FILE.yaml",
        help="d3dfacs: a file that says which action units make which expression; express4d, keyframeface: which word",
    )
    takes = parser.add_argument_group("recorded weights (live_link, express4d, keyframeface)")
    takes.add_argument(
        "--basis", type=Path, metavar="DIR", help="a clone of ICT-FaceKit, whose shapes the weights move"
    )
    takes.add_argument(
        "--head", metavar="HOW", help="the head's recorded rotation: away, or keep it, about the neck (default: away)"
    )
    takes.add_argument(
        "--by-shape",
        action="store_true",
        default=None,
        help="cut each take into evolutions, and name each after the group of ARKit's shapes that leads it",
    )
    takes.add_argument(
        "--test-takes",
        nargs="+",
        metavar="NAME",
        help="with --subjects: who recorded the takes that test people alone act (default: the test subjects of "
        "dataset.yaml; without them everybody acts all takes)",
    )
    acted = parser.add_argument_group("made sources (synthetic, ict_facekit)")
    acted.add_argument(
        "--subjects",
        type=whole(1, MOST_SUBJECTS),
        metavar="N",
        help="number of people (default: 20); of recorded weights: drawn people, who act every take (default: each "
        "take by who recorded it)",
    )
    acted.add_argument(
        "--frames",
        type=whole(1, MOST_FRAMES),
        nargs=2,
        metavar=("MIN", "MAX"),
        help="shortest and longest take, in frames (default: 45 75; otherwise than steady 2.4 to 4.8 seconds)",
    )
    acted.add_argument(
        "--vertices",
        type=whole(1, MOST_VERTICES),
        metavar="V",
        help="synthetic: at least 400 (default: 2000); ict_facekit and recorded weights: subdivide to this many (the "
        "paper has 28431)",
    )
    acted.add_argument(
        "--region",
        metavar="NAME",
        help="ict_facekit and recorded weights: how much of the head: narrow, face or head (default: face)",
    )
    acted.add_argument(
        "--acting",
        metavar="HOW",
        help="how made people act: steady, each in one style with flat apexes and a full return; recorded, with the "
        "dynamics of recorded takes and several faces for each expression; or habitual, in the same way by people of "
        "habit, whose every take tells how they act (default: steady)",
    )
    acted.add_argument(
        "--takes-per-expression",
        type=whole(1, MOST_TAKES),
        metavar="K",
        help="how many takes made people act of each expression, so that what is a person's own can be told from what "
        "is a take's (default: 1)",
    )
    acted.add_argument("--blinks", action="store_true", default=None, help="synthetic: let people blink now and then")
    recipe = parser.add_argument_group("how the corpus is made")
    recipe.add_argument(
        "--fps",
        type=number(FPS.low, FPS.high),
        help="frames a second: of made takes (default: 25); recorded ones are resampled to it (default: by source)",
    )
    for name, known, text in (
        (
            "--neutral",
            NEUTRALS,
            "neutral of a recording that comes without one: its first frame, its stillest, or what its subject's first "
            "frames have in common",
        ),
        (
            "--align",
            ALIGNMENTS,
            "what to align: nothing, each subject's neutral to the template, or also each frame to its neutral",
        ),
        (
            "--label",
            LABELS,
            "what the label follows: the phases onset, apex and offset; in each of these the recorded curve; or, of a "
            "whole recording, how far each frame is from rest",
        ),
    ):
        recipe.add_argument(name, metavar="HOW", help=f"{text}: {', '.join(known)} (default: by source)")
    recipe.add_argument(
        "--peaks",
        default="cut",
        metavar="HOW",
        help=f"what to do with a recording that has several peaks: {', '.join(PEAKS)} (default: cut)",
    )
    recipe.add_argument(
        "--confidence",
        type=number(0, 1),
        metavar="C",
        help="where phases have to be found: keep those from this confidence on, the share of such phases that are "
        "right within a frame, 0 to 1 (default: keep those that explain half of the motion)",
    )
    recipe.add_argument(
        "--depth", type=whole(1, DEEPEST), default=4, help="how many coarser levels the mesh hierarchy has (default: 4)"
    )
    recipe.add_argument(
        "--factor",
        type=number(1, LARGEST_FACTOR),
        help="how many times fewer vertices each level has, exactly (default: 5 as in the paper's Table 1, less where "
        "the coarsest level would have under 20)",
    )
    recipe.add_argument(
        "--spiral-length",
        type=whole(1, LONGEST_SPIRAL),
        nargs="+",
        metavar="L",
        help="vertices in a spiral: one number for all levels, or one for each, finest first (default: mean + 2 "
        "standard deviations of the number of vertices in a 1-ring)",
    )
    recipe.add_argument(
        "--dilation",
        type=whole(1, WIDEST_DILATION),
        nargs="+",
        default=[1],
        metavar="D",
        help="take every D-th vertex along a spiral: one number for all levels, or one for each (default: 1)",
    )
    recipe.add_argument(
        "--components",
        type=whole(1, MOST_COMPONENTS),
        default=64,
        metavar="K",
        help="principal components that are kept (default: 64)",
    )
    recipe.add_argument(
        "--strict",
        action="store_true",
        help="stop at the first recording that cannot be used, instead of leaving it out",
    )
    recipe.add_argument(
        "--workers",
        type=whole(1, MOST_PROCESSES),
        metavar="N",
        help="processes that share the work, 0.3 GB each at the paper's mesh size (default: one a core, at most 6)",
    )
    recipe.add_argument(
        "--dask",
        metavar="tcp://HOST:PORT",
        help="hand recordings to the Dask cluster whose scheduler is there, instead of to processes of this machine; "
        "dataset and CORPUS have to lie in folders that all its machines share; needs facegen[cluster]",
    )


def prepare(options: Namespace) -> None:
    """A source becomes a corpus."""
    from facegen.folders import require_new_folder

    if (options.source is None) == (options.own_source is None):
        raise FacegenError(f"prepare needs one source: {', '.join(OPTIONS)}, or a class such as my_sources:MySource")
    if re.match(r"[a-z][a-z0-9+.-]+:/", str(options.out)):
        raise FacegenError(f"--out {options.out}: expected a folder; prepare into one, and copy it there")
    require_new_folder(options.out)
    if options.dask is None:
        _prepare(options, None)
        return
    from facegen.data.cluster import cluster

    if options.workers is not None:
        raise FacegenError(
            "--workers counts processes of this machine, and with --dask none works; leave one of them out"
        )
    # Workers stand in folders of their own.
    whole = {name: value.absolute() for name, value in vars(options).items() if isinstance(value, Path)}
    vars(options).update(whole)
    there = next(parent for parent in options.out.parents if parent.exists())
    read = [path for name, path in whole.items() if name != "out" and path.exists()]
    with cluster(options.dask, there, read) as executor:
        _prepare(options, executor)


def _prepare(options: Namespace, executor: Executor | None) -> None:
    from facegen.data import prepare as preparing
    from facegen.data.processes import usable_cores
    from facegen.data.recipe import Recipe
    from facegen.data.sources import open_source
    from facegen.data.sources.own import is_own, require_portable

    name = options.source or options.own_source
    source = open_source(name, vars(options))
    habits, acted = source.habits, name in ("synthetic", "ict_facekit")
    recipe = Recipe(
        fps=None if acted else habits.fps if options.fps is None else options.fps,
        neutral=options.neutral or habits.neutral,
        align=options.align or habits.align,
        label=options.label or habits.label,
        peaks=options.peaks,
        confidence=options.confidence,
        depth=options.depth,
        factor=options.factor,
        spiral_length=None if options.spiral_length is None else _one_or_each(options.spiral_length),
        dilation=_one_or_each(options.dilation),
        components=options.components,
        strict=options.strict,
    )
    workers = min(usable_cores(), preparing.MOST_WORKERS) if options.workers is None else options.workers
    if is_own(name) and (workers > 1 or executor is not None):
        require_portable(source, name)
    try:
        preparing.prepare(source, name, options.out, recipe, workers, executor)
    except (KeyboardInterrupt, Terminated):
        print("facegen: what is done is kept; the same command goes on from there", file=sys.stderr)
        raise
    from facegen.inspection.inspect import summary

    print(f"{options.out}: {summary(options.out)}")


def _one_or_each(values: list[int]) -> int | list[int]:
    """A single value is for all levels of the hierarchy."""
    return values[0] if len(values) == 1 else values

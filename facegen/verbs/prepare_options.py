"""Options of `prepare`, by what they are for."""

from __future__ import annotations

import argparse
from pathlib import Path

from facegen.data.processes import MOST_PROCESSES
from facegen.data.recipe import ALIGNMENTS, LABELS, MOST_COMPONENTS, NEUTRALS, PEAKS
from facegen.data.sources.casting import MOST_SUBJECTS, MOST_TAKES, MOST_VERTICES
from facegen.mesh.limits import DEEPEST, LARGEST_FACTOR, LONGEST_SPIRAL, WIDEST_DILATION
from facegen.motion.limits import MOST_FRAMES
from facegen.tables import FPS
from facegen.verbs.numbers import number, whole


def add_recorded(parser: argparse.ArgumentParser) -> None:
    """Of recorded sources."""
    group = parser.add_argument_group("recorded sources (all but synthetic and ict_facekit)")
    group.add_argument(
        "--expressions",
        nargs="+",
        metavar="NAME",
        help="which recordings to use, by the dataset's own names (default: those the source knows)",
    )
    group.add_argument("--units", metavar="U", help="mm, cm or m, if yours differ from those of the published dataset")
    group.add_argument(
        "--layout",
        type=Path,
        metavar="FILE.yaml",
        help="fourdfab: a file that says how the dataset's folder is laid out",
    )
    group.add_argument(
        "--ranges",
        type=Path,
        metavar="FILE",
        help="coma: a file with a line `subject expression from to` for each part of a recording to use; live_link: "
        "`subject expression file from to`",
    )
    group.add_argument(
        "--mapping",
        type=Path,
        metavar="FILE.yaml",
        help="d3dfacs: a file that says which action units make which expression; express4d, keyframeface: which word",
    )


def add_takes(parser: argparse.ArgumentParser) -> None:
    """Of takes of recorded weights."""
    group = parser.add_argument_group("recorded weights (live_link, express4d, keyframeface)")
    group.add_argument(
        "--basis", type=Path, metavar="DIR", help="a clone of ICT-FaceKit, whose shapes the weights move"
    )
    group.add_argument(
        "--head", metavar="HOW", help="the head's recorded rotation: away, or keep it, about the neck (default: away)"
    )
    group.add_argument(
        "--by-shape",
        action="store_true",
        default=None,
        help="cut each take into evolutions, and name each after the group of ARKit's shapes that leads it",
    )
    group.add_argument(
        "--test-takes",
        nargs="+",
        metavar="NAME",
        help="with --subjects: who recorded the takes that test people alone act (default: the test subjects of "
        "dataset.yaml; without them everybody acts all takes)",
    )


def add_acted(parser: argparse.ArgumentParser) -> None:
    """Of people who are made."""
    group = parser.add_argument_group("made sources (synthetic, ict_facekit)")
    group.add_argument(
        "--subjects",
        type=whole(1, MOST_SUBJECTS),
        metavar="N",
        help="number of people (default: 20); of recorded weights: drawn people, who act every take (default: each "
        "take by who recorded it)",
    )
    group.add_argument(
        "--frames",
        type=whole(1, MOST_FRAMES),
        nargs=2,
        metavar=("MIN", "MAX"),
        help="shortest and longest take, in frames (default: 45 75; otherwise than steady 2.4 to 4.8 seconds)",
    )
    group.add_argument(
        "--vertices",
        type=whole(1, MOST_VERTICES),
        metavar="V",
        help="synthetic: at least 400 (default: 2000); ict_facekit and recorded weights: subdivide to this many (the "
        "paper has 28431)",
    )
    group.add_argument(
        "--region",
        metavar="NAME",
        help="ict_facekit and recorded weights: how much of the head: narrow, face or head (default: face)",
    )
    group.add_argument(
        "--acting",
        metavar="HOW",
        help="how made people act: steady, each in one style with flat apexes and a full return; recorded, with the "
        "dynamics of recorded takes and several faces for each expression; or habitual, in the same way by people of "
        "habit, whose every take tells how they act (default: steady)",
    )
    group.add_argument(
        "--takes-per-expression",
        type=whole(1, MOST_TAKES),
        metavar="K",
        help="how many takes made people act of each expression, so that what is a person's own can be told from what "
        "is a take's (default: 1)",
    )
    group.add_argument("--blinks", action="store_true", default=None, help="synthetic: let people blink now and then")


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """How the corpus is made."""
    group = parser.add_argument_group("how the corpus is made")
    group.add_argument(
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
        group.add_argument(name, metavar="HOW", help=f"{text}: {', '.join(known)} (default: by source)")
    group.add_argument(
        "--peaks",
        default="cut",
        metavar="HOW",
        help=f"what to do with a recording that has several peaks: {', '.join(PEAKS)} (default: cut)",
    )
    group.add_argument(
        "--confidence",
        type=number(0, 1),
        metavar="C",
        help="where phases have to be found: keep those from this confidence on, the share of such phases that are "
        "right within a frame, 0 to 1 (default: keep those that explain half of the motion)",
    )
    group.add_argument(
        "--depth", type=whole(1, DEEPEST), default=4, help="how many coarser levels the mesh hierarchy has (default: 4)"
    )
    group.add_argument(
        "--factor",
        type=number(1, LARGEST_FACTOR),
        help="how many times fewer vertices each level has, exactly (default: 5 as in the paper's Table 1, less where "
        "the coarsest level would have under 20)",
    )
    group.add_argument(
        "--spiral-length",
        type=whole(1, LONGEST_SPIRAL),
        nargs="+",
        metavar="L",
        help="vertices in a spiral: one number for all levels, or one for each, finest first (default: mean + 2 "
        "standard deviations of the number of vertices in a 1-ring)",
    )
    group.add_argument(
        "--dilation",
        type=whole(1, WIDEST_DILATION),
        nargs="+",
        default=[1],
        metavar="D",
        help="take every D-th vertex along a spiral: one number for all levels, or one for each (default: 1)",
    )
    group.add_argument(
        "--components",
        type=whole(1, MOST_COMPONENTS),
        default=64,
        metavar="K",
        help="principal components that are kept (default: 64)",
    )
    group.add_argument(
        "--strict",
        action="store_true",
        help="stop at the first recording that cannot be used, instead of leaving it out",
    )
    group.add_argument(
        "--workers",
        type=whole(1, MOST_PROCESSES),
        metavar="N",
        help="processes that share the work, 0.3 GB each at the paper's mesh size (default: one a core, at most 6)",
    )
    group.add_argument(
        "--dask",
        metavar="tcp://HOST:PORT",
        help="hand recordings to the Dask cluster whose scheduler is there, instead of to processes of this machine; "
        "dataset and CORPUS have to lie in folders that all its machines share; needs facegen[cluster]",
    )

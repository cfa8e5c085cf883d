"""The verb that makes corpora: prepare."""

from __future__ import annotations

import argparse
import re
import sys
from argparse import Namespace
from concurrent.futures import Executor
from pathlib import Path

from facegen.data.sources import OPTIONS
from facegen.errors import FacegenError, Terminated
from facegen.verbs.numbers import LARGEST_SEED, whole
from facegen.verbs.prepare_options import add_acted, add_recipe, add_recorded, add_takes
from facegen.verbs.shared import add_verb

# Everything else is imported where it is used: a verb that needs no network starts without loading torch.


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
    add_recorded(parser)
    add_takes(parser)
    add_acted(parser)
    add_recipe(parser)


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

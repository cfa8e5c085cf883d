"""The verb that shows what there is: demo."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from facegen.verbs.numbers import LARGEST_SEED, whole
from facegen.verbs.shared import add_verb


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

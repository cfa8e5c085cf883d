"""The verb that makes a face from photographs."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from facegen.errors import FacegenError, unknown
from facegen.verbs.numbers import whole
from facegen.verbs.shared import add_checkpoint, add_verb, loaded_model, require_place

MOST_FACES = 1000
"""Faces of a picture at most, by number. Chosen: more than are found in any."""

# Everything else is imported where it is used: a verb that needs no network starts without loading torch.


def add_photo(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "photo",
        photo,
        "make a neutral of the model's topology from photographs of one person (section 5.6 of the paper)",
        "facegen photo front.jpg left.jpg right.jpg --out neutral.glb\n"
        "  facegen animate neutral.glb --expression happy --out smile.glb",
    )
    parser.add_argument(
        "pictures",
        type=Path,
        nargs="+",
        metavar="PICTURE",
        help=".jpg, .png or .webp of a face from the front, and of the same face from half a side and so on",
    )
    add_checkpoint(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help=".glb with the pictures as texture, .ply with colours, or .obj; NAME.report.png beside it shows the fit",
    )
    parser.add_argument(
        "--face",
        type=whole(1, MOST_FACES),
        metavar="N",
        help="which face of one picture with several: 1 is the largest (default: 1)",
    )
    parser.add_argument(
        "--corpus",
        type=Path,
        metavar="CORPUS",
        help="take the training neutrals of this corpus instead of those in the checkpoint",
    )
    parser.add_argument(
        "--compare", type=Path, metavar="PICTURE", help="a second photograph, in which the person shows --expression"
    )
    parser.add_argument(
        "--expression", metavar="NAME", help="compare what the model makes with --compare, in NAME.compare.png"
    )


def photo(options: Namespace) -> None:
    """Photographs of a person become a neutral of the model's topology."""
    from facegen.photo import neutral as making
    from facegen.photo.fit import told
    from facegen.photo.picture import read_photo, read_photos

    making.require_suffix(options.out)
    require_place(options.out)
    if (options.compare is None) != (options.expression is None):
        raise FacegenError(
            "--compare PICTURE and --expression NAME go together: what the model makes, and what it is compared with"
        )
    model = loaded_model(options)
    if options.expression is not None and options.expression not in model.expressions:
        raise FacegenError(unknown("expression", options.expression, model.expressions))
    name = str(options.model or "the model that comes with facegen")
    identity = making.identity_of(model, options.corpus, name)
    target = None if options.compare is None else read_photo(options.compare, None)
    shots = read_photos(options.pictures, options.face)
    asked: str | None = options.expression
    compared = None if target is None or asked is None else (asked, target)  # both are given, or neither
    fits, shown = making.photographed(model, identity, shots, options.out, compared)
    print(f"{options.out}: {told(fits, model.expressions)}; {shown} shows it")

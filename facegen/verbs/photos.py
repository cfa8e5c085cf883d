"""The verb that makes a face from a photograph."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from facegen.errors import FacegenError, unknown
from facegen.verbs.shared import add_checkpoint, add_verb, loaded_model

# Everything else is imported where it is used: a verb that needs no network starts without loading torch.


def add_photo(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "photo",
        photo,
        "make a neutral of the model's topology from one photograph (section 5.6 of the paper)",
        "facegen photo portrait.jpg --model demo/model.ckpt --out neutral.glb\n"
        "  facegen animate neutral.glb --model demo/model.ckpt --expression happy --out smile.glb",
    )
    parser.add_argument("picture", type=Path, metavar="PICTURE", help=".jpg, .png or .webp of a face from the front")
    add_checkpoint(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help=".glb with the picture as texture, .ply with colours, or .obj; NAME.report.png beside it shows the fit",
    )
    parser.add_argument(
        "--face", type=int, metavar="N", help="which face, where there are several: 1 is the largest (default: 1)"
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
    """A photograph becomes a neutral of the model's topology."""
    from facegen.photo import neutral as making
    from facegen.photo.picture import read_photo
    from facegen.pictures.sheets import write_picture

    making.require_suffix(options.out)
    if (options.compare is None) != (options.expression is None):
        raise FacegenError(
            "--compare PICTURE and --expression NAME go together: what the model makes, and what it is compared with"
        )
    picture, landmarks = read_photo(options.picture, options.face)
    model = loaded_model(options)
    if options.expression is not None and options.expression not in model.expressions:
        raise FacegenError(unknown("expression", options.expression, model.expressions))
    target = None
    if options.compare is not None:
        target = read_photo(options.compare, None)
    name = str(options.model or "the model that comes with facegen")
    identity = making.identity_of(model, options.corpus, name)
    fit, where = making.photographed(model, identity, picture, landmarks, options.out)
    shown = options.out.with_suffix(making.REPORT)
    print(f"{options.out}: {len(fit.neutral)} vertices in mm; {fit.text(model.expressions)}; {shown} shows it")
    if target is not None and options.expression is not None:  # both are given, or neither
        made = making.compare(model, fit, options.expression, picture, landmarks, target, where)
        write_picture(options.out.with_suffix(".compare.png"), made)

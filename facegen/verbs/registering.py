"""The verb that lays the model's template onto another mesh: register."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from facegen.errors import FacegenError, unknown
from facegen.verbs.shared import add_model, add_verb, face_of, loaded_model, require_place

# Everything else is imported where it is used: a verb that needs no network starts without loading torch.


def add_register(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "register",
        register,
        "lay the model's template onto any face mesh: the template's topology, that face's shape",
        "facegen register scan.ply --model demo/model.ckpt --out neutral.obj",
    )
    parser.add_argument(
        "neutral", type=Path, metavar="SCAN", help=".obj, .ply, .glb, .gltf, .vrm of any face at rest, turned any way"
    )
    add_model(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=".obj or .ply to write")


def register(options: Namespace) -> None:
    """Any face mesh becomes one of the model's topology."""
    from facegen import animation
    from facegen.mesh.formats.io import WRITERS, write_mesh

    if options.out.suffix.lower() not in WRITERS:
        raise FacegenError(unknown("suffix to write a mesh with", options.out.suffix, WRITERS))
    require_place(options.out)
    model = loaded_model(options)
    face = face_of(options, model, grouped=False)
    if face.fit is None:
        raise FacegenError(f"{options.neutral} has the model's topology already; `facegen animate` takes it as it is")
    write_mesh(options.out, animation.register(model, face))
    print(f"{options.out}: {len(face.fit.vertices)} vertices in mm, where {options.neutral.name} is")

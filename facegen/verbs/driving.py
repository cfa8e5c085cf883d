"""Steps of `animate --drive own`: an avatar's own shapes make the motion, and no target is added to it."""

from __future__ import annotations

import argparse
from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from facegen.errors import FacegenError, unknown
from facegen.exporters.page import SUFFIX as PAGE
from facegen.standard_streams import say_left_out
from facegen.verbs.shared import chosen, document_of

if TYPE_CHECKING:
    from facegen.face import Face
    from facegen.scene.asset import Asset
    from facegen.scene.driven import Driven
    from facegen.scene.own_shapes import OwnShape
    from facegen.sequence.sequence import Sequence

WAYS = ("added", "own")
"""What may move an avatar: morph targets that are added, or its own shapes."""


def add_drive(parser: argparse.ArgumentParser) -> None:
    """The option that says what moves an avatar."""
    parser.add_argument(
        "--drive",
        default=WAYS[0],
        metavar="WAY",
        help="of a .glb, .gltf or .vrm: added, morph targets that hold the motion; or own, the file's own shapes, as "
        "far as they have it: those with ARKit's names, and a VRM's expressions (default: added)",
    )


def require_own(options: Namespace) -> tuple[Asset, list[OwnShape]] | None:
    """The asset and its shapes, where they are to be driven; else None.

    Raises:
        FacegenError: there is no such way to drive, the neutral can have no shapes, or it has none that are known.
    """
    from facegen.scene.asset import SUFFIXES, Asset
    from facegen.scene.driven import named
    from facegen.scene.own_shapes import own_shapes, said_names

    if options.drive not in WAYS:
        raise FacegenError(unknown("way to drive", options.drive, WAYS))
    if options.drive != "own":
        return None
    path = options.neutral
    if path.suffix.lower() not in SUFFIXES:
        raise FacegenError(f"--drive own moves shapes that a .glb, .gltf or .vrm has of its own; {path} can have none")
    for name in ("tolerance", "per_frame"):
        if options.out.suffix.lower() in (*SUFFIXES, PAGE) and name in chosen(options):
            raise FacegenError(f"--{name.replace('_', '-')} is for targets that are added; --drive own adds none")
    asset = Asset.open(path, document_of(options))
    shapes = own_shapes(asset.tree)
    if not shapes:
        said = said_names(asset.tree)
        has = f"it has {len(said)}: {named(said)}" if said else "it has no morph targets at all"
        raise FacegenError(
            f"{path}: expected shapes with ARKit's names, such as jawOpen, or a VRM's expressions; {has}; --drive "
            "added adds targets of its own"
        )
    return asset, shapes


def by_own_shapes(sequence: Sequence, face: Face, own: tuple[Asset, list[OwnShape]]) -> tuple[Sequence, Driven]:
    """What a face's own shapes make of a motion, as a sequence; what they leave is printed."""
    from facegen.scene.driven import drive_own

    asset, shapes = own
    rows = None if face.portion is None else face.portion.vertices
    driven = drive_own(asset, shapes, sequence.vertices, face.mesh.vertices, face.factor, rows)
    print(
        f"{asset.path.name}: own shapes explain {100 * driven.explained:.0f} %, {driven.left_mm:.2g} mm left at most"
        f"{_where(face, driven.where)}; {len(driven.used)} of {len(shapes)} shapes take part"
    )
    return replace(sequence, vertices=driven.frames), driven


def _where(face: Face, vertex: int) -> str:
    """The place of a vertex, for a message; nothing where it has no name."""
    from facegen.landmarks.places import nearest_places, place_names

    if face.marks is None:
        return ""
    number = int(nearest_places(face.marks, face.mesh.vertices[vertex][None])[0])
    return f" on the {place_names()[number]}" if number < len(place_names()) - 1 else ""


def write_own(sequence: Sequence, driven: Driven, asset: Asset, face: Face, options: Namespace, name: str) -> None:
    """Write the asset with one animation more, and print it."""
    from facegen.exporters.html import about_sequence
    from facegen.exporters.page import page_of
    from facegen.scene.animations import drive
    from facegen.scene.files import write_asset
    from facegen.scene.kept import Kept

    kept = Kept.of(asset.tree)
    times = np.arange(len(sequence.vertices)) / sequence.fps
    animation = drive(asset, name, times, driven.targets)
    with page_of(options.out) as (out, about):
        size = write_asset(asset, out)
        shown = replace(sequence, focus=face.focus())
        about.append(about_sequence(shown, options.out.stem, animation, face.factor, face.rotation))
    if out != options.out:
        size = options.out.stat().st_size
    for reason in dict.fromkeys(asset.notes):
        say_left_out(reason)
    print(
        f"{options.out.name}: {len(times)} frames of {len(driven.used)} own shapes, no target added, animation "
        f"{animation!r}, {size / 1e6:.1f} MB; kept: {kept}"
    )

"""Steps of verbs that move a face which may come from an asset: the asset is kept, or it is said what is lost of it."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from facegen.errors import FacegenError
from facegen.exporters.page import SUFFIX as PAGE
from facegen.standard_streams import note, say_left_out
from facegen.verbs.shared import chosen, document_of, write_sequence

if TYPE_CHECKING:
    from facegen.face import Face
    from facegen.scene.asset import Asset
    from facegen.sequence.sequence import Sequence

SHOWN_ONLY = (".png", ".mp4", ".gif", ".csv", ".vrma")
"""Suffixes of what is no model: nobody looks for a skeleton there."""


def asset_of(options: Namespace) -> Asset | None:
    """The asset that the options' neutral is, where the output keeps it; else what is lost of one is noted.

    Raises:
        FacegenError: the file cannot be read, or does not become what is asked for.
    """
    from facegen.scene.asset import SUFFIXES, Asset
    from facegen.scene.files import require_writable
    from facegen.scene.kept import Kept

    out = options.out.suffix.lower()
    if options.neutral.suffix.lower() not in SUFFIXES:
        if out == ".vrm":
            raise FacegenError(f"cannot write {options.out}: {options.neutral} is no VRM; take .glb")
        return None
    if out in SHOWN_ONLY:
        return None
    asset = Asset.open(options.neutral, document_of(options))
    if out == PAGE:
        return asset
    if out in SUFFIXES:
        require_writable(asset, options.out)
        return asset
    lost = Kept.of(asset.tree).kinds()
    for phrase in lost:
        say_left_out(f"{phrase} of {options.neutral.name}")
    if lost:
        note(f"{', '.join(SUFFIXES)} would keep what {options.neutral.name} has")
    return None


def write_moved(sequence: Sequence, face: Face, options: Namespace, asset: Asset | None, name: str) -> None:
    """Write a sequence into the asset that its face came from, or by itself where there is none, and print it."""
    if asset is None:
        write_sequence(sequence, options)
        return
    from facegen.exporters.asset import Place, write_into
    from facegen.exporters.html import write_html_into

    rows = None if face.portion is None else face.portion.vertices
    place = Place(asset, face.mesh.vertices, face.factor, name, rows)
    if options.out.suffix.lower() == PAGE:
        report = write_html_into(sequence, options.out, place, face.rotation, **chosen(options))
    else:
        report = write_into(sequence, options.out, place, **chosen(options))
    for reason in report.left_out:
        say_left_out(reason)
    print(f"{options.out.name}: {report}")

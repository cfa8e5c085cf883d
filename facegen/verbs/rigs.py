"""The verb that gives a face ARKit's shapes: rig."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from facegen.errors import FacegenError, MeshError
from facegen.pretrained import BASIS
from facegen.standard_streams import say_left_out
from facegen.verbs.shared import add_groups, add_verb, document_of, require_place, require_sheet, title

if TYPE_CHECKING:
    from facegen.rigging.rig import Rig
    from facegen.scene.asset import Asset

SHOWN_SHARE = 0.1
"""Share of the farthest motion of any shape, above which a vertex is one of the face. Chosen: necks move by less."""

# Everything else is imported where it is used: other verbs start without loading it.


def add_rig(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "rig",
        rig,
        "give any face mesh ARKit's 52 shapes, by Apple's names; of a glTF or VRM all else is kept",
        "facegen rig head.glb --out rigged.glb\n  facegen animate rigged.glb --timeline take.csv --out take.glb",
    )
    parser.add_argument(
        "neutral", type=Path, metavar="MESH", help=".obj, .ply, .glb, .gltf or .vrm of any face at rest"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="file to write: .glb .gltf .vrm .html .usd .usdc .usda, or .obj/ (a folder with a mesh for each shape)",
    )
    parser.add_argument(
        "--arkit-basis",
        type=Path,
        metavar="DIR",
        default=BASIS,
        help="folder with a neutral and a mesh for each shape, such as ICT-FaceKit's FaceXModel (default: the shapes "
        "that come with facegen)",
    )
    parser.add_argument("--units", metavar="U", help="units of the mesh: mm, cm or m (default: judged by its size)")
    parser.add_argument(
        "--landmarks",
        type=Path,
        metavar="FILE",
        help="text file of points on the mesh, as `facegen animate` takes it (default: they are found)",
    )
    add_groups(parser)
    parser.add_argument(
        "--sheet", type=Path, metavar="FILE.png", help="also write a picture of all shapes at their full weight"
    )
    vrm = parser.add_argument_group("VRM 1.0")
    vrm.add_argument(
        "--vrm",
        action="store_true",
        help="also fill VRM's expressions: emotions, vowels, blinks and gaze, as combinations of the shapes",
    )
    vrm.add_argument(
        "--name", type=title, metavar="TEXT", help="of the avatar, where the file says none (default: the mesh's)"
    )
    vrm.add_argument(
        "--author", type=title, metavar="TEXT", help="of the avatar; VRM wants one, where the file says none"
    )


def rig(options: Namespace) -> None:
    """A mesh gets the shapes that a basis has."""
    from facegen.exporters.page import SUFFIX as PAGE
    from facegen.exporters.rig import DOCUMENTS, require_rig_suffix, write_rig
    from facegen.face_file import read_face
    from facegen.mesh.formats.io import read_appearance, read_mesh, read_portion
    from facegen.pictures.sheets import new_picture
    from facegen.rigging.basis import ShapeBasis
    from facegen.rigging.rig import rig_face
    from facegen.rigging.sheet import rig_sheet
    from facegen.scene.asset import Asset
    from facegen.scene.kept import Kept
    from facegen.scene.vrm import require_fillable

    require_rig_suffix(options.out)
    require_place(options.out, (".obj",))
    if options.sheet is not None:
        require_sheet(options.sheet, "shapes")
    document = options.out.suffix.lower() in DOCUMENTS
    _require_vrm(options, document)
    asset, opened = None, document_of(options)
    if opened is not None:
        asset = Asset.open(options.neutral, opened)
        if not document and options.out.suffix.lower() != PAGE:
            for phrase in Kept.of(asset.tree).kinds():
                say_left_out(f"{phrase} of {options.neutral.name}")
            asset = None
    if asset is not None and options.vrm:
        require_fillable(asset)
    basis = ShapeBasis.load(options.arkit_basis)
    portion = None if options.groups is None else read_portion(options.neutral, options.groups, opened)
    mesh = read_mesh(options.neutral, opened) if portion is None else portion.mesh
    own = basis.landmarks()
    with _named(options.neutral):
        template = basis.laid_onto(mesh)
    given = options.units, options.landmarks, own, options.groups
    face = read_face(options.neutral, template, options.out, *given, opened=opened)
    with _named(options.neutral):
        made = rig_face(face, basis, own)
    for note in made.notes:
        print(f"{options.neutral.name}: {note}")
    look = read_appearance(options.neutral, face.mesh if face.portion is None else face.portion.whole, opened)
    if look is not None and face.portion is not None:
        look = face.portion.dressed(look)
    for reason in () if look is None or asset is not None else look.left_out:
        say_left_out(reason)
    rows = None if face.portion is None else face.portion.vertices
    # Of a disk that fills, both get their names or neither does.
    with nullcontext() if options.sheet is None else new_picture(options.sheet, rig_sheet(made)):
        report = write_rig(made, options.out, asset=asset, rows=rows, appearance=look, dressed=_vrm_of(options, made))
    for note in report.notes:
        print(f"{options.out.name}: {note}")
    print(f"{options.out.name}: {report}")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """What a face is refused for begins with its file."""
    try:
        yield
    except MeshError as error:
        if str(path) in str(error):
            raise
        raise MeshError(f"{path}: {error}") from error


def _require_vrm(options: Namespace, document: bool) -> None:
    if options.vrm and not document:
        raise FacegenError(f"--vrm fills a glTF; give --out a name that ends in .vrm or .glb, not {options.out.name}")
    if options.out.suffix.lower() == ".vrm" and options.neutral.suffix.lower() != ".vrm" and not options.vrm:
        raise FacegenError(f"{options.neutral} is no VRM; --vrm makes one of it, or take .glb")


def _vrm_of(options: Namespace, made: Rig) -> Callable[[Asset], list[str]] | None:
    """What fills VRM's expressions in a document, where the options ask for it."""
    if not options.vrm:
        return None
    import numpy as np

    from facegen.rigging.presets import PRESETS, VERSION_0, preset_weights
    from facegen.scene.drawn import arkit_targets
    from facegen.scene.vrm import fill_vrm

    far = np.max([np.linalg.norm(shape, axis=1) for shape in made.shapes.values()], axis=0)
    face = made.mesh.vertices[far > SHOWN_SHARE * far.max()] / made.factor
    presets = {name: preset_weights(name) for name in PRESETS}
    name = options.name or options.neutral.stem
    return lambda asset: fill_vrm(asset, presets, arkit_targets(asset), face, name, options.author, VERSION_0)

"""Options and steps that several verbs share."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facegen.errors import FacegenError, unknown
from facegen.exporters import FOLDERS, export, named_suffixes, require_options
from facegen.files import require_new_file
from facegen.folders import require_new_folder
from facegen.tables import FPS, TITLE
from facegen.verbs.numbers import SHOWN, number, whole

if TYPE_CHECKING:
    from facegen.checkpoint import Checkpoint
    from facegen.face import Face
    from facegen.mesh.formats.gltf_document import Document
    from facegen.sequence.sequence import Sequence


def add_verb(
    verbs: argparse._SubParsersAction,
    name: str,
    call: Callable[[argparse.Namespace], None],
    text: str,
    example: str,
) -> argparse.ArgumentParser:
    """A verb that `call` carries out, with one line of what it is for and an example."""
    parser = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", example=example)
    parser.set_defaults(call=call)
    return parser


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """The options of verbs that ask a model."""
    parser.add_argument(
        "--model",
        type=Path,
        metavar="CKPT",
        help="checkpoint that `facegen fit` wrote (default: the model that comes with facegen)",
    )
    add_trust(parser)


def loaded_model(options: Namespace) -> Checkpoint:
    """The checkpoint that the options of `add_checkpoint` name.

    Raises:
        CheckpointError: it is missing, damaged, or none that generates.
    """
    from facegen import checkpoint
    from facegen.pretrained import MODEL

    return checkpoint.load(options.model or MODEL, trust=options.trust)


def document_of(options: Namespace) -> Document | None:
    """The glTF that the options' neutral is, opened once for all steps of a verb; None of other files.

    Raises:
        MeshError: it cannot be read.
    """
    from facegen.mesh.formats.io import opened_once

    if "document" not in options:
        options.document = opened_once(options.neutral)
    return options.document


def face_of(options: Namespace, model: Checkpoint, grouped: bool = True) -> Face:
    """The mesh that the options name, ready to be moved by the model."""
    from facegen.face_file import read_face
    from facegen.rigging.known_head import known_head

    template, own = model.hierarchy.template, model.landmarks.get("template")
    given = options.units, options.landmarks, own, options.groups, grouped
    return read_face(options.neutral, template, options.out, *given, known=known_head, opened=document_of(options))


def add_model(parser: argparse.ArgumentParser) -> None:
    """The options of verbs that move a mesh."""
    add_checkpoint(parser)
    parser.add_argument(
        "--units", metavar="U", help="units of the mesh: mm, cm or m (default: judged by its size); the result is in mm"
    )
    parser.add_argument(
        "--landmarks",
        type=Path,
        metavar="FILE",
        help="text file of points on the mesh, `number x y z` a line with FaceMesh's numbers, or the 68 of Multi-PIE "
        "(default: they are found)",
    )
    add_groups(parser)


def add_groups(parser: argparse.ArgumentParser) -> None:
    """The option of verbs that read a mesh."""
    parser.add_argument(
        "--groups",
        metavar="NAMES",
        help="read only these parts of the mesh, with commas between their names: groups and objects of .obj, nodes "
        "and meshes of .glb, .gltf, .vrm; nothing else of it is written, but where such a file is kept as it is "
        "(default: all)",
    )


def add_trust(parser: argparse.ArgumentParser) -> None:
    """The option of verbs that read a checkpoint."""
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="MODULE",
        help="module whose classes a checkpoint may name, such as my_models; it is looked for in the current folder "
        "too; give it once for each (default: facegen's own classes alone)",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """The options of verbs that write a sequence."""
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help=f"file to write; its suffix says the format: {' '.join(named_suffixes())} (a slash: a folder of frames)",
    )
    glb = parser.add_argument_group(".glb, .gltf, .html")
    glb.add_argument(
        "--tolerance",
        type=number(1e-6, 1e6),
        metavar="MM",
        help="largest error that compression may make (default: 0.1)",
    )
    glb.add_argument(
        "--per-frame", action="store_true", help="write a morph target for each frame, without compression"
    )
    caches = parser.add_argument_group(".usd*, .pc2, .mdd")
    caches.add_argument(
        "--scene-fps",
        type=number(FPS.low, FPS.high),
        metavar="F",
        help="frames a second of the scene it is opened in: Blender takes USD's time codes and a cache's samples for "
        "its frames (default: .usd* 24, caches the sequence's own)",
    )
    weights = parser.add_argument_group(".csv, ARKit weights as Live Link Face records them; .vrma, for VRM avatars")
    weights.add_argument(
        "--arkit-basis",
        type=Path,
        metavar="DIR",
        help="folder with a mesh for each blendshape, such as ICT-FaceKit's FaceXModel (default: the shapes that the "
        "neutral has itself, or those that come with facegen)",
    )
    weights.add_argument(
        "--presets",
        action="store_true",
        help=".vrma: move VRM's own expressions, emotions and blinks, for avatars that have none by ARKit's names",
    )
    picture = parser.add_argument_group(".mp4, .gif, .png")
    picture.add_argument(
        "--size", type=whole(16, 4096), metavar="PIXELS", help="edge of a picture (default: 512; .png: 256)"
    )
    picture.add_argument("--view", metavar="NAME", help="front, three-quarter or side (default: front)")


def chosen(options: Namespace) -> dict[str, Any]:
    """The options of `add_output` that were given, by the names that writers have for them."""
    names = ("tolerance", "size", "view", "arkit_basis", "scene_fps")
    chosen = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return chosen | {name: True for name in ("per_frame", "presets") if getattr(options, name, False)}


def require_output(options: Namespace) -> None:
    """Refuse what nothing writes, where nothing can be written, or options that its writer does not have, before
    anything is made for it."""
    require_options(options.out, chosen(options))
    takes, out = getattr(options, "takes", None), options.out
    for place in [out] if takes is None else dict.fromkeys(places_of_takes(out, takes)):
        require_place(place, FOLDERS)


def places_of_takes(out: Path, takes: int) -> list[Path]:
    """Where each of several takes goes: behind the name is its number; a `.png` shows all, and stays one file."""
    if out.suffix.lower() == ".png":
        return [out] * takes
    # A folder of frames has a name that ends with its suffix, .obj or .ply.
    return [out.with_name(f"{out.stem}-{number}{out.suffix}") for number in range(1, takes + 1)]


def require_place(out: Path, folders: Iterable[str] = ()) -> None:
    """Refuse a place where nothing can be written, before the work.

    Args:
        out: the file or folder to make.
        folders: suffixes of those that are folders.
    """
    require_new_folder(out) if out.suffix.lower() in folders else require_new_file(out)


def require_sheet(out: Path, of: str) -> None:
    """Refuse a picture beside what is made, or of what is looked at, that cannot be written, before the work.

    Args:
        out: the file to make.
        of: what it shows, for the message.
    """
    if out.suffix.lower() != ".png":
        raise FacegenError(f"{out}: the sheet of {of} is a .png")
    require_place(out)


def write_sequence(sequence: Sequence, options: Namespace) -> None:
    """Write it as the options of `add_output` say, and print what was written."""
    print(export(sequence, options.out, **chosen(options)))


def title(text: str) -> str:
    """The type of an option that takes what others show, in a file or a packet that has it as UTF-8."""
    if not TITLE.accepts(text):
        raise argparse.ArgumentTypeError(f"must be {TITLE.words}, got {text[:SHOWN]!r}")
    return text


def require_device(name: str) -> None:
    """Refuse a device that torch does not have here."""
    import torch

    if name not in ("cpu", "cuda"):
        raise FacegenError(unknown("device", name, ("cpu", "cuda")))
    if name == "cuda" and not torch.cuda.is_available():
        raise FacegenError("torch finds no CUDA device here; take --device cpu")

"""Meshes from and to files, by suffix."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np

from facegen.errors import MeshError, unknown
from facegen.mesh.appearance import Appearance
from facegen.mesh.formats.glb import read_glb, read_glb_groups
from facegen.mesh.formats.glb_appearance import read_glb_appearance
from facegen.mesh.formats.gltf_document import Document, open_document
from facegen.mesh.formats.groups import Groups
from facegen.mesh.formats.obj import read_obj, read_obj_groups, write_obj
from facegen.mesh.formats.obj_appearance import read_obj_appearance
from facegen.mesh.formats.ply import read_ply, write_ply
from facegen.mesh.formats.ply_appearance import read_ply_appearance
from facegen.mesh.formats.raw import require_finite_vertices
from facegen.mesh.portion import Portion
from facegen.mesh.tri_mesh import TriMesh

READERS = {".obj": read_obj, ".ply": read_ply, ".glb": read_glb, ".gltf": read_glb, ".vrm": read_glb}
"""The reader of each suffix of a mesh."""
APPEARANCES = {
    ".obj": read_obj_appearance,
    ".ply": read_ply_appearance,
    ".glb": read_glb_appearance,
    ".gltf": read_glb_appearance,
    ".vrm": read_glb_appearance,
}
"""The reader of what a mesh of each suffix looks like."""
GROUPS = {".obj": read_obj_groups, ".glb": read_glb_groups, ".gltf": read_glb_groups, ".vrm": read_glb_groups}
"""The reader of the groups of a mesh of each suffix that has some."""
WRITERS = {".obj": write_obj, ".ply": write_ply}
"""The writer of each suffix of a mesh."""

IMPORTS = {".fbx": "import_scene.fbx"}
"""What Blender reads files of meshes with that nothing here reads, by suffix."""


def opened_once(path: str | Path) -> Document | None:
    """The document of a glTF, for all who read it, since a great one takes long to open; None of other files.

    Raises:
        MeshError: see `facegen.mesh.formats.gltf_document.open_document`.
    """
    return open_document(path) if READERS.get(Path(path).suffix.lower()) is read_glb else None


def read_mesh(path: str | Path, opened: Document | None = None) -> TriMesh:
    """Read a surface from `.obj`, `.ply`, `.glb`, `.gltf` or `.vrm`, which is a glTF.

    Vertices and faces keep the file's order and number. Units are the file's; glTF's metres become mm.

    Args:
        path: the file.
        opened: of a glTF, its document, where others read it too.

    Raises:
        MeshError: the suffix is unknown, or one that Blender reads, whose command is named; the file is missing, a
            folder, empty, cut short or malformed; it has no vertices or no faces; a position is not finite; a face uses
            a vertex that is not there.

    Examples:
        >>> import facegen
        >>> mesh = facegen.read_mesh("demo/neutral.obj")
        >>> mesh.vertices.shape[1], mesh.faces.shape[1]
        (3, 3)
    """
    path = Path(path)
    reader = READERS.get(path.suffix.lower())
    if path.suffix.lower() in IMPORTS:
        raise MeshError(f"{path}: {path.suffix} is not read here; Blender makes a .glb of it: {_in_blender(path)}")
    if reader is None and not path.is_dir():
        raise MeshError(
            f"{path}: {unknown('mesh suffix', path.suffix, READERS)}; open it in Blender, or what else made it, and "
            "export it as one of them"
        )
    mesh = (reader or read_obj)(path) if opened is None else read_glb(path, opened)
    if len(mesh.vertices) == 0:
        raise MeshError(f"{path}: expected a mesh, found no vertices")
    if len(mesh.faces) == 0:
        raise MeshError(
            f"{path}: expected a surface, found {len(mesh.vertices)} vertices and no faces; a point cloud must be "
            "meshed first"
        )
    require_finite_vertices(mesh.vertices, path)
    return mesh


def _in_blender(path: Path) -> str:
    """The command that has Blender write a `.glb` of a file, beside it."""
    steps = (
        "import bpy",
        "bpy.ops.wm.read_factory_settings(use_empty=True)",
        f"bpy.ops.{IMPORTS[path.suffix.lower()]}(filepath={str(path)!r})",
        f"bpy.ops.export_scene.gltf(filepath={str(path.with_suffix('.glb'))!r})",
    )
    return f"blender -b --python-expr {shlex.quote('; '.join(steps))}"


def read_groups(path: str | Path, mesh: TriMesh, opened: Document | None = None) -> Groups:
    """The parts of a file that have names.

    Args:
        path, opened: see `read_mesh`.
        mesh: what it made of them.

    Raises:
        MeshError: the file cannot be read.
    """
    reader = GROUPS.get(Path(path).suffix.lower())
    if opened is not None:
        found = read_glb_groups(path, opened)
    else:
        found = Groups(((),), np.zeros(len(mesh.faces), dtype=np.int64)) if reader is None else reader(path)
    if len(found.kind) != len(mesh.faces):
        raise MeshError(f"{path}: {len(found.kind)} faces have a group, of {len(mesh.faces)}")
    return found


def read_portion(path: str | Path, names: str, opened: Document | None = None) -> Portion:
    """Read a surface and take those of its groups that are named, with commas between them.

    Args:
        path, opened: see `read_mesh`.
        names: of groups.

    Raises:
        MeshError: see `read_mesh`; or a group is not there, the message lists those that are.
    """
    mesh = read_mesh(path, opened)
    groups = read_groups(path, mesh, opened)
    return Portion(mesh, groups.chosen(groups.parse(names), path))


def read_appearance(path: str | Path, mesh: TriMesh, opened: Document | None = None) -> Appearance | None:
    """What the surface in a file looks like.

    Args:
        path, opened: see `read_mesh`.
        mesh: what it made of them, at whatever positions.

    Returns:
        None where the file says nothing of it.

    Raises:
        MeshError: the file cannot be read.
    """
    if opened is not None:
        found = read_glb_appearance(path, mesh, opened)
    else:
        found = APPEARANCES[Path(path).suffix.lower()](path, mesh)
    unseen = [material for material in found.materials if material.alpha == 0 and material.alpha_mode == "BLEND"]
    if unseen:
        said = (f"material {each.name[:40]!a} has an opacity of 0: what has it is not seen" for each in unseen)
        found = replace(found, left_out=(*found.left_out, *said))
    return None if found.empty else found


def write_mesh(path: str | Path, mesh: TriMesh) -> None:
    """Write a surface as `.obj` (exact) or `.ply` (binary, positions as 32-bit float).

    Raises:
        MeshError: the suffix is unknown, or a position is not finite.
        FacegenError: the place cannot be written.
    """
    path = Path(path)
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise MeshError(f"{path}: {unknown('suffix to write a mesh with', path.suffix, WRITERS)}")
    writer(path, mesh)

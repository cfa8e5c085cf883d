"""A folder with one mesh for each frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from facegen.errors import FacegenError, unknown
from facegen.folders import new_folder
from facegen.mesh.formats.mtl import write_library
from facegen.mesh.formats.obj import vertex_lines
from facegen.mesh.formats.obj_appearance import surface_lines
from facegen.mesh.formats.ply import write_ply
from facegen.mesh.material import DEFAULT, distinct
from facegen.mesh.tri_mesh import TriMesh
from facegen.progress import following
from facegen.sequence.sequence import Sequence

MESH_SUFFIXES = (".obj", ".ply")
"""Formats of the frames of a folder."""
LIBRARY = "materials.mtl"
"""Name of the file of materials in a folder of `.obj`."""

_Writer = Callable[[Path, np.ndarray], None]


def write_meshes(sequence: Sequence, folder: str | Path, suffix: str | None = None) -> str:
    """Write `frame_0000.obj`, `frame_0001.obj` and so on, in mm, polygons where the sequence has them.

    An `.obj` has texture coordinates too, its materials are in one `materials.mtl` with their pictures beside it, and
    colours of vertices stand behind the positions; a `.ply` has the colours alone.

    Args:
        sequence: what is written.
        folder: the folder to make; it may be there if it is empty.
        suffix: ".obj" or ".ply"; the folder's own if it is None.

    Returns:
        What was written, in one line.

    Raises:
        FacegenError: an unknown suffix, or the folder is in use or cannot be made.
        MeshError: a vertex is not finite.
    """
    suffix = Path(folder).suffix.lower() if suffix is None else suffix
    if suffix not in MESH_SUFFIXES:
        raise FacegenError(unknown("mesh suffix", suffix, MESH_SUFFIXES))
    count = len(sequence.vertices)
    digits = max(4, len(str(count - 1)))
    with new_folder(folder) as aside:
        write, left = _obj_writer(sequence, aside) if suffix == ".obj" else _ply_writer(sequence)
        for frame, vertices in enumerate(following(sequence.vertices, "writing", "frame")):
            write(aside / f"frame_{frame:0{digits}d}{suffix}", vertices)
        megabytes = sum(file.stat().st_size for file in aside.iterdir()) / 1e6
    without = f", without {', '.join(left)}" if left else ""
    return f"{count} frames, {megabytes:.1f} MB{without}"


def write_obj_shapes(still: Sequence, shapes: dict[str, np.ndarray], folder: Path) -> None:
    """Write `neutral.obj` and one `.obj` for each shape by its name, in mm, with materials and pictures as above.

    Args:
        still: the mesh at rest and what it looks like, one frame.
        shapes: by name, (V, 3) mm.
        folder: the folder to make; it may be there if it is empty.

    Raises:
        FacegenError: the folder is in use or cannot be made.
    """
    rest = np.asarray(still.vertices[0], np.float64)
    with new_folder(folder) as aside:
        write, _ = _obj_writer(still, aside)
        write(aside / "neutral.obj", rest)
        for name, shape in shapes.items():
            write(aside / f"{name}.obj", rest + shape)


def _obj_writer(sequence: Sequence, folder: Path) -> tuple[_Writer, list[str]]:
    """Write what all frames share; give back how each frame is written, and what has no place in an `.mtl`."""
    appearance = sequence.appearance
    colors = None if appearance is None else appearance.colors
    head, left, names = "", [], []
    if appearance is not None and appearance.materials:
        materials = [*appearance.materials, DEFAULT]
        if (appearance.material_numbers >= 0).all():
            materials.pop()
        names = distinct((material.name for material in materials), "material", r"\w.\- ")
        textures = appearance.textures()
        pictures = distinct((texture.name or "texture" for texture in textures), "texture", "A-Za-z0-9_-")
        files = {texture: name + texture.suffix for texture, name in zip(textures, pictures, strict=True)}
        for texture, file in files.items():
            (folder / file).write_bytes(texture.data)
        library, left = write_library(materials, names, files, colors is not None)
        (folder / LIBRARY).write_text(library, encoding="utf-8", newline="\n")
        head = f"mtllib {LIBRARY}\n"
    tail = surface_lines(sequence.faces, sequence.polygons, appearance, names)

    def write(path: Path, vertices: np.ndarray) -> None:
        lines = vertex_lines(vertices.astype(np.float64), colors)
        path.write_text(f"{head}{lines}{tail}", encoding="utf-8", newline="\n")

    return write, left


def _ply_writer(sequence: Sequence) -> tuple[_Writer, list[str]]:
    """Give back how each frame is written, and what has no place in a `.ply`."""
    appearance = sequence.appearance
    colors = None if appearance is None else appearance.colors
    left = ["materials and textures"] if appearance is not None and appearance.materials else []

    def write(path: Path, vertices: np.ndarray) -> None:
        write_ply(path, TriMesh(vertices, sequence.faces, sequence.polygons), colors=colors)

    return write, left

"""A folder with one mesh for each frame."""

from __future__ import annotations

from pathlib import Path

from facegen.data.sequence import Sequence
from facegen.errors import FacegenError, unknown
from facegen.files import new_folder
from facegen.mesh.io import write_mesh
from facegen.mesh.tri_mesh import TriMesh

MESH_SUFFIXES = (".obj", ".ply")


def write_meshes(sequence: Sequence, folder: str | Path, suffix: str | None = None) -> str:
    """Write `frame_0000.obj`, `frame_0001.obj` and so on, in mm, polygons where the sequence has them.

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
    from tqdm import tqdm

    suffix = Path(folder).suffix.lower() if suffix is None else suffix
    if suffix not in MESH_SUFFIXES:
        raise FacegenError(unknown("mesh suffix", suffix, MESH_SUFFIXES))
    count = len(sequence.vertices)
    digits = max(4, len(str(count - 1)))
    with new_folder(folder) as aside:
        for frame, vertices in enumerate(tqdm(sequence.vertices, unit="frame", delay=2, leave=False, disable=None)):
            mesh = TriMesh(vertices, sequence.faces, sequence.polygons)
            write_mesh(aside / f"frame_{frame:0{digits}d}{suffix}", mesh)
        megabytes = sum(file.stat().st_size for file in aside.iterdir()) / 1e6
    return f"{count} frames, {megabytes:.1f} MB"

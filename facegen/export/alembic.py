"""Alembic: a polygon mesh with a sample of its points for each frame, in an Ogawa archive."""

from __future__ import annotations

import ctypes
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np

from facegen.data.sequence import Sequence
from facegen.errors import FacegenError
from facegen.export.stream import streamed
from facegen.files import new_file
from facegen.optional import require


def write_abc(sequence: Sequence, path: str | Path) -> str:
    """Write `.abc`: frame t at t / fps seconds, +y up, numbers in mm, since Alembic has no units.

    Polygons are the sequence's own where it has them; their corners go clockwise, as Alembic's tools expect. The
    library is `alembic3d`, an unofficial build of the project's own Python binding.

    Args:
        sequence: what is written.
        path: the file to write.

    Returns:
        What was written, in one line.

    Raises:
        FacegenError: alembic3d is missing, the sequence has no faces, or `path` cannot be written.
    """
    abc, geom, core, imath = (
        require(name, "abc") for name in ("alembic3d.Abc", "alembic3d.AbcGeom", "alembic3d.AbcCoreAbstract", "imath")
    )
    if not len(sequence.faces):
        raise FacegenError("Alembic needs faces, and the sequence has none")
    count, points = sequence.vertices.shape[:2]
    polygons = (sequence.faces if sequence.polygons is None else sequence.polygons)[:, ::-1]
    sizes, corners = (polygons >= 0).sum(axis=1).astype(np.int32), polygons[polygons >= 0].astype(np.int32)
    with new_file(path) as aside:
        _require_space(aside.parent, 12 * points * count + sizes.nbytes + corners.nbytes)
        try:
            archive = abc.CreateArchiveWithInfo(str(aside), sequence.fps, "facegen", "")
            sampling = archive.addTimeSampling(core.TimeSampling(1 / sequence.fps, 0.0))
            mesh = geom.OPolyMesh(archive.getTop(), "face", sampling)
            schema = mesh.getSchema()
            topology = imath.IntArrayFromBuffer(corners), imath.IntArrayFromBuffer(sizes)
            for _, piece in streamed(sequence.vertices):
                for pose in piece:
                    schema.set(geom.OPolyMeshSchemaSample(imath.V3fArrayFromBuffer(pose), *topology))
                _give_back()
            del schema, mesh, archive  # the file is complete when nothing holds the archive any more
        except RuntimeError as error:
            raise FacegenError(f"cannot write {path}: {' '.join(str(error).split())}") from error
        return f"{count} frames, {aside.stat().st_size / 1e6:.1f} MB"


def _give_back() -> None:
    """Give freed memory back to the system, where its allocator has a call for that (glibc).

    For each sample Alembic keeps a few bytes until the end, which come to lie between the pieces of frames: 10,000
    frames of 6,706 vertices took 3.3 GB without this, 0.4 GB with it.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _require_space(folder: Path, size: int) -> None:
    """Look before writing whether a disk has room: where it runs full, Alembic's library ends the process."""
    free = shutil.disk_usage(folder).free
    if free < 1.1 * size + (1 << 20):
        raise FacegenError(
            f"an .abc of {size / 1e6:.0f} MB needs more room than is left in {folder}, {free / 1e6:.0f} MB"
        )

"""Alembic: a polygon mesh with a sample of its points for each frame, in an Ogawa archive."""

from __future__ import annotations

import ctypes
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from facegen.errors import FacegenError
from facegen.exporters.stream import streamed
from facegen.files import UNWRITTEN, new_file
from facegen.mesh.appearance import Appearance, DressedPolygons
from facegen.mesh.material import distinct
from facegen.optional import require
from facegen.sequence.sequence import Sequence


def write_abc(sequence: Sequence, path: str | Path) -> str:
    """Write `.abc`: frame t at t / fps seconds, +y up, numbers in mm, since Alembic has no units.

    The mesh `surface` stands under a transform `face` that changes nothing: importers scale by the transform above a
    mesh, and Blender 5.0 leaves one that has none at its size, a face 250 m tall.

    Polygons are the sequence's own where it has them; their corners go clockwise, as Alembic's tools expect. The
    corners have texture coordinates, and each material has a face set of its name, where the sequence has these. The
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
    dressed = DressedPolygons.of(sequence.faces, sequence.polygons, sequence.appearance)
    polygons = dressed.polygons[:, ::-1]
    sizes, corners = (polygons >= 0).sum(axis=1).astype(np.int32), polygons[polygons >= 0].astype(np.int32)
    uv = None if sequence.appearance is None else _corner_uv(sequence.appearance.uv, dressed)
    with new_file(path) as aside:
        _require_space(aside.parent, 12 * points * count + sizes.nbytes + corners.nbytes)
        try:
            archive = abc.CreateArchiveWithInfo(str(aside), sequence.fps, "facegen", "")
            sampling = archive.addTimeSampling(core.TimeSampling(1 / sequence.fps, 0.0))
            place = geom.OXform(archive.getTop(), "face")
            place.getSchema().set(geom.XformSample())
            mesh = geom.OPolyMesh(place, "surface", sampling)
            schema = mesh.getSchema()
            topology = [imath.IntArrayFromBuffer(corners), imath.IntArrayFromBuffer(sizes)]
            if uv is not None:
                scope = geom.GeometryScope.kFacevaryingScope
                topology.append(geom.OV2fGeomParamSample(imath.V2fArrayFromBuffer(uv), scope))
            if sequence.appearance is not None:
                _name_materials(sequence.appearance, dressed, schema, geom, imath)
            for _, chunk in streamed(sequence.vertices):
                for pose in chunk:
                    schema.set(geom.OPolyMeshSchemaSample(imath.V3fArrayFromBuffer(pose), *topology))
                _give_back()
            del schema, mesh, place, archive  # the file is complete when nothing holds the archive any more
        except RuntimeError as error:
            raise FacegenError(f"cannot write {path}: {UNWRITTEN}") from error
        return f"{count} frames, {aside.stat().st_size / 1e6:.1f} MB"


def _corner_uv(uv: np.ndarray, dressed: DressedPolygons) -> np.ndarray | None:
    """(C, 2) texture coordinates of the corners as written, clockwise, zero where one has none; None without any."""
    if not len(uv):
        return None
    rows = dressed.corners[:, ::-1][dressed.polygons[:, ::-1] >= 0]
    return np.ascontiguousarray(np.append(uv, np.zeros((1, 2), np.float32), axis=0)[rows])


def _name_materials(appearance: Appearance, dressed: DressedPolygons, schema: Any, geom: Any, imath: Any) -> None:
    """Write a face set for each material, under its name: Alembic has no materials, and tools assign theirs by sets."""
    names = distinct((material.name for material in appearance.materials), "material", r"A-Za-z0-9_ -")
    for number, name in enumerate(names):
        rows = np.flatnonzero(dressed.materials == number).astype(np.int32)
        if len(rows):
            faces = imath.IntArrayFromBuffer(rows)
            schema.createFaceSet(name).getSchema().set(geom.OFaceSetSchemaSample(faces))


def _give_back() -> None:
    """Give freed memory back to the system, where its allocator has a call for that (glibc).

    For each sample Alembic keeps a few bytes until the end, which come to lie between the chunks of frames: 10,000
    frames of 6,706 vertices took 3.3 GB without this, 0.4 GB with it.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _require_space(folder: Path, size: int) -> None:
    """Refuse a disk without room before anything is written: where it runs full, Alembic's library ends the process."""
    free = shutil.disk_usage(folder).free
    if free < 1.1 * size + (1 << 20):  # a tenth and 1 MB for Alembic's own records; chosen
        raise FacegenError(
            f"an .abc of {size / 1e6:.1f} MB needs more room than is left in {folder}, {free / 1e6:.1f} MB; make room, "
            "or name another place"
        )

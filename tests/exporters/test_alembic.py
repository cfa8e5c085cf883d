"""Read back by the Alembic project's own library."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from facegen.errors import FacegenError
from facegen.exporters.alembic import write_abc
from facegen.sequence.sequence import Sequence

TESTS = Path(__file__).parents[1]


@pytest.fixture
def library():
    """Alembic's two modules that a reader needs."""
    pytest.importorskip("alembic3d")
    from alembic3d import Abc, AbcGeom

    return Abc, AbcGeom


def surface(geom, archive):
    """The mesh's schema, under the transform by which importers scale."""
    place = geom.IXform(archive.getTop(), "face")
    np.testing.assert_array_equal(np.array(place.getSchema().getValue().getMatrix()), np.eye(4))
    return geom.IPolyMesh(place, "surface").getSchema()


def array(found) -> np.ndarray:
    return np.array(memoryview(found))


def test_samples_are_the_frames(library, moving, tmp_path):
    abc, geom = library
    sequence = moving(70, fps=30)
    report = write_abc(sequence, tmp_path / "a.abc")
    archive = abc.IArchive(str(tmp_path / "a.abc"))
    schema = surface(geom, archive)
    assert report.startswith("70 frames, ")
    assert schema.getNumSamples() == 70
    assert abc.GetArchiveInfo(archive)["dccFPS"] == 30
    for t, vertices in enumerate(sequence.vertices):
        sample = schema.getValue(abc.ISampleSelector(t / 30))
        np.testing.assert_array_equal(array(sample.getPositions()), vertices)
    assert set(array(sample.getFaceCounts())) == {4}
    np.testing.assert_array_equal(array(sample.getFaceIndices()).reshape(-1, 4), sequence.polygons[:, ::-1])


def test_triangles_are_written_where_there_are_no_polygons(library, moving, tmp_path):
    abc, geom = library
    one = moving(1)
    write_abc(Sequence(one.vertices, one.faces, 25, one.motion, one.expressions), tmp_path / "a.abc")
    archive = abc.IArchive(str(tmp_path / "a.abc"))
    sample = surface(geom, archive).getValue(abc.ISampleSelector(0.0))
    np.testing.assert_array_equal(array(sample.getFaceIndices()).reshape(-1, 3), one.faces[:, ::-1])


def test_refusals_leave_nothing(library, moving, tmp_path, monkeypatch):
    one = moving(2)
    with pytest.raises(FacegenError, match="Alembic needs faces"):
        write_abc(Sequence(one.vertices, np.empty((0, 3)), 25, one.motion, one.expressions), tmp_path / "a.abc")
    with pytest.raises(FacegenError, match="does not exist"):
        write_abc(one, tmp_path / "nowhere" / "a.abc")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("Usage", "free")(900_000))
    with pytest.raises(FacegenError, match=r"needs more room than is left in .*, 0.9 MB; make room"):
        write_abc(one, tmp_path / "a.abc")
    assert list(tmp_path.iterdir()) == []


def test_without_alembic_the_extra_is_named(moving, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "alembic3d", None)
    monkeypatch.delitem(sys.modules, "alembic3d.Abc", raising=False)
    with pytest.raises(FacegenError, match=r"pip install 'facegen\[abc\]'"):
        write_abc(moving(2), tmp_path / "a.abc")


GROWTH = """
import resource, sys
from moving_sheet import Waves
from facegen.exporters.alembic import write_abc
write_abc(Waves(int(sys.argv[1])).sequence(), sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def test_memory_does_not_grow_with_the_frames(library, tmp_path):
    def peak(frames: int) -> float:
        command = [sys.executable, "-c", GROWTH, str(frames), str(tmp_path / f"{frames}.abc")]
        return float(subprocess.run(command, capture_output=True, text=True, check=True, cwd=TESTS).stdout)

    assert peak(3000) - peak(100) < 15
    assert (tmp_path / "3000.abc").stat().st_size > 55e6

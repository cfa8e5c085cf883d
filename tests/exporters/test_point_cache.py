"""Read back by the formats' published layouts, with numpy and struct alone."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from facegen.errors import FacegenError
from facegen.exporters import point_cache
from facegen.exporters.point_cache import write_mdd, write_pc2


def test_pc2_is_little_endian_behind_32_bytes(moving, tmp_path):
    sequence = moving(70, fps=24)
    report = write_pc2(sequence, tmp_path / "a.pc2")
    data = (tmp_path / "a.pc2").read_bytes()
    magic, version, points, first, rate, samples = struct.unpack_from("<12siiffi", data)
    assert (magic, version, points, first, rate, samples) == (b"POINTCACHE2\0", 1, 144, 0.0, 1.0, 70)
    found = np.frombuffer(data, "<f4", offset=32).reshape(70, 144, 3)
    np.testing.assert_array_equal(found, sequence.vertices)
    assert report == f"70 frames, {len(data) / 1e6:.1f} MB, for a scene of 24 frames a second"


def test_mdd_is_big_endian_with_its_times_in_seconds(moving, tmp_path):
    sequence = moving(70, fps=24)
    report = write_mdd(sequence, tmp_path / "a.mdd")
    assert report.endswith(' MB, for a scene of 24 frames a second, or of any in Time Mode "Time"')
    data = (tmp_path / "a.mdd").read_bytes()
    assert struct.unpack_from(">2i", data) == (70, 144)
    np.testing.assert_allclose(np.frombuffer(data, ">f4", 70, 8), np.arange(70) / 24, rtol=1e-6)
    found = np.frombuffer(data, ">f4", offset=8 + 4 * 70).reshape(70, 144, 3)
    np.testing.assert_array_equal(found, sequence.vertices)


@pytest.mark.parametrize("fps", [12.5, 25, 60])
def test_a_scene_gets_a_sample_for_each_of_its_frames(moving, tmp_path, fps):
    """Between two frames the mix of both, and the last pose at the end or within a frame after it."""
    sequence = moving(70, fps=fps)
    report = write_pc2(sequence, tmp_path / "a.pc2", scene_fps=24)
    count = int(np.ceil(69 * 24 / fps - 1e-9)) + 1
    assert report.startswith(f"{count} frames, ") and report.endswith("for a scene of 24 frames a second")
    found = np.frombuffer((tmp_path / "a.pc2").read_bytes(), "<f4", offset=32).reshape(count, 144, 3)
    for k in range(count):
        at = min(k / 24 * fps, 69)
        low, share = int(at), at - int(at)
        wanted = sequence.vertices[low] * (1 - share) + sequence.vertices[min(low + 1, 69)] * share
        np.testing.assert_allclose(found[k], wanted, atol=1e-3)
    write_mdd(sequence, tmp_path / "a.mdd", scene_fps=24)
    data = (tmp_path / "a.mdd").read_bytes()
    np.testing.assert_allclose(np.frombuffer(data, ">f4", count, 8), np.arange(count) / 24, rtol=1e-6)
    np.testing.assert_array_equal(np.frombuffer(data, ">f4", offset=8 + 4 * count).reshape(found.shape), found)


@pytest.mark.parametrize("write", [write_pc2, write_mdd])
def test_no_rate_of_a_scene_is_refused(moving, tmp_path, write):
    with pytest.raises(FacegenError, match="a scene has 1 to 1000 frames a second, got scene_fps 0"):
        write(moving(5), tmp_path / "a.cache", scene_fps=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write", [write_pc2, write_mdd])
def test_more_than_the_format_counts_is_refused(moving, tmp_path, monkeypatch, write):
    monkeypatch.setattr(point_cache, "COUNT_LIMIT", 100)
    with pytest.raises(FacegenError, match="holds up to 100 frames and points, got 5 and 144"):
        write(moving(5), tmp_path / "a.cache")
    assert not list(tmp_path.iterdir())

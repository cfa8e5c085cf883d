from __future__ import annotations

import errno
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

import facegen.exporters as package
from facegen.animation_frames import TurnedFrames
from facegen.errors import FacegenError
from facegen.exporters import SUFFIXES, export
from facegen.exporters.glb import write_glb
from facegen.pictures import film
from facegen.sequence.frames import CHUNK_FRAMES, KeptFrames
from facegen.sequence.sequence import Sequence

NEEDS = {".abc": "alembic3d", ".usd": "pxr", ".usda": "pxr", ".usdc": "pxr", ".usdz": "pxr"}
SMALL = {".mp4": {"size": 32}, ".gif": {"size": 32}, ".png": {"size": 32, "frames": 2}}


@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if suffix not in (".csv", ".vrma", ".vrm")])
def test_every_suffix_writes_what_was_asked_for_and_says_so(moving, tmp_path, suffix):
    """All but .csv, which needs a basis, and .vrm, which needs an avatar."""
    if suffix in NEEDS:
        pytest.importorskip(NEEDS[suffix])
    report = export(moving(4), tmp_path / f"smile{suffix}", **SMALL.get(suffix, {}))
    assert report.startswith(f"smile{suffix}: 4 frames") or "of 4 frames" in report
    assert "\n" not in report
    beside = [path.name for path in tmp_path.glob("smile.*.bin")]
    assert len(beside) == (suffix == ".gltf")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"smile{suffix}", *beside])


def test_a_full_disk_is_told_of_the_file_also_where_frames_are_kept_beside_it(moving, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    still = moving(4)
    made = replace(still, vertices=TurnedFrames(np.asarray(still.vertices), np.eye(3)))
    monkeypatch.setattr(KeptFrames, "read", full)
    for name in ("a.gltf", "a.glb", "a.html"):
        with pytest.raises(OSError) as caught:
            export(made, tmp_path / name)
        assert caught.value.filename == str(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["walk.obj", "walk.obj/", "walk.PLY/"])
def test_a_folder_may_end_in_a_slash(moving, tmp_path, name):
    export(moving(2), f"{tmp_path}/{name}")
    assert len(list((tmp_path / name).iterdir())) == 2


def test_a_sequence_alone_is_no_vrm(moving, tmp_path):
    with pytest.raises(
        FacegenError, match=r"a\.vrm: only motion of an avatar that is a VRM becomes a \.vrm; take \.glb"
    ):
        export(moving(2), tmp_path / "a.vrm")
    assert not list(tmp_path.iterdir())


def test_npz_is_the_sequence_itself(moving, tmp_path):
    sequence = moving(3)
    export(sequence, tmp_path / "a.npz")
    np.testing.assert_array_equal(Sequence.load(tmp_path / "a.npz").vertices, sequence.vertices)


def test_an_unknown_suffix_is_answered_with_the_known(moving, tmp_path):
    for name in ("a.fbx", "a", "frames/"):
        with pytest.raises(FacegenError, match="unknown suffix") as error:
            export(moving(2), f"{tmp_path}/{name}")
        assert all(suffix in str(error.value) for suffix in SUFFIXES)
    with pytest.raises(FacegenError, match="not a folder"):
        export(moving(2), f"{tmp_path}/a.mp4/")


def test_options_reach_their_writer_and_no_other(moving, tmp_path):
    assert "19 targets" in export(moving(20, 5), tmp_path / "a.glb", per_frame=True)
    with pytest.raises(FacegenError, match=r"option for \.mp4 'tolerance'; known are: size, view"):
        export(moving(2), tmp_path / "a.mp4", tolerance=0.1)
    with pytest.raises(FacegenError, match=r"\.npz has no options such as 'size'$"):
        export(moving(2), tmp_path / "a.npz", size=3)
    for suffix in (".glb", ".gltf", ".abc"):
        with pytest.raises(FacegenError, match=r"'scene_fps'.*; its times are seconds, right in a scene of any rate$"):
            export(moving(2), tmp_path / f"a{suffix}", scene_fps=24)


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".png"])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_drawn(moving, tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(film, "render", lambda *args, **kwargs: pytest.fail("drawn in vain"))
    with pytest.raises(FacegenError, match="does not exist"):
        export(moving(2), tmp_path / "nowhere" / f"a{suffix}", **SMALL[suffix])
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(FacegenError, match="a folder of that name"):
        export(moving(2), tmp_path / f"folder{suffix}", **SMALL[suffix])


def test_an_error_leaves_what_was_there_before(moving, tmp_path, monkeypatch):
    write_glb(moving(), tmp_path / "a.glb")
    before = (tmp_path / "a.glb").read_bytes()
    monkeypatch.setattr("facegen.exporters.glb.pack", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(moving(), tmp_path / "a.glb")
    assert (tmp_path / "a.glb").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("suffix", [".glb", ".gltf", ".npz", ".pc2", ".mdd", ".ply"])
def test_memory_does_not_grow_with_the_frames(endless, tmp_path, suffix):
    sequence = endless(2000)
    tracemalloc.start()
    report = export(sequence, tmp_path / f"long{suffix}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "2000 frames" in report
    assert peak < 12 * CHUNK_FRAMES * (sequence.vertices.shape[1] * 12)  # 15 MB; the frames are 38 MB


def test_importing_the_package_loads_no_writer():
    code = "import sys, facegen.exporters; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert package.__name__ in loaded
    assert not {"scipy", "torch", "PIL", "embreex", "imageio_ffmpeg", "facegen.pictures.render"} & set(loaded)

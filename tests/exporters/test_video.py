from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from facegen.errors import FacegenError
from facegen.exporters import video
from facegen.exporters.gif import gif_timing, write_gif
from facegen.exporters.png import write_png
from facegen.exporters.video import write_mp4
from facegen.pictures.apex_sheet import apex_sheet
from facegen.pictures.film import film
from facegen.pictures.render import Camera, render
from facegen.sequence.sequence import Sequence

SIZE = 64


def test_film_keeps_the_order_and_one_camera(moving):
    sequence = moving(12)
    camera = Camera.framing(sequence.vertices)
    wanted = [render(pose, sequence.faces, camera, size=SIZE) for pose in sequence.vertices]
    np.testing.assert_array_equal(list(film(sequence.vertices, sequence.faces, size=SIZE)), wanted)


def test_pictures_show_what_a_sequence_is_about(moving, tmp_path):
    """Of a sheet the part in the middle fills them, through all frames, and after a file of the sequence too."""
    sequence = moving(4)
    middle = np.abs(sequence.vertices[0, :, :2] - sequence.vertices[0, :, :2].mean(axis=0)).max(axis=1)
    focus = np.flatnonzero(middle < 0.4 * middle.max())
    replace(sequence, focus=focus).save(tmp_path / "a.npz")
    near = Sequence.load(tmp_path / "a.npz")
    camera = Camera.framing(sequence.vertices[:, focus])
    wanted = np.stack([render(pose, sequence.faces, camera, size=SIZE) for pose in sequence.vertices]).astype(int)
    write_mp4(near, tmp_path / "a.mp4", size=SIZE)
    assert np.abs(iio.imread(tmp_path / "a.mp4", plugin="FFMPEG").astype(int) - wanted).mean() < 6
    write_gif(near, tmp_path / "a.gif", size=SIZE)
    with Image.open(tmp_path / "a.gif") as gif:
        assert np.abs(np.asarray(gif.convert("RGB")).astype(int) - wanted[0]).mean() < 6
    for written, shown in (("far.png", sequence), ("near.png", near)):
        write_png(shown, tmp_path / written, frames=1, size=SIZE)
    assert (tmp_path / "near.png").read_bytes() != (tmp_path / "far.png").read_bytes()
    apex_sheet({"it": {"it": near}}, tmp_path / "sheet.png", size=SIZE)
    apex_sheet({"it": {"it": sequence}}, tmp_path / "other.png", size=SIZE)
    assert (tmp_path / "sheet.png").read_bytes() != (tmp_path / "other.png").read_bytes()
    for wrong in (np.array([], int), np.array([10**6]), np.array([0.5])):
        with pytest.raises(FacegenError, match="focus"):
            replace(sequence, focus=wrong)


def test_mp4_has_every_frame_at_its_time(moving, tmp_path):
    sequence = moving(14, fps=30)
    write_mp4(sequence, tmp_path / "a.mp4", size=SIZE)
    frames = iio.imread(tmp_path / "a.mp4", plugin="FFMPEG")
    about = iio.immeta(tmp_path / "a.mp4", plugin="FFMPEG")
    assert frames.shape == (14, SIZE, SIZE, 3)
    assert about["fps"] == pytest.approx(30)
    assert about["duration"] == pytest.approx(14 / 30, abs=0.02)
    assert about["codec"] == "h264" and about["pix_fmt"].startswith("yuv420p")
    wanted = np.stack(list(film(sequence.vertices, sequence.faces, size=SIZE)))
    assert np.abs(frames.astype(int) - wanted).mean() < 6


def test_gif_has_every_frame_at_its_time(moving, tmp_path):
    sequence = moving(14, fps=30)
    write_gif(sequence, tmp_path / "a.gif", size=SIZE)
    wanted = list(film(sequence.vertices, sequence.faces, size=SIZE))
    with Image.open(tmp_path / "a.gif") as gif:
        assert (gif.n_frames, gif.info["loop"], gif.size) == (14, 0, (SIZE, SIZE))
        durations = []
        for frame in range(gif.n_frames):
            gif.seek(frame)
            durations.append(gif.info["duration"])
            assert np.abs(np.asarray(gif.convert("RGB")).astype(int) - wanted[frame]).mean() < 6
    assert sum(durations) == pytest.approx(1000 * 14 / 30, abs=10)


def test_a_gif_shows_a_pose_that_lasts_once(moving, tmp_path):
    sequence = moving(4)
    order = [0, 0, 1, 1, 1, 2]
    still = Sequence(sequence.vertices[order], sequence.faces, 25, np.zeros((6, 0)), ())
    write_gif(still, tmp_path / "a.gif", size=SIZE)
    with Image.open(tmp_path / "a.gif") as gif:
        durations = []
        for frame in range(gif.n_frames):
            gif.seek(frame)
            durations.append(gif.info["duration"])
    assert durations == [80, 120, 40]


GROWTH = """
import resource, sys
import numpy as np
from moving_sheet import Waves
from facegen.exporters import gif, video
from facegen.pictures import film
film.render = gif.render = lambda pose, *_, size, **_more: np.full((size, size, 3), 100 + pose[0, 0] % 50, np.uint8)
write = {".mp4": video.write_mp4, ".gif": gif.write_gif}[sys.argv[2][-4:]]
write(Waves(int(sys.argv[1]), 4).sequence(), sys.argv[2], size=128)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_memory_does_not_grow_with_the_frames(tmp_path, suffix):
    def peak(frames: int) -> float:
        command = [sys.executable, "-c", GROWTH, str(frames), str(tmp_path / f"a{suffix}")]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
        return float(done.stdout)

    assert peak(3000) - peak(100) < 15  # the pictures are 147 MB, 49 MB with a palette


@pytest.mark.parametrize("fps", [10, 25, 29.97, 50, 60, 120])
def test_gif_timing_neither_drifts_nor_asks_for_what_browsers_refuse(fps):
    chosen, centiseconds = gif_timing(200, fps)
    assert centiseconds.min() >= 2
    begin = np.cumsum(centiseconds) - centiseconds
    assert np.abs(begin / 100 - chosen / fps).max() < 0.021
    assert centiseconds.sum() / 100 == pytest.approx(200 / fps, abs=0.021)
    assert len(chosen) == (200 if fps <= 50 else pytest.approx(200 / fps * 50, abs=1))


@pytest.mark.parametrize("write", [write_mp4, write_gif])
def test_a_single_frame_is_a_film_too(moving, tmp_path, write):
    write(moving(1, 0), tmp_path / f"a.{write.__name__[-3:]}", size=SIZE)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(("size", "message"), [(63, "even"), (2, "16 to 4096"), (10000, "16 to 4096")])
def test_sizes_out_of_range_are_refused(moving, tmp_path, size, message):
    with pytest.raises(FacegenError, match=message):
        write_mp4(moving(2), tmp_path / "a.mp4", size=size)


@pytest.mark.parametrize("write", [write_mp4, write_gif])
def test_an_error_midway_leaves_nothing(moving, tmp_path, monkeypatch, write):
    drawn = []

    def fails_at_last(*args, **kwargs):
        drawn.append(1)
        if len(drawn) > 8:
            raise MemoryError("no more")
        return render(*args, **kwargs)

    monkeypatch.setattr("facegen.pictures.film.render", fails_at_last)
    with pytest.raises(MemoryError):
        write(moving(20), tmp_path / f"a.{write.__name__[-3:]}", size=SIZE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("before", ["", "sys.stdin.buffer.read(9); ", "sys.stdin.buffer.read(); "])
def test_a_failing_ffmpeg_says_why(before):
    program = f"import sys; {before}sys.exit('disk full')"
    frames = iter([np.zeros((512, 512, 3), np.uint8)] * 20)
    assert video._pipe([sys.executable, "-c", program], frames) == "disk full"


def test_mp4_on_a_full_disk_leaves_nothing(moving, tmp_path, monkeypatch):
    monkeypatch.setattr(video, "_pipe", lambda command, frames: video_fails(command))

    def video_fails(command):
        with open(command[-1], "wb") as file:
            file.write(b"half")
        return "[out#0/mp4 @ 0x55796d4872c0] No space left on device"

    with pytest.raises(
        FacegenError, match="cannot write .*a.mp4 by ffmpeg: it could not be written; is the disk [^0@]*$"
    ):
        write_mp4(moving(2), tmp_path / "a.mp4", size=SIZE)
    assert list(tmp_path.iterdir()) == []

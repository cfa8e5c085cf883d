"""The command as its user calls it."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from dressing import png

from facegen.cli import TRAINING, build_parser, run
from facegen.errors import FacegenError
from facegen.files import new_file
from facegen.inputs import kept_apart
from facegen.mesh import read_mesh, write_mesh
from facegen.mesh.formats.io import read_appearance
from facegen.motion.live_link import COLUMNS, SHAPES
from facegen.motion.timecode import timecode
from facegen.readable import require_file
from facegen.sequence.sequence import Sequence

ONE = ["--expression", "happy", "--frames", "5"]
VERBS = (
    "demo",
    "prepare",
    *TRAINING,
    "animate",
    "rig",
    "evaluate",
    "interpolate",
    "register",
    "export",
    "inspect",
    "bench",
)


def fails(capsys: pytest.CaptureFixture, arguments: list[object], *parts: str) -> None:
    """Exit code 2 and one line on standard error that holds all parts."""
    capsys.readouterr()
    assert run([str(argument) for argument in arguments]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("facegen: error: ")]
    assert len(lines) == 1
    for part in parts:
        assert part in lines[0]


def test_the_console_script_prints_one_line_and_exits_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "facegen", "inspect", "nowhere.ply"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "facegen: error: nowhere.ply: no such file\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stop:
        run([verb, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "xample:" in text
    assert f"facegen {verb}" in text
    if verb in TRAINING:  # its example names a config, which no wheel holds
        assert text.startswith("usage: facegen ")
        assert "not in an installed package" in " ".join(text.split())


def test_the_verbs_are_those_of_the_help(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(["--help"])
    text = capsys.readouterr().out
    listed = [line.split()[0] for line in text.splitlines() if line.startswith("    ") and line[4] != " "]
    assert [verb for verb in listed if verb in VERBS] == list(VERBS)


def test_a_command_starts_without_loading_torch() -> None:
    code = "import sys; from facegen.cli import run; run(['inspect', 'x.ply']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["VERB"]),
        (["dance"], ["dance"]),
        (["animate", "x.obj", "--out", "x.glb"], ["--expression NAME or --timeline FILE.yaml"]),
        (["prepare", "mars", "--out", "x"], ["unknown source 'mars'", "synthetic, ict_facekit, folder"]),
        (["prepare", "folder", "--out", "x"], ["needs --root"]),
        (["prepare", "synthetic", "--region", "face", "--out", "x"], ["synthetic takes no --region"]),
        (["prepare", "synthetic", "--val-subjects", "ann", "--out", "x"], ["--val-subjects takes a number, got ann"]),
        (["prepare", "synthetic", "--val-subjects", "17", "--out", "x"], ["3 of them to test and 17 to validate"]),
        (["prepare", "synthetic", "--subjects", "1", "--out", "x"], ["at least one subject to train"]),
        (["prepare", "synthetic", "--vertices", "50", "--out", "x"], ["400"]),
        (["prepare", "ict_facekit", "--root", "/nowhere", "--out", "x"], ["no ICT Face Model", "git clone"]),
        (["prepare", "folder", "--root", "/nowhere", "--out", "x"], ["/nowhere: no such folder"]),
        (["inspect", "nowhere.ckpt"], ["nowhere.ckpt: no such file"]),
        (["export", "nowhere.npz", "--out", "x.glb"], ["nowhere.npz: no such file"]),
        (["prepare", "synthetic", "--seed", "-1", "--out", "x"], ["--seed: must be a whole number from 0 to"]),
        (
            ["prepare", "synthetic", "--seed", "1e3", "--out", "x"],
            ["--seed: must be a whole number from 0 to", "got '1e3';"],
        ),
        (
            ["prepare", "synthetic", "--fps", "many", "--out", "x"],
            ["--fps: must be a number from 0.01 to 10,000, got 'many';"],
        ),
        (["prepare", "synthetic", "--seed", "9" * 5000, "--out", "x"], [f"got '{'9' * 40}';"]),
        (
            ["prepare", "synthetic", "--acting", "recorded", "--fps", "1", "--out", "x"],
            ["got 2 to 5 at 1 frames", "--fps"],
        ),
        (["inspect", "\x1b[2Jnowhere.ckpt"], ["?[2Jnowhere.ckpt: no such file"]),
        (
            ["prepare", "synthetic", "--fps", "nan", "--out", "x"],
            ["--fps: must be a number", "got 'nan'"],
        ),
        (["prepare", "synthetic", "--factor", "nan", "--out", "x"], ["--factor: must be a number from 1 to 1,000"]),
        (
            ["prepare", "synthetic", "--components", "0", "--out", "x"],
            ["--components: must be", "got '0'"],
        ),
        (["fit", "--config", "nowhere.yaml"], ["nowhere.yaml"]),
        (["fit", "--model", "SpiralGenerator", "--data.corpus", "nowhere"], ["nowhere: no such corpus"]),
        (["fit", "--model", "Transformer", "--data.corpus", "x"], ["Transformer"]),
        (["fit", "--model", "SpiralGenerator", "--model.depth", "3", "--data.corpus", "x"], ["depth"]),
    ],
)
def test_mistakes_get_one_line(
    arguments: list[str],
    parts: list[str],
    capsys: pytest.CaptureFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    fails(capsys, arguments, *parts)
    assert not list(tmp_path.iterdir())


def animate(neutral: Path, checkpoint: Path, out: Path, *more: object) -> list[str]:
    return [str(each) for each in ("animate", neutral, "--model", checkpoint, "--out", out, *more)]


def test_what_is_read_is_not_written_over(
    neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    mine, link = tmp_path / "mine.npz", tmp_path / "link.npz"
    Sequence(np.zeros((2, 3, 3)), np.array([[0, 1, 2]]), 25, np.zeros((2, 1)), ("a",)).save(mine)
    link.symlink_to(mine)
    before = mine.read_bytes(), neutral_path.read_bytes()
    words = ["rig", str(neutral_path), "--out", str(neutral_path)]
    for command in (["export", str(mine), "--out", str(mine)], ["export", str(link), "--out", str(mine)], words):
        assert run(command) == 2
        assert "is what is read; name another place" in capsys.readouterr().err
    assert before == (mine.read_bytes(), neutral_path.read_bytes())


@pytest.mark.parametrize(
    ("given", "out", "said"),
    [
        ("animate head.obj --expression happy --frames 2", "skin.png", "--out skin.png is what is read"),
        ("interpolate --neutral head.obj --from happy --to sad --steps 2", "skin.png", "--out skin.png is what is"),
        ("animate head-1.obj --expression happy --frames 2", "head.npz", ""),
    ],
)
def test_what_is_read_through_another_file_is_not_written_over(
    given: str,
    out: str,
    said: str,
    neutral_path: Path,
    checkpoint_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = ["mtllib head.mtl", "usemtl skin", *neutral_path.read_text().splitlines(), ""]
    for name in ("head.obj", "head-1.obj"):
        Path(name).write_text("\n".join(lines))
    Path("head.mtl").write_text("newmtl skin\nmap_Kd skin.png\n")
    Path("skin.png").write_bytes(png(9, 8, 7))
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    command = [*given.split(), "--model", str(checkpoint_path), "--out", out]
    assert run(command) == (2 if said else 0)
    assert said in capsys.readouterr().err
    assert before == {path.name: path.read_bytes() for path in Path().iterdir() if path.name in before}


@pytest.mark.parametrize(("sent", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.parametrize("when", ["while its parts are loaded", "on the way out"])
def test_a_signal_is_a_line_at_any_moment(sent: str, code: int, when: str) -> None:
    raised = f"signal.raise_signal(signal.{sent})"
    stub = "sys.modules['facegen.cli'] = types.SimpleNamespace(run=lambda _: 0)"  # which loads nothing
    at = {
        "while its parts are loaded": f"sys.meta_path.insert(0, types.SimpleNamespace(find_spec=lambda *_: {raised}))",
        "on the way out": f"{stub}; atexit.register(lambda: {raised})",
    }
    heard = "signal.signal(signal.SIGINT, signal.default_int_handler)"  # as it is not of what runs in the background
    lines = f"import atexit, signal, sys, types; from facegen.__main__ import main; {heard}; {at[when]}; main()"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=False)
    said = "interrupted" if sent == "SIGINT" else "ended by a signal"
    assert (done.returncode, done.stderr) == (code, f"facegen: {said}\n")


def test_what_is_made_beside_a_file_is_not_written_over_what_is_read(tmp_path: Path) -> None:
    read, out = tmp_path / "a-2.glb", tmp_path / "a.glb"
    read.write_text("mine")
    with kept_apart({"--out": out}):
        require_file(read)
        with (
            pytest.raises(FacegenError, match=f"cannot write {read}: it is what this command has read"),
            new_file(read),
        ):
            raise AssertionError
    with new_file(read) as aside:
        aside.write_text("from Python one may")
    with (
        kept_apart({"--out": tmp_path}),
        pytest.raises(FacegenError, match=f"{read} is read, and lies in --out {tmp_path}"),
    ):
        require_file(read)
    with kept_apart({"--out": tmp_path}, free=(read,)):
        require_file(read)


@pytest.mark.parametrize("name", ["hierarchy.npz", "components.npz", "landmarks.npz"])
def test_no_part_of_a_corpus_that_is_read_is_written_over(
    name: str, corpus_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    part = tmp_path / "corpus" / name
    shutil.copytree(corpus_path, tmp_path / "corpus")
    part.touch()
    before = part.read_bytes()
    assert run(["export", str(tmp_path / "corpus"), "--expression", "happy", "--out", str(part)]) == 2
    assert f"--out {part} is a part of {tmp_path / 'corpus'}, which is read" in capsys.readouterr().err
    assert part.read_bytes() == before


def test_animate_to_a_sequence(neutral_path: Path, checkpoint_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "sad.npz"
    more = [
        "--expression",
        "sad",
        "--frames",
        "30",
        "--fps",
        "20",
        "--onset",
        "4",
        "--apex",
        "10",
        "20",
        "--offset",
        "26",
        "--intensity",
        "0.5",
    ]
    assert run(animate(neutral_path, checkpoint_path, out, *more)) == 0
    made = Sequence.load(out)
    assert (made.vertices.shape, made.fps, made.expressions[2]) == ((30, 420, 3), 20, "sad")
    assert made.motion[10:21, 2].tolist() == [0.5] * 11
    assert not made.motion[:5].any()
    assert not made.motion[26:].any()
    neutral = read_mesh(neutral_path).vertices
    moved = np.linalg.norm(made.vertices - neutral, axis=-1).mean(axis=1)
    assert moved[15] > moved[0]


@pytest.mark.parametrize("suffix", [".glb", ".gltf", ".usdc", ".usda", ".usdz", ".pc2", ".mdd", ".gif", ".png", ".mp4"])
def test_animate_to_other_formats(neutral_path: Path, checkpoint_path: Path, tmp_path: Path, suffix: str) -> None:
    more = ["--expression", "fear", "--frames", 5] + (["--size", 64] if suffix in (".gif", ".png", ".mp4") else [])
    assert run(animate(neutral_path, checkpoint_path, tmp_path / f"fear{suffix}", *more)) == 0
    assert (tmp_path / f"fear{suffix}").stat().st_size > 500


def test_animate_writes_a_folder_with_the_polygons_of_the_file(
    neutral_path: Path, checkpoint_path: Path, tmp_path: Path
) -> None:
    assert (
        run(animate(neutral_path, checkpoint_path, tmp_path / "walk.obj", "--expression", "happy", "--frames", 3)) == 0
    )
    frames = sorted((tmp_path / "walk.obj").iterdir())
    assert len(frames) == 3
    assert read_mesh(frames[0]).digest == read_mesh(neutral_path).digest


def test_animate_a_timeline(
    neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    timeline = tmp_path / "t.yaml"
    timeline.write_text(
        "frames: 20\nfps: 12\nevents:\n - {expression: happy, onset: 1, apex: [4, 9], offset: 15}\n"
        " - {expression: surprise, onset: 1, apex: [6, 9], offset: 19, ease: smooth}\n"
    )
    out = tmp_path / "both.npz"
    assert run(animate(neutral_path, checkpoint_path, out, "--timeline", timeline)) == 0
    made = Sequence.load(out)
    assert (len(made.vertices), made.fps) == (20, 12)
    assert made.motion[7, [0, 3]].tolist() == [1, 1]
    fails(capsys, animate(neutral_path, checkpoint_path, out, "--timeline", timeline, "--frames", 3), "--frames")


@pytest.fixture
def take_path(tmp_path: Path) -> Path:
    """A recording of Live Link Face: one second of rest, one of a smile that comes, one of a smile that goes."""
    path = tmp_path / "take.csv"
    rows = [",".join(COLUMNS)]
    for t in range(181):
        weights = [0.02] * len(SHAPES)
        weights[SHAPES.index("MouthSmileLeft")] = float(np.interp(t, [60, 120, 180], [0, 0.5, 0]))
        rows.append(",".join([timecode(3600 + t / 60), "61", *map(str, weights), *["0.0"] * 9]))
    path.write_text("\n".join(rows))
    return path


def test_animate_by_a_recording(
    neutral_path: Path, checkpoint_path: Path, take_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "x.npz"
    more = ["--timeline", take_path, "--expression", "happy", "--fps", 20]
    assert run(animate(neutral_path, checkpoint_path, out, *more, "--intensity", 0.5)) == 0
    made = Sequence.load(out)
    assert (len(made.vertices), made.fps) == (61, 20)
    np.testing.assert_allclose(made.motion[:, 0], np.interp(np.arange(61), [20, 40, 60], [0, 0.5, 0]), atol=1e-5)
    assert not made.motion[:, 1:].any()
    fails(capsys, animate(neutral_path, checkpoint_path, out, *more, "--onset", 3), "a timeline says --onset itself")
    fails(capsys, animate(neutral_path, checkpoint_path, out, *more[:2]), "take.csv says when", "--expression NAME")
    fails(
        capsys,
        animate(neutral_path, checkpoint_path, out, *more, "--intensity", 3),
        "--intensity: must be a number from 0 to 1",
    )
    take_path.write_text("\n".join(take_path.read_text().splitlines()[:90] + ["01:00:02:00.000,61,0.1"]))
    fails(capsys, animate(neutral_path, checkpoint_path, out, *more), "line 91: expected 63 values, found 3")


def test_animate_keeps_what_the_neutral_looks_like(
    neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    from PIL import Image

    mesh = read_mesh(neutral_path)
    Image.new("RGB", (4, 4), (200, 150, 120)).save(tmp_path / "skin.png")
    (tmp_path / "head.mtl").write_text("newmtl skin\nmap_Kd skin.png\nnewmtl chin\nKd 0.5 0 0\n")
    text = neutral_path.read_text().split("f ", 1)[0] + "mtllib head.mtl\nusemtl skin\n"
    text += "".join(f"vt {x / 200 + 0.5} {y / 200 + 0.5}\n" for x, y, _ in mesh.vertices)
    polygons = mesh.faces if mesh.polygons is None else mesh.polygons
    for number, row in enumerate(polygons.tolist()):
        text += "usemtl chin\n" if number == len(polygons) // 2 else ""
        text += f"f {' '.join(f'{v + 1}/{v + 1}' for v in row if v >= 0)}\n"
    (tmp_path / "head.obj").write_text(text)
    for name in ("x.glb", "x.npz", "x.obj"):
        assert run(animate(tmp_path / "head.obj", checkpoint_path, tmp_path / name, *ONE)) == 0
    assert run(["export", str(tmp_path / "x.npz"), "--out", str(tmp_path / "y.gltf")]) == 0
    for path in (tmp_path / "x.glb", tmp_path / "y.gltf", tmp_path / "x.obj" / "frame_0004.obj"):
        found = read_appearance(path, read_mesh(path))
        assert [material.name for material in found.materials] == ["skin", "chin"]
        assert found.materials[0].base.texture.data == (tmp_path / "skin.png").read_bytes()
        assert found.materials[1].color == (0.5, 0, 0)
        assert 0.4 < found.face_materials.mean() < 0.6
    (tmp_path / "skin.png").unlink()
    capsys.readouterr()
    assert run(animate(tmp_path / "head.obj", checkpoint_path, tmp_path / "x.glb", *ONE)) == 0
    assert "facegen: left out: the texture 'skin.png': no such file" in capsys.readouterr().err


def test_a_basis_that_is_none_is_refused(
    neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    more = [*ONE, "--arkit-basis", tmp_path]
    fails(capsys, animate(neutral_path, checkpoint_path, tmp_path / "x.csv", *more), "neutral.obj")
    fails(
        capsys,
        animate(neutral_path, checkpoint_path, tmp_path / "x.glb", *more),
        "unknown option for .glb 'arkit_basis'",
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "option"), [("x.glb", "--scene-fps"), ("x.abc", "--scene-fps"), ("x.pc2", "--size")])
def test_an_option_of_another_format_is_refused_before_the_model_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture, name: str, option: str
) -> None:
    none = tmp_path / "none"
    fails(capsys, animate(none, none, tmp_path / name, *ONE, option, 24), option[2:].replace("-", "_"))


GROWTH = """
import resource, sys
from facegen.cli import run
assert run(sys.argv[1:]) == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def test_a_long_clip_need_not_fit_into_memory(neutral_path: Path, checkpoint_path: Path, tmp_path: Path) -> None:
    def peak(frames: int) -> float:
        arguments = animate(neutral_path, checkpoint_path, tmp_path / f"{frames}.pc2", *ONE[:2], "--frames", frames)
        command = [sys.executable, "-c", GROWTH, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return float(done.stdout.splitlines()[-1])

    grown = peak(15_000) - peak(100)
    assert (tmp_path / "15000.pc2").stat().st_size > 75e6
    assert grown < 40


def test_units_are_converted(
    neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    mesh = read_mesh(neutral_path)
    write_mesh(tmp_path / "cm.obj", mesh.with_vertices(mesh.vertices / 10))
    more = ["--expression", "happy", "--frames", 4]
    fails(
        capsys,
        animate(tmp_path / "cm.obj", checkpoint_path, tmp_path / "x.npz", *more, "--units", "mm"),
        "times the size",
        "units (mm, cm or m)",
    )
    assert run(animate(tmp_path / "cm.obj", checkpoint_path, tmp_path / "found.npz", *more)) == 0
    assert run(animate(tmp_path / "cm.obj", checkpoint_path, tmp_path / "cm.npz", *more, "--units", "cm")) == 0
    assert run(animate(neutral_path, checkpoint_path, tmp_path / "mm.npz", *more)) == 0
    one, two = Sequence.load(tmp_path / "cm.npz"), Sequence.load(tmp_path / "mm.npz")
    np.testing.assert_allclose(one.vertices, two.vertices, atol=1e-3)
    np.testing.assert_array_equal(one.vertices, Sequence.load(tmp_path / "found.npz").vertices)


@pytest.mark.parametrize(
    ("more", "parts"),
    [
        (["--expression", "joy"], ["unknown expression 'joy'", "happy, angry, sad"]),
        (["--expression", "sad", "--onset", "50", "--apex", "20", "30"], ["onset 50", "must follow"]),
        (["--expression", "sad", "--frames", "10", "--apex", "5", "6", "--offset", "20"], ["frame 20", "10 frames"]),
        (["--expression", "sad", "--intensity", "2"], ["--intensity: must be a number from 0 to 1"]),
        (["--expression", "sad", "--frames", "0"], ["--frames: must be a whole number from 1 to 1,000,000, got '0'"]),
        (["--expression", "sad", "--fps", "-5"], ["fps"]),
        (["--expression", "sad", "--fps", "0"], ["--fps: must be a number from 0.01 to 10,000, got '0'"]),
        (["--expression", "sad", "--frames", "30", "--apex", "5", "50"], ["apex ends at frame 50", "30 frames"]),
        ([], ["--expression NAME or --timeline"]),
        ([*ONE, "--units", "inch"], ["unknown unit 'inch'"]),
        ([*ONE, "--size", "99"], ["size"]),
    ],
)
def test_what_animate_refuses(
    neutral_path: Path,
    checkpoint_path: Path,
    tmp_path: Path,
    more: list[str],
    parts: list[str],
    capsys: pytest.CaptureFixture,
) -> None:
    fails(capsys, animate(neutral_path, checkpoint_path, tmp_path / "x.glb", *more), *parts)
    assert not list(tmp_path.iterdir())


def test_a_face_that_lies_down_moves_as_one_that_stands(
    neutral_path: Path, checkpoint_path: Path, tmp_path: Path
) -> None:
    mesh = read_mesh(neutral_path)
    write_mesh(tmp_path / "z-up.obj", mesh.with_vertices(mesh.vertices[:, [0, 2, 1]] * (1, -1, 1)))
    assert run(animate(tmp_path / "z-up.obj", checkpoint_path, tmp_path / "down.npz", *ONE)) == 0
    assert run(animate(neutral_path, checkpoint_path, tmp_path / "up.npz", *ONE)) == 0
    down, up = (Sequence.load(tmp_path / name).vertices for name in ("down.npz", "up.npz"))
    # The head of this person against the template's is a little turned, too.
    np.testing.assert_allclose(down, up[..., [0, 2, 1]] * (1, -1, 1), atol=0.5)


def test_weights_that_diverged_are_refused(
    checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    content = torch.load(checkpoint_path, weights_only=True)
    content["state_dict"]["network.decoder.full.bias"][0] = float("nan")
    torch.save(content, tmp_path / "nan.ckpt")
    fails(capsys, ["inspect", tmp_path / "nan.ckpt"], "nan.ckpt", "training has diverged")


def test_more_frames_than_anybody_means(
    neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    more = ["--expression", "happy", "--frames", "1000000000000"]
    fails(
        capsys,
        animate(neutral_path, checkpoint_path, tmp_path / "x.npz", *more),
        "--frames: must be a whole number from 1 to",
    )


def test_bad_meshes_are_refused(
    neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    mesh = read_mesh(neutral_path)
    write_mesh(tmp_path / "whole.ply", mesh)
    cut = tmp_path / "cut.ply"
    cut.write_bytes((tmp_path / "whole.ply").read_bytes()[:3000])
    nan = tmp_path / "nan.obj"
    nan.write_text(neutral_path.read_text().replace("v ", "v nan ", 1))
    for path, part in (
        (cut, "cut.ply"),
        (nan, "nan.obj"),
        (tmp_path / "no.obj", "no such file"),
    ):
        fails(capsys, animate(path, checkpoint_path, tmp_path / "x.glb", *ONE), part)
    assert not (tmp_path / "x.glb").exists()


def test_bad_checkpoints_are_refused(
    neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture, fit_arguments: list[str]
) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> tuple:
            return os.system, (f"touch {tmp_path / 'owned'}",)

    noise, evil, cut = tmp_path / "noise.ckpt", tmp_path / "evil.ckpt", tmp_path / "cut.ckpt"
    noise.write_bytes(b"no checkpoint")
    evil.write_bytes(pickle.dumps(Evil()))
    cut.write_bytes(checkpoint_path.read_bytes()[:5000])
    for path in (noise, evil, cut):
        fails(capsys, animate(neutral_path, path, tmp_path / "x.glb", *ONE), path.name, "not a checkpoint")
        fails(capsys, ["inspect", path], "not a checkpoint")
        common = [*fit_arguments, f"--trainer.logger.save_dir={tmp_path}"]
        fails(capsys, ["test", *common, f"--ckpt_path={path}"], "not a checkpoint")
    assert not (tmp_path / "owned").exists()


def test_an_output_that_cannot_be_written(
    neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    fails(capsys, animate(neutral_path, checkpoint_path, tmp_path / "no" / "x.glb", *ONE), "does not exist")
    fails(capsys, animate(neutral_path, checkpoint_path, tmp_path / "x.docx", *ONE), "unknown suffix '.docx'")
    full = tmp_path / "full.obj"
    full.mkdir()
    (full / "mine.txt").write_text("keep me")
    fails(capsys, animate(neutral_path, checkpoint_path, full, *ONE), "already there")
    assert (full / "mine.txt").read_text() == "keep me"


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """A limit on the size of files, which fails in a write as a full disk does, for this process alone."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)


def test_a_full_disk_leaves_nothing(
    neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    with full_disk(4096):
        for name in ("x.glb", "x.gltf", "x.npz", "x.png", "x.obj", "x.ply", "x.gif", "x.pc2", "x.mdd"):
            fails(capsys, animate(neutral_path, checkpoint_path, tmp_path / name, *ONE), "File too large")
        fails(
            capsys,
            [*animate(neutral_path, checkpoint_path, tmp_path / "x.mp4", *ONE)],
            "by ffmpeg: it could not be written",
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("limit", [4096, 400_000])
def test_a_full_disk_while_preparing_keeps_what_is_done(
    limit: int, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    # The smaller limit is met by the hierarchy, the larger one by the frames.
    arguments = "prepare synthetic --subjects 2 --vertices 400 --frames 200 200 --out"
    with full_disk(limit):
        fails(capsys, [*arguments.split(), tmp_path / "deep" / "corpus"], "file too large", "what is done is kept")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == [".corpus.unfinished"]


@pytest.mark.parametrize(("limit", "said"), [(100_000, "last.ckpt; "), (3000, "File too large: ")])
def test_a_full_disk_while_training_leaves_no_half_checkpoint(
    limit: int, said: str, fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    arguments = ["fit", *fit_arguments, f"--trainer.logger.save_dir={tmp_path}", "--trainer.max_epochs=1"]
    with full_disk(limit):
        fails(capsys, arguments, said, str(tmp_path))
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".ckpt"]


def test_easing_shapes_the_rise(neutral_path: Path, checkpoint_path: Path, tmp_path: Path) -> None:
    more = ["--expression", "sad", "--frames", "21", "--onset", "0", "--apex", "10", "10", "--offset", "20"]
    for ease in ("linear", "smooth"):
        assert run(animate(neutral_path, checkpoint_path, tmp_path / f"{ease}.npz", *more, "--ease", ease)) == 0
    linear, smooth = (Sequence.load(tmp_path / f"{ease}.npz").motion[:, 2] for ease in ("linear", "smooth"))
    assert linear[2] == pytest.approx(0.2)
    assert smooth[2] == pytest.approx(0.2**2 * (3 - 2 * 0.2))


def test_interpolate_goes_from_one_apex_to_the_other(
    neutral_path: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "walk.npz"
    base = ["interpolate", "--model", checkpoint_path, "--neutral", neutral_path, "--steps", 5, "--out", out]
    assert run([str(each) for each in (*base, "--from", "sad", "--to", "happy")]) == 0
    made = Sequence.load(out)
    assert made.vertices.shape == (5, 420, 3)
    np.testing.assert_allclose(made.motion[:, 2], [1, 0.75, 0.5, 0.25, 0])
    steps = np.linalg.norm(made.vertices - made.vertices[0], axis=-1).mean(axis=1)
    assert (np.diff(steps) > 0).all()
    fails(capsys, [*base, "--from", "sad", "--to", "joy"], "unknown expression 'joy'")
    fails(
        capsys,
        [*base[:6], 1, "--out", out, "--from", "sad", "--to", "happy"],
        "--steps: must be a whole number from 2 to 10,000, got '1'",
    )


def test_export_a_recorded_sequence(corpus_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "fear.npz"
    assert run(["export", str(corpus_path), "--subject", "001", "--expression", "fear", "--out", str(out)]) == 0
    assert Sequence.load(out).motion[:, 4].max() >= 0.2
    assert run(["export", str(out), "--out", str(tmp_path / "fear.glb")]) == 0
    fails(capsys, ["export", corpus_path, "--subject", "bob", "--out", out], "unknown subject 'bob'", "000, 001")
    fails(capsys, ["export", out, "--subject", "001", "--out", tmp_path / "y.glb"], "--subject")


def test_prepare_keeps_what_is_there(corpus_path: Path, capsys: pytest.CaptureFixture) -> None:
    before = sorted(path.name for path in corpus_path.iterdir())
    fails(capsys, ["prepare", "synthetic", "--out", corpus_path], "already there")
    assert sorted(path.name for path in corpus_path.iterdir()) == before


def test_a_message_about_a_long_name_stays_a_line_that_can_be_read(capsys: pytest.CaptureFixture) -> None:
    assert run(["inspect", "x" * 5000]) == 2
    error = capsys.readouterr().err
    assert len(error) < 1000 and error.startswith("facegen: error: ") and "too long" in error

"""A recorded take on a rig: what the command writes, and what a browser and Blender show of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, run_module
from one_face import template
from rigging.conftest import still
from rigging.test_rig import shapes_of

from facegen.cli import run
from facegen.mesh import read_mesh, write_mesh
from facegen.mesh.formats.gltf_document import open_document
from facegen.motion.live_link import COLUMNS, SHAPES, Take
from facegen.motion.shape_names import NAMES
from facegen.rigging.played import take_weights, unplayed
from facegen.scene.names import target_names
from facegen.sequence.sequence import Sequence

ELSEWHERE = Path(sys.prefix) / "elsewhere" / "node_modules" / "three"
BLENDER = Path(os.environ.get("BLENDER_PYTHON", Path(sys.prefix) / "blender" / "bin" / "python"))
TIMES = (0.0, 3.3, 11.0, 19.7)
"""Seconds into the take; at some of them jaw and brows are well away from rest."""


@pytest.fixture(scope="session")
def recording() -> Path:
    """A recorded take of Live Link Face."""
    path = Path(__file__).parents[2] / "../shared/data/LiveLink/rom-a.csv"
    path = Path(os.environ.get("LIVE_LINK_TAKE", path)).resolve()
    if not path.is_file():
        pytest.skip(f"no recording {path}; name one in LIVE_LINK_TAKE")
    return path


@pytest.fixture(scope="session")
def played(rigged, recording, tmp_path_factory) -> Path:
    """The rig with the take on it, by the command."""
    path = tmp_path_factory.mktemp("played") / "rig.glb"
    assert run(["animate", str(rigged.path), "--timeline", str(recording), "--out", str(path)]) == 0
    return path


def combined(path: Path, recording: Path, times) -> np.ndarray:
    """(T, U, 3) mm: what facegen itself makes of neutral, shapes and the recorded weights, between frames in a line."""
    seconds, weights = take_weights(Take.load(recording))
    shapes = shapes_of(path)
    rest = read_mesh(path).vertices
    rows = np.stack([np.interp(times, seconds, weights[name]) for name in shapes], axis=1)
    return rest + np.tensordot(rows, np.stack(list(shapes.values())), axes=1)


def test_the_take_is_one_animation_named_after_it(played, recording):
    tree = open_document(played).tree
    (animation,) = tree["animations"]
    assert animation["name"] == recording.stem
    assert [channel["target"]["path"] for channel in animation["channels"]] == ["weights"]
    (count,) = (len(target_names(mesh)) for mesh in tree["meshes"])
    keys = tree["accessors"][animation["samplers"][0]["input"]]
    assert keys["count"] == len(Take.load(recording).times)
    assert tree["accessors"][animation["samplers"][0]["output"]]["count"] == keys["count"] * count


def test_other_formats_get_what_the_shapes_draw(played, rigged, recording, tmp_path):
    arguments = ["--timeline", str(recording), "--fps", "1", "--out", str(tmp_path / "take.npz")]
    assert run(["animate", str(rigged.path), *arguments]) == 0
    found = Sequence.load(tmp_path / "take.npz")
    assert found.fps == 1
    wanted = combined(played, recording, np.arange(len(found.vertices)))
    np.testing.assert_allclose(found.vertices, wanted, atol=1e-3)
    assert np.linalg.norm(wanted - wanted[0], axis=-1).max() > 10


@pytest.mark.skipif(not (CHROMIUM and ELSEWHERE.is_dir()), reason="needs Chromium, and npm when `make` ran")
def test_a_browser_shows_it(played, recording, tmp_path):
    (tmp_path / "three").mkdir()
    loaders = ELSEWHERE / "examples" / "jsm"
    parts = [*(ELSEWHERE / "build").glob("three.*.js"), loaders / "loaders" / "GLTFLoader.js"]
    for path in [*parts, loaders / "utils" / "BufferGeometryUtils.js", loaders / "utils" / "SkeletonUtils.js"]:
        text = path.read_text(encoding="utf-8").replace("from 'three'", "from './three.module.js'")
        (tmp_path / "three" / path.name).write_text(text.replace("'../utils/", "'./"), encoding="utf-8")
    (tmp_path / "rig.glb").symlink_to(played)
    page = (Path(__file__).parent / "three_page.mjs").read_text(encoding="utf-8").replace("TIMES", json.dumps(TIMES))
    shown = np.frombuffer(run_module(tmp_path, page), np.float32).reshape(len(TIMES), -1, 3)
    wanted = combined(played, recording, TIMES)
    assert np.linalg.norm(1000 * shown - wanted, axis=-1).max() < 2e-3  # mm; weights and positions are float32
    assert np.linalg.norm(wanted[1:] - wanted[:1], axis=-1).max() > 5


@pytest.mark.skipif(not BLENDER.exists(), reason="needs `make blender`")
def test_blender_shows_it_by_shape_keys(played, recording, tmp_path):
    here = Path(__file__).parents[1] / "exporters" / "elsewhere"
    frames = [round(24 * time) for time in TIMES]
    found = tmp_path / "found.json"
    command = [BLENDER, here / "blender.py", played, "", found, "as it opens", *frames]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    shown = 1000 * np.array(json.loads(found.read_text()))
    off = np.linalg.norm(shown - combined(played, recording, np.array(frames) / 24), axis=-1)
    assert off.max() < 0.3  # mm; Blender's keys of glTF lie at hundredths of a frame
    subprocess.run(
        list(map(str, [BLENDER, here / "arrives_in_blender.py", played, "", found, 0])), check=True, capture_output=True
    )
    assert set(json.loads(found.read_text())["morphs"]) == set(shapes_of(played))


@pytest.mark.skipif(not BLENDER.exists(), reason="needs `make blender`")
def test_blender_takes_shape_keys_from_usd(rigged, tmp_path):
    pytest.importorskip("pxr.Usd")
    from facegen.exporters.rig import write_rig
    from facegen.rigging.rig import Rig

    made = Rig(
        read_mesh(rigged.path), {n: s.astype(np.float32) for n, s in shapes_of(rigged.path).items()}, np.eye(3), 1, ()
    )
    write_rig(made, tmp_path / "rig.usdc")
    here, found = Path(__file__).parents[1] / "exporters" / "elsewhere", tmp_path / "found.json"
    command = [BLENDER, here / "arrives_in_blender.py", tmp_path / "rig.usdc", "", found, 0]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    assert set(json.loads(found.read_text())["morphs"]) == set(made.names)


def take_file(path: Path, **curves) -> Path:
    """A recording of some frames in which some weights follow curves."""
    count = len(next(iter(curves.values())))
    rows = [",".join(COLUMNS)]
    for t in range(count):
        values = {name[0].upper() + name[1:]: curve[t] for name, curve in curves.items()}
        numbers = [f"{values.get(name, 0.0)}" for name in COLUMNS[2:]]
        rows.append(",".join([f"00:00:{t:02d}:00.000", str(len(numbers)), *numbers]))
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_csv_is_solved_by_the_shapes_that_the_mesh_has(rigged, tmp_path):
    """Without a basis: the face's own shapes are one."""
    from facegen.exporters.arkit import write_csv
    from facegen.rigging.weights import ArkitBasis

    shapes = shapes_of(rigged.path)
    rise = np.linspace(0, 1, 5)
    rest = read_mesh(rigged.path)
    frames = rest.vertices + np.multiply.outer(rise, shapes["jawOpen"])
    sequence = Sequence(frames, rest.faces, 25, rise[:, None], ("o",))
    report = write_csv(sequence, tmp_path / "a.csv", arkit_basis=ArkitBasis.of(shapes))
    assert report.explained > 0.9999 and len(report.missing) == 46
    take = Take.load(tmp_path / "a.csv")
    np.testing.assert_allclose(take.weights[:, SHAPES.index("JawOpen")], rise, atol=2e-3)


def test_what_a_take_uses_and_the_rig_lacks_is_named(tmp_path):
    take = Take.load(take_file(tmp_path / "a.csv", jawOpen=[0, 0.5, 1], cheekPuff=[0, 0.2, 0], tongueOut=[0, 0.01, 0]))
    times, weights = take_weights(take, fps=2)
    np.testing.assert_allclose(times, [0, 0.5, 1, 1.5, 2])
    np.testing.assert_allclose(weights["jawOpen"], [0, 0.25, 0.5, 0.75, 1])
    assert list(weights) == list(NAMES)
    assert unplayed(weights, {"jawOpen"}) == ["cheekPuff"]


@pytest.mark.parametrize(
    ("face", "more", "said"),
    [
        ("face.obj", [], "`facegen rig` makes of"),
        ("face.glb", [], "face.glb has none, `facegen rig` gives it them"),
        ("face.glb", ["--intensity", "1"], "--intensity is for --expression NAME"),
        ("face.glb", ["--frames", "5"], "a timeline says --frames itself"),
    ],
)
def test_a_take_for_what_has_no_shapes_is_refused(tmp_path, capsys, face, more, said):
    write_mesh(tmp_path / "face.obj", template())
    still(tmp_path / "face.glb", template())
    take = take_file(tmp_path / "a.csv", jawOpen=[0, 0.5, 1])
    arguments = ["--timeline", str(take), "--out", str(tmp_path / "out.glb"), *more]
    assert run(["animate", str(tmp_path / face), *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "out.glb").exists()

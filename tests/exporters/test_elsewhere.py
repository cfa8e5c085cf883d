"""Other programs play what is written: Khronos' validator and three.js (`make` installs them where npm is), Blender.

`make blender` installs Blender as a Python module, for the tests that ask for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dressing import RED, two_materials
from node import HERE, needs_node, run_node

from facegen.exporters import export
from facegen.exporters.glb import write_glb, write_gltf
from facegen.mesh.appearance import Appearance
from facegen.mesh.material import Material
from facegen.sequence.sequence import Sequence

BLENDER = Path(sys.prefix) / "blender" / "bin" / "python"

needs_blender = pytest.mark.skipif(not BLENDER.exists(), reason="needs `make blender`")


@needs_node
@pytest.mark.parametrize("write", [write_glb, write_gltf])
@pytest.mark.parametrize("per_frame", [False, True])
def test_the_khronos_validator_has_nothing_to_say(moving, tmp_path, write, per_frame):
    path = tmp_path / f"a.{write.__name__[-4:].strip('_')}"
    write(moving(30, 5, noise=0.02), path, per_frame=per_frame)
    issues = run_node("validate.mjs", path)["issues"]
    assert issues["messages"] == []
    assert issues["numErrors"] == issues["numWarnings"] == 0


@needs_node
@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("suffix", [".glb", ".gltf"])
def test_the_khronos_validator_finds_no_error_in_materials(moving, tmp_path, suffix, bare):
    export(two_materials(moving(5), colors=True, bare=bare), tmp_path / f"a{suffix}")
    issues = run_node("validate.mjs", tmp_path / f"a{suffix}")["issues"]
    assert issues["numErrors"] == 0
    # Viewers make tangents themselves, coordinates that one of the materials needs stand in every primitive, and the
    # material of the tests is both unlit and coated.
    known = {"MESH_PRIMITIVE_GENERATED_TANGENT_SPACE", "UNUSED_OBJECT", "MULTIPLE_EXTENSIONS"}
    assert {message["code"] for message in issues["messages"]} <= known


@needs_node
def test_the_khronos_validator_sees_a_broken_file(moving, tmp_path):
    path = tmp_path / "a.glb"
    write_glb(moving(30, 5), path)
    data = bytearray(path.read_bytes())
    data[-4:] = b"\xff\xff\xff\xff"  # the last weight becomes no number
    path.write_bytes(data)
    assert run_node("validate.mjs", path)["issues"]["numErrors"] > 0


@needs_node
def test_three_js_shows_every_frame(moving, tmp_path):
    """What a browser plays: positions with their morph targets, at the times of frames and half way between two."""
    sequence = moving(30, 5, noise=0.02)
    write_glb(sequence, tmp_path / "a.glb", tolerance=0.1)
    frames = np.array([0, 1, 7, 13.5, 22, 28])
    before, after = sequence.vertices[np.floor(frames).astype(int)], sequence.vertices[np.ceil(frames).astype(int)]
    shown = np.array(run_node("play.mjs", tmp_path / "a.glb", *frames / sequence.fps))
    assert shown.shape == (6, 1, *before.shape[1:])
    off = np.linalg.norm(shown[:, 0] * 1000 - (before + after) / 2, axis=-1)
    assert off.max() <= 0.1
    assert np.linalg.norm(before[0] - before, axis=-1).max() > 2  # it moves


def in_parts(sequence: Sequence, stirring: int = 0) -> tuple[Sequence, list[np.ndarray]]:
    """The face of two materials, with its left half again, where few vertices move; and the vertices of each part."""
    left = sequence.vertices[0][sequence.faces][..., 0].mean(axis=1) < sequence.vertices[0][:, 0].mean()
    moving, count = np.array(sequence.vertices), sequence.vertices.shape[1]
    away = np.repeat(moving[:1] + np.array([0, 0, 50], np.float32), len(moving), axis=0)
    stirred = np.unique(sequence.faces[left])[:stirring]
    away[:, stirred] += (moving - moving[:1])[:, stirred]
    faces = np.concatenate([sequence.faces, sequence.faces[left] + count])
    numbers = np.concatenate([np.where(left, 0, 1), np.full(left.sum(), 2)])
    look = Appearance.plain(len(faces), materials=tuple(map(Material, "abc")), face_materials=numbers)
    both = np.concatenate([moving, away], axis=1)
    parts = replace(sequence, vertices=both, faces=faces, polygons=None, appearance=look)
    return parts, [np.unique(faces[numbers == number]) for number in range(3)]


@needs_node
def test_parts_of_a_face_take_no_more_of_a_browser_than_one(moving, tmp_path):
    """three.js keeps position and normal of each target for each vertex of each primitive, four floats each.

    A part that never moves has zeros for positions alone.
    """
    sequence, parts = in_parts(moving(20, 3, noise=0.02))
    report = write_glb(sequence, tmp_path / "a.glb")
    found = run_node("morph_bytes.mjs", tmp_path / "a.glb")
    first, second, still = map(len, parts)
    assert found["vertices"] == first + second + still
    assert found["morph_bytes"] == 16 * report.targets * (2 * first + 2 * second + still)
    issues = run_node("validate.mjs", tmp_path / "a.glb")
    assert issues["issues"]["messages"] == []
    assert issues["info"]["totalVertexCount"] == found["vertices"]
    shown = run_node("play.mjs", tmp_path / "a.glb", *np.array([0, 7, 18]) / sequence.fps)
    for part, vertices in enumerate(parts):
        off = np.array([meshes[part] for meshes in shown]) * 1000 - sequence.vertices[[0, 7, 18]][:, vertices]
        assert np.linalg.norm(off, axis=-1).max() <= 0.1


@pytest.mark.parametrize("stirring", [0, 2])
@needs_node
def test_three_js_shows_parts_of_which_little_moves(moving, tmp_path, stirring):
    """Targets without numbers, and sparse ones, which have no buffer view of their own."""
    sequence, parts = in_parts(moving(20, 3), stirring)
    write_glb(sequence, tmp_path / "a.glb")
    text = (tmp_path / "a.glb").read_bytes()
    assert (b'"sparse"' in text) == (stirring > 0)
    assert run_node("validate.mjs", tmp_path / "a.glb")["issues"]["messages"] == []
    shown = run_node("play.mjs", tmp_path / "a.glb", *np.array([0, 7, 18]) / sequence.fps)
    for part, vertices in enumerate(parts):
        off = np.array([meshes[part] for meshes in shown]) * 1000 - sequence.vertices[[0, 7, 18]][:, vertices]
        assert np.linalg.norm(off, axis=-1).max() <= 0.1


@needs_blender
@pytest.mark.parametrize("stirring", [0, 2])
def test_blender_shows_every_part(moving, tmp_path, stirring):
    sequence, parts = in_parts(moving(30, 5, noise=0.02 if not stirring else 0), stirring)
    export(sequence, tmp_path / "a.glb")
    command = [BLENDER, HERE / "blender.py", tmp_path / "a.glb", "", tmp_path / "found.json", "25", "0", "7", "29"]
    subprocess.run(command, check=True, capture_output=True)
    found = np.array(json.loads((tmp_path / "found.json").read_text())) * 1000
    off = found - sequence.vertices[[0, 7, 29]][:, np.concatenate(parts)]
    assert np.linalg.norm(off, axis=-1).max() <= 0.1


ANIMATED = [".glb", ".gltf", ".usdc", ".usda", ".usdz", ".abc", ".pc2", ".mdd"]
UNTIMED = (".usdc", ".usda", ".usdz", ".pc2", ".mdd")  # Blender takes their time codes and samples for frames


@needs_blender
@pytest.mark.parametrize("scene_fps", [None, 30])
@pytest.mark.parametrize("fps", [12.5, 24, 60])
@pytest.mark.parametrize("suffix", ANIMATED)
def test_blender_shows_every_moment_when_it_should(moving, tmp_path, suffix, fps, scene_fps):
    """In a scene as Blender opens, of 24 frames a second, and in one of another rate."""
    sequence = moving(30, 5, noise=0.02, fps=fps)
    path, mesh, found = tmp_path / f"a{suffix}", tmp_path / "a.obj", tmp_path / "found.json"
    wanted = scene_fps or (24 if suffix in (".pc2", ".mdd") else None)
    export(sequence, path, **({"scene_fps": wanted} if wanted and suffix in UNTIMED else {}))
    export(sequence, mesh)
    rate = scene_fps or 24
    frames = np.unique(np.linspace(0, 29 / fps * rate, 5).astype(int))
    command = [BLENDER, HERE / "blender.py", path, mesh / "frame_0000.obj", found, scene_fps or "as it opens", *frames]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    at = frames / rate * fps
    low, share = np.floor(at + 1e-6).astype(int), (at - np.floor(at + 1e-6))[:, None, None]
    shown = sequence.vertices[low] * (1 - share) + sequence.vertices[np.minimum(low + 1, 29)] * share
    millimetres = 1.0 if suffix in (".abc", ".pc2", ".mdd") else 1000.0  # what states its unit is brought to metres
    off = np.array(json.loads(found.read_text())) * millimetres - shown
    # glTF's and USD's seconds are float32, and Blender's keys of glTF lie at hundredths of a frame.
    assert np.linalg.norm(off, axis=-1).max() <= (0.15 if suffix in (".glb", ".gltf") else 0.01)


@needs_blender
def test_blender_scales_an_alembic_face(moving, tmp_path):
    """By the number that docs/formats.md says: a file in mm, a scene in m."""
    sequence = moving(3)
    export(sequence, tmp_path / "a.abc")
    script = (
        "import bpy, sys; bpy.ops.wm.read_factory_settings(use_empty=True);"
        "bpy.ops.wm.alembic_import(filepath=sys.argv[1], scale=0.001);"
        "(face,) = bpy.data.objects; print('size', face.name, *face.dimensions)"
    )
    done = subprocess.run([BLENDER, "-c", script, tmp_path / "a.abc"], check=True, capture_output=True, text=True)
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("size"))
    _, name, *size = line.split()
    wide, tall, deep = np.ptp(sequence.vertices[0], axis=0) / 1000
    assert name == "face"
    np.testing.assert_allclose([float(part) for part in size], [wide, deep, tall], rtol=1e-3)


@needs_blender
@needs_node
def test_the_docs_have_the_table_of_what_arrives():
    """`make elsewhere` ends well: the tools were asked, and docs/formats.md holds what they said."""
    done = subprocess.run([sys.executable, HERE / "table.py"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


@needs_blender
@pytest.mark.parametrize("suffix", [".glb", ".gltf", ".usdc", ".usdz", ".obj", ".abc"])
def test_blender_gives_each_face_its_material_and_coordinates(moving, tmp_path, suffix):
    sequence = replace(two_materials(moving(2)), polygons=None)
    skin, glass = sequence.appearance.materials
    lit = replace(skin, extensions={})
    sequence = replace(sequence, appearance=replace(sequence.appearance, materials=(lit, glass)))
    export(sequence, tmp_path / f"a{suffix}")
    path = tmp_path / "a.obj" / "frame_0000.obj" if suffix == ".obj" else tmp_path / f"a{suffix}"
    command = [BLENDER, HERE / "blender_materials.py", path, tmp_path / "found.json"]
    subprocess.run(command, check=True, capture_output=True)
    found = json.loads((tmp_path / "found.json").read_text())
    names = {name.split("_")[0].split("/")[0]: name for name in found["materials"]}
    assert set(names) == {"skin", "glass"}
    look, wanted = sequence.appearance, {}
    for triangle, corners, number in zip(sequence.faces, look.corners, look.face_materials, strict=True):
        uv = sorted(map(tuple, np.round(look.uv[corners], 4).tolist()))
        wanted[tuple(np.sort(triangle))] = (("skin", "glass")[number], uv)
    centres = np.array([sequence.vertices[0][list(triangle)].mean(axis=0) for triangle in wanted])
    values = list(wanted.values())
    scale = 1000.0 if suffix in (".glb", ".gltf") else 1.0
    for name, place, corners in found["faces"]:
        here = np.array(place) * scale
        if suffix in (".glb", ".gltf", ".abc"):  # turned to z up in the mesh itself
            here = here[[0, 2, 1]] * [1, 1, -1]
        nearest = int(np.linalg.norm(centres - here, axis=1).argmin())
        assert np.linalg.norm(centres[nearest] - here) < 0.05
        kind, uv = values[nearest]
        assert name == names[kind]
        np.testing.assert_allclose(sorted(map(tuple, np.round(corners, 4).tolist())), uv, atol=2e-4)
    if suffix == ".abc":
        return
    glass, skin = found["materials"][names["glass"]], found["materials"][names["skin"]]
    assert glass["Alpha"] == pytest.approx(0.25) and glass["Roughness"] == pytest.approx(0.6)
    if suffix == ".obj":
        assert glass["color"] == pytest.approx(RED, abs=1e-3)
    seen = {name: skin["pictures"][name] for name in ("Base Color", "Normal", "Emission Color")}
    wanted = {"Base Color": [16] * 3, "Normal": [128, 128, 255], "Emission Color": [9, 8, 7]}
    for name, color in wanted.items():
        np.testing.assert_allclose(seen[name], np.array(color) / 255, atol=2e-3)

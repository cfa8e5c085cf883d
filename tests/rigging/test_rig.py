from __future__ import annotations

import json

import numpy as np
import pytest
from avatars import as_vrm, avatar
from one_face import template
from rigging.conftest import HERE

from facegen.cli import run
from facegen.exporters.rig import write_rig
from facegen.mesh import TriMesh, read_mesh, write_mesh
from facegen.mesh.formats.gltf_document import open_document
from facegen.rigging.basis import ShapeBasis
from facegen.rigging.presets import PRESETS, VERSION_0, preset_weights
from facegen.rigging.rig import Rig, rig
from facegen.scene.asset import Asset
from facegen.scene.drawn import arkit_targets, drawn_targets
from facegen.scene.names import target_names
from facegen.scene.vrm import fill_vrm


def shapes_of(path) -> dict[str, np.ndarray]:
    asset = Asset.open(path)
    return drawn_targets(asset, arkit_targets(asset))


def test_shapes_arrive_on_another_mesh_each_by_itself(rigged):
    """As the face would move its own vertices; `jawOpen` moves ten times as far as a brow, which must not drown."""
    found = shapes_of(rigged.path)
    assert set(found) == set(HERE)
    for name, truth in rigged.truth.items():
        one, other = found[name].ravel(), truth.ravel()
        assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) > 0.95, name
        assert 0.85 < np.linalg.norm(one) / np.linalg.norm(other) < 1.15, name
    assert "no eyeballs of its own" in rigged.said and "6 of 52 shapes added" in rigged.said
    assert "not made, since the basis does not bring it: eyeBlinkLeft" in rigged.said


def test_a_mesh_of_the_basis_takes_its_shapes(basis_folder):
    pytest.importorskip("mediapipe")
    basis = ShapeBasis.load(basis_folder)
    made = rig(basis.mesh, basis)
    for name in HERE:
        np.testing.assert_allclose(made.shapes[name], basis.shapes[name], atol=0.02)
    assert made.names == tuple(name for name in made.names if name in HERE)
    half = made.pose(np.full((1, len(HERE)), 0.5))[0] - basis.mesh.vertices
    np.testing.assert_allclose(half, sum(made.shapes.values()) / 2, atol=1e-4)


@pytest.fixture(scope="session")
def ict_rig(ict_root) -> Rig:
    """ICT-FaceKit's own head, whose basis has no eyes that turn and no tongue that comes out."""
    pytest.importorskip("mediapipe")
    basis = ShapeBasis.load(ict_root / "FaceXModel")
    return rig(basis.mesh, basis)


SKIN, GUMS, LOWER, LEFT_EYE, RIGHT_EYE = (slice(*each) for each in (
    (0, 14062), (14062, 17039), (19247, 21451), (21451, 23021), (23021, 24591),
))  # fmt: skip
"""Vertices of ICT-FaceKit's parts (its README)."""


def test_all_of_apples_shapes_are_there(ict_rig):
    assert len(ict_rig.names) == 52 and "tongueOut is made here" in " ".join(ict_rig.notes)


@pytest.mark.parametrize(("look", "way"), [("Up", [0, 1]), ("Down", [0, -1]), ("Out", [1, 0]), ("In", [-1, 0])])
def test_eyes_turn_where_the_name_says(ict_rig, look, way):
    for side, eye, sign in (("Left", LEFT_EYE, 1), ("Right", RIGHT_EYE, -1)):
        rest, moved = ict_rig.mesh.vertices[eye], ict_rig.shapes[f"eyeLook{look}{side}"]
        front = rest[:, 2] > np.quantile(rest[:, 2], 0.9)
        pupil = moved[eye][front].mean(axis=0)
        assert pupil[:2] @ (np.array(way) * [sign, 1]) > 4, side  # mm
        other = RIGHT_EYE if side == "Left" else LEFT_EYE
        assert not moved[other].any()
        # What turns keeps its distances: no part of the ball is left behind or torn off.
        pairs = np.random.default_rng(0).integers(0, len(rest), (200, 2)).T
        before, after = (np.linalg.norm(each[pairs[0]] - each[pairs[1]], axis=1) for each in (rest, rest + moved[eye]))
        np.testing.assert_allclose(before, after, atol=1e-3)


def test_the_tongue_comes_out_alone(ict_rig):
    out = ict_rig.shapes["tongueOut"]
    moving = np.linalg.norm(out, axis=1) > 0.1
    assert moving[GUMS].any() and not moving[SKIN].any() and not moving[LOWER].any()
    tip = out[np.linalg.norm(out, axis=1).argmax()]
    assert tip[2] > 25 and abs(tip[0]) < 2
    lower_gums = ict_rig.mesh.vertices[GUMS][:, 2] > 100
    assert not moving[GUMS][lower_gums].any()


def hand_made(path) -> Rig:
    mesh = read_mesh(path)
    up = np.zeros_like(mesh.vertices)
    up[:, 1] = np.linspace(0, 5, len(up))
    shapes = {name: up.astype(np.float32) * size for name, size in (("eyeBlinkLeft", 1), ("jawOpen", -2))}
    return Rig(mesh, shapes, np.eye(3), 1.0, ())


def test_an_avatar_keeps_its_own_shapes_and_gets_the_missing(tmp_path):
    path = avatar(template()).write(tmp_path / "avatar.glb")
    before = open_document(path).tree
    made = hand_made(path)
    report = write_rig(made, tmp_path / "out.glb", asset=Asset.open(path))
    assert report.own == ("eyeBlinkLeft",) and report.added == ("jawOpen",)
    after = open_document(tmp_path / "out.glb").tree
    assert len(after["nodes"]) == len(before["nodes"])
    for old, new in zip(before["meshes"], after["meshes"], strict=False):
        names = target_names(new)
        assert names[: len(target_names(old))] == target_names(old)
        assert names.count("eyeBlinkLeft") == target_names(old).count("eyeBlinkLeft")
    # What is drawn at a weight of 1 is the shape, through skins, scales and mirrors.
    np.testing.assert_allclose(shapes_of(tmp_path / "out.glb")["jawOpen"], made.shapes["jawOpen"], atol=2e-3)


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        ("VRMC_vrm.expressions", [], "expected a table of preset, custom, found a list of 0"),
        ("VRMC_vrm.expressions.preset", "", "expected a table of names and values, found ''"),
        ("VRMC_vrm.expressions.custom", None, "expected a table of names and values, found nothing"),
        ("VRM.blendShapeMaster", [], "expected a table of blendShapeGroups, found a list of 0"),
        ("VRM.blendShapeMaster.blendShapeGroups", [5], "found 5"),
        ("VRM", "x", "expected a table of blendShapeMaster, found 'x'"),
    ],
)
def test_a_vrm_that_cannot_be_filled_is_refused_before_the_work(tmp_path, capsys, place, value, reason):
    made = as_vrm(avatar(template()), int(place.startswith("VRMC")))
    *way, last = ("extensions", *place.split("."))
    holder = made.document.tree
    for name in way:
        holder = holder.setdefault(name, {})
    holder[last] = value
    path = made.write(tmp_path / "avatar.vrm")
    assert run(["rig", str(path), "--vrm", "--arkit-basis", "nowhere", "--out", str(tmp_path / "a.vrm")]) == 2
    said = capsys.readouterr().err
    assert f"extensions.{place}" in said and reason in said and "; export it anew" in said


@pytest.mark.parametrize("version", [0, 1])
def test_a_vrm_keeps_its_expressions_and_gets_the_missing(tmp_path, version):
    path = as_vrm(avatar(template()), version).write(tmp_path / "avatar.vrm")
    asset = Asset.open(path)
    own = json.loads(json.dumps(_expressions(asset.tree, version)))
    presets = {name: preset_weights(name) for name in PRESETS}
    said = fill_vrm(asset, presets, arkit_targets(asset), template().vertices, "me", None, VERSION_0)
    found = _expressions(asset.tree, version)
    assert "expressions added" in said[0]
    if version:
        assert said[1:] == ["VRM: 1 of ARKit's shapes are expressions by their own names"]
        assert set(asset.tree["extensions"]["VRMC_vrm"]["expressions"]["custom"]) == {"eyeBlinkLeft"}
        assert len(found) > len(own) and {name: found[name] for name in own} == own
        custom = asset.tree["extensions"]["VRMC_vrm"]["expressions"]["custom"]
        custom["EyeBlinkLeft"] = custom.pop("eyeBlinkLeft")  # who made it may write it so
        fill_vrm(asset, presets, arkit_targets(asset), template().vertices, "me", None, VERSION_0)
        assert list(custom) == ["EyeBlinkLeft"]
    else:
        assert len(found) > len(own) and found[: len(own)] == own
    count = len(asset.tree["meshes"])
    for bind in _binds(asset.tree, version):
        assert 0 <= bind[0] < count and bind[1] < len(target_names(asset.tree["meshes"][bind[0]]))


def _expressions(tree: dict, version: int):
    if version == 0:
        return tree["extensions"]["VRM"]["blendShapeMaster"]["blendShapeGroups"]
    return tree["extensions"]["VRMC_vrm"]["expressions"]["preset"]


def _binds(tree: dict, version: int) -> list[tuple[int, int]]:
    if version == 0:
        return [(bind["mesh"], bind["index"]) for group in _expressions(tree, 0) for bind in group["binds"]]
    entries = _expressions(tree, 1).values()
    return [
        (tree["nodes"][bind["node"]]["mesh"], bind["index"]) for each in entries for bind in each["morphTargetBinds"]
    ]


def test_every_preset_is_made_of_shapes_that_there_are():
    assert {name: len(preset_weights(name)) for name in PRESETS if not preset_weights(name)} == {}
    assert preset_weights("lookLeft") == {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}
    assert preset_weights("blink") == {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
    assert set(VERSION_0.values()) <= set(PRESETS)


def test_a_folder_of_a_rig_is_a_basis_again(tmp_path):
    write_mesh(tmp_path / "face.obj", template())
    made = hand_made(tmp_path / "face.obj")
    write_rig(made, tmp_path / "rig.obj")
    again = ShapeBasis.load(tmp_path / "rig.obj")
    assert set(again.shapes) == set(made.names)
    for name, shape in made.shapes.items():
        np.testing.assert_allclose(again.shapes[name], shape, atol=1e-3)


def test_usd_has_blend_shapes_by_name(tmp_path):
    usd = pytest.importorskip("pxr.Usd")
    skel = pytest.importorskip("pxr.UsdSkel")
    write_mesh(tmp_path / "face.obj", template())
    made = hand_made(tmp_path / "face.obj")
    write_rig(made, tmp_path / "rig.usda")
    stage = usd.Stage.Open(str(tmp_path / "rig.usda"))
    cache, root = skel.Cache(), skel.Root(stage.GetDefaultPrim())
    cache.Populate(root, usd.PrimDefaultPredicate)
    surface = stage.GetPrimAtPath("/face/surface")
    query = skel.BlendShapeQuery(skel.BindingAPI(surface))
    assert list(cache.GetSkinningQuery(surface).GetBlendShapeOrder()) == list(made.names)
    for k, shape in enumerate(made.shapes.values()):
        found = np.zeros_like(shape)
        blend = query.GetBlendShape(k)
        found[np.array(blend.GetPointIndicesAttr().Get())] = np.array(blend.GetOffsetsAttr().Get())
        np.testing.assert_allclose(found, shape, atol=1e-5)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--arkit-basis", "nowhere"], "nowhere: no such folder"),
        (["--arkit-basis", "nowhere", "--vrm", "--out", "a.usda"], "--vrm fills a glTF"),
        (["--arkit-basis", "nowhere", "--out", "a.vrm"], "--vrm makes one of it"),
        (["--arkit-basis", "nowhere", "--out", "a.fbx"], "unknown suffix of a rig '.fbx'"),
    ],
)
def test_a_mistake_gets_one_line_and_nothing_is_written(tmp_path, monkeypatch, capsys, more, said):
    monkeypatch.chdir(tmp_path)
    write_mesh(tmp_path / "face.obj", template())
    assert run(["rig", "face.obj", "--out", "a.glb", *more]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and said in lines[0]
    assert [path.name for path in tmp_path.iterdir()] == ["face.obj"]


def test_a_face_of_the_basis_that_is_laid_on_a_line_is_refused_by_its_name(basis_folder, tmp_path, capsys):
    path = tmp_path / "line.obj"
    write_mesh(path, template().with_vertices(template().vertices * [1, 0, 0]))
    assert run(["rig", str(path), "--arkit-basis", str(basis_folder), "--out", str(tmp_path / "a.glb")]) == 2
    (line,) = (each for each in capsys.readouterr().err.splitlines() if each.startswith("facegen: error"))
    assert line.startswith(f"facegen: error: {path}: ") and line.count(str(path)) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["line.obj"]


def test_a_ball_is_refused_with_a_picture(basis_folder, tmp_path, capsys):
    pytest.importorskip("mediapipe")
    points = np.random.default_rng(0).normal(size=(40, 3))
    from scipy.spatial import ConvexHull

    points /= np.linalg.norm(points, axis=1, keepdims=True)
    write_mesh(tmp_path / "ball.obj", TriMesh(points * 100, ConvexHull(points).simplices))
    basis = ["--arkit-basis", str(basis_folder)]
    assert run(["rig", str(tmp_path / "ball.obj"), *basis, "--out", str(tmp_path / "a.glb")]) == 2
    (line,) = (each for each in capsys.readouterr().err.splitlines() if each.startswith("facegen: error"))
    assert "a.refused.png shows what was seen" in line
    assert not (tmp_path / "a.glb").exists()

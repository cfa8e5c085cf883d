"""An avatar's own shapes: which they are, and weights of them that make a motion."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from avatars import OPENED, as_vrm, avatar

from facegen.cli import run
from facegen.errors import FacegenError, MeshError
from facegen.mesh import TriMesh, read_mesh
from facegen.mesh.formats.gltf_document import open_document
from facegen.scene.animations import drive
from facegen.scene.asset import Asset
from facegen.scene.driven import drive_own
from facegen.scene.files import write_asset
from facegen.scene.own_shapes import own_shapes, said_names

SIDE = 12


def sheet() -> TriMesh:
    """A sheet of 144 vertices as high as a face, mm."""
    x, y = np.meshgrid(np.linspace(-80, 80, SIDE), np.linspace(-110, 110, SIDE))
    points = np.stack([x, y, 60 - x**2 / 200 - y**2 / 400], axis=2).reshape(-1, 3)
    index = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    corners = [index[:-1, :-1], index[:-1, 1:], index[1:, 1:]], [index[:-1, :-1], index[1:, 1:], index[1:, :-1]]
    return TriMesh(points, np.concatenate([np.stack(each, axis=2).reshape(-1, 3) for each in corners]))


@pytest.fixture
def opened(tmp_path):
    """An asset made of an avatar, after a change of its tree."""

    def make(version: int | None = None, change=lambda tree: None) -> Asset:
        made = avatar(sheet())
        if version is not None:
            made = as_vrm(made, version)
        change(made.document.tree)
        return Asset.open(made.write(tmp_path / "avatar.glb"))

    return make


def renamed(*names: str):
    def change(tree: dict) -> None:
        tree["meshes"][0]["extras"]["targetNames"] = list(names)

    return change


def shown(asset: Asset, weights: tuple[float, float]) -> np.ndarray:
    """(V, 3) mm as the file would open with other weights of the face's two targets."""
    points = np.zeros((asset.count, 3))
    for part, each in zip(asset.parts, asset.scene.shown, strict=True):
        changed = replace(each, weights=weights) if each.weights else each
        points[part.rows] = 1000 * changed.vertices(asset.document)
    return points


def test_names_of_arkit_are_found_in_all_meshes(opened):
    asset = opened(change=renamed("Eye_Blink_L", "blendShape1.jawOpen"))
    found = {shape.name: shape.targets for shape in own_shapes(asset.tree)}
    assert found == {"eyeBlinkLeft": {(0, 0): 1}, "jawOpen": {(0, 1): 1}}
    twice = [asset.tree["meshes"][0], asset.tree["meshes"][0]]
    found = {shape.name: shape.targets for shape in own_shapes({"meshes": twice})}
    assert found["jawOpen"] == {(0, 1): 1, (1, 1): 1}
    assert [shape.name for shape in own_shapes(opened(change=renamed("jawOpen", "Jaw_Open")).tree)] == ["jawOpen"]
    assert not own_shapes(opened(change=renamed("eyeLookUpLeft", "own jaw")).tree)  # gaze is no expression


@pytest.mark.parametrize(("version", "name"), [(0, "a"), (1, "aa")])
def test_expressions_of_a_vrm_are_shapes_where_they_move_what_others_do_not(opened, version, name):
    found = own_shapes(opened(version).tree)
    assert {shape.name: shape.targets for shape in found} == {"eyeBlinkLeft": {(0, 0): 1}, name: {(0, 1): 1}}
    assert [shape.name for shape in own_shapes(opened(version, renamed("eyeBlinkLeft", "jawOpen")).tree)] == [
        "eyeBlinkLeft",
        "jawOpen",
    ]
    assert said_names(opened(version).tree) == ["eyeBlinkLeft", "own jaw", name]


def expression(tree: dict) -> dict:
    return tree["extensions"]["VRMC_vrm"]["expressions"]["preset"]["aa"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tree: expression(tree)["morphTargetBinds"][0].update(node=99), "'aa' binds node 99, of "),
        (lambda tree: expression(tree)["morphTargetBinds"][0].update(index=2), "morph target 2 of mesh 0, which has 2"),
        (lambda tree: expression(tree)["morphTargetBinds"][0].update(index=None), "morph target None of mesh 0"),
        (lambda tree: expression(tree)["morphTargetBinds"][0].update(weight="all"), "not as the format has it"),
        (lambda tree: tree["extensions"]["VRMC_vrm"].update(expressions=[1]), "not as the format has it"),
    ],
)
def test_an_expression_that_binds_nothing_is_refused(opened, change, message):
    with pytest.raises(MeshError, match=message):
        own_shapes(opened(1, change).tree)


def test_an_expression_that_is_on_or_off_is_no_shape(opened):
    tree = opened(1, lambda tree: expression(tree).update(isBinary=True)).tree
    assert [shape.name for shape in own_shapes(tree)] == ["eyeBlinkLeft"]


def test_weights_come_back_from_what_they_draw(opened, tmp_path):
    """The face is skinned, in a pose, and its second target is open at rest."""
    asset = opened(change=renamed("eyeBlink_L", "jawOpen"))
    assert np.allclose(shown(asset, (0, OPENED)), read_mesh(tmp_path / "avatar.glb").vertices)
    rng = np.random.default_rng(0)
    steps = np.linspace(0, 1, 40)[:, None]
    true = np.hstack([steps, 0.7 * np.sin(np.pi * steps)])
    neutral = 10 * shown(asset, (0, OPENED))  # a face in another unit
    frames = np.stack([10 * shown(asset, (first, OPENED + second)) for first, second in true])
    driven = drive_own(asset, own_shapes(asset.tree), frames, neutral, 10.0)
    assert np.abs(driven.weights - true).max() < 0.02
    assert driven.explained > 0.999 and driven.used == ["eyeBlinkLeft", "jawOpen"]
    assert np.abs(driven.targets[0, 1] - OPENED - true[:, 1]).max() < 0.02
    left = np.linalg.norm(driven.frames[:] - frames, axis=2)
    assert left.max() == pytest.approx(driven.left_mm, rel=1e-3)
    assert left.max(axis=0).argmax() == driven.where

    # What these shapes do not do is left, and counted.
    sideways = np.zeros_like(frames)
    sideways[:, 7, 0] = 50 * steps[:, 0]
    more = drive_own(asset, own_shapes(asset.tree), frames + sideways, neutral, 10.0)
    total = np.square(frames + sideways - neutral).sum()
    assert more.explained == pytest.approx(1 - np.square(more.frames[:] - frames - sideways).sum() / total, abs=1e-4)
    assert more.explained < driven.explained

    # A part of the drawn mesh alone, in another order.
    rows = rng.permutation(SIDE * SIDE) + asset.parts[-2].first
    part = drive_own(asset, own_shapes(asset.tree), frames[:, rows], neutral[rows], 10.0, rows)
    assert np.abs(part.weights - true).max() < 0.02


def test_a_weight_goes_no_further_than_one(opened):
    asset = opened(change=renamed("eyeBlink_L", "jawOpen"))
    neutral = shown(asset, (0, OPENED))
    frames = np.stack([neutral, shown(asset, (3, OPENED + 3))])
    driven = drive_own(asset, own_shapes(asset.tree), frames, neutral, 1.0)
    assert max(weights.max() for weights in driven.targets.values()) <= 1
    last = shown(asset, (float(driven.targets[0, 0][1]), float(driven.targets[0, 1][1])))
    assert np.abs(driven.frames[1] - last).max() < 1e-3


def test_a_motion_that_the_shapes_do_not_have_is_refused(opened):
    asset = opened(change=renamed("eyeBlink_L", "jawOpen"))
    neutral = shown(asset, (0, OPENED))
    against = np.stack([neutral, 2 * neutral - shown(asset, (1, OPENED + 0.5))])
    with pytest.raises(FacegenError, match=r"none of its own shapes \(eyeBlinkLeft, jawOpen\) does anything"):
        drive_own(asset, own_shapes(asset.tree), against, neutral, 1.0)


def test_one_animation_is_added_and_no_target(opened, tmp_path):
    asset = opened(change=renamed("eyeBlink_L", "jawOpen"))
    neutral = shown(asset, (0, OPENED))
    frames = np.stack([shown(asset, (weight, OPENED)) for weight in np.linspace(0, 1, 9)])
    driven = drive_own(asset, own_shapes(asset.tree), frames, neutral, 1.0)
    drive(asset, "wink", np.arange(9) / 10, driven.targets)
    write_asset(asset, tmp_path / "out.glb")
    before, after = open_document(tmp_path / "avatar.glb").tree, open_document(tmp_path / "out.glb").tree
    assert after["meshes"] == before["meshes"] and after["nodes"] == before["nodes"]
    assert [each["name"] for each in after["animations"]] == ["idle", "chat", "wink"]
    made = after["animations"][-1]
    (channel,) = made["channels"]
    rows = open_document(tmp_path / "out.glb").accessor(made["samplers"][channel["sampler"]]["output"], 1)
    np.testing.assert_allclose(rows.reshape(9, 2), np.stack([driven.targets[0, k] for k in range(2)], 1), atol=1e-6)


def test_shapes_of_what_lies_anywhere_are_not_looked_at(tmp_path, capsys):
    made = avatar(sheet())
    for node in made.document.tree["nodes"]:
        node["scale"] = [1e100, 1e100, 1e100]
    path = made.write(tmp_path / "avatar.glb")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of numbers too large, by numpy
        assert run(["animate", str(path), "--expression", "happy", "--out", str(tmp_path / "weights.csv")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"facegen: error: {path}: ") and ", but vertex 0 is" in line

"""Morph targets and animations that are put into an asset move what is drawn, and leave the document as it came."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from avatars import OPENED, OWN_NAMES, as_vrm, avatar, bowl

from facegen.errors import FacegenError, MeshError
from facegen.mesh import read_mesh
from facegen.mesh.formats.glb import read_glb
from facegen.mesh.formats.gltf_document import Document, open_document
from facegen.scene.animations import drive
from facegen.scene.asset import Asset
from facegen.scene.files import write_asset
from facegen.scene.targets import add_targets

TIMES = np.array([0, 0.5, 1])


def fields(vertices: np.ndarray) -> np.ndarray:
    """(2, V, 3) mm: two ways to move."""
    x, y, z = vertices.T
    one = np.stack([np.sin(y / 20), np.cos(x / 30), np.sin(z / 25)], axis=1)
    return np.stack([3 * one, 2 * np.stack([np.cos(z / 15), np.sin(x / 20), np.sin(y / 25)], axis=1)])


def moved(path: Path, still: str = "Lashes") -> tuple[Asset, np.ndarray]:
    """The asset with two targets and an animation of them in it, and the targets' displacements."""
    asset = Asset.open(path)
    vertices = read_mesh(path).vertices
    shifts = fields(vertices)
    for part in asset.parts:
        if asset.tree["nodes"][part.node]["name"] == still:
            shifts[:, part.rows] = 0
    places = add_targets(asset, ["up", "down"], [(shift, shift / 20) for shift in shifts])
    weights = {
        (mesh, int(target)): np.array([0, 1, k]) for mesh, found in places.items() for k, target in enumerate(found)
    }
    assert drive(asset, "smile", TIMES, weights) == "smile"
    return asset, shifts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return avatar(bowl()).write(tmp_path / "avatar.glb")


def shown_at(path: Path, frame: int, tmp_path: Path) -> np.ndarray:
    """(V, 3) mm: what the file's last animation shows in one of its frames, as the reader reads it."""
    document = open_document(path)
    tree = copy.deepcopy(document.tree)
    animation = tree["animations"][-1]
    for channel in animation["channels"]:
        output = document.accessor(animation["samplers"][channel["sampler"]]["output"], 1)
        assert channel["target"]["path"] == "weights"
        tree["nodes"][channel["target"]["node"]]["weights"] = output.reshape(len(TIMES), -1)[frame].tolist()
    tree["buffers"][0]["uri"] = "numbers.bin"
    (tmp_path / "numbers.bin").write_bytes(document.buffer(0))
    (tmp_path / "frame.gltf").write_text(json.dumps(tree))
    return read_glb(tmp_path / "frame.gltf").vertices


@pytest.mark.parametrize("suffix", [".glb", ".gltf"])
def test_what_is_drawn_moves_as_was_said(path: Path, tmp_path: Path, suffix: str) -> None:
    rest = read_mesh(path).vertices
    asset, shifts = moved(path)
    assert [part.flat for part in asset.parts] == [0] * 6
    write_asset(asset, tmp_path / f"made{suffix}")
    for frame, weights in enumerate([(0, 0), (1, 1), (0, 1)]):
        wanted = rest + np.tensordot(weights, shifts, 1)
        error = np.abs(shown_at(tmp_path / f"made{suffix}", frame, tmp_path) - wanted).max()
        assert error < 1e-4, frame  # mm; the motion is of 3 mm and the numbers of 7 digits


def rest_of(document: Document, before: dict) -> dict:
    """The document without what may be added to one that was `before`."""
    tree = copy.deepcopy(document.tree)
    for mesh, old in zip(tree["meshes"], before["meshes"], strict=False):
        count = len(old["primitives"][0].get("targets", []))
        for primitive, was in zip(mesh["primitives"], old["primitives"], strict=True):
            primitive["targets"] = primitive.get("targets", [])[:count]
            if "targets" not in was:
                del primitive["targets"]
        if "weights" in mesh:
            mesh["weights"] = mesh["weights"][:count]
        names = mesh.get("extras", {}).get("targetNames")
        if names:
            mesh["extras"]["targetNames"] = names[:count]
            if not count:
                mesh["extras"].pop("targetNames")
            if not mesh["extras"] and "extras" not in old:
                del mesh["extras"]
    for kind in ("accessors", "bufferViews", "animations", "meshes"):
        tree[kind] = tree[kind][: len(before[kind])]
    tree["buffers"][0]["byteLength"] = before["buffers"][0]["byteLength"]
    return tree


def test_all_else_of_the_document_is_as_it_came(path: Path, tmp_path: Path) -> None:
    before = open_document(path)
    asset, _ = moved(path)
    write_asset(asset, tmp_path / "made.glb")
    after = open_document(tmp_path / "made.glb")
    rest = rest_of(after, before.tree)
    # Two nodes showed one mesh and move differently now; animations of weights have grown.
    names = [node.get("name") for node in before.tree["nodes"]]
    right = names.index("EyeRight")
    assert rest["nodes"][right].pop("mesh") == len(before.tree["meshes"])
    old = copy.deepcopy(before.tree)
    del old["nodes"][right]["mesh"]
    for number, sampler in ((0, 1), (1, 0)):
        own, grown = (each["animations"][number]["samplers"][sampler] for each in (old, rest))
        was, now = before.accessor(own["output"], 1), after.accessor(grown["output"], 1)
        rows = len(was) // 2
        np.testing.assert_array_equal(now.reshape(rows, 4)[:, :2], was.reshape(rows, 2))
        assert not now.reshape(rows, 4)[:, 2:].any()
        own["output"] = grown["output"]
    assert rest == old
    assert list(rest) == [*old] and after.buffer(0)[: len(before.buffer(0))] == before.buffer(0)
    copied = after.tree["meshes"][-1]
    assert copied["primitives"][0]["attributes"] == old["meshes"][2]["primitives"][0]["attributes"]


def test_what_moves_gets_targets_and_nothing_else_does(path: Path, tmp_path: Path) -> None:
    asset, _ = moved(path)
    meshes = {mesh["name"]: mesh for mesh in asset.tree["meshes"]}
    assert meshes["FaceMesh"]["extras"] == {"targetNames": [*OWN_NAMES, "up", "down"], "mood": "calm"}
    assert meshes["FaceMesh"]["weights"] == [0, OPENED, 0, 0]
    assert [len(each["targets"]) for each in meshes["FaceMesh"]["primitives"]] == [4, 4]
    one, two = (each["targets"] for each in meshes["FaceMesh"]["primitives"])
    assert one == two  # vertices that are shared are written once
    assert [set(target) for target in one] == [{"POSITION", "NORMAL"}] * 4
    assert [set(target) for target in meshes["EyeMesh"]["primitives"][0]["targets"]] == [{"POSITION", "NORMAL"}] * 2
    assert "targets" not in meshes["LashMesh"]["primitives"][0] and "targets" not in meshes["SignMesh"]["primitives"][0]
    line = meshes["TeethMesh"]["primitives"][1]["targets"]  # as many as the surface beside it, which do nothing
    assert len(line) == 2 and "bufferView" not in asset.tree["accessors"][line[0]["POSITION"]]
    channels = asset.tree["animations"][-1]["channels"]
    named = [asset.tree["nodes"][channel["target"]["node"]]["name"] for channel in channels]
    assert sorted(named) == ["EyeLeft", "EyeRight", "Face", "Teeth"]
    assert asset.notes == ["one mesh 'EyeMesh' for several nodes: they move differently and have copies now"]


def test_own_weights_stay_while_the_added_animation_plays(path: Path) -> None:
    asset, _ = moved(path)
    asset.settle()
    animation = asset.tree["animations"][-1]
    face = next(c for c in animation["channels"] if asset.tree["nodes"][c["target"]["node"]]["name"] == "Face")
    rows = asset.document.accessor(animation["samplers"][face["sampler"]]["output"], 1).reshape(3, 4)
    assert rows.tolist() == [[0, OPENED, 0, 0], [0, OPENED, 1, 1], [0, OPENED, 0, 1]]


def test_a_primitive_that_no_target_moves_far_gets_none(path: Path) -> None:
    asset = Asset.open(path)
    shift = np.zeros((asset.count, 3))
    shift[asset.parts[0].rows] = [0, 0.9e-3, 0]
    assert add_targets(asset, ["faint"], [(shift, None)]) == {}
    shift[asset.parts[0].rows] = [0, 1.1e-3, 0]
    found = add_targets(asset, ["faint", "none"], [(shift, None), (0 * shift, None)])
    assert [row.tolist() for row in found.values()] == [[0, -1]]


def test_nodes_that_move_alike_keep_one_mesh(tmp_path: Path) -> None:
    made = avatar(bowl())
    nodes = made.document.tree["nodes"]
    left, right = (next(node for node in nodes if node.get("name") == name) for name in ("EyeLeft", "EyeRight"))
    right["matrix"] = left["matrix"]
    path = made.write(tmp_path / "twice.glb")
    asset, _ = moved(path)
    assert len(asset.tree["meshes"]) == len(made.document.tree["meshes"]) and asset.notes == []


def test_normals_of_targets_turn_what_is_stored_as_the_drawn_surface_turns(path: Path) -> None:
    """On a mirrored node: the stored normal and a target's, drawn as glTF says, are the normal that was meant."""
    asset = Asset.open(path)
    part = next(part for part in asset.parts if asset.tree["nodes"][part.node]["name"] == "EyeRight")
    own = asset.document.accessor(part.primitive["attributes"]["NORMAL"], 3).astype(float)
    draw = np.linalg.inv(part.linear).T
    drawn = own @ draw.T
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    turn = np.array([[0.8, 0.6, 0], [-0.6, 0.8, 0], [0, 0, 1]])
    turned = np.zeros((asset.count, 3))
    turned[part.rows] = drawn @ turn.T - drawn
    shift = np.zeros((asset.count, 3))
    shift[part.rows] = 1
    found = add_targets(asset, ["turn"], [(shift, turned)])
    asset.settle()
    (mesh,) = found
    target = asset.tree["meshes"][mesh]["primitives"][0]["targets"][0]
    shown = (own + asset.document.accessor(target["NORMAL"], 3)) @ draw.T
    np.testing.assert_allclose(shown / np.linalg.norm(shown, axis=1, keepdims=True), drawn @ turn.T, atol=1e-6)


def test_own_targets_are_driven_without_adding_any(path: Path, tmp_path: Path) -> None:
    before = open_document(path).tree
    asset = Asset.open(path)
    face = next(number for number, mesh in enumerate(asset.tree["meshes"]) if mesh["name"] == "FaceMesh")
    assert drive(asset, "idle", TIMES, {(face, 0): np.array([0, 1, 0.5])}) == "idle_2"  # there is an `idle`
    assert asset.tree["meshes"] == before["meshes"]
    write_asset(asset, tmp_path / "made.glb")
    again = open_document(tmp_path / "made.glb")
    (sampler,) = again.tree["animations"][-1]["samplers"]
    rows = again.accessor(sampler["output"], 1).reshape(3, 2)
    assert rows.tolist() == [[0, OPENED], [1, OPENED], [0.5, OPENED]]
    with pytest.raises(FacegenError, match="mesh 0 has 2 morph targets, and number 2 is to move"):
        drive(asset, "more", TIMES, {(face, 2): TIMES})
    with pytest.raises(FacegenError, match="expected a weight for each of 3 frames"):
        drive(asset, "more", TIMES, {(face, 1): TIMES[:2]})


@pytest.mark.parametrize("version", [0, 1])
def test_what_a_vrm_says_of_targets_stays_true(tmp_path: Path, version: int) -> None:
    path = as_vrm(avatar(bowl()), version).write(tmp_path / "avatar.vrm")
    before = open_document(path).tree
    asset, _ = moved(path)
    write_asset(asset, tmp_path / "made.vrm")
    after = open_document(tmp_path / "made.vrm").tree
    if version == 0:
        said, kept = (tree["extensions"]["VRM"]["firstPerson"]["meshAnnotations"] for tree in (before, after))
        assert kept == [*said, {"mesh": len(before["meshes"]), "firstPersonFlag": "Auto"}]  # the copied eye
        (group,) = after["extensions"]["VRM"]["blendShapeMaster"]["blendShapeGroups"]
        assert group["binds"] == [{"mesh": 0, "index": 1, "weight": 100}]
        mesh = after["meshes"][0]
    else:
        assert after["extensions"] == before["extensions"]
        (bind,) = after["extensions"]["VRMC_vrm"]["expressions"]["preset"]["aa"]["morphTargetBinds"]
        assert bind["index"] == 1
        mesh = after["meshes"][after["nodes"][bind["node"]]["mesh"]]
    assert mesh["extras"]["targetNames"][1] == OWN_NAMES[1]
    assert mesh["primitives"][0]["targets"][1] == before["meshes"][0]["primitives"][0]["targets"][1]


def broken(change: str) -> dict:
    tree = (made := avatar(bowl())).document.tree
    face = tree["meshes"][0]
    if change == "counts":
        face["primitives"][1] = {**face["primitives"][1], "targets": face["primitives"][1]["targets"][:1]}
    elif change == "length":
        face["primitives"][0]["targets"][0]["POSITION"] = tree["meshes"][1]["primitives"][0]["attributes"]["POSITION"]
    elif change == "weights":
        face["weights"] = [0.5]
    elif change == "joints":
        tree["skins"][0]["joints"][1] = 99
    else:
        tree["animations"][1]["samplers"][0]["output"] = tree["animations"][0]["samplers"][1]["output"]
    return made


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("counts", "mesh 'FaceMesh': expected as many morph targets in each primitive, found 1 and 2"),
        ("length", "mesh 'FaceMesh': a morph target has 6 vertices, of 144"),
        ("weights", "mesh 'FaceMesh': expected a weight for each of 2 morph targets, found 1"),
        ("joints", "skin 'bones': expected joints among 13 nodes, found 99; export the asset with its skeleton"),
        ("keys", "an animation of morph targets has 6 weights, expected 2 for each of 9 keys"),
    ],
)
def test_a_document_that_contradicts_itself_is_refused(tmp_path: Path, change: str, said: str) -> None:
    path = broken(change).write(tmp_path / "avatar.glb")
    with pytest.raises(MeshError) as caught:
        moved(path)
    assert said in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("animations",), 7, "expected a list of objects as 'animations', found 7"),
        (("animations", 1), [0, 0], r"expected a list of objects as 'animations', found \[0, 0\]"),
        (("images", 0), None, "expected a list of objects as 'images', found None"),
        (("buffers",), [{"byteLength": 4, "uri": 7}], "a name or data as the 'uri' of a buffer, found 7"),
        (("samplers",), 7, "expected a list of objects as 'samplers', found 7"),
        (("nodes", 11, "mesh"), [None], r"expected an index into 'meshes', of which there are 5, found \[None\]"),
        (("meshes", 3, "primitives", 1, "attributes"), "x", "mesh 'TeethMesh': expected attributes by name, found 'x'"),
        (("meshes", 3, "primitives", 1, "attributes"), {}, "mesh 'TeethMesh' moves, .* has no positions; expected an"),
        (("animations", 0, "channels", 1, "sampler"), [], r"'idle': expected one of its 2 samplers, found \[\]"),
        (("animations", 0, "channels", 0, "target"), 7, "animation 'idle': it is not as the format has it"),
        (("animations", 1, "samplers", 0, "output"), 10**9, "animation 'chat': expected an index into 'accessors'"),
        (("animations", 1, "channels", 0, "target", "node"), 10**9, "animation 'chat': expected an index into 'nodes'"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_anything_is_written(path: Path, place: tuple, value, said: str) -> None:
    made = avatar(bowl())
    holder = made.document.tree
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    made.write(path)
    with pytest.raises(MeshError, match=said):
        moved(path)


@pytest.mark.parametrize("value", [np.nan, -np.inf, 1.1e6, 3e38])
@pytest.mark.parametrize("name", ["POSITION", "NORMAL"])
def test_targets_that_move_nothing_at_rest_are_looked_at_too(path: Path, value: float, name: str) -> None:
    def written(value: float) -> Path:
        made = avatar(bowl())
        primitive = made.document.tree["meshes"][0]["primitives"][0]
        moves = np.zeros((made.document.tree["accessors"][primitive["attributes"]["POSITION"]]["count"], 3), "<f4")
        moves[5, 1], moves[7, 2] = 0.999e6, value
        primitive["targets"][1][name] = made.document.add_accessor(moves)
        return made.write(path)

    Asset.open(written(-0.999e6))
    said = f"a morph target: expected finite numbers up to 1,000,000 in {name}, found {value:g}; export it anew"
    with pytest.raises(MeshError) as caught:
        Asset.open(written(value))
    assert str(caught.value) == f"{path}: {said}"


def test_no_more_targets_are_added_than_are_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asset = Asset.open(path)
    monkeypatch.setattr("facegen.scene.targets.TARGET_LIMIT", 2)
    with pytest.raises(MeshError, match="avatar.* would have 3 morph targets, more than the 2 that are kept"):
        add_targets(asset, ["up"], [(np.ones((asset.count, 3)), None)])


ATTRIBUTES = ("NORMAL", "TEXCOORD_0", "WEIGHTS_0", "COLOR_0")


@pytest.mark.parametrize("name", ATTRIBUTES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused_wherever_they_are_kept(path: Path, name: str, value: float) -> None:
    made = avatar(bowl())
    primitive = made.document.tree["meshes"][0]["primitives"][0]
    width = {"NORMAL": 3, "TEXCOORD_0": 2}.get(name, 4)
    numbers = np.full(
        (made.document.tree["accessors"][primitive["attributes"]["POSITION"]]["count"], width), 0.5, "<f4"
    )
    numbers[9, 1] = value
    primitive["attributes"][name] = made.document.add_accessor(numbers)
    made.write(path)
    with pytest.raises(MeshError, match=rf"accessor \d+ .{name} of mesh 'FaceMesh'.: expected finite numbers, found"):
        Asset.open(path)


@pytest.mark.parametrize("bounds", [["a"], [True], "x", [None, 0, 0]])
def test_bounds_that_are_no_numbers_are_refused(path: Path, bounds: object) -> None:
    made = avatar(bowl())
    made.document.tree["accessors"][0]["max"] = bounds
    made.write(path)
    with pytest.raises(MeshError, match="accessor 0: expected finite numbers as its 'max', found .*; export it anew"):
        Asset.open(path)


def test_displacements_of_another_mesh_are_refused(path: Path) -> None:
    asset = Asset.open(path)
    with pytest.raises(FacegenError, match="it draws 168 vertices, and 7 are to move"):
        add_targets(asset, ["up"], [(np.ones((7, 3)), None)])


@pytest.mark.parametrize("holder", ["nodes", "meshes"])
def test_weights_that_a_pointer_animates_have_grown_too(tmp_path: Path, holder: str) -> None:
    made = avatar(bowl())
    tree = made.document.tree
    channel = tree["animations"][0]["channels"][1]
    node = channel["target"]["node"]
    number = node if holder == "nodes" else tree["nodes"][node]["mesh"]
    own = np.array([[0, OPENED], [1, 0.5], [0, OPENED]], "<f4")
    pointers = [f"/{holder}/{number}/weights", f"/{holder}/{number}/weights/1"]
    one = made.document.add_accessor(own[:, 1])
    tree["animations"][0]["samplers"].append({"input": tree["animations"][0]["samplers"][0]["input"], "output": one})
    tree["animations"][0]["channels"].append({"sampler": 2, "target": {}})
    for channel, pointer in zip(tree["animations"][0]["channels"][1:], pointers, strict=True):
        channel["target"] = {"path": "pointer", "extensions": {"KHR_animation_pointer": {"pointer": pointer}}}
    tree.setdefault("extensionsUsed", []).append("KHR_animation_pointer")
    asset, _ = moved(made.write(tmp_path / "pointed.glb"))
    asset.settle()
    all_, single = (
        asset.document.accessor(asset.tree["animations"][0]["samplers"][sampler]["output"], 1) for sampler in (1, 2)
    )
    np.testing.assert_array_equal(all_.reshape(3, 4), np.pad(own, [(0, 0), (0, 2)]))
    np.testing.assert_array_equal(single.ravel(), own[:, 1])  # of one weight, whose place is what it was

"""Animations for VRM avatars: by the specification's schema, Khronos' validator and three-vrm-animation."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import numpy as np
import pytest
from live_link_files import bumps, write_take
from node import MODULES, needs_node, run_node
from scipy.spatial.transform import Rotation

from facegen.cli import run
from facegen.exporters.vrma import write_track
from facegen.mesh.formats.gltf_document import open_document
from facegen.motion.live_link import SHAPES
from facegen.motion.shape_names import NAMES
from facegen.rigging.track import Track
from facegen.scene.humanoid import REQUIRED

PLACE = {"type": "object", "properties": {"node": {"type": "integer", "minimum": 0}}, "required": ["node"]}
PRESET_NAMES = (
    *("happy", "angry", "sad", "relaxed", "surprised", "neutral", "blink", "blinkLeft", "blinkRight"),
    *("aa", "ih", "ou", "ee", "oh"),
)
BONES = (*REQUIRED, "chest", "upperChest", "neck", "jaw")
"""Of a body without fingers and toes, which a face has no use for."""
SCHEMA = {
    "type": "object",
    "properties": {
        "specVersion": {"const": "1.0"},
        "humanoid": {
            "type": "object",
            "properties": {
                "humanBones": {
                    "type": "object",
                    "additionalProperties": PLACE,
                    "propertyNames": {"enum": list(BONES)},
                    "required": list(REQUIRED),
                },
            },
            "required": ["humanBones"],
        },
        "expressions": {
            "type": "object",
            "properties": {
                "preset": {
                    "type": "object",
                    "additionalProperties": PLACE,
                    "propertyNames": {"enum": list(PRESET_NAMES)},
                },
                "custom": {
                    "type": "object",
                    "additionalProperties": PLACE,
                    "propertyNames": {"not": {"pattern": "^look"}},
                },
            },
            "additionalProperties": False,
        },
        "lookAt": PLACE
        | {"properties": PLACE["properties"] | {"offsetFromHeadBone": {"type": "array", "items": {"type": "number"}}}},
    },
    "required": ["specVersion", "humanoid"],
    "additionalProperties": False,
}
"""What the published schema of VRMC_vrm_animation 1.0 asks of its extension, in words of its own, and more: names that
it knows alone, bones that it calls optional, and that gaze is no expression there."""


def track(turned: bool = True) -> Track:
    rng = np.random.default_rng(0)
    rotations = rng.normal(scale=0.2, size=(5, 9)) if turned else np.zeros((5, 9))
    return Track(rng.random((5, len(SHAPES))), rotations, 25.0)


def test_it_is_as_the_schema_has_it_and_gaze_is_said_once(tmp_path: Path) -> None:
    write_track(track(), tmp_path / "a.vrma")
    tree = open_document(tmp_path / "a.vrma").tree
    extension = tree["extensions"]["VRMC_vrm_animation"]
    jsonschema.validate(extension, SCHEMA)
    assert set(extension["expressions"]["custom"]) == {name for name in NAMES if not name.startswith("eyeLook")}
    moved = [channel["target"] for channel in tree["animations"][0]["channels"]]
    assert {"node": extension["lookAt"]["node"], "path": "rotation"} in moved
    write_track(track(turned=False), tmp_path / "b.vrma")
    still = open_document(tmp_path / "b.vrma").tree["extensions"]["VRMC_vrm_animation"]
    assert "lookAt" not in still and set(still["expressions"]["custom"]) == set(NAMES)


def test_presets_stand_in_the_place_of_shapes(tmp_path: Path) -> None:
    write_track(track(), tmp_path / "a.vrma", {"surprise": np.linspace(0, 1, 5), "others": np.ones(5)})
    extension = open_document(tmp_path / "a.vrma").tree["extensions"]["VRMC_vrm_animation"]
    jsonschema.validate(extension, SCHEMA)
    assert {kind: set(names) for kind, names in extension["expressions"].items()} == {
        "preset": {"surprised", "blinkLeft", "blinkRight"}
    }


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda tree: tree.pop("humanoid"), "required"),
        (lambda tree: tree["humanoid"]["humanBones"].pop("hips"), "required"),
        (lambda tree: tree["humanoid"]["humanBones"].update(tail={"node": 1}), "enum"),
        (lambda tree: tree.update(lookAt={}), "required"),
        (lambda tree: tree["expressions"].update(preset={"surprise": {"node": 1}}), "enum"),
    ],
)
def test_the_schema_refuses_what_the_published_one_does_not_know(tmp_path: Path, change, why: str) -> None:
    write_track(track(), tmp_path / "a.vrma")
    extension = open_document(tmp_path / "a.vrma").tree["extensions"]["VRMC_vrm_animation"]
    change(extension)
    with pytest.raises(jsonschema.ValidationError) as refused:
        jsonschema.validate(extension, SCHEMA)
    assert refused.value.validator == why


@needs_node
def test_khronos_validator_finds_nothing_wrong(tmp_path: Path) -> None:
    write_track(track(), tmp_path / "a.vrma")
    issues = run_node("validate.mjs", tmp_path / "a.vrma")["issues"]
    assert issues["numErrors"] == issues["numWarnings"] == 0, issues["messages"]


@needs_node
@pytest.mark.skipif(
    not (MODULES / "node_modules" / "@pixiv").is_dir(), reason="needs three-vrm-animation, by npm when `make` ran"
)
def test_three_vrm_animation_reads_weights_head_and_gaze(tmp_path: Path) -> None:
    made = track()
    write_track(made, tmp_path / "a.vrma")
    shown = run_node("play_vrma.mjs", tmp_path / "a.vrma")
    assert shown["said"] == [] and shown["duration"] == pytest.approx(4 / 25)
    for name, row in shown["custom"].items():
        np.testing.assert_allclose(row, made.weights[:, NAMES.index(name)], atol=1e-6)
    head, gaze = (Rotation.from_quat(np.reshape(shown[name], (-1, 4))) for name in ("head", "gaze"))
    yaw, pitch, roll = made.rotations[:, :3].T
    np.testing.assert_allclose(head.as_euler("YXZ"), np.stack([-yaw, pitch, roll], axis=1), atol=1e-5)
    eyes = (made.rotations[:, 3:6] + made.rotations[:, 6:]) / 2
    np.testing.assert_allclose(gaze.as_euler("YXZ"), eyes * [-1, 1, 0], atol=1e-5)


def test_a_recording_becomes_one(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    take = write_take(tmp_path / "take.csv", bumps(60, ("JawOpen", 0.0, 0.8))[:40])
    assert run(["export", str(take), "--out", str(tmp_path / "a.vrma")]) == 0
    assert "a.vrma: 40 frames of 44 expressions, head and gaze" in capsys.readouterr().out
    assert run(["export", str(take), "--out", str(tmp_path / "a.glb")]) == 2
    assert "it becomes a .vrma" in capsys.readouterr().err

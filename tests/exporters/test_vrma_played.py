"""A `.vrma` moves an avatar in three-vrm, in headless Chromium. `make browser` installs it; else this is skipped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, MODULES, run_module
from one_face import template
from scipy.spatial.transform import Rotation

from facegen.exporters.rig import write_rig
from facegen.exporters.vrma import write_track
from facegen.motion.live_link import SHAPES
from facegen.motion.shape_names import NAMES
from facegen.rigging.presets import PRESETS, VERSION_0, preset_weights
from facegen.rigging.rig import Rig
from facegen.rigging.track import Track
from facegen.scene.drawn import arkit_targets
from facegen.scene.vrm import fill_vrm

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and (MODULES / "@pixiv" / "three-vrm").is_dir()), reason="needs Chromium, and `make browser`"
)

IMPORTS = {
    "three": "./modules/three/build/three.module.js",
    "three/addons/": "./modules/three/examples/jsm/",
    "three-vrm": "./modules/@pixiv/three-vrm/lib/three-vrm.module.js",
    "three-vrm-animation": "./modules/@pixiv/three-vrm-animation/lib/three-vrm-animation.module.js",
}
PAGE = """
import { AnimationMixer, LoopOnce, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { VRMLoaderPlugin } from "three-vrm";
import { createVRMAnimationClip, VRMAnimationLoaderPlugin } from "three-vrm-animation";
const { plays, fps, frames, expressions, vertex } = await (await fetch("given.json")).json();
const loader = new GLTFLoader();
loader.register((parser) => new VRMLoaderPlugin(parser));
loader.register((parser) => new VRMAnimationLoaderPlugin(parser));
const found = {};
for (const file of plays) {
  const { vrm } = (await loader.loadAsync("avatar.vrm")).userData;
  const [played] = (await loader.loadAsync(file)).userData.vrmAnimations;
  const mixer = new AnimationMixer(vrm.scene);
  const action = mixer.clipAction(createVRMAnimationClip(played, vrm));
  action.setLoop(LoopOnce);
  action.clampWhenFinished = true;
  action.play();
  let face;
  vrm.scene.traverse((each) => each.morphTargetDictionary && (face = each));
  found[file] = { weights: [], heights: [], heads: [] };
  for (let frame = 0; frame < frames; frame++) {
    mixer.setTime(frame / fps);
    vrm.update(0);
    found[file].weights.push(expressions.map((name) => vrm.expressionManager.getValue(name)));
    found[file].heights.push(1000 * face.getVertexPosition(vertex, new Vector3()).y);
    found[file].heads.push(vrm.humanoid.getNormalizedBoneNode("head").quaternion.toArray());
  }
}
await fetch("/sent", { method: "POST", body: JSON.stringify(found) });
"""
FPS, FRAMES, DOWN_MM = 25.0, 12, 9.0


def write_avatar(path: Path) -> int:
    """A VRM 1.0 whose jaw opens and whose brows rise; the number of its lowest vertex."""
    mesh = template()
    chin = int(mesh.vertices[:, 1].argmin())
    shapes = {name: np.zeros_like(mesh.vertices, np.float32) for name in ("jawOpen", "browInnerUp", "eyeBlinkLeft")}
    shapes["jawOpen"][chin, 1] = -DOWN_MM
    shapes["browInnerUp"][mesh.vertices[:, 1].argmax(), 1] = 1
    shapes["eyeBlinkLeft"][0, 1] = -1
    made, presets = Rig(mesh, shapes, np.eye(3), 1.0, ()), {name: preset_weights(name) for name in PRESETS}
    write_rig(
        made,
        path,
        dressed=lambda asset: fill_vrm(
            asset, presets, arkit_targets(asset), mesh.vertices, "Trial", "nobody", VERSION_0
        ),
    )
    return chin


def test_an_avatars_weights_rise_where_the_label_rises_and_its_head_turns(tmp_path: Path) -> None:
    chin = write_avatar(tmp_path / "avatar.vrm")
    rise = np.sin(np.pi * np.linspace(0, 1, FRAMES)) ** 2
    weights, rotations = np.zeros((FRAMES, len(SHAPES))), np.zeros((FRAMES, 9))
    weights[:, NAMES.index("jawOpen")] = 0.8 * rise
    weights[:, NAMES.index("eyeBlinkLeft")] = rise > 0.9
    rotations[:, 0] = np.linspace(0, 0.3, FRAMES)
    track = Track(weights, rotations, FPS)
    write_track(track, tmp_path / "shapes.vrma")
    write_track(track, tmp_path / "presets.vrma", {"surprise": rise})
    given = {"plays": ["shapes.vrma", "presets.vrma"], "fps": FPS, "frames": FRAMES, "vertex": chin}
    given |= {"expressions": ["jawOpen", "eyeBlinkLeft", "surprised", "blinkLeft"]}
    (tmp_path / "given.json").write_text(json.dumps(given))
    found = json.loads(run_module(tmp_path, PAGE, IMPORTS))
    for file, column, row in (("shapes.vrma", 0, 0.8 * rise), ("presets.vrma", 2, rise)):
        played = np.array(found[file]["weights"])
        np.testing.assert_allclose(played[:, column], row, atol=1e-5)
        np.testing.assert_allclose(played[:, column + 1], rise > 0.9, atol=1e-5)
        assert not played[:, [2 - column, 3 - column]].any()  # by its shapes or by its presets, not by both
        opened = row * (1 if column == 0 else PRESETS["surprised"]["jawOpen"])
        heights = np.array(found[file]["heights"])
        np.testing.assert_allclose(heights[0] - heights, DOWN_MM * opened, atol=0.01)
        turned = Rotation.from_quat(found[file]["heads"]).as_euler("YXZ")[:, 0]
        np.testing.assert_allclose(turned, -rotations[:, 0], atol=1e-4)

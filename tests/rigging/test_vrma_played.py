"""A .vrma moves a VRM in a browser as the motion says, by three-vrm-animation and both files as facegen writes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, run_module
from node import MODULES
from one_face import template
from rigging.conftest import still
from scipy.spatial.transform import Rotation

from facegen.cli import run
from facegen.exporters.vrma import write_track
from facegen.motion.live_link import SHAPES
from facegen.rigging.presets import PRESETS
from facegen.rigging.track import Track

INSTALLED = MODULES / "node_modules"
PARTS = (
    *("three/examples/jsm/loaders/GLTFLoader.js", "three/examples/jsm/utils/BufferGeometryUtils.js"),
    *("three/examples/jsm/utils/SkeletonUtils.js", "@pixiv/three-vrm-core/lib/three-vrm-core.module.js"),
    "@pixiv/three-vrm-animation/lib/three-vrm-animation.module.js",
)
TIMES = (0.0, 0.04, 0.1, 0.12)
"""Seconds; one lies between two frames."""


@pytest.mark.skipif(
    not (CHROMIUM and (INSTALLED / "@pixiv").is_dir()), reason="needs Chromium, and npm when `make` ran"
)
def test_a_browser_moves_expressions_and_the_head(basis_folder: Path, tmp_path: Path) -> None:
    still(tmp_path / "face.glb", template())
    words = ["--arkit-basis", str(basis_folder), "--vrm", "--out", str(tmp_path / "me.vrm")]
    assert run(["rig", str(tmp_path / "face.glb"), *words]) == 0
    turns = np.random.default_rng(0).normal(scale=0.2, size=(5, 9))
    happy, surprised = np.linspace(0, 0.9, 5), np.array([0, 0.5, 0.25, 0.75, 0.5])
    track = Track(np.zeros((5, len(SHAPES))), turns, 25.0)
    write_track(track, tmp_path / "me.vrma", {"happy": happy, "surprise": surprised})
    (tmp_path / "js").mkdir()
    for path in [*(INSTALLED / "three" / "build").glob("three.*.js"), *(INSTALLED / part for part in PARTS)]:
        text = path.read_text(encoding="utf-8").split("//# sourceMappingURL")[0]
        for name, file in (("three", "three.module.js"), ("@pixiv/three-vrm-core", "three-vrm-core.module.js")):
            text = text.replace(f"from '{name}'", f"from './{file}'").replace(f'from "{name}"', f'from "./{file}"')
        (tmp_path / "js" / path.name).write_text(text.replace("'../utils/", "'./"), encoding="utf-8")
    page = (Path(__file__).parent / "vrm_page.mjs").read_text(encoding="utf-8").replace("TIMES", json.dumps(TIMES))
    told = json.loads(run_module(tmp_path, page))
    for time, shown in zip(TIMES, told["shown"], strict=True):
        for name, row in (("happy", happy), ("surprised", surprised)):
            assert shown["values"][name] == pytest.approx(np.interp(25 * time, range(5), row), abs=1e-5)
        smile = PRESETS["happy"]["mouthSmile"] * shown["values"]["happy"]
        assert shown["targets"]["mouthSmileLeft"] == pytest.approx(smile, abs=1e-5)
        if (frame := 25 * time) == int(frame):
            yaw, pitch, roll = turns[int(frame), :3]
            found = Rotation.from_quat(shown["head"]).as_euler("YXZ")
            np.testing.assert_allclose(found, [-yaw, pitch, roll], atol=1e-5)
    assert told["said"] == []

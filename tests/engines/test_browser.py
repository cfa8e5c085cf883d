"""onnxruntime-web in headless Chromium makes what torch makes. `make browser` installs it; else this is skipped."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from browser import CHROMIUM, RUNTIME, run_module
from every_network import NEAR, NETWORKS, made

from facegen import checkpoint
from facegen.engines.onnx import write_onnx
from facegen.mesh import read_mesh

pytestmark = pytest.mark.skipif(not (CHROMIUM and RUNTIME.is_dir()), reason="needs Chromium, and `make browser`")

PAGE = (Path(__file__).parents[2] / "docs" / "engines.md").read_text(encoding="utf-8")
SEND = '\nawait fetch("/sent", { method: "POST", body: vertices.data });'
EVERY = """
import * as ort from "./ort/ort.wasm.min.mjs";
const given = await (await fetch("given.json")).json();
const found = {};
for (const file of given.files) {
  const session = await ort.InferenceSession.create(file);
  const feeds = {
    label: new ort.Tensor("float32", given.label.flat(), [given.label.length, given.label[0].length]),
    neutral: new ort.Tensor("float32", given.neutral.flat(), [given.neutral.length, 3]),
  };
  if (session.inputNames.includes("frame")) feeds.frame = new ort.Tensor("int32", [given.frame], [1]);
  found[file] = Array.from((await session.run(feeds)).vertices.data);
}
await fetch("/sent", { method: "POST", body: JSON.stringify(found) });
"""


def test_every_kind_is_as_torch_makes_it(tmp_path: Path) -> None:
    rng, models = np.random.default_rng(0), {kind: made(kind) for kind in NETWORKS}
    for number, model in enumerate(models.values()):
        for name, one_frame in (("all", False), ("one", True)):
            write_onnx(model, tmp_path / f"{name}{number}.onnx", one_frame)
    neutral = next(iter(models.values())).hierarchy.template.vertices.astype(np.float32)
    label = rng.random((7, 3), np.float32)
    given = {"files": sorted(path.name for path in tmp_path.iterdir()), "label": label.tolist(), "frame": 5}
    (tmp_path / "given.json").write_text(json.dumps(given | {"neutral": neutral.tolist()}))
    found = json.loads(run_module(tmp_path, EVERY))
    for number, model in enumerate(models.values()):
        with torch.inference_mode():
            wanted = model.network(torch.from_numpy(label)).numpy() + neutral
        assert abs(np.reshape(found[f"all{number}.onnx"], wanted.shape) - wanted).max() < NEAR
        assert abs(np.reshape(found[f"one{number}.onnx"], neutral.shape) - wanted[5]).max() < NEAR


def test_the_example_of_the_page_runs(checkpoint_path: Path, neutral_path: Path, tmp_path: Path) -> None:
    model = checkpoint.load(checkpoint_path)
    write_onnx(model, tmp_path / "model.onnx")
    shutil.copy(neutral_path, tmp_path / "neutral.obj")
    (example,) = re.findall(r"^```js\n(.*?)^```", PAGE, re.S | re.M)
    assert len(example.splitlines()) <= 20
    got = np.frombuffer(run_module(tmp_path, example + SEND), np.float32).reshape(60, -1, 3)
    label = np.zeros((60, len(model.expressions)), np.float32)
    frames = np.arange(60)
    label[:, model.expressions.index("happy")] = np.minimum(1, np.minimum(frames, 59 - frames) / 20)
    with torch.inference_mode():
        wanted = model.network(torch.from_numpy(label)).numpy() + read_mesh(neutral_path).vertices
    assert abs(got - wanted).max() < NEAR

"""How long a frame takes in a browser: `make browser` prints it.

At `--vertices` of the built-in face, spirals of 9, Table 1's channels and the settings of the configs that ship, with
weights as they are initialised, in which nothing is zero. onnxruntime-web runs on one thread and on as many as there
are cores; a clip is a label of 30 frames in one call. Medians and the shortest of several calls are printed.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

import torch
from browser import CHROMIUM, run_module

from facegen.benchmark.parts import Setting, build, make_source
from facegen.checkpoint import Checkpoint
from facegen.engines.onnx import write_onnx
from facegen.nn.blendshape_network import BlendshapeNetwork
from facegen.nn.spiral_network import SpiralNetwork

FRAMES, CALLS = 30, 7
PAGE = """
import * as ort from "./ort/ort.wasm.min.mjs";
const { threads, vertices, files, frames, calls } = GIVEN;
ort.env.wasm.numThreads = threads;
const rows = {};
for (const file of files) {
  const session = await ort.InferenceSession.create(file);
  const one = session.inputNames.includes("frame");
  const feeds = {
    label: new ort.Tensor("float32", Float32Array.from({ length: frames * 6 }, (_, i) => (i % 7) / 7), [frames, 6]),
    neutral: new ort.Tensor("float32", new Float32Array(3 * vertices), [vertices, 3]),
  };
  const times = [];
  for (let call = 0; call < calls * (one ? 5 : 1); call++) {
    if (one) feeds.frame = new ort.Tensor("int32", [call % frames], [1]);
    const start = performance.now();
    const made = (await session.run(feeds)).vertices;
    times.push((performance.now() - start) / (one ? 1 : frames));
    if (made.data.length !== 3 * vertices * (one ? 1 : frames)) throw new Error("another size");
  }
  times.sort((a, b) => a - b);
  rows[file] = [times[times.length >> 1], times[0]];
  await session.release();
}
await fetch("/sent", { method: "POST", body: JSON.stringify({ rows, threads: ort.env.wasm.numThreads }) });
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--vertices", type=int, default=28431)
    vertices = parser.parse_args().vertices
    if CHROMIUM is None:
        raise SystemExit("needs Chromium")
    setting = Setting(vertices, [1], 1, False, torch.device("cpu"), torch.float32)
    hierarchy = build(make_source(setting))
    torch.manual_seed(0)
    blendshape = BlendshapeNetwork(hierarchy, 6)
    torch.nn.init.normal_(blendshape.decoder.rows)
    networks = {"spiral": SpiralNetwork(hierarchy, 6, activation="elu", bidirectional=True, per_vertex=True)}
    networks["blendshape"] = blendshape
    with tempfile.TemporaryDirectory() as folder:
        for name, network in networks.items():
            model = Checkpoint(network.eval(), hierarchy, tuple("abcdef"), 25.0, 0.1, "0" * 64, 0)
            for kind, one_frame in (("clip", False), ("one frame", True)):
                write_onnx(model, Path(folder) / f"{name}, {kind}.onnx", one_frame)
        files = sorted(path.name for path in Path(folder).iterdir())
        print(f"{vertices} vertices, ms per frame: median (shortest)")
        for threads in sorted({1, os.cpu_count() or 1}):
            given = {"threads": threads, "vertices": vertices, "files": files, "frames": FRAMES, "calls": CALLS}
            found = json.loads(run_module(Path(folder), PAGE.replace("GIVEN", json.dumps(given))))
            for file, (median, shortest) in found["rows"].items():
                name = file.removesuffix(".onnx")
                print(f"{name:<24}{found['threads']} thread(s)  {median:6.1f} ({shortest:.1f})  {1e3 / median:.0f}/s")


if __name__ == "__main__":
    main()

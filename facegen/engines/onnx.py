"""A checkpoint as an ONNX graph: label and neutral in, vertices out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from facegen.checkpoint import Checkpoint
from facegen.engines.decoders import blendshapes, spirals
from facegen.engines.encoder import latents
from facegen.engines.graph import Graph
from facegen.errors import FacegenError
from facegen.files import new_file
from facegen.nn.blendshape_network import BlendshapeNetwork
from facegen.nn.spiral_conv import SpiralConv
from facegen.nn.spiral_network import SpiralNetwork
from facegen.nn.unpool_conv import UnpoolConv
from facegen.optional import require

OPSET, IR = 15, 8
"""Versions of ONNX's operators and of its files. Chosen: old enough for engines that lag behind; `LSTM` and `Scan` have
not changed since in what is used here."""
CONVOLUTIONS = (UnpoolConv, SpiralConv)
"""Layers that are written: the two forms of a step up, of the same weights."""
FOREIGN = "an .onnx is written of facegen's own networks; write others with torch.export.export and torch.onnx.export"
"""What to do with a network that this file does not know."""
LARGEST_BYTES = 1 << 31
"""Protobuf writes no larger message, and an ONNX file is one."""


def write_onnx(model: Checkpoint, path: str | Path, one_frame: bool = False) -> str:
    """Write the network of a checkpoint as `.onnx`, in float32.

    | input | shape | |
    |---|---|---|
    | `label` | (T, E) float32 | intensities, a column for each expression in the order of the metadata; any T from 1 |
    | `neutral` | (V, 3) float32 | mm, of the model's topology |
    | `frame` | (1,) int32 | with `one_frame` alone: which row of the label is made |

    The output `vertices` is (T, V, 3) in mm, with `one_frame` (V, 3).

    Args:
        model: a loaded checkpoint.
        path: the file to write.
        one_frame: take the number of a frame as a third input and make that frame alone: what an engine calls each time
            that it draws. No operator then holds a graph of its own, which some engines cannot run.

    Returns:
        What was written, in one line.

    Raises:
        FacegenError: the package onnx is missing, the network has parts that are not facegen's own, the file would be
            too large, or `path` cannot be written.
    """
    onnx = require("onnx", "onnx")
    file = _model(model, one_frame)
    if file.ByteSize() >= LARGEST_BYTES:
        raise FacegenError(f"cannot write {path}: it would take {file.ByteSize() / 1e9:.1f} GB, and ONNX holds 2.1")
    content = file.SerializeToString(deterministic=True)
    onnx.checker.check_model(content, full_check=True)
    with new_file(path) as aside:
        aside.write_bytes(content)
    takes = "label (T, E), neutral (V, 3)" + (", frame (1,)" if one_frame else "")
    gives = "(V, 3)" if one_frame else "(T, V, 3)"
    sizes = f"{model.hierarchy.sizes[0]} vertices, {len(model.expressions)} expressions"
    return f"{Path(path).name}: {takes} -> vertices {gives}, {sizes}, {len(content) / 1e6:.1f} MB"


def _model(model: Checkpoint, one_frame: bool) -> Any:
    graph, helper, floats = Graph(), require("onnx.helper", "onnx"), require("onnx", "onnx").TensorProto
    vertices = model.hierarchy.sizes[0]
    inputs: list[tuple[str, Any, list[Any]]] = [
        ("label", floats.FLOAT, ["T", len(model.expressions)]),
        ("neutral", floats.FLOAT, [vertices, 3]),
    ]
    frame = None
    if one_frame:
        frame = "frame"
        inputs.append((frame, floats.INT32, [1]))
    _build(graph, model, frame)
    described = [helper.make_tensor_value_info(*each) for each in inputs]
    shape = [vertices, 3] if one_frame else ["T", vertices, 3]
    made = helper.make_tensor_value_info("vertices", floats.FLOAT, shape)
    body = helper.make_graph(graph.nodes, "facegen", described, [made], graph.constants)
    file = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    file.producer_name = "facegen"
    helper.set_model_props(file, _about(model))
    return file


def _build(graph: Graph, model: Checkpoint, frame: str | None) -> None:
    """Every node of the network; which kinds there are is decided here."""
    network = model.network
    if type(network) is SpiralNetwork and all(type(conv) in CONVOLUTIONS for conv in network.decoder.convs):
        latent = latents(graph, network.encoder, frame)
        spirals(graph, network.decoder, model.hierarchy, latent, frame is None)
    elif type(network) is BlendshapeNetwork:
        blendshapes(graph, network.decoder, latents(graph, network.encoder, frame), frame is None)
    else:
        kind = type(network).__name__
        raise FacegenError(f"the checkpoint holds a {kind} with layers that are not facegen's own; {FOREIGN}")


def _about(model: Checkpoint) -> dict[str, str]:
    """What a program that has the file alone needs to know, as ONNX's metadata: text by name."""
    return {
        "expressions": json.dumps(list(model.expressions)),
        "fps": f"{model.fps:g}",
        "units": "mm",
        "axes": "+y up, +z out of the face",
        "floor": f"{model.floor:g}",
        "digest": model.corpus,
        "hierarchy": model.hierarchy.digest,
        "network": type(model.network).__name__,
    }

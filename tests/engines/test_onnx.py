"""A checkpoint as an ONNX graph gives what it gives in torch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from every_network import HIERARCHY, NEAR, NETWORKS, made
from onnxruntime import InferenceSession

from facegen import checkpoint
from facegen.checkpoint import Checkpoint
from facegen.cli import run
from facegen.engines.onnx import write_onnx
from facegen.errors import FacegenError
from facegen.nn.spiral_network import SpiralNetwork

LENGTHS = (1, 2, 7, 100)


def largest_error(model: Checkpoint, path: Path, one_frame: bool, lengths: tuple[int, ...] = LENGTHS) -> float:
    """The largest distance in one axis between what both make of labels of these lengths and of a neutral, mm."""
    session, found = InferenceSession(path), 0.0
    neutral = model.hierarchy.template.vertices.astype(np.float32) + np.float32(0.5)
    for length in lengths:
        label = np.random.default_rng(length).random((length, len(model.expressions)), np.float32)
        with torch.inference_mode():
            wanted = model.network(torch.from_numpy(label)).numpy() + neutral
        fed = {"label": label, "neutral": neutral}
        if one_frame:
            frames = range(0, length, 3)
            feeds = [fed | {"frame": np.array([frame], np.int32)} for frame in frames]
            wanted, got = wanted[::3], np.stack([session.run(None, each)[0] for each in feeds])
        else:
            (got,) = session.run(["vertices"], fed)
        assert got.shape == wanted.shape and got.dtype == np.float32
        found = max(found, float(abs(got - wanted).max()))
    return found


def test_a_level_has_spirals_that_end() -> None:
    assert (HIERARCHY.spirals[1] < 0).any()


@pytest.mark.parametrize("one_frame", [False, True])
@pytest.mark.parametrize("kind", NETWORKS)
def test_any_length_is_as_torch_makes_it(kind: str, one_frame: bool, tmp_path: Path) -> None:
    model = made(kind)
    write_onnx(model, tmp_path / "a.onnx", one_frame)
    assert largest_error(model, tmp_path / "a.onnx", one_frame) < NEAR


def test_the_command_writes_a_trained_one(checkpoint_path: Path, tmp_path: Path, capsys) -> None:
    path = tmp_path / "model.onnx"
    capsys.readouterr()
    assert run(["export", str(checkpoint_path), "--out", str(path)]) == 0
    assert capsys.readouterr().out.startswith("model.onnx: label (T, E), neutral (V, 3) -> vertices (T, V, 3), 420 ")
    model = checkpoint.load(checkpoint_path)
    assert largest_error(model, path, False, (10,)) < NEAR
    assert path.stat().st_size <= 3 * checkpoint_path.stat().st_size
    about = InferenceSession(path).get_modelmeta().custom_metadata_map
    assert tuple(json.loads(about["expressions"])) == model.expressions
    assert (float(about["fps"]), about["units"], float(about["floor"])) == (10, "mm", model.floor)
    assert (about["digest"], about["hierarchy"]) == (model.corpus, model.hierarchy.digest)


def test_the_same_checkpoint_gives_the_same_file(tmp_path: Path) -> None:
    model = made("spiral with all settings")
    for name in "ab":
        write_onnx(model, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_one_frame_needs_no_graph_in_the_graph(tmp_path: Path) -> None:
    write_onnx(made("spiral"), tmp_path / "a.onnx")
    write_onnx(made("spiral"), tmp_path / "b.onnx", one_frame=True)
    assert b"Scan" in (tmp_path / "a.onnx").read_bytes()
    assert b"Scan" not in (tmp_path / "b.onnx").read_bytes()


def test_another_network_is_refused(tmp_path: Path) -> None:
    class Own(SpiralNetwork):
        """With a forward of its own, perhaps."""

    model = made("spiral")
    object.__setattr__(model, "network", Own(HIERARCHY, 3, 8, (8, 4)))
    with pytest.raises(FacegenError, match=r"holds a Own with layers that are not facegen's own; an .onnx is "):
        write_onnx(model, tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        (
            "a.ckpt",
            ["--out", "a.glb"],
            "a checkpoint becomes an .onnx; for .glb make a sequence with `facegen animate`",
        ),
        ("a.npz", ["--out", "a.onnx"], "an .onnx is made of a checkpoint, and a.npz is none"),
        (".", ["--out", "a.onnx"], "an .onnx is made of a checkpoint, and . is none"),
        ("a.npz", ["--out", "a.glb", "--one-frame"], "--one-frame is of a checkpoint"),
        ("a.ckpt", ["--out", "a.onnx", "--scene-fps", "24"], "--scene-fps is of a sequence"),
        ("a.ckpt", ["--out", "a.onnx", "--subject", "x"], "--subject is of a sequence"),
        ("a.ckpt", ["--out", "a.onnx"], "a.ckpt: no such checkpoint"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, options: list[str], said: str, capsys) -> None:
    assert run(["export", name, *options]) == 2
    assert said in capsys.readouterr().err

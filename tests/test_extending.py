"""The examples of the page on extending work as a user runs them, and the lines that they change are there."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from mesh_trees import moving, one_peak, write_frames
from shapes import plate_with_hole

from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.data.module import ExpressionDataModule
from facegen.errors import FacegenError
from facegen.evaluation.own_metrics import measured
from facegen.exporters.point_cache import write_pc2
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.spiral_conv import SpiralConv

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
CHANGES = re.findall(r"^--- (\S+)\n(.*?)(?=^--- |^```)", TEXT, re.S | re.M)


PARTS = {
    "my_layers": "SeparableConv",
    "my_nets": "PersonNetwork",
    "my_models": "EmphasisGenerator",
    "my_data": "VariedDataModule",
    "my_metrics": "moving_error",
    "my_sources": "StudioSource",
}
"""The modules that the page has a user write, and what each is for."""


def block(name: str) -> str:
    """The code that defines `name`."""
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    (code,) = (code for code in blocks if re.search(rf"^(class|def) {name}\b", code, re.M))
    return code


def defined(name: str) -> Any:
    """What the block that defines `name` defines."""
    code = block(name)
    there: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, "extending.md", "exec"), there)
    return there[name]


@pytest.mark.parametrize(("path", "change"), CHANGES)
def test_the_lines_that_are_changed_are_there(path: str, change: str) -> None:
    there = (ROOT / path).read_text(encoding="utf-8").splitlines()
    assert change
    for line in change.splitlines():
        if not line.startswith("+"):
            assert line[1:] in there


def test_the_convolution_is_the_other_with_weights_that_are_products() -> None:
    hierarchy = MeshHierarchy.build(plate_with_hole(21), depth=1, factor=4)
    spiral = torch.from_numpy(hierarchy.spirals[0].copy())
    spiral[3, 4:] = -1
    one, other = defined("SeparableConv")(4, 3, spiral).double(), SpiralConv(4, 3, spiral).double()
    torch.nn.init.normal_(one.gain)
    with torch.no_grad():
        other.weight.copy_(one.gain[..., None] * one.map.weight.t())
        other.bias.copy_(one.map.bias)
    x = torch.randn(5, len(spiral), 4, dtype=torch.float64)
    torch.testing.assert_close(one(x), other(x))


@pytest.fixture(scope="module")
def user_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with takes and the page's modules."""
    folder = tmp_path_factory.mktemp("user")
    for person, subject in enumerate(("ann", "bob", "cleo")):
        for number, name in enumerate(("smile", "gasp")):
            poses = moving(person, number, one_peak())
            takes = folder / "takes" / subject / "takes" / name
            write_frames([takes / f"{frame}.ply" for frame in range(len(poses))], poses, 0.1)
    for module, name in PARTS.items():
        assert f"`{module}.py`" in TEXT
        (folder / f"{module}.py").write_text(block(name))
    (folder / "odd.py").write_text(ODD)
    return folder


@pytest.fixture
def user(user_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, as the current one, which is not on the path."""
    monkeypatch.chdir(user_folder)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])
    return user_folder


ODD = """
from facegen.data.sources.source import Source

class Half(Source):
    pass

class Bare(Source):
    def __init__(self, root): ...
    def read(self, key): ...

class Open(Source):
    template, expressions, test_subjects, keys = None, (), (), ()
    def __init__(self, root): self.read_one = lambda: None
    def read(self, key): ...

number = 3
"""


def test_the_source_reads_a_tree(user_folder: Path) -> None:
    source = defined("StudioSource")(user_folder / "takes")
    assert (source.subjects, source.expressions) == (("ann", "bob", "cleo"), ("happy", "surprise"))
    recording = source.read(next(key for key in source.keys if key.expression == "happy"))
    np.testing.assert_allclose(recording.vertices, moving(0, 0, one_peak()), atol=0.02)
    assert recording.fps == 60


def test_a_user_s_parts_go_from_a_dataset_to_a_report(user: Path, capsys: pytest.CaptureFixture) -> None:
    assert run(["inspect", "takes", "--source", "my_sources:StudioSource", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["recordings"] == 6
    assert "StudioSource comes from the current folder" in said.err
    prepare = "prepare --source my_sources:StudioSource --root takes --depth 2 --out corpus --workers 2"
    assert run(prepare.split()) == 0  # the other processes find the module too

    options = """fit --model my_models.EmphasisGenerator --model.emphasis 0.2 --model.stride auto --model.latent 4
        --model.channels [3,3]
        --model.fused false --model.convolution my_layers.SeparableConv --data my_data.VariedDataModule
        --data.spread 0.3 --data.corpus corpus --trainer.max_epochs 1 --trainer.accelerator cpu
        --trainer.logger CSVLogger --trainer.logger.save_dir runs --trainer.logger.name null
        --trainer.logger.version run"""
    assert run(options.split()) == 0
    checkpoint = "runs/run/checkpoints/last.ckpt"
    config = yaml.safe_load(Path("runs/run/config.yaml").read_text())["data"]
    assert (config["class_path"], config["init_args"]["spread"]) == ("my_data.VariedDataModule", 0.3)
    assert run(["test", "--config", "runs/run/config.yaml", "--ckpt_path", checkpoint]) == 0

    evaluate = f"evaluate --corpus corpus --spiral {checkpoint} --out report --metric my_metrics:moving_error"
    assert run([*evaluate.split(), "--trust", "my_models", "--trust", "my_layers"]) == 0  # and not my_data
    report = json.loads(Path("report/report.json").read_text())
    found = report["metrics"]["my_metrics:moving_error"]
    assert list(found) == list(report["table2"]) == ["still", "label_mean", "pca_projection", "spiral"]
    corpus = Corpus(Path("corpus"))
    errors: dict[str, list[float]] = {}
    for index in corpus.split("test"):
        moved, rest = corpus.displacement(index), corpus.neutral(index)
        given = defined("moving_error")(rest + 0 * moved, rest + moved, corpus, index)
        errors.setdefault(corpus.entries[index].expression, []).append(given)
    for name, values in errors.items():
        assert found["still"][name]["mean"] == pytest.approx(np.mean(values), rel=1e-4)
    assert "## `my_metrics:moving_error`" in Path("report/report.md").read_text()


def test_the_data_module_scales_takes_and_their_labels_alike_in_training_alone(corpus_path: Path) -> None:
    data = defined("VariedDataModule")(str(corpus_path), spread=0.5, batch_size=2)
    stored = next(iter(data.train_dataloader()))
    for training in (False, True):
        data.trainer = SimpleNamespace(training=training)
        plain = ExpressionDataModule(str(corpus_path)).on_after_batch_transfer(stored.clone(), 0)
        varied = data.on_after_batch_transfer(stored.clone(), 0)
        for part in range(2):
            of = varied.batch == part
            strength = (varied.motion[of].sum() / plain.motion[of].sum()).item()
            assert (strength != 1) == training
            assert 0.5 <= strength <= 1.5
            torch.testing.assert_close(varied.displacement[of], strength * plain.displacement[of])


def test_a_network_is_told_whose_face_it_is(corpus_path: Path) -> None:
    corpus = Corpus(corpus_path)
    network = defined("PersonNetwork")(corpus.hierarchy, len(corpus.expressions), latent=4, width=5)
    label = torch.rand(7, len(corpus.expressions))
    faces = torch.stack([torch.from_numpy(corpus.neutral(index)) for index in (0, len(corpus.entries) - 1)])
    ptr, some = torch.tensor([0, 3, 7]), torch.tensor([1, 4, 5])
    both = network(label, ptr, neutral=faces)
    torch.testing.assert_close(both[3:], network(label[3:], neutral=faces[1:]))
    torch.testing.assert_close(both[some], network(label, ptr, some, faces))
    assert not torch.allclose(both, network(label, ptr, neutral=faces.flip(0)))


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("prepare none:Mine", "none:Mine: there is no module none in the current folder"),
        ("prepare odd:Mine", "odd:Mine: odd has no Mine"),
        ("prepare odd:number", "odd:number is no source; derive it from"),
        ("prepare odd:Half", "odd:Half has no method read"),
        ("prepare odd:Bare", "the source odd:Bare does not say its template"),
        ("prepare odd:Bare --subjects 3", "the source odd:Bare takes no --subjects"),
        ("prepare odd:Open --workers 2", "the source odd:Open cannot go to other processes"),
        ("prepare odd:Open coma", "unrecognized"),
        ("prepare odd:Open --source odd:Open", "prepare needs one source"),
        ("evaluate --corpus CORPUS --metric odd:number", "the metric odd:number is no function"),
        ("evaluate --corpus CORPUS --metric odd:Half", "the metric odd:Half does not take what it is given"),
        ("evaluate --corpus CORPUS --metric builtins:isinstance", "the metric builtins:isinstance does not take"),
        ("evaluate --corpus CORPUS --metric odd", "'odd' names no metric"),
        ("fit --model SpiralGenerator --data odd.Half --data.corpus CORPUS", "odd has no class Half that is derived"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(
    command: str,
    reason: str,
    user: Path,
    corpus_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    arguments = command.replace("CORPUS", str(corpus_path)).split()
    if arguments[0] == "prepare":
        arguments += ["--root", "takes"]
    if arguments[0] != "fit":
        arguments += ["--out", str(tmp_path / "out")]
    assert run(arguments) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("facegen: error: ")]
    assert reason in line
    assert not (tmp_path / "out").exists()


def test_a_metric_has_to_give_a_finite_number(corpus_path: Path) -> None:
    corpus, moved = Corpus(corpus_path), np.zeros((2, 420, 3))
    for given in (np.nan, np.inf, None, "much", np.zeros(3)):
        with pytest.raises(FacegenError, match="the metric odd gave .* it has to give a finite number"):
            measured("odd", lambda *_, given=given: given, moved, moved, corpus, 0)
    assert measured("even", lambda *_: np.float32(2), moved, moved, corpus, 0) == 2


@pytest.mark.parametrize(("half", "kind"), [(False, np.float32), (True, np.float16)])
def test_the_format_is_read_by_numpy(half: bool, kind: type, tmp_path: Path) -> None:
    from facegen.sequence.sequence import Sequence

    vertices = np.random.default_rng(0).normal(0, 50, (70, 9, 3)).astype(np.float32)
    sequence = Sequence(vertices, np.array([[0, 1, 2]]), 25.0, np.zeros((70, 0)), ())
    report = defined("write_npy")(sequence, tmp_path / "a.npy", half=half)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), vertices.astype(kind))
    assert report.startswith("70 frames, ")
    assert write_pc2(sequence, tmp_path / "a.pc2").split(",")[0] == report.split(",")[0]

"""Classes of a user's own go through training and every verb as what they are, or are refused by name."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import facegen
from facegen import checkpoint
from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.errors import FacegenError
from facegen.evaluation.rows import generators
from facegen.models import SpiralGenerator
from facegen.sequence.sequence import Sequence

MODULE = '''
from typing import Any

import torch
from torch import nn

from facegen.models import SpiralGenerator


class Refined(SpiralGenerator):
    """A layer beside the network, whose forward looks at the face before and at who it is."""

    def __init__(self, corpus, pull: float = 0.5, **settings: Any) -> None:
        super().__init__(corpus, **settings)
        self.pull = pull
        self.refine = nn.Linear(6, 3)

    def forward(self, motion, ptr=None, frames=None, neutral=None):
        made = self.network(motion, ptr, frames)
        centre = neutral.mean(dim=(0, 1)).expand_as(made) / 100
        before = made.roll(1, 0)
        return made + self.pull * self.refine(torch.cat([before, centre], dim=-1))

    def loss(self, generated, recorded, ptr, counts, batch):
        return super().loss(generated, recorded, ptr, counts, batch) + 100


class Net(nn.Module):
    """No encoder, no decoder, and an argument that facegen does not have."""

    def __init__(self, hierarchy, expressions: int, latent: int = 64, width: int = 7) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(expressions, latent), nn.Tanh(), nn.Linear(latent, width))
        self.out = nn.Linear(width, 3 * hierarchy.sizes[0])

    def forward(self, motion, ptr=None, frames=None):
        made = self.out(self.layers(motion)).unflatten(-1, (-1, 3))
        return made if frames is None else made[frames]
'''


def last_log(folder: Path, name: str) -> float:
    with (folder / "run" / "metrics.csv").open() as file:
        return [float(row[name]) for row in csv.DictReader(file) if row.get(name)][-1]


@pytest.fixture(scope="module", params=["Refined", "Net"])
def own(
    request: pytest.FixtureRequest, fit_arguments: list[str], tmp_path_factory: pytest.TempPathFactory
) -> SimpleNamespace:
    """A run in the folder where the module lies, and what `test` and `predict` said of it."""
    folder = tmp_path_factory.mktemp("own")
    module = f"own_{request.param.lower()}_parts"
    (folder / f"{module}.py").write_text(MODULE)
    options = [f"--model={module}.{request.param}", "--model.pull=2"]
    if request.param == "Net":
        options = ["--model=SpiralGenerator", f"--model.network={module}.Net", "--model.network_args={'width': 5}"]
        options.append("--model.optimizer=muon")
    common = [*options, "--model.latent=6", "--model.stride=2", *fit_arguments[3:]]
    if request.param == "Refined":
        common.append("--model.channels=[4, 4, 4]")
    path = folder / "fit" / "run" / "checkpoints" / "last.ckpt"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(["fit", *common, "--trainer.max_epochs=1", f"--trainer.logger.save_dir={folder / 'fit'}"]) == 0
        for verb in ("test", "predict"):
            more = [f"--ckpt_path={path}", f"--trainer.logger.save_dir={folder / verb}"]
            assert run([verb, *common, *more]) == 0
    return SimpleNamespace(folder=folder, module=module, name=request.param, checkpoint=path, common=common)


def test_settings_that_a_network_has_no_arguments_for_are_named_together(
    own: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    if own.name != "Net":
        pytest.skip("is a whole model")
    monkeypatch.chdir(own.folder)
    more = ["--model.bidirectional=true", "--model.activation=elu", f"--trainer.logger.save_dir={tmp_path}"]
    assert run(["fit", *own.common, *more]) == 2
    assert "Net has no arguments for the settings activation elu, bidirectional True; leave" in capsys.readouterr().err


def test_every_verb_makes_what_test_and_predict_made(
    own: SimpleNamespace, corpus_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own.folder)
    corpus = Corpus(corpus_path)
    model = facegen.load(own.checkpoint, trust=own.module)
    (row,) = generators(corpus, {"spiral": [own.checkpoint]}, torch.device("cpu"), [own.module])["spiral"]
    errors = []
    for index in corpus.split("test"):
        entry = corpus.entries[index]
        made = Sequence.load(own.folder / "predict/run/predictions" / f"{entry.subject}-{entry.expression}.npz")
        neutral = corpus.hierarchy.template.with_vertices(corpus.neutral(index))
        moved = facegen.animate(model, neutral, corpus.motion(index), corpus.fps)
        np.testing.assert_allclose(moved.vertices, made.vertices, atol=1e-4)
        np.testing.assert_allclose(row(index) + corpus.neutral(index), made.vertices, atol=1e-4)
        errors.append(np.linalg.norm(moved.vertices - corpus.sequence(index).vertices, axis=-1).mean())
    assert last_log(own.folder / "test", "test/error") == pytest.approx(np.mean(errors), rel=1e-4)
    assert (last_log(own.folder / "test", "test/loss") > 100) == (own.name == "Refined")


def test_the_command_asks_for_trust_and_names_the_class(
    own: SimpleNamespace, neutral_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(own.folder)
    out = own.folder / f"{own.name}.npz"
    animate = ["animate", str(neutral_path), "--model", str(own.checkpoint), "--expression", "happy", "--out", str(out)]
    for verb in (animate, ["inspect", str(own.checkpoint)]):
        capsys.readouterr()
        assert run(verb) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"it names the class {own.module}.{own.name}" in line and f"add --trust {own.module} " in line
        assert run([*verb, "--trust", own.module]) == 0
    assert out.is_file()
    walk = ["interpolate", "--model", str(own.checkpoint), "--neutral", str(neutral_path), "--from", "sad", "--to"]
    status = run([*walk, "happy", "--out", str(own.folder / "walk.npz"), "--trust", own.module])
    assert status == (0 if own.name == "Refined" else 2)
    if own.name == "Net":
        assert "Net has no `encoder`" in capsys.readouterr().err


def test_a_run_goes_on_from_it(
    own: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(own.folder)
    more = ["--trainer.max_epochs=2", f"--trainer.logger.save_dir={own.folder / 'on'}", f"--ckpt_path={own.checkpoint}"]
    assert run(["fit", *own.common, *more]) == 0
    assert checkpoint.read_raw(own.folder / "on" / "run" / "checkpoints" / "last.ckpt")["epoch"] == 1
    capsys.readouterr()
    assert run(["test", *of_facegen(own), more[1], more[2]]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("facegen: error: ")]
    part = "model is" if own.name == "Refined" else "network is"
    assert f"the checkpoint's {part} {own.module}.{own.name}, the config's is Spiral" in line


def of_facegen(own: SimpleNamespace) -> list[str]:
    """The same options with facegen's own model."""
    kept = [each for each in own.common if not each.startswith(("--model=", "--model.pull", "--model.network"))]
    return ["--model=SpiralGenerator", *kept, *(["--model.channels=[4, 4, 4]"] if own.name == "Net" else [])]


@pytest.mark.parametrize("own", ["Refined"], indirect=True)
def test_an_interpolation_goes_through_the_whole_model(
    own: SimpleNamespace, neutral_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own.folder)
    model = facegen.load(own.checkpoint, trust=[own.module])
    neutral = facegen.read_mesh(neutral_path)
    asked = []
    model.network.refine.register_forward_hook(lambda *_: asked.append(1))
    walk = facegen.interpolate(model, neutral, "sad", "happy", 3)
    assert len(asked) == 3  # twice for the two latents, and for the walk
    assert walk.vertices.shape == (3, 420, 3)


class Holder(SpiralGenerator):
    """Is given a part instead of what it is made of."""

    def __init__(self, corpus: Corpus, part: torch.nn.Module, **settings: Any) -> None:
        super().__init__(corpus, channels=[4, 4, 4], **settings)
        self.part = part


class Reader(SpiralGenerator):
    """Wants something of the corpus that no checkpoint keeps."""

    def __init__(self, corpus: Corpus) -> None:
        super().__init__(corpus, channels=[4, 4, 4])
        self.scales = torch.nn.Parameter(torch.ones(len(corpus.entries)))


class Grown(SpiralGenerator):
    """Has a layer that its constructor does not make."""


def grown(corpus: Corpus) -> SpiralGenerator:
    model = Grown(corpus, channels=[4, 4, 4])
    model.late = torch.nn.Linear(2, 2)
    return model


def hidden(corpus: Corpus) -> SpiralGenerator:
    class Hidden(SpiralGenerator):
        pass

    return Hidden(corpus, channels=[4, 4, 4])


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (
            lambda corpus: Holder(corpus, torch.nn.Linear(2, 2)),
            "Holder: its argument part is a Linear, which a checkpoint",
        ),
        (Reader, "its constructor reads `corpus.entries`, which a checkpoint does not keep"),
        (grown, "2 weights are missing, unknown or of another shape, such as late.bias, late.weight"),
        (hidden, "Hidden is defined inside a function or another class, where a checkpoint cannot name it"),
    ],
)
def test_what_no_checkpoint_can_hold_is_refused_before_training(
    made: Callable[[Corpus], SpiralGenerator], reason: str, corpus_path: Path
) -> None:
    model = made(Corpus(corpus_path))
    with pytest.raises(FacegenError) as caught:
        model.setup("fit")
    assert reason in str(caught.value) and "\n" not in str(caught.value)
    model.setup("test")  # which keeps nothing

"""Nothing that is fitted touches who tests or validates: others in their place change no number of it, to the bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from facegen.checkpoint import read_raw
from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.data.prepare import prepare
from facegen.data.recipe import Recipe
from facegen.data.sources import open_source
from facegen.data.sources.source import Key, Recording, Source
from facegen.evaluation.label_mean import LabelMean

OPTIONS = {"subjects": 5, "test_subjects": 1, "val_subjects": 1, "vertices": 400, "frames": (8, 10), "seed": 5}
MODELS = {
    "spiral": ["--model=SpiralGenerator", "--model.channels=[8, 4]", "--model.normalise=true"],
    "blendshape": ["--model=BlendshapeGenerator", "--model.latent=8"],
    "classifier": ["--model=ExpressionClassifier", "--model.components=8", "--model.frames=8"],
}
KINDS = ("as they are", "test and validation subjects changed", "training subject changed")


class Changed(Source):
    """Another source, in which some have another face and move three times as far, and in other ways."""

    def __init__(self, source: Source, subjects: tuple[str, ...]) -> None:
        self.inner, self.changed = source, subjects
        self.template, self.reference, self.expressions = source.template, source.reference, source.expressions
        self.test_subjects, self.val_subjects, self.keys = source.test_subjects, source.val_subjects, source.keys

    def read(self, key: Key) -> Recording:
        recording = self.inner.read(key)
        if key.subject not in self.changed:
            return recording
        neutral, vertices = recording.neutral, recording.vertices
        bump = np.zeros_like(neutral)
        bump[:, 2] = 4 * np.cos(neutral[:, 1] / 30)
        course = np.sin(np.arange(len(vertices)))[:, None, None]
        moved = neutral + bump + 3 * (vertices - neutral) + course * bump
        return replace(recording, neutral=neutral + bump, vertices=moved)


@pytest.fixture(scope="module", params=["none", "frames"])
def corpora(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same recordings three times, of which some subjects' are changed or none's."""
    folder, source = tmp_path_factory.mktemp("leak"), open_source("synthetic", OPTIONS)
    held_out = (*source.test_subjects, *source.val_subjects)
    assert len(held_out) == 2
    recipe = Recipe(depth=2, components=8, align=request.param)
    for kind, subjects in zip(KINDS, ((), held_out, source.train_subjects[:1]), strict=True):
        prepare(Changed(source, subjects), "changed", folder / kind, recipe)
    return {kind: folder / kind for kind in KINDS}


def fitted(path: Path) -> dict[str, np.ndarray]:
    """All that a corpus has of its subjects together, and what the evaluation makes of it."""
    corpus = Corpus(path)
    found = {f"pca {name}": np.asarray(part) for name, part in vars(corpus.pca).items()}
    # Eq. 6's mean and deviation are seen in what they make of the training sequences.
    found["intensities"] = np.array([corpus.entries[i].intensity for i in corpus.split("train")])
    found["displacement scale"] = np.array(corpus.displacement_scale)
    found |= {f"identity {name}": part for name, part in corpus.identity.arrays().items()}
    found["label mean"] = LabelMean.fit(corpus).knots
    return found


def test_numbers_of_a_corpus_hang_on_training_subjects_alone(corpora: dict[str, Path]) -> None:
    plain, other, trained = (fitted(corpora[kind]) for kind in KINDS)
    assert {name for name in plain if not np.array_equal(plain[name], other[name])} == set()
    # A training subject that is changed as much changes all of them, so that the comparison can fail.
    assert {name for name in plain if np.array_equal(plain[name], trained[name])} == set()
    assert len({Corpus(path).hierarchy.digest for path in corpora.values()}) == 1


def test_what_was_changed_is_in_the_corpora(corpora: dict[str, Path]) -> None:
    plain, other, trained = (Corpus(corpora[kind]) for kind in KINDS)
    for split, changed, kept in (("test", other, trained), ("val", other, trained), ("train", trained, other)):
        index = plain.split(split)[0]
        assert changed.entries[index].deformation > 2 * plain.entries[index].deformation
        assert np.abs(changed.neutral(index) - plain.neutral(index)).max() > 1
        assert kept.entries[index].sha256 == plain.entries[index].sha256


def weights(arguments: list[str], folder: Path) -> dict[str, torch.Tensor]:
    assert run(["fit", *arguments, f"--trainer.logger.save_dir={folder}", "--trainer.max_epochs=1"]) == 0
    return read_raw(folder / "run" / "checkpoints" / "last.ckpt")["state_dict"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("corpora", ["none"], indirect=True)
def test_weights_hang_on_training_subjects_alone(
    model: str, corpora: dict[str, Path], run_arguments: list[str], tmp_path: Path
) -> None:
    plain, other, trained = (
        weights([*MODELS[model], *run_arguments, f"--data.corpus={corpora[kind]}"], tmp_path / kind) for kind in KINDS
    )
    assert {name for name in plain if not torch.equal(plain[name], other[name])} == set()
    assert {name for name in plain if torch.equal(plain[name], trained[name])} == set()

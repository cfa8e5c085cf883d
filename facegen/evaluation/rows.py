"""What is compared: each row of the tables as a way to make a test sequence's displacement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from facegen import checkpoint
from facegen.checkpoint import Checkpoint
from facegen.checkpoint_format import sound_displacements, told_nothing
from facegen.data.corpus import Corpus
from facegen.errors import CheckpointError
from facegen.evaluation.label_mean import LabelMean
from facegen.nn.blendshape_network import BlendshapeNetwork
from facegen.nn.conditioning import generate
from facegen.nn.sequence_classifier import SequenceClassifier
from facegen.nn.spiral_network import SpiralNetwork

GROUND_TRUTH = "ground_truth"
"""Row of the recorded motion itself, by the name that `report.json` has for it."""
MODELS: dict[str, type[nn.Module]] = {
    "paper_blendshape": BlendshapeNetwork,
    "paper_spiral": SpiralNetwork,
    "blendshape": BlendshapeNetwork,
    "spiral": SpiralNetwork,
}
"""Rows that are made by checkpoints, and the network that theirs must have, or else one of the user's own."""

TITLES = {
    "still": "still",
    "label_mean": "label mean",
    "pca_projection": "PCA projection",
    "paper_blendshape": "blendshape, the paper's recipe",
    "paper_spiral": "spiral, the paper's recipe",
    "blendshape": "blendshape",
    "spiral": "spiral",
    "person_mean": "label mean of the person",
    "performance_mean": "performance (mean)",
    "performance_best": "performance (best of 10 takes)",
    "performance_style_1": "performance (style from 1 take)",
    "performance_style_3": "performance (style from 3 takes)",
    "performance_style_5": "performance (style from 5 takes)",
    "oracle_style": "oracle (true style)",
    "oracle_take": "oracle (true style and take)",
    GROUND_TRUTH: "ground truth",
}
"""Every row there is, in the order of the tables, as people read it."""


class Generator:
    """A checkpoint that makes displacements on one device.

    Args:
        model: of a network that generates.
        corpus: its labels are what the network is given, from the least height that it was trained with.
        device: where it computes.
    """

    def __init__(self, model: Checkpoint, corpus: Corpus, device: torch.device) -> None:
        self.model = model
        self.network, self.device = model.network.to(device), device
        self.corpus = copy(corpus)
        self.corpus.floor = model.floor

    @torch.inference_mode()
    def make(self, motion: np.ndarray, neutral: np.ndarray) -> np.ndarray:
        """(T, V, 3) float32, mm, for a label (T, E) and a neutral (V, 3) mm."""
        label, face = (torch.from_numpy(array).to(self.device) for array in (motion, neutral))
        made = generate(self.network, label, neutral=face[None]).float().cpu().numpy()
        return sound_displacements(self.model.name, made)

    def __call__(self, index: int) -> np.ndarray:
        return self.make(self.corpus.motion(index), self.corpus.neutral(index))


@dataclass(frozen=True, eq=False)
class Row:
    """A row of the tables.

    Args:
        name: one of `TITLES`.
        makers: from the index of a sequence in the corpus to displacements (T, V, 3), mm; one for each checkpoint, and
            their results are averaged.
    """

    name: str
    makers: Sequence[Callable[[int], np.ndarray]]


def load_all(
    paths: Sequence[Path], wanted: type[nn.Module], corpus: Corpus, option: str, trust: Sequence[str] = ()
) -> list[Checkpoint]:
    """Checkpoints of one kind that were trained on the corpus; `trust` as in `facegen.checkpoint.load`.

    Raises:
        CheckpointError: a file is no checkpoint, or one of another network or corpus; the message names it.
    """
    found = []
    for path in paths:
        try:
            model = checkpoint.load(path, (wanted,), trust=trust)
        except CheckpointError as error:
            raise CheckpointError(f"{option}: {error}") from error
        if model.corpus != corpus.digest:
            raise CheckpointError(
                f"{option} {path}: trained on the corpus of digest {model.corpus[:12]}, {corpus.path} is "
                f"{corpus.digest[:12]}; give a checkpoint that was trained on this corpus"
            )
        found.append(model)
    return found


def references(corpus: Corpus, mean: LabelMean | None = None) -> list[Row]:
    """The rows that need no checkpoint, to compare what is generated with.

    *still* is the neutral, unmoved; *label mean* is what `LabelMean` gives; *PCA projection* is the ground truth
    through the corpus's components, and no model that combines them can err less.
    """
    mean, pca = mean or LabelMean.fit(corpus), corpus.pca

    def still(index: int) -> np.ndarray:
        return np.zeros((corpus.entries[index].frames, *corpus.hierarchy.template.vertices.shape), np.float32)

    return [
        Row("still", [still]),
        Row("label_mean", [lambda index: mean.displacement(corpus, index)]),
        Row("pca_projection", [lambda index: pca.reconstruct(pca.project(corpus.displacement(index)))]),
    ]


def generators(
    corpus: Corpus, paths: Mapping[str, Sequence[Path]], device: torch.device, trust: Sequence[str] = ()
) -> dict[str, list[Generator]]:
    """The generators of each of `MODELS` that has checkpoints.

    Raises:
        CheckpointError: see `load_all`.
    """
    return {
        name: [
            Generator(model, corpus, device)
            for model in load_all(paths[name], network, corpus, f"--{name.replace('_', '-')}", trust)
        ]
        for name, network in MODELS.items()
        if paths.get(name)
    }


class Judge:
    """Classifiers that say which expression a sequence shows."""

    def __init__(self, paths: Sequence[Path], corpus: Corpus, device: torch.device, trust: Sequence[str] = ()) -> None:
        models = load_all(paths, SequenceClassifier, corpus, "--classifier", trust)
        self.networks, self.device = [model.network.to(device) for model in models], device
        self.names = [model.name for model in models]

    @torch.inference_mode()
    def __call__(self, displacement: np.ndarray) -> list[int]:
        """The number of the expression that each classifier names for a displacement (T, V, 3), mm.

        Raises:
            CheckpointError: one gives scores that are no numbers.
        """
        whole = torch.tensor([0, len(displacement)])
        frames = torch.from_numpy(displacement).to(self.device)
        scores = [network(frames, whole) for network in self.networks]
        for name, found in zip(self.names, scores, strict=True):
            if not found.isfinite().all():
                raise told_nothing(f"--classifier {name}")
        return [int(found.argmax()) for found in scores]

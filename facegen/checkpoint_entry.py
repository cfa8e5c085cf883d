"""What training writes into a checkpoint beside Lightning's own: what it was made of, and of which corpus."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from facegen.checkpoint_format import CLASSIFIER, FORMAT, KEY, MODELS, as_now, short
from facegen.classes import class_path, is_own
from facegen.data.corpus import Corpus
from facegen.errors import CheckpointError
from facegen.nn.blendshape_network import BlendshapeNetwork
from facegen.nn.sequence_classifier import SequenceClassifier
from facegen.nn.spiral_network import SpiralNetwork

GENERATORS: tuple[type[nn.Module], ...] = (SpiralNetwork, BlendshapeNetwork)
"""Networks that make displacements of a label."""
NETWORKS = {class_path(kind): kind for kind in (*GENERATORS, SequenceClassifier)}
"""Every network of this package's own that a checkpoint may hold, by the path that stands in it."""
FORM_ALONE = {"fused"}
"""Settings of a network that change how it computes and neither its weights nor its results."""


@dataclass(frozen=True)
class Built:
    """What a model is made of, as a checkpoint says it.

    Args:
        kind: `GENERATOR`, `CLASSIFIER`, or another.
        model: path of the model's class.
        init_args: its arguments, besides the corpus.
        network: path of the class of its `network`.
        settings: that one's keyword arguments, besides the hierarchy and the number of expressions.
    """

    kind: str
    model: str
    init_args: Mapping[str, Any]
    network: str
    settings: Mapping[str, Any]

    def require_packable(self) -> None:
        """Require that a checkpoint can say it, and that `load` will build it.

        Raises:
            CheckpointError: an argument is no plain value, or a class is of this package and none that it loads.
        """
        for path, known in ((self.model, MODELS), (self.network, NETWORKS)):
            if is_own(path) and path not in known:
                raise CheckpointError(f"{path} is not among the classes that a checkpoint may name: {', '.join(known)}")
        whose = self.network if self.model in MODELS else self.model
        for name, value in {**self.settings, **self.init_args}.items():
            if not _is_plain(value):
                raise CheckpointError(
                    f"{whose.rpartition('.')[2]}: its argument {name} is a {type(value).__name__}, which a checkpoint "
                    "cannot hold; take numbers, text, true and false, null, and lists and tables of these; of a class "
                    "take its path"
                )


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(type(key) is str and _is_plain(part) for key, part in value.items())
    return value is None or type(value) in (bool, int, float, str)


def pack(built: Built, corpus: Corpus) -> dict[str, Any]:
    """The entry to add to a Lightning checkpoint, made of tensors, numbers and strings alone.

    Args:
        built: what is trained.
        corpus: what it is trained on.

    Raises:
        CheckpointError: see `Built.require_packable`.
    """
    built.require_packable()
    hierarchy = corpus.hierarchy
    arrays = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in hierarchy.arrays().items()}
    packed = {
        "format": FORMAT,
        "kind": built.kind,
        "model": built.model,
        "init_args": dict(built.init_args),
        "network": built.network,
        "settings": dict(built.settings),
        "hierarchy": arrays,
        "expressions": list(corpus.expressions),
        "units": "mm",
        "fps": corpus.fps,
        "floor": corpus.floor,
        "displacement_scale": corpus.displacement_scale,
        "corpus": corpus.digest,
        "hierarchy_digest": hierarchy.digest,
    }
    if built.kind != CLASSIFIER:
        packed["identity"] = {name: torch.from_numpy(array) for name, array in corpus.identity.arrays().items()}
        packed["landmarks"] = {name: torch.from_numpy(array) for name, array in corpus.landmarks.items()}
    return packed


def require_same(content: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Require that a checkpoint belongs to the data and the network at hand.

    Args:
        content: a checkpoint's dictionary.
        wanted: what `pack` makes of the data and the network, or a part of it.

    Raises:
        CheckpointError: it was trained on other data, or its network is another; the message names both.
    """
    packed = content.get(KEY)
    if packed is None:
        raise CheckpointError("a checkpoint, but not one that `facegen fit` wrote")
    if packed["corpus"] != wanted["corpus"]:
        raise CheckpointError(
            f"the checkpoint was trained on the corpus of digest {packed['corpus'][:12]}, this corpus is "
            f"{wanted['corpus'][:12]}; give the corpus it was trained on"
        )
    packed = as_now(packed)
    for name in ("hierarchy_digest", "model", "network", "settings", "floor"):
        if name not in wanted or None in (packed[name], wanted[name]) or _same(name, packed, wanted):
            continue
        was, now = (short(each[name]) for each in (packed, wanted))
        verb = "are" if name == "settings" else "is"
        raise CheckpointError(
            f"the checkpoint's {name.replace('_', ' ')} {verb} {was}, the config's {verb} {now}; "
            "give the config it was trained with"
        )


def _same(name: str, packed: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    if name != "settings" or packed["network"] not in NETWORKS:
        return packed[name] == wanted[name]
    # What a version does not know of is at its default.
    arguments = inspect.signature(NETWORKS[packed["network"]]).parameters.values()
    defaults = {each.name: each.default for each in arguments if each.default is not each.empty}
    one, two = ({**defaults, **each[name]} for each in (packed, wanted))
    return all(one[each] == two.get(each) for each in one if each not in FORM_ALONE)

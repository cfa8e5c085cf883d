"""Checkpoints that are whole: weights with all that is needed to use them, and no code."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facegen.checkpoint_entry import (
    BASES,
    CLASSIFIER,
    FORMAT,
    GENERATOR,
    GENERATORS,
    KEY,
    MODELS,
    NETWORKS,
    as_now,
    require_weights,
    short,
)
from facegen.classes import UntrustedClassError, named_class, trusting
from facegen.data.corpus_in_brief import CorpusInBrief
from facegen.data.face_landmarks import checked_face_landmarks
from facegen.data.identity import Identity
from facegen.errors import CheckpointError, FacegenError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.sequence_classifier import SequenceClassifier

DAMAGED = "the parts of the checkpoint do not fit together (an entry is missing or damaged); `facegen fit` writes them"
"""What is said of a checkpoint whose entry does not hold what it has to."""


class WrongKindError(CheckpointError):
    """A checkpoint of one kind of network where another is wanted."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint holds besides the optimiser's state.

    Args:
        network: ready for use, its weights loaded: facegen's own network, one of the user's own, or a whole model of
            the user's own. One that generates is called by `facegen.nn.conditioning.generate`.
        hierarchy: of the template.
        expressions: E names, the label's columns.
        fps: of the corpus.
        floor: lowest height of the labels it was trained with, see `facegen.motion.intensity.raised`.
        corpus: digest of the corpus it was trained on.
        epoch: in which it was written, counted from 0 as in the log.
        identity: how the training subjects differ at rest; None in what older versions wrote, and of a classifier.
        landmarks: (468, 3) mm of the template and of the mean face by name, as far as they were found; see
            `facegen.data.face_landmarks`.
        model: path of the model's class; None in format 2.
    """

    network: nn.Module
    hierarchy: MeshHierarchy
    expressions: tuple[str, ...]
    fps: float
    floor: float
    corpus: str
    epoch: int
    identity: Identity | None = None
    landmarks: Mapping[str, np.ndarray] = field(default_factory=dict)
    model: str | None = None


def read_raw(path: str | Path) -> dict[str, Any]:
    """A checkpoint's dictionary, read without running anything that a file may hold.

    Raises:
        CheckpointError: the file is missing, is no checkpoint, or is not one of this package or of this format.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint; make one with `facegen fit`")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever damaged or hostile bytes make the restricted unpickler stumble over
        raise CheckpointError(f"{path}: not a checkpoint, or a damaged one; `facegen fit` writes them") from error
    if not isinstance(content, dict) or not isinstance(content.get(KEY), dict) or "state_dict" not in content:
        raise CheckpointError(f"{path}: a checkpoint, but not one that `facegen fit` wrote")
    packed = content[KEY]
    if packed.get("format") not in (2, FORMAT):
        raise CheckpointError(f"{path}: checkpoint format {packed.get('format')}, this version reads 2 and {FORMAT}")
    try:
        return {**content, KEY: as_now(packed)}
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: {DAMAGED}") from error


def load(
    path: str | Path, wanted: Collection[type[nn.Module]] = GENERATORS, *, trust: str | Iterable[str] = ()
) -> Checkpoint:
    """Rebuild the network of a checkpoint, or the model, where it is one of the user's own.

    Args:
        path: of the file.
        wanted: kinds of network that are accepted; by default those that generate. A network or a model of the user's
            own is accepted where one of its kind is.
        trust: modules whose classes the checkpoint may name, such as `("my_models",)`; a package stands for all in it.
            They are imported, from the current folder too. No other module is, whatever the file says.

    Raises:
        CheckpointError: see `read_raw`; or its network is of another kind, or its parts do not fit together, or it
            names a class of a module that is not trusted.

    Examples:
        >>> import facegen
        >>> model = facegen.load("demo/model.ckpt")
        >>> model.expressions
        ('happy', 'angry', 'sad', 'surprise', 'fear', 'disgust')
    """
    content = read_raw(path)
    try:
        _require_kind(content[KEY], wanted)
        with trusting(trust):
            return _rebuilt(content[KEY], content)
    except (UntrustedClassError, WrongKindError) as error:
        raise type(error)(f"{path}: {error}") from error
    except FacegenError as error:
        raise CheckpointError(f"{path}: the parts of the checkpoint do not fit together ({error})") from error
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:  # of whatever an entry may hold
        raise CheckpointError(f"{path}: {DAMAGED}") from error


def _require_kind(packed: Mapping[str, Any], wanted: Collection[type[nn.Module]]) -> None:
    """Refuse what is not wanted before anything is built, and before a class of somebody else's is asked for."""
    network, names = packed["network"], [kind.__name__ for kind in wanted]
    if network in NETWORKS:
        fits = NETWORKS[network] in wanted
    else:
        kinds = {CLASSIFIER if kind is SequenceClassifier else GENERATOR for kind in wanted}
        fits = packed["kind"] in kinds or len(kinds) == len(BASES)
    if not fits:
        raise WrongKindError(f"a checkpoint of a {short(network)}; {' or '.join(names)} is wanted here")


def require_loadable(packed: Mapping[str, Any], state: Mapping[str, Tensor]) -> None:
    """Require, before training, that `load` will make of a checkpoint what is trained.

    Args:
        packed: see `pack`.
        state: the model's weights.

    Raises:
        CheckpointError: its class cannot be built of what the checkpoint says, or has other weights then.
    """
    with torch.random.fork_rng(devices=[]):  # what is built here has no part in the training
        _network(packed, state, _brief(packed))


def _rebuilt(packed: Mapping[str, Any], content: Mapping[str, Any]) -> Checkpoint:
    brief = _brief(packed)
    network = _network(packed, content["state_dict"], brief)
    if not all(bool(value.isfinite().all()) for value in network.state_dict().values()):
        raise CheckpointError("weights are NaN or infinite: training has diverged; take a smaller lr")
    return Checkpoint(
        network.eval(),
        brief.hierarchy,
        brief.expressions,
        brief.fps,
        brief.floor,
        brief.digest,
        int(content.get("epoch", 0)),
        brief.identity,
        brief.landmarks,
        packed["model"],
    )


def _brief(packed: Mapping[str, Any]) -> CorpusInBrief:
    hierarchy = MeshHierarchy.from_arrays(_arrays(packed["hierarchy"]))
    identity = None
    if "identity" in packed:
        identity = Identity.from_arrays(_arrays(packed["identity"]), len(hierarchy.template.vertices))
    return CorpusInBrief(
        hierarchy,
        tuple(packed["expressions"]),
        float(packed["fps"]),
        float(packed["floor"]),
        packed["corpus"],
        float(packed.get("displacement_scale", 1.0)),
        identity,
        checked_face_landmarks(_arrays(packed.get("landmarks", {}))),
    )


def _network(packed: Mapping[str, Any], state: Mapping[str, Tensor], corpus: CorpusInBrief) -> nn.Module:
    """What computes, its weights loaded: of a model of facegen's own its network, of another the whole model."""
    state = dict(state)
    if packed["model"] is None or packed["model"] in MODELS:
        kind = named_class(packed["network"], nn.Module, NETWORKS)
        network = _made(kind, packed["network"], corpus.hierarchy, len(corpus.expressions), **packed["settings"])
        prefix = "network."  # under which `ExpressionModel` has it
    else:
        kind = named_class(packed["model"], nn.Module, {})
        base = BASES.get(packed["kind"])
        if base not in [f"{each.__module__}.{each.__qualname__}" for each in kind.__mro__]:
            raise CheckpointError(f"{packed['model']} is not derived from {base or 'a model of facegen'}")
        network = _made(kind, packed["model"], corpus=corpus, **packed["init_args"])
        prefix = ""
    require_weights(state, {f"{prefix}{name}": value for name, value in network.state_dict().items()})
    network.load_state_dict({name.removeprefix(prefix): value for name, value in state.items()})
    return network


def _made(kind: type[nn.Module], path: str, *given: Any, **settings: Any) -> nn.Module:
    """What the class makes; an error in a class of the user's own is no damage to the file."""
    try:
        return kind(*given, **settings)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        if path in NETWORKS or isinstance(error, FacegenError):
            raise
        raise CheckpointError(
            f"{path} cannot be built of what it was trained with, {settings}; is its module the one of then? {error}"
        ) from error


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}

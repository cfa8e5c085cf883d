"""The networks of checkpoints, built by torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facegen.checkpoint_digest import require_sound_archive
from facegen.checkpoint_entry import NETWORKS
from facegen.checkpoint_format import BASES, DIVERGED, MODELS, require_weights
from facegen.classes import named_class
from facegen.data.corpus_in_brief import CorpusInBrief
from facegen.errors import CheckpointError, FacegenError


def read_by_torch(path: Path, map_location: Any = "cpu") -> Any:
    """What torch saved, read without running anything that a file may hold.

    Args:
        path: of the file.
        map_location: where to put tensors, see `torch.load`.

    Raises:
        CheckpointError: the file is none, or a damaged one.
    """
    require_sound_archive(path)
    try:
        return torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # whatever damaged or hostile bytes make the restricted unpickler stumble over
        raise CheckpointError(f"{path}: not a checkpoint, or a damaged one; `facegen fit` writes them") from error


def require_loadable(packed: Mapping[str, Any], state: Mapping[str, Tensor]) -> None:
    """Require, before training, that `facegen.checkpoint.load` will make of a checkpoint what is trained.

    Args:
        packed: see `facegen.checkpoint_entry.pack`.
        state: the model's weights.

    Raises:
        CheckpointError: its class cannot be built of what the checkpoint says, or has other weights then.
    """
    with torch.random.fork_rng(devices=[]):  # what is built here has no part in the training
        built(packed, state, CorpusInBrief.of(packed))


def built(packed: Mapping[str, Any], state: Mapping[str, Any], corpus: CorpusInBrief) -> nn.Module:
    """What computes, its weights loaded: of a model of facegen's own its network, of another the whole model.

    Args:
        packed: see `facegen.checkpoint_entry.pack`.
        state: weights by name, tensors or arrays.
        corpus: what the checkpoint says of it.

    Raises:
        CheckpointError: these do not fit together.
    """
    if packed["model"] is None or packed["model"] in MODELS:
        kind = named_class(packed["network"], nn.Module, NETWORKS)
        _require_earned(packed["settings"], state)
        network = _made(kind, packed["network"], corpus.hierarchy, len(corpus.expressions), **packed["settings"])
        prefix = "network."  # under which `ExpressionModel` has it
    else:
        kind = named_class(packed["model"], nn.Module, {})
        base = BASES.get(packed["kind"])
        if base not in [f"{each.__module__}.{each.__qualname__}" for each in kind.__mro__]:
            raise CheckpointError(f"{packed['model']} is not derived from {base or 'a model of facegen'}")
        network = _made(kind, packed["model"], corpus=corpus, **packed["init_args"])
        prefix = ""
    require_weights(state, {f"{prefix}{name}": shape for name, shape in shapes(network).items()})
    network.load_state_dict({name.removeprefix(prefix): _tensor(value) for name, value in state.items()})
    if not all(bool(value.isfinite().all()) for value in network.state_dict().values()):
        raise CheckpointError(DIVERGED)
    return network.eval()


def _require_earned(settings: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Refuse sizes that no weight has, before anything of that size is made.

    Raises:
        CheckpointError: there is one.
    """
    largest = max((size for value in state.values() for size in value.shape), default=0)
    for name, value in settings.items():
        for size in value if isinstance(value, list | tuple) else [value]:
            if isinstance(size, int) and size > largest:
                raise CheckpointError(f"{name} is {size}, and no weight has so many rows; the file is damaged")


def shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """The shapes of a network's weights, by name."""
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def _tensor(value: np.ndarray | Tensor) -> Tensor:
    return torch.from_numpy(value) if isinstance(value, np.ndarray) else value


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

"""Checkpoints that are whole: weights with all that is needed to use them, and no code."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facegen.checkpoint_archive import UnreadableError, read_archive
from facegen.checkpoint_digest import DIGEST, require_digest
from facegen.checkpoint_format import (
    BASES,
    DIVERGED,
    FORMAT,
    GENERATOR,
    KEY,
    KINDS,
    MODELS,
    PERFORMERS,
    as_now,
    require_entry,
    require_weights,
    short,
)
from facegen.classes import UntrustedClassError, class_path, trusting
from facegen.data.corpus_in_brief import CorpusInBrief
from facegen.data.identity import Identity
from facegen.errors import CheckpointError, FacegenError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.light.generator import LightGenerator
from facegen.nn.light.networks import light_generator
from facegen.pretrained import MODEL
from facegen.readable import require_file
from facegen.tables import EPOCH

if TYPE_CHECKING:
    from torch import nn

    from facegen.nn.torch_generator import TorchGenerator

DAMAGED = "the parts of the checkpoint do not fit together (an entry is missing or damaged); `facegen fit` writes them"
"""What is said of a checkpoint whose entry does not hold what it has to."""


class WrongKindError(CheckpointError):
    """A checkpoint of one kind of network where another is wanted."""


@dataclass(frozen=True, eq=False)
class StoredNetwork:
    """A network of facegen's own as a checkpoint has it, which torch builds only where it is asked for.

    Args:
        light: computes the same without torch.
        packed, state, corpus: see `facegen.checkpoint_networks.built`.
    """

    light: LightGenerator
    packed: Mapping[str, Any]
    state: Mapping[str, np.ndarray]
    corpus: CorpusInBrief

    def built(self) -> nn.Module:
        """The network."""
        from facegen.checkpoint_networks import built

        return built(self.packed, self.state, self.corpus)

    def __repr__(self) -> str:
        return short(self.packed["network"])


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint holds besides the optimiser's state.

    Args:
        source: of its network: that itself, or what builds it.
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
        name: what messages call it, mostly its file.
    """

    source: nn.Module | StoredNetwork
    hierarchy: MeshHierarchy
    expressions: tuple[str, ...]
    fps: float
    floor: float
    corpus: str
    epoch: int
    identity: Identity | None = None
    landmarks: Mapping[str, np.ndarray] = field(default_factory=dict)
    model: str | None = None
    name: str = "the model"

    @cached_property
    def network(self) -> nn.Module:
        """Ready for use, its weights loaded: facegen's own network, one of the user's own, or a whole model of the
        user's own. One that generates is called by `facegen.nn.conditioning.generate`."""
        return self.source.built() if isinstance(self.source, StoredNetwork) else self.source

    @property
    def generator(self) -> LightGenerator | TorchGenerator:
        """What makes displacements of labels: without torch where that can be, and where nobody has taken `network`,
        which may have been changed since."""
        if isinstance(self.source, StoredNetwork) and "network" not in self.__dict__:
            return self.source.light
        from facegen.nn.torch_performance import torch_generator

        return torch_generator(self.network)

    @property
    def performs(self) -> bool:
        """Whether its network knows styles and takes."""
        source = self.source
        path = source.packed["network"] if isinstance(source, StoredNetwork) else class_path(type(source))
        return path in PERFORMERS


def read_raw(path: str | Path) -> dict[str, Any]:
    """A checkpoint's dictionary, as torch reads it, without running anything that a file may hold.

    Raises:
        CheckpointError: the file is missing, is no checkpoint, or is not one of this package or of this format.
    """
    from facegen.checkpoint_networks import read_by_torch

    path = _there(path)
    return _checked(path, read_by_torch(path))


def _read(path: str | Path) -> dict[str, Any]:
    """The same with arrays for tensors, as far as `load` needs them; without torch where that can read it."""
    path = _there(path)
    try:
        return _checked(path, read_archive(path, ("state_dict", KEY)))
    except UnreadableError:
        return read_raw(path)


def _there(path: str | Path) -> Path:
    return require_file(path, CheckpointError, "no such checkpoint; make one with `facegen fit`")


def _checked(path: Path, content: Any) -> dict[str, Any]:
    if not isinstance(content, dict) or not isinstance(content.get(KEY), dict) or "state_dict" not in content:
        raise CheckpointError(f"{path}: a checkpoint, but not one that `facegen fit` wrote")
    packed = content[KEY]
    if packed.get("format") not in (2, FORMAT):
        raise CheckpointError(f"{path}: checkpoint format {packed.get('format')}, this version reads 2 and {FORMAT}")
    require_digest(path, content)
    try:
        return {**content, KEY: as_now(packed)}
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: {DAMAGED}") from error


def load(
    path: str | Path = MODEL, wanted: Collection[type[nn.Module]] | None = None, *, trust: str | Iterable[str] = ()
) -> Checkpoint:
    """Read a checkpoint, and rebuild its network, or the model, where it is one of the user's own.

    Args:
        path: of the file; without one, the model that comes with facegen.
        wanted: kinds of network that are accepted; None: those that generate. A network or a model of the user's
            own is accepted where one of its kind is.
        trust: modules whose classes the checkpoint may name, such as `("my_models",)`; a package stands for all in it.
            They are imported, from the current folder too. No other module is, whatever the file says.

    Raises:
        CheckpointError: see `read_raw`; or its network is of another kind, or its parts do not fit together, or it
            names a class of a module that is not trusted.

    Examples:
        >>> import facegen
        >>> model = facegen.load()
        >>> model.expressions
        ('happy', 'angry', 'sad', 'surprise', 'fear', 'disgust')
    """
    content = _read(path)
    try:
        require_entry(content[KEY])
        EPOCH.check(content.get("epoch", 0), "epoch")
        _require_kind(content[KEY], KINDS_THAT_GENERATE if wanted is None else [class_path(kind) for kind in wanted])
        with trusting(trust):
            return replace(_rebuilt(content[KEY], content), name=str(path))
    except (UntrustedClassError, WrongKindError) as error:
        raise type(error)(f"{path}: {error}") from error
    except FacegenError as error:
        raise CheckpointError(f"{path}: the parts of the checkpoint do not fit together ({error})") from error
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:  # of whatever an entry may hold
        raise CheckpointError(f"{path}: {DAMAGED}") from error


KINDS_THAT_GENERATE = [path for path, kind in KINDS.items() if kind == GENERATOR]
"""Paths of facegen's own networks that make displacements of a label."""


def _require_kind(packed: Mapping[str, Any], wanted: Collection[str]) -> None:
    """Refuse what is not wanted before anything is built, and before a class of somebody else's is asked for."""
    network = packed["network"]
    if network in KINDS:
        fits = network in wanted
    else:
        kinds = {KINDS.get(path, GENERATOR) for path in wanted}
        fits = packed["kind"] in kinds or len(kinds) == len(BASES)
    if not fits:
        names = " or ".join(path.rpartition(".")[2] for path in wanted)
        raise WrongKindError(f"a checkpoint of a {short(network)}; {names} is wanted here")


def _rebuilt(packed: Mapping[str, Any], content: Mapping[str, Any]) -> Checkpoint:
    brief = CorpusInBrief.of(packed)
    if DIGEST not in packed and packed.get("hierarchy_digest", brief.hierarchy.digest) != brief.hierarchy.digest:
        raise CheckpointError("the hierarchy is not the one of its digest")
    return Checkpoint(
        _network(packed, content["state_dict"], brief),
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


def _network(packed: Mapping[str, Any], state: Mapping[str, Any], corpus: CorpusInBrief) -> nn.Module | StoredNetwork:
    light = None
    if (packed["model"] is None or packed["model"] in MODELS) and all(
        isinstance(value, np.ndarray) for value in state.values()
    ):
        light = light_generator(packed["network"], corpus.hierarchy, len(corpus.expressions), packed["settings"])
    if light is None:
        from facegen.checkpoint_networks import built

        return built(packed, state, corpus)
    prefix = "network."  # under which `ExpressionModel` has it
    require_weights(state, {f"{prefix}{name}": shape for name, shape in light.shapes.items()})
    with np.errstate(over="ignore"):  # too large a number is infinite, and refused as that
        weights = {name: value.astype(np.float32) for name, value in state.items()}
    if not all(bool(np.isfinite(value).all()) for value in weights.values()):
        raise CheckpointError(DIVERGED)
    with np.errstate(all="ignore"):  # products of weights that have diverged: what they make is looked at
        light.take({name.removeprefix(prefix): value for name, value in weights.items()})
    return StoredNetwork(light, packed, weights, corpus)

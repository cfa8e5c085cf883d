"""Checkpoints that are whole: weights with all that is needed to use them, and no code."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facegen.data.corpus import Corpus
from facegen.data.face_landmarks import checked_face_landmarks
from facegen.data.identity import Identity
from facegen.errors import CheckpointError, FacegenError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.blendshape_network import BlendshapeNetwork
from facegen.nn.sequence_classifier import SequenceClassifier
from facegen.nn.spiral_network import SpiralNetwork

FORMAT = 2
"""Version of the entry that `pack` makes; a checkpoint with another one is refused."""
KEY = "facegen"
"""Name of that entry in a Lightning checkpoint."""
GENERATORS: tuple[type[nn.Module], ...] = (SpiralNetwork, BlendshapeNetwork)
"""Networks that make displacements of a label."""
NETWORKS = {kind.__name__: kind for kind in (*GENERATORS, SequenceClassifier)}
"""Every network that a checkpoint may hold, by the name that stands in it."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint holds besides the optimiser's state.

    Args:
        network: ready for use, its weights loaded.
        hierarchy: of the template.
        expressions: E names, the label's columns.
        fps: of the corpus.
        floor: lowest height of the labels it was trained with, see `facegen.motion.intensity.raised`.
        corpus: digest of the corpus it was trained on.
        epoch: in which it was written, counted from 0 as in the log.
        identity: how the training subjects differ at rest; None in what older versions wrote, and of a classifier.
        landmarks: (468, 3) mm of the template and of the mean face by name, as far as they were found; see
            `facegen.data.face_landmarks`.
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


def pack(network: str, settings: Mapping[str, Any], corpus: Corpus) -> dict[str, Any]:
    """The entry to add to a Lightning checkpoint, made of tensors, numbers and strings alone.

    Args:
        network: a name of `NETWORKS`.
        settings: its keyword arguments, besides the hierarchy and the number of expressions.
        corpus: what it is trained on.
    """
    hierarchy = corpus.hierarchy
    arrays = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in hierarchy.arrays().items()}
    packed = {
        "format": FORMAT,
        "network": network,
        "settings": dict(settings),
        "hierarchy": arrays,
        "expressions": list(corpus.expressions),
        "units": "mm",
        "fps": corpus.fps,
        "floor": corpus.floor,
        "corpus": corpus.digest,
        "hierarchy_digest": hierarchy.digest,
    }
    if NETWORKS[network] in GENERATORS:
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
    for name in ("hierarchy_digest", "network", "settings", "floor"):
        if name in wanted and packed[name] != wanted[name]:
            verb = "are" if name == "settings" else "is"
            raise CheckpointError(
                f"the checkpoint's {name.replace('_', ' ')} {verb} {packed[name]}, the config's {verb} {wanted[name]}; "
                "give the config it was trained with"
            )


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
    if content[KEY].get("format") != FORMAT:
        raise CheckpointError(f"{path}: checkpoint format {content[KEY].get('format')}, this version reads {FORMAT}")
    return content


def load(path: str | Path, wanted: Collection[type[nn.Module]] = GENERATORS) -> Checkpoint:
    """Rebuild the network of a checkpoint.

    Args:
        path: of the file.
        wanted: kinds of network that are accepted; by default those that generate.

    Raises:
        CheckpointError: see `read_raw`; or its network is of another kind, or its parts do not fit together.

    Examples:
        >>> import facegen
        >>> model = facegen.load("demo/model.ckpt")
        >>> model.expressions
        ('happy', 'angry', 'sad', 'surprise', 'fear', 'disgust')
    """
    content = read_raw(path)
    packed = content[KEY]
    names = [kind.__name__ for kind in wanted]
    if packed.get("network") in NETWORKS and packed["network"] not in names:
        raise CheckpointError(f"{path}: a checkpoint of a {packed['network']}; {' or '.join(names)} is wanted here")
    try:
        return _rebuilt(packed, content)
    except FacegenError as error:
        raise CheckpointError(f"{path}: the parts of the checkpoint do not fit together ({error})") from error
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:  # of whatever an entry may hold
        raise CheckpointError(
            f"{path}: the parts of the checkpoint do not fit together (an entry is missing or damaged); "
            "`facegen fit` writes them"
        ) from error


def _rebuilt(packed: Mapping[str, Any], content: Mapping[str, Any]) -> Checkpoint:
    hierarchy = MeshHierarchy.from_arrays(_arrays(packed["hierarchy"]))
    expressions = tuple(packed["expressions"])
    network = NETWORKS[packed["network"]](hierarchy, len(expressions), **packed["settings"])
    _fill(network, content["state_dict"])
    identity = None
    if "identity" in packed:
        identity = Identity.from_arrays(_arrays(packed["identity"]), len(hierarchy.template.vertices))
    return Checkpoint(
        network.eval(),
        hierarchy,
        expressions,
        float(packed["fps"]),
        float(packed["floor"]),
        packed["corpus"],
        int(content.get("epoch", 0)),
        identity,
        checked_face_landmarks(_arrays(packed.get("landmarks", {}))),
    )


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _fill(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load the weights that `ExpressionModel` has under `network`."""
    prefix = "network."
    weights = {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}
    sizes = {name: value.shape for name, value in network.state_dict().items()}
    given = {name: value.shape for name, value in weights.items()}
    wrong = [name for name in sorted({**sizes, **given}) if sizes.get(name) != given.get(name)]
    if wrong:
        raise CheckpointError(f"{len(wrong)} weights are missing, unknown or of another shape, such as {wrong[0]}")
    network.load_state_dict(weights)
    if not all(bool(value.isfinite().all()) for value in network.state_dict().values()):
        raise CheckpointError("weights are NaN or infinite: training has diverged; take a smaller lr")

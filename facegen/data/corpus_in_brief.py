"""What a checkpoint keeps of the corpus that its model was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NoReturn

import numpy as np

from facegen.data.face_landmarks import checked_face_landmarks
from facegen.data.identity import Identity
from facegen.data.pca import PCA
from facegen.data.recipe import MOST_COMPONENTS
from facegen.errors import CheckpointError
from facegen.mesh.hierarchy import MeshHierarchy


class NotKeptError(CheckpointError, AttributeError):
    """A model's constructor reads something of the corpus that no checkpoint keeps."""


@dataclass(frozen=True, eq=False)
class CorpusInBrief:
    """Stands in for the `Corpus` where a model is built again of a checkpoint, without the corpus.

    Args:
        hierarchy, expressions, fps, floor, digest, displacement_scale, identity, landmarks: see `Corpus`.
    """

    hierarchy: MeshHierarchy
    expressions: tuple[str, ...]
    fps: float
    floor: float
    digest: str
    displacement_scale: float = 1.0
    identity: Identity | None = None
    landmarks: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> CorpusInBrief:
        """What the entry of a checkpoint says of its corpus.

        Raises:
            FacegenError, KeyError, TypeError, ValueError, AttributeError: parts are missing or do not fit together.
        """
        hierarchy = MeshHierarchy.from_arrays(_arrays(entry["hierarchy"]))
        identity = None
        if "identity" in entry:
            identity = Identity.from_arrays(_arrays(entry["identity"]), len(hierarchy.template.vertices))
        return cls(
            hierarchy,
            tuple(entry["expressions"]),
            float(entry["fps"]),
            float(entry["floor"]),
            entry["corpus"],
            float(entry.get("displacement_scale", 1.0)),
            identity,
            checked_face_landmarks(_arrays(entry.get("landmarks", {}))),
        )

    @property
    def pca(self) -> PCA:
        """Zeros: a model's components are among its weights, which are loaded after it is built."""
        shape = self.hierarchy.template.vertices.shape
        components = np.broadcast_to(np.float32(0), (MOST_COMPONENTS, *shape))
        return PCA(np.zeros(shape, np.float32), components, np.zeros(MOST_COMPONENTS), 0.0, 0.0)

    def __getattr__(self, name: str) -> Any:
        return _refuse(name)


def _refuse(name: str) -> NoReturn:
    raise NotKeptError(
        f"its constructor reads `corpus.{name}`, which a checkpoint does not keep; of the corpus it keeps "
        f"{', '.join(each.name for each in fields(CorpusInBrief))}, and all else has to be an argument"
    )


def _arrays(tensors: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: value if isinstance(value, np.ndarray) else value.numpy() for name, value in tensors.items()}

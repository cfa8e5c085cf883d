"""Parts of a file that have names: groups and objects of OBJ, nodes and meshes of glTF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from facegen.errors import MeshError, unknown


@dataclass(frozen=True, eq=False)
class Groups:
    """Which of a file's groups each face belongs to.

    Args:
        names: for each kind of face the groups that it belongs to; none, where the file names none.
        kind: (F,) int, of each face.
    """

    names: tuple[tuple[str, ...], ...]
    kind: np.ndarray

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Each group that has faces, the largest first, and how many."""
        count = np.bincount(self.kind, minlength=len(self.names)).tolist()
        found: dict[str, int] = {}
        for names, faces in zip(self.names, count, strict=True):
            for name in dict.fromkeys(names):
                found[name] = found.get(name, 0) + faces
        return {name: faces for name, faces in sorted(found.items(), key=lambda each: -each[1]) if faces}

    @property
    def several(self) -> bool:
        """Whether a group takes less than all faces."""
        return any(faces < len(self.kind) for faces in self.sizes.values())

    def chosen(self, wanted: Sequence[str], path: object) -> np.ndarray:
        """(F,) bool: the faces of any of these groups.

        Raises:
            MeshError: a name is not there, or the file has none.
        """
        if not self.sizes:
            raise MeshError(f"{path}: it has no groups with names; leave --groups out")
        for name in wanted:
            if name not in self.sizes:
                raise MeshError(f"{path}: {unknown('group', name, self.sizes)}")
        return np.array([not set(names).isdisjoint(wanted) for names in self.names])[self.kind]

    def parse(self, text: str) -> list[str]:
        """The names in a list with commas; a group whose own name has commas is taken by all of it."""
        return [text] if text in self.sizes else [name.strip() for name in text.split(",") if name.strip()]

"""The template at several resolutions, with spirals on each and the way from each to the next."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from facegen.archives import read_arrays
from facegen.errors import MeshError
from facegen.files import new_file
from facegen.mesh.checks import require_sound
from facegen.mesh.decimation import decimate
from facegen.mesh.limits import DEEPEST, LARGEST_FACTOR
from facegen.mesh.projection import project
from facegen.mesh.spirals import build_spirals
from facegen.mesh.tri_mesh import TriMesh
from facegen.remote import Place
from facegen.schema import WrongValueError
from facegen.tables import hierarchy_table

USUAL_FACTOR = 5.0
"""Vertices of a level over those of the next: Table 1 of the paper."""
COARSEST_LEVEL = 20
"""Vertices of the coarsest level at least, where no factor is asked for. Chosen: on a smaller one a single spiral would
cover most of the level."""

SUM_SLACK = 1e-3
"""By how much the sum of a row of `upsample` may differ from one in a file. Chosen far above float32's rounding."""


def level_factor(vertices: int, depth: int) -> float:
    """`USUAL_FACTOR`, or a gentler one where `depth` steps of it would leave fewer vertices than `COARSEST_LEVEL`.

    This departs from the paper below 20 * 5^4 = 12,500 vertices at a depth of 4; the paper's mesh has 28,431.
    """
    return max(1.0, min(USUAL_FACTOR, (vertices / COARSEST_LEVEL) ** (1 / depth)))


@dataclass(frozen=True, eq=False)
class MeshHierarchy:
    """The template's levels, finest first.

    Args:
        levels: the meshes, of V_0 > V_1 > ... vertices.
        keep: for each level but the first, (V_{i+1},) indices of its vertices in level i.
        upsample: for each step, sparse (V_i, V_{i+1}); rows sum to one, at most three entries each.
        spirals: for each level, (V_i, L_i) int64; column 0 is the vertex itself, -1 where nothing is.
        reference: the vertex of level 0 that spirals start towards.
        factor: every level has ceil(V / factor) vertices of the V of the finer one; None where a file of an earlier
            version does not say it.
        dilations: of the spirals, for each level; None where a file of an earlier version does not say it.
    """

    levels: tuple[TriMesh, ...]
    keep: tuple[np.ndarray, ...]
    upsample: tuple[csr_matrix, ...]
    spirals: tuple[np.ndarray, ...]
    reference: int
    factor: float | None = None
    dilations: tuple[int, ...] | None = None

    @classmethod
    def build(
        cls,
        template: TriMesh,
        *,
        depth: int = 4,
        factor: float | None = None,
        reference: int | None = None,
        spiral_length: int | Sequence[int] | None = None,
        dilation: int | Sequence[int] = 1,
    ) -> MeshHierarchy:
        """Decimate the template level by level, project each level on the next, and lay spirals on all.

        Args:
            template: (V, 3) in mm, one sound mesh.
            depth: how many coarser levels.
            factor: every level has ceil(V / factor) vertices, Table 1's rule, on a mesh of any size; None takes
                `level_factor`, which is the paper's 5 or gentler on a small mesh.
            reference: vertex that spirals start towards; None takes the one nearest the centroid.
            spiral_length: L, one for all levels or one for each, finest first; None takes `default_length`.
            dilation: of the spirals, see `build_spirals`; one for all levels or one for each, finest first.

        Raises:
            MeshError: the template is not sound, too small, or a setting is out of range.
        """
        if not 1 <= depth <= DEEPEST or (factor is not None and not 1 < factor <= LARGEST_FACTOR):
            raise MeshError(
                f"a hierarchy needs a depth of at least 1 and a factor above 1, at most {DEEPEST} and "
                f"{LARGEST_FACTOR:.0f}, got {depth} and {factor}"
            )
        require_sound(template, "the template")
        if len(template.vertices) <= COARSEST_LEVEL:
            raise MeshError(
                f"a template needs more than {COARSEST_LEVEL} vertices, this one has {len(template.vertices)}"
            )
        if reference is None:
            centroid = template.vertices.mean(axis=0)
            reference = int(np.linalg.norm(template.vertices - centroid, axis=1).argmin())
        if not 0 <= reference < len(template.vertices):
            raise MeshError(f"the reference vertex {reference} is not one of the {len(template.vertices)} vertices")
        if factor is None:
            factor = level_factor(len(template.vertices), depth)
        levels, keep, upsample, references = [template], [], [], [reference]
        for _ in range(depth):
            fine = levels[-1]
            kept, coarse = decimate(fine, ceil(len(fine.vertices) / factor))
            upsample.append(project(fine, kept, coarse))
            keep.append(kept)
            levels.append(coarse)
            aim = template.vertices[reference]
            references.append(int(np.linalg.norm(coarse.vertices - aim, axis=1).argmin()))
        lengths: Sequence[int | None] = [None] * (depth + 1)
        if spiral_length is not None:
            lengths = _per_level(spiral_length, depth + 1)
        dilations = _per_level(dilation, depth + 1)
        spirals = [
            build_spirals(level, start, length, step)
            for level, start, length, step in zip(levels, references, lengths, dilations, strict=True)
        ]
        return cls(
            tuple(levels), tuple(keep), tuple(upsample), tuple(spirals), reference, float(factor), tuple(dilations)
        )

    @property
    def template(self) -> TriMesh:
        """The finest level, number 0."""
        return self.levels[0]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Vertex counts, finest first."""
        return tuple(len(level.vertices) for level in self.levels)

    def facts(self) -> dict[str, Any]:
        """For each level, finest first: vertices, spiral length and, where it is known, dilation; and by step, how many
        times fewer vertices there are."""
        facts: dict[str, Any] = {
            "levels": list(self.sizes),
            "factors": [round(fine / coarse, 2) for fine, coarse in pairwise(self.sizes)],
            "spirals": [spiral.shape[1] for spiral in self.spirals],
        }
        return facts if self.dilations is None else facts | {"dilations": list(self.dilations)}

    @cached_property
    def digest(self) -> str:
        """Hex digest of everything that a network's weights refer to; positions are not part of it, nor is how the
        levels were asked for."""
        state = hashlib.sha256()
        for name, array in sorted(self.arrays().items()):
            if name not in ("vertices", "factor", "dilations"):
                state.update(f"{name}{array.shape}".encode() + array.tobytes())
        return state.hexdigest()

    def arrays(self) -> dict[str, np.ndarray]:
        """The hierarchy as plain arrays, for `from_arrays`."""
        arrays = {"vertices": self.template.vertices, "reference": np.array([self.reference])}
        if self.template.polygons is not None:
            arrays["polygons"] = self.template.polygons
        if self.factor is not None:
            arrays["factor"] = np.array([self.factor])
        if self.dilations is not None:
            arrays["dilations"] = np.array(self.dilations, dtype=np.int64)
        for i, (level, spiral) in enumerate(zip(self.levels, self.spirals, strict=True)):
            arrays |= {f"faces{i}": level.faces, f"spiral{i}": spiral}
        for i, (kept, matrix) in enumerate(zip(self.keep, self.upsample, strict=True)):
            # Rounded to float32, in which the network computes, so that a stored hierarchy has the same digest.
            arrays |= {
                f"keep{i}": kept,
                f"upsample{i}_values": matrix.data.astype(np.float32),
                f"upsample{i}_columns": matrix.indices.astype(np.int64),
                f"upsample{i}_rows": matrix.indptr.astype(np.int64),
            }
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> MeshHierarchy:
        """The hierarchy whose `arrays()` these are.

        Raises:
            MeshError: arrays are missing or do not fit together.
        """
        try:
            hierarchy_table(arrays).check(arrays, "")
        except (WrongValueError, TypeError) as error:
            said = error if isinstance(error, WrongValueError) else "a list of numbers is wanted for each"
            raise MeshError(f"these arrays are no mesh hierarchy: {said}") from error
        depth = sum(name.startswith("keep") for name in arrays)
        levels = [TriMesh(arrays["vertices"], arrays["faces0"], arrays.get("polygons"))]
        corners = levels[0].vertices[levels[0].faces]
        if not np.abs(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])).sum() > 0:
            raise MeshError("these arrays are no mesh hierarchy: its finest mesh has no surface")
        upsample, keep = [], []
        for i in range(depth):
            keep.append(arrays[f"keep{i}"])
            levels.append(TriMesh(levels[i].vertices[keep[i]], arrays[f"faces{i + 1}"]))
            upsample.append(_unpooling(i, arrays, (len(levels[i].vertices), len(keep[i]))))
        spirals = [arrays[f"spiral{i}"] for i in range(depth + 1)]
        for i, spiral in enumerate(spirals):
            if not (spiral.shape[1] and (spiral[:, 0] == np.arange(len(spiral))).all()):
                raise MeshError(f"these arrays are no mesh hierarchy: spiral{i} does not begin with each vertex itself")
        reference = int(arrays["reference"][0])
        factor = float(arrays["factor"][0]) if "factor" in arrays else None
        dilations = tuple(map(int, arrays["dilations"])) if "dilations" in arrays else None
        return cls(tuple(levels), tuple(keep), tuple(upsample), tuple(spirals), reference, factor, dilations)

    def save(self, path: str | Path) -> None:
        """Write a `.npz`."""
        with new_file(path) as aside, aside.open("wb") as file:
            np.savez(file, allow_pickle=False, **self.arrays())

    @classmethod
    def load(cls, path: str | Place) -> MeshHierarchy:
        """Read what `save` wrote.

        Raises:
            FacegenError: the file is missing, cannot be read, or holds something else.
        """
        return cls.from_arrays({name: array for name, array in read_arrays(path).items() if array is not None})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({' -> '.join(map(str, self.sizes))})"


def _unpooling(step: int, arrays: Mapping[str, np.ndarray], shape: tuple[int, int]) -> csr_matrix:
    """The matrix of one step, of a shape (V_i, V_{i+1}).

    Raises:
        MeshError: its arrays do not fit together, or its rows do not sum to one.
    """
    try:
        values, columns, rows = (arrays[f"upsample{step}_{part}"] for part in ("values", "columns", "rows"))
        values = values.astype(np.result_type(values, np.float32))  # scipy takes halves, and cannot compute in them
        matrix = csr_matrix((values, columns, rows), shape=shape)
        matrix.check_format()
    except (ValueError, TypeError) as error:
        raise MeshError(f"these arrays are no mesh hierarchy: those of upsample{step} do not fit together") from error
    if np.abs(np.asarray(matrix.sum(axis=1)) - 1).max(initial=0) > SUM_SLACK:
        raise MeshError(f"these arrays are no mesh hierarchy: rows of upsample{step} do not sum to one")
    return matrix


def _per_level(value: int | Sequence[int], levels: int) -> list[int]:
    if isinstance(value, int):
        return [value] * levels
    if len(value) != levels:
        raise MeshError(f"one value for all levels or {levels}, one for each; got {len(value)}: {list(value)}")
    return list(value)

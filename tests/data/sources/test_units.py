"""Faces that are too small or too large to be in the units that are claimed."""

import re
from pathlib import Path

import numpy as np
import pytest

from facegen.data.sources.units import FACE_EXTENT, require_face_size
from facegen.errors import DataError
from facegen.mesh.tri_mesh import TriMesh


def triangle(extent: float) -> TriMesh:
    return TriMesh(np.array([[0, 0, 0], [extent / 2, 0, 0], [0, extent, 0]], float), np.array([[0, 1, 2]]))


@pytest.mark.parametrize("extent", [FACE_EXTENT[0], 250.0, FACE_EXTENT[1]])
def test_what_may_be_a_face_or_a_bust_passes(extent: float) -> None:
    require_face_size(triangle(extent), "mm", Path("data"))


@pytest.mark.parametrize("extent", [0.25, 25.0, FACE_EXTENT[0] - 0.1, FACE_EXTENT[1] + 1, 2500.0])
def test_another_size_is_refused_with_its_number_and_what_to_do(extent: float) -> None:
    with pytest.raises(
        DataError, match=rf"data: the faces are {re.escape(f'{extent:.3g}')} mm large if their units are m; .*--units"
    ):
        require_face_size(triangle(extent), "m", Path("data"))

"""A model of how people at rest differ."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facegen.data.identity import Identity
from facegen.errors import DataError
from facegen.mesh.alignment import rigid_transform


def people(count: int) -> tuple[np.ndarray, np.ndarray]:
    """A template (V, 3), and neutrals that differ from it along two modes, of 3 and 1 mm."""
    rng = np.random.default_rng(1)
    template = rng.normal(size=(60, 3)) * 50
    modes = rng.normal(size=(2, 60, 3)) * [[[3.0]], [[1.0]]]
    return template, template + np.einsum("nk,kvc->nvc", rng.normal(size=(count, 2)), modes)


def test_neutrals_are_mean_and_modes() -> None:
    template, neutrals = people(200)
    found = Identity.of(neutrals, template)
    assert len(found.modes) <= 4  # two, and what a rigid alignment bends of them
    basis = found.modes.reshape(len(found.modes), -1).astype(float)
    turned = neutrals.copy()
    turned[0] = neutrals[0] @ Rotation.from_rotvec([0.1, 0.2, 0]).as_matrix() + 3  # people may stand elsewhere
    np.testing.assert_allclose(Identity.of(turned, template).mean, found.mean, atol=1e-3)
    for neutral in neutrals[:5]:
        rotation, shift = rigid_transform(neutral, template)
        gap = (neutral @ rotation.T + shift - found.mean).ravel()
        gap -= np.linalg.lstsq(basis.T, gap, rcond=None)[0] @ basis
        assert np.sqrt(np.mean(gap**2)) < 0.1


def test_coefficients_have_variance_one() -> None:
    template, neutrals = people(200)
    found = Identity.of(neutrals, template)
    basis = found.modes.reshape(len(found.modes), -1).astype(float)
    rows = np.linalg.lstsq(basis.T, (neutrals - found.mean).reshape(len(neutrals), -1).T, rcond=None)[0]
    np.testing.assert_allclose(rows[:2].std(axis=1), 1, atol=0.05)


def test_one_person_has_no_modes_and_nobody_is_refused() -> None:
    template, neutrals = people(1)
    found = Identity.of(neutrals, template)
    assert found.modes.shape == (0, 60, 3)
    with pytest.raises(DataError, match="at least one training subject"):
        Identity.of(neutrals[:0], template)


@pytest.mark.parametrize("wrong", ["vertices", "nan"])
def test_a_wrong_one_is_refused(wrong: str) -> None:
    arrays = Identity.of(people(5)[1], people(5)[0]).arrays()
    if wrong == "nan":
        arrays["modes"] = arrays["modes"] * np.float16(np.nan)
    with pytest.raises(DataError, match="identity model"):
        Identity.from_arrays(arrays, 61 if wrong == "vertices" else 60)

"""Principal components of one pass are those of the singular value decomposition, up to an error that is known."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facegen.data import pca
from facegen.data.pca import PCA, VARIANCE_TOLERANCE, principal_components
from facegen.errors import DataError

ODD = (1, 8, 108, 141, 397, 399, 660)  # where blocks of 700 frames begin


def moving(frames: int = 700, noise: float = 0.02, mean: float = 1.0, seed: int = 0) -> np.ndarray:
    """(T, 40, 3) float32: twelve directions, each of 0.7 of the one before, noise in all directions, and a mean."""
    generator = np.random.default_rng(seed)
    directions = np.linalg.qr(generator.normal(size=(120, 12)))[0].T
    course = generator.normal(size=(frames, 12)) * 10 * 0.7 ** np.arange(12)
    flat = course @ directions + noise * generator.normal(size=(frames, 120)) + mean * generator.normal(size=120)
    return flat.reshape(frames, 40, 3).astype(np.float32)


def exact(frames: np.ndarray, count: int) -> PCA:
    """The textbook's: singular values of the centred matrix, in float64."""
    flat = frames.reshape(len(frames), -1).astype(np.float64)
    mean = flat.mean(axis=0)
    _, lengths, rows = np.linalg.svd(flat - mean, full_matrices=False)
    rows, variance = rows[:count], lengths**2 / len(flat)
    largest = rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)]
    rows = (rows * np.sign(largest)[:, None]).reshape(-1, *frames.shape[1:])
    return PCA(mean.reshape(frames.shape[1:]), rows, variance[:count], float(variance.sum()), 0.0)


def assert_right_angles(components: np.ndarray) -> None:
    flat = components.reshape(len(components), 120)
    np.testing.assert_allclose(flat @ flat.T, np.eye(len(flat)), atol=1e-6)


def mean_square(of: PCA) -> float:
    """Of the distance from rest; rounding is a share of it, since a pass that has no mean yet cannot take it off."""
    return of.total + float(np.square(of.mean).sum())


@pytest.mark.parametrize("bounds", [(), ODD, tuple(range(1, 700))])
@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_it_is_the_singular_value_decomposition_in_blocks_of_any_size(bounds: tuple[int, ...], mean: float) -> None:
    frames = moving(mean=mean)
    found, wanted = principal_components(np.split(frames, bounds), 10, len(frames)), exact(frames, 10)
    assert found.components.shape == (10, 40, 3)
    assert (found.mean.dtype, found.components.dtype) == (np.float32, np.float32)
    np.testing.assert_allclose(found.mean, wanted.mean, atol=1e-5)
    np.testing.assert_allclose(found.variance, wanted.variance, atol=1e-6 * mean_square(wanted))
    np.testing.assert_allclose(found.components, wanted.components, atol=1e-3)
    assert found.total == pytest.approx(wanted.total, rel=1e-5)
    assert_right_angles(found.components)


def test_the_total_is_as_exact_for_many_coordinates_of_one_size() -> None:
    frames = np.full((2, 500_000, 3), 1.1, dtype=np.float32)
    frames[1] = -1.3
    found = principal_components([frames], 1, 2)
    assert found.total == pytest.approx(1_500_000 * 1.2**2, rel=1e-6)
    assert found.variance[0] == pytest.approx(found.total, rel=1e-5)


@pytest.mark.parametrize(("frames", "count"), [(300, 120), (25, 24)])
def test_all_components_are_exact(frames: int, count: int) -> None:
    seen, other = moving(frames, noise=1.0), moving(9, noise=1.0, seed=1)
    found = principal_components([seen], count, frames)
    assert_right_angles(found.components)
    assert found.variance.sum() == pytest.approx(found.total, rel=1e-5)
    np.testing.assert_allclose(found.reconstruct(found.project(seen)), seen, atol=1e-4)
    if count == 120:  # every direction there is, so also what was not seen
        np.testing.assert_allclose(found.reconstruct(found.project(other)), other, atol=1e-4)


def test_coefficients_are_lengths_along_components() -> None:
    frames = moving()
    found = principal_components([frames], 6, len(frames))
    coefficients = found.project(frames)
    np.testing.assert_allclose(coefficients.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(coefficients.var(axis=0), found.variance, rtol=1e-4)
    np.testing.assert_allclose(found.reconstruct(np.zeros((1, 6)))[0], found.mean)
    np.testing.assert_allclose(found.reconstruct(np.eye(6))[4] - found.mean, found.components[4], atol=1e-6)


def test_each_block_is_seen_once_and_let_go() -> None:
    alive: set[int] = set()
    most = 0

    def blocks() -> Iterator[np.ndarray]:
        nonlocal most
        for number in range(40):
            block = moving(100, seed=number)
            weakref.finalize(block, alive.discard, number)
            alive.add(number)
            most = max(most, len(alive))
            yield block
            del block

    principal_components(blocks(), 5, 4000)
    assert most <= 4  # three fill what is gone through at once, and one is made meanwhile


@pytest.mark.parametrize("mean", [0.0, 1.0])
@pytest.mark.parametrize("noise", [0.5, 1.0, 4.0])
def test_the_error_is_a_bound_also_where_directions_do_not_suffice(
    noise: float, mean: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = moving(noise=noise, mean=mean)
    monkeypatch.setattr(pca, "MOST_DIRECTIONS", 5)
    monkeypatch.setattr(pca, "BLOCK_ROWS", 11)
    found, wanted = principal_components(np.split(frames, ODD), 4, len(frames)), exact(frames, 4)
    short = wanted.variance - found.variance
    rounding = 1e-6 * mean_square(wanted)
    assert found.error > 10 * VARIANCE_TOLERANCE * wanted.total  # more was dropped than would be, were it allowed
    assert short.max() > rounding  # so that something is bounded
    assert -rounding <= short.min()
    assert short.max() <= found.error + rounding
    assert_right_angles(found.components)


def test_the_error_is_hardly_more_than_what_can_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    # In every block one direction moves most and comes once; the one that comes always is always second.
    monkeypatch.setattr(pca, "MOST_DIRECTIONS", 0)
    monkeypatch.setattr(pca, "BLOCK_ROWS", 4)
    blocks = np.zeros((10, 4, 12), dtype=np.float32)
    for number, block in enumerate(blocks):
        block[:2, number] = 1 + 0.01 * number, -1 - 0.01 * number
        block[2:, 11] = 0.99, -0.99
    found = principal_components(blocks.reshape(10, 4, 4, 3), 1, 40)
    true = 2 * 10 * 0.99**2 / 40
    np.testing.assert_allclose(exact(blocks.reshape(40, 4, 3), 1).variance, true)
    np.testing.assert_allclose(found.variance, 2 * 1.09**2 / 40, rtol=1e-6)
    lost = 2 * (0.99**2 + sum((1 + 0.01 * number) ** 2 for number in range(9)))
    assert found.error == pytest.approx(lost / 40)
    assert true - found.variance[0] < found.error < 1.3 * (true - found.variance[0])


@pytest.mark.parametrize("mean", [0.0, 5.0])
@pytest.mark.parametrize("noise", [0.002, 0.02])
def test_where_directions_suffice_the_error_is_under_the_tolerance(
    noise: float, mean: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = moving(noise=noise, mean=mean)
    monkeypatch.setattr(pca, "BLOCK_ROWS", 30)
    found, wanted = principal_components(np.split(frames, ODD), 4, len(frames)), exact(frames, 4)
    assert 0 < found.error <= VARIANCE_TOLERANCE * mean_square(wanted)
    assert np.abs(wanted.variance - found.variance).max() <= 2 * VARIANCE_TOLERANCE * mean_square(wanted)


@pytest.mark.parametrize("count", [1, 2, 12])
def test_frames_that_span_fewer_dimensions_leave_zeros(count: int) -> None:
    frames = moving(count, noise=1.0, mean=5.0)
    found = principal_components([frames], 16, count)
    assert not found.components[count - 1 :].any()
    assert not found.variance[count - 1 :].any()
    assert found.variance[: count - 1].all()
    assert_right_angles(found.components[: count - 1])
    np.testing.assert_allclose(found.reconstruct(found.project(frames)), frames, atol=1e-3)
    assert 0 <= found.total == pytest.approx(exact(frames, 16).total, rel=1e-5, abs=1e-9)


def test_directions_that_no_frame_takes_have_no_variance() -> None:
    found = principal_components([moving(noise=0.0)], 16, 700)
    assert found.variance[11] > 1e-4 * found.total > 100 * found.variance[12]


def test_no_frames_are_refused() -> None:
    with pytest.raises(DataError, match="no frames at all"):
        principal_components([], 4, 0)


def test_the_same_frames_give_the_same_components() -> None:
    one, two = (principal_components(np.split(moving(), ODD), 8, 700) for _ in range(2))
    for name, part in vars(one).items():
        np.testing.assert_array_equal(part, vars(two)[name])


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    found = principal_components([moving()], 8, 700)
    found.save(tmp_path / "components.npz", "abc")
    loaded = PCA.load(tmp_path / "components.npz", "abc")
    for name, part in vars(found).items():
        np.testing.assert_array_equal(vars(loaded)[name], part)
    assert type(loaded.total) is type(loaded.error) is float


def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "components.npz"
    with pytest.raises(DataError, match=r"components.npz: no such file; prepare the corpus again"):
        PCA.load(path, "abc")
    found = principal_components([moving()], 8, 700)
    found.save(path, "abc")
    with pytest.raises(DataError, match=r"components.npz: .*\(of another corpus\); prepare the corpus again"):
        PCA.load(path, "abd")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"components.npz: .*damaged.*; prepare the corpus again"):
        PCA.load(path, "abc")
    for wrong in (
        {"components": found.components[:7]},
        {"components": found.components[:, :39]},
        {"mean": np.full((40, 3), np.nan, dtype=np.float32)},
        {"total": np.zeros(2)},
        {"more": np.zeros(2)},
    ):
        np.savez(path, owner=np.array("abc"), **vars(found) | wrong)
        with pytest.raises(DataError, match=r"components.npz: these components cannot be used .*prepare the corpus"):
            PCA.load(path, "abc")
    np.savez(path, owner=np.array("abc"), mean=found.mean)
    with pytest.raises(DataError, match="cannot be used"):
        PCA.load(path, "abc")

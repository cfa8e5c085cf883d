"""Section 5.3: components of each frame, frames side by side, three layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from shapes import plate_with_hole

from facegen.errors import FacegenError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.sequence_classifier import SequenceClassifier

FRAMES, COMPONENTS, LENGTHS = 5, 3, (9, 4, 5, 1, 2)
PTR = torch.tensor([0, *LENGTHS]).cumsum(0)
VARIANCE = np.array([6.25, 4.0, 1.0, 0.25])


@pytest.fixture(scope="module")
def hierarchy() -> MeshHierarchy:
    return MeshHierarchy.build(plate_with_hole(), depth=1)


@pytest.fixture(scope="module")
def pca(hierarchy: MeshHierarchy) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, four components and their variances."""
    generator, count = np.random.default_rng(0), hierarchy.sizes[0]
    rows = np.linalg.qr(generator.normal(size=(3 * count, 4)))[0].T
    return generator.normal(size=(count, 3)), rows.reshape(4, count, 3), VARIANCE


@pytest.fixture
def classifier(hierarchy: MeshHierarchy, pca: tuple[np.ndarray, np.ndarray, np.ndarray]) -> SequenceClassifier:
    network = SequenceClassifier(hierarchy, 6, COMPONENTS, FRAMES, hidden=(8, 7)).double()
    network.set_components(*pca)
    return network


@pytest.fixture
def displacement(hierarchy: MeshHierarchy) -> torch.Tensor:
    """Frames innermost in memory, as the data module has them."""
    return 5 * torch.randn(hierarchy.sizes[0], 3, sum(LENGTHS), dtype=torch.float64).permute(2, 0, 1)


def test_it_is_the_paper_s_three_layers_over_resampled_components(
    classifier: SequenceClassifier, pca: tuple[np.ndarray, np.ndarray, np.ndarray], displacement: torch.Tensor
) -> None:
    mean, components, variance = pca
    layers = [(part.weight.detach().numpy(), part.bias.detach().numpy()) for part in classifier.layers[::2]]
    assert [weight.shape for weight, _ in layers] == [(8, FRAMES * COMPONENTS), (7, 8), (6, 7)]
    wanted = []
    for part in displacement.split(LENGTHS):
        flat = (part.numpy() - mean).reshape(len(part), -1)
        coefficients = flat @ components[:COMPONENTS].reshape(COMPONENTS, -1).T / np.sqrt(variance[0])
        at = np.linspace(0, len(part) - 1, FRAMES)
        x = np.array(
            [np.interp(t, np.arange(len(part)), coefficients[:, k]) for t in at for k in range(COMPONENTS)]
        )  # frame by frame
        for weight, bias in layers[:-1]:
            x = np.maximum(weight @ x + bias, 0)
        wanted.append(layers[-1][0] @ x + layers[-1][1])
    got = classifier(displacement, PTR).detach().numpy()
    # Components are taken over in float32.
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def test_a_ragged_batch_is_its_sequences_one_by_one(classifier: SequenceClassifier, displacement: torch.Tensor) -> None:
    together = classifier(displacement, PTR)
    assert together.shape == (5, 6)
    for row, part in zip(together, displacement.split(LENGTHS), strict=True):
        torch.testing.assert_close(classifier(part, torch.tensor([0, len(part)]))[0], row)


def test_pace_and_length_of_a_sequence_make_no_difference(
    classifier: SequenceClassifier, displacement: torch.Tensor
) -> None:
    ends = displacement[:2]
    share = torch.linspace(0, 1, 13, dtype=torch.float64)[:, None, None]
    slow = ends[:1] * (1 - share) + ends[1:] * share
    torch.testing.assert_close(classifier(slow, torch.tensor([0, 13])), classifier(ends, torch.tensor([0, 2])))
    still = displacement[:1]
    torch.testing.assert_close(
        classifier(still.repeat(7, 1, 1), torch.tensor([0, 7])), classifier(still, torch.tensor([0, 1]))
    )


def test_components_count_in_standard_deviations_of_the_first(
    classifier: SequenceClassifier, pca: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    mean, components, _ = pca
    seen = []
    classifier.layers[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    frame = torch.from_numpy(mean + 2.5 * components[0] - 5.0 * components[2])[None]
    classifier(frame, torch.tensor([0, 1]))
    wanted = torch.tensor([1.0, 0.0, -2.0] * FRAMES, dtype=torch.float64)[None]
    torch.testing.assert_close(seen[0], wanted, rtol=1e-6, atol=1e-6)


def test_every_weight_and_nothing_else_is_trained(classifier: SequenceClassifier, displacement: torch.Tensor) -> None:
    classifier(displacement, PTR).square().sum().backward()
    assert all(weights.grad.abs().sum() > 0 for weights in classifier.parameters())
    assert {name.split(".")[0] for name, _ in classifier.named_parameters()} == {"layers"}
    assert {"mean", "rows"} <= set(classifier.state_dict())


@pytest.mark.parametrize(
    "sizes", [{"hidden": (8,)}, {"hidden": (8, 7, 6)}, {"hidden": (8, 0)}, {"components": 0}, {"frames": 1}]
)
def test_sizes_that_cannot_be_are_refused(hierarchy: MeshHierarchy, sizes: dict[str, object]) -> None:
    with pytest.raises(FacegenError, match="hidden must be two numbers of at least 1, components at least 1 and"):
        SequenceClassifier(hierarchy, 6, **sizes)


def test_too_few_components_are_refused(
    hierarchy: MeshHierarchy, pca: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    with pytest.raises(FacegenError, match=r"5 principal components are wanted, the corpus has 4; .*--components"):
        SequenceClassifier(hierarchy, 6, components=5).set_components(*pca)

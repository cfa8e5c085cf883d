"""The paper's baseline: coefficients of principal components, and nothing that they do not span."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from shapes import plate_with_hole

from facegen.errors import FacegenError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn.blendshape_decoder import LATENT_REACH, BlendshapeDecoder
from facegen.nn.blendshape_network import BlendshapeNetwork

MEAN = np.array([[1, 0, 0], [0, 2, 0]], dtype=np.float32)
COMPONENTS = np.array([[[0.6, 0, 0], [0, 0.8, 0]], [[0, 0, 1], [0, 0, 0]], [[0, 0, 0], [1, 0, 0]]], dtype=np.float32)
VARIANCE = np.array([4.0, 9.0, 1.0])


def decoder_by_hand(reach: float = 2.0) -> BlendshapeDecoder:
    decoder = BlendshapeDecoder(2, 2, reach)
    decoder.set_components(MEAN, COMPONENTS, VARIANCE)  # of which the third is not used
    return decoder


def test_the_decoder_by_hand() -> None:
    # mean + 2 (2 z_0 P_0 + 3 z_1 P_1)
    frames = decoder_by_hand()(torch.tensor([[0.5, -1.0], [-0.25, 0.0]]))
    wanted = [[[1 + 2 * 0.6, 0, -6], [0, 2 + 2 * 0.8, 0]], [[1 - 0.6, 0, 0], [0, 2 - 0.8, 0]]]
    torch.testing.assert_close(frames, torch.tensor(wanted))
    assert frames.permute(1, 2, 0).is_contiguous()  # frames innermost, as recorded ones are


def test_a_latent_of_zeros_is_the_mean() -> None:
    assert np.array_equal(decoder_by_hand()(torch.zeros(3, 2)).numpy(), np.stack([MEAN] * 3))
    assert decoder_by_hand()(torch.zeros(0, 2)).shape == (0, 2, 3)


def test_one_unit_is_as_many_standard_deviations_as_its_reach() -> None:
    latent = torch.tensor([[1.0, 0.0]])
    for reach in (1.0, 8.0):
        moved = decoder_by_hand(reach)(latent)[0].numpy() - MEAN
        assert np.linalg.norm(moved) == pytest.approx(reach * 2)


def test_too_few_components_are_refused() -> None:
    with pytest.raises(FacegenError, match=r"4 principal components are wanted, the corpus has 3; .*--components"):
        BlendshapeDecoder(2, 4).set_components(MEAN, COMPONENTS, VARIANCE)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_what_the_network_makes_is_mean_and_components_alone(bidirectional: bool) -> None:
    hierarchy = MeshHierarchy.build(plate_with_hole(), depth=1)
    count = hierarchy.sizes[0]
    network = BlendshapeNetwork(hierarchy, 6, latent=4, bidirectional=bidirectional)
    generator = np.random.default_rng(0)
    rows = np.linalg.qr(generator.normal(size=(3 * count, 4)))[0].T.astype(np.float32)
    mean, variance = generator.normal(size=(count, 3)).astype(np.float32), np.array([9.0, 4.0, 1.0, 0.25])
    network.decoder.set_components(mean, rows.reshape(4, count, 3), variance)
    motion, ptr = torch.rand(12, 6), torch.tensor([0, 5, 12])
    with torch.no_grad():
        made = network(motion, ptr).numpy()
        alone = np.concatenate([network(part).numpy() for part in motion.split([5, 7])])
    assert made.shape == (12, count, 3)
    np.testing.assert_allclose(made, alone, atol=1e-5)
    moved = (made - mean).reshape(12, -1)
    coefficients = moved @ rows.T
    np.testing.assert_allclose(coefficients @ rows, moved, atol=1e-5)
    assert np.linalg.matrix_rank(moved, tol=1e-4) == 4
    with torch.no_grad():
        latent = network.encoder(motion, ptr).numpy()
    np.testing.assert_allclose(
        coefficients, latent * np.sqrt(variance) * (1 if bidirectional else LATENT_REACH), rtol=1e-4, atol=1e-5
    )


def test_the_components_are_not_trained_and_are_in_the_checkpoint() -> None:
    network = BlendshapeNetwork(MeshHierarchy.build(plate_with_hole(), depth=1), 6, latent=4)
    assert {name.split(".")[0] for name, _ in network.named_parameters()} == {"encoder"}
    assert {"decoder.mean", "decoder.rows"} <= set(network.state_dict())

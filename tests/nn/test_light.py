"""facegen's own networks without torch give what the networks themselves do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from every_network import HIERARCHY
from scipy.spatial.transform import Rotation
from torch import nn

from facegen.checkpoint_entry import GENERATORS, NETWORKS
from facegen.checkpoint_format import KINDS
from facegen.classes import class_path
from facegen.errors import FacegenError
from facegen.nn import native
from facegen.nn.blendshape_network import BlendshapeNetwork
from facegen.nn.light.generator import LightGenerator
from facegen.nn.light.networks import light_generator
from facegen.nn.light.performance import LightPerformance
from facegen.nn.performance_network import PerformanceNetwork
from facegen.nn.spiral_network import SpiralNetwork
from facegen.nn.torch_generator import TorchGenerator
from facegen.nn.torch_performance import TorchPerformance, torch_generator

SPIRAL: dict[str, Any] = {"latent": 8, "channels": (8, 4), "scale": 2.5}
PERFORMANCE: dict[str, Any] = SPIRAL | {
    "people": 5,
    "style": 4,
    "take": 3,
    "activation": "elu",
    "bidirectional": True,
    "per_vertex": True,
}
SETTINGS: dict[str, tuple[type[nn.Module], dict[str, Any]]] = {
    "spiral": (SpiralNetwork, SPIRAL),
    "spiral with all settings": (
        SpiralNetwork,
        SPIRAL | {"activation": "elu", "bidirectional": True, "per_vertex": True},
    ),
    "blendshape": (BlendshapeNetwork, {"latent": 8}),
    "performance": (PerformanceNetwork, PERFORMANCE),
    "blendshape in both directions": (BlendshapeNetwork, {"latent": 8, "bidirectional": True}),
}
compiled = pytest.mark.skipif(native.library is None, reason="facegen was installed without a C++ compiler")


def both(name: str) -> tuple[TorchGenerator, LightGenerator]:
    """A network whose every number matters, and the same without torch."""
    torch.manual_seed(0)
    kind, settings = SETTINGS[name]
    network = kind(HIERARCHY, 3, **settings).eval()
    for each, values in (*network.named_parameters(), *network.named_buffers()):
        if (
            values.is_floating_point()
            and each.partition(".")[2].startswith(("gains", "shifts", "mean", "rows", "reach"))
            or each in ("people", "guide.weight", "style_reader.teller.mean")
            or each.startswith(tuple(f"style_reader.{name}" for name in ("usual", "spread", "takes", "sizes", "label")))
        ):
            nn.init.normal_(values, 1.0)
    light = light_generator(class_path(kind), HIERARCHY, 3, settings)
    assert light is not None
    state = {each: value.detach().numpy() for each, value in network.state_dict().items()}
    assert light.shapes == {each: value.shape for each, value in state.items()}
    light.take(state)
    return torch_generator(network), light


@compiled
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("frames", [1, 3, 100])
def test_it_makes_what_the_network_makes(name: str, frames: int) -> None:
    with_torch, light = both(name)
    label = np.random.default_rng(0).random((frames, 3), np.float32)
    latents = with_torch.latents(label)
    assert light.latents(label).dtype == np.float32
    np.testing.assert_allclose(light.latents(label), latents, rtol=1e-6, atol=1e-6 * max(1, np.abs(latents).max()))
    wanted, made = with_torch.displacements(latents), light.displacements(latents)
    assert (made.shape, made.dtype, made.strides) == (wanted.shape, np.float32, wanted.strides)
    np.testing.assert_allclose(made, wanted, rtol=0, atol=2e-6 * np.abs(wanted).max())
    np.testing.assert_array_equal(light.together(label, latents=latents), made)
    np.testing.assert_array_equal(light.together(label), light.displacements(light.latents(label)))


@compiled
def test_it_acts_as_the_network_does_for_a_person_in_a_style_by_a_seed() -> None:
    with_torch, light = both("performance")
    assert isinstance(with_torch, TorchPerformance) and isinstance(light, LightPerformance)
    label = np.random.default_rng(0).random((20, 3), np.float32)
    label[5:9, 1] = 0  # between two gestures
    label[:2], label[-3:], label[10:12, 2] = 0, 0, 0  # at rest before and after, and within
    style = light.style_drawn(7)
    np.testing.assert_allclose(style, with_torch.style_drawn(7), rtol=1e-4, atol=1e-5)
    assert np.abs(style - light.style_drawn(8)).max() > 1
    assert with_torch.usual_style() is light.usual_style() is None
    for own, seed in ((None, None), (None, 3), (0.05 * style, None), (style, None), (style, 3)):
        made = light.performed(label, own, seed)
        np.testing.assert_allclose(made, with_torch.performed(label, own, seed), rtol=1e-4, atol=2e-5)
    assert np.abs(made - light.performed(label, style, 4)).max() > 1e-3


@compiled
def test_nobody_asked_for_is_the_usual_one_of_the_people() -> None:
    with_torch, light = both("performance")
    assert isinstance(with_torch, TorchPerformance) and isinstance(light, LightPerformance)
    label = np.random.default_rng(0).random((20, 3), np.float32)
    mean = light.latents(label)
    with_torch.network.usual = light.usual = 3
    styles = with_torch.network.people.numpy()
    np.testing.assert_array_equal(light.usual_style(), styles[3])
    np.testing.assert_allclose(light.latents(label), with_torch.performed(label, styles[3], None), rtol=1e-4, atol=2e-5)
    np.testing.assert_allclose(light.latents(label), with_torch.latents(label), rtol=1e-4, atol=2e-5)
    np.testing.assert_allclose(light.together(label), with_torch.together(label), rtol=1e-4, atol=1e-3)
    assert np.abs(light.latents(label) - mean).max() > 1e-3


@pytest.mark.parametrize("usual", [-1, 5])
def test_who_usually_acts_is_one_of_the_people(usual: int) -> None:
    with pytest.raises(FacegenError, match=f"one of the 5 people, counted from 0, got {usual}"):
        LightPerformance(HIERARCHY, 3, people=5, usual=usual)


@compiled
def test_a_larger_face_moves_by_more_as_the_network_has_learnt_it() -> None:
    with_torch, light = both("performance")
    with_torch.network.proportions.exponent.data[:] = torch.tensor([0.2, 0.9, 1.5])
    light.weights["proportions.exponent"] = np.array([0.2, 0.9, 1.5])
    turn = Rotation.from_rotvec((0.2, -0.9, 0.1)).as_matrix()
    face = (HIERARCHY.template.vertices * (1.2, 1.1, 0.9) @ turn + (5, -40, 300)).astype(np.float32)[None]
    for _ in range(2):  # also of the same array with another face in it
        np.testing.assert_allclose(light.proportions(face), with_torch.proportions(face), rtol=1e-4)
        face *= np.float32(1.2)
    label = np.random.default_rng(0).random((5, 3), np.float32)
    wanted = with_torch.together(label, face)
    np.testing.assert_allclose(light.together(label, face), wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


def test_it_knows_every_network_that_generates_and_has_the_paths_of_all() -> None:
    assert list(KINDS) == list(NETWORKS)
    assert [path for path, kind in KINDS.items() if kind == "generator"] == [class_path(kind) for kind in GENERATORS]


@pytest.mark.parametrize("settings", [{"fused": False}, {"fused": False, "convolution": "my_layers.Mine"}])
def test_layers_that_are_written_out_are_left_to_torch(settings: dict[str, Any]) -> None:
    assert light_generator(class_path(SpiralNetwork), HIERARCHY, 3, SPIRAL | settings) is None


def test_what_needs_compiled_forms_is_left_to_torch_where_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "library", None)
    assert light_generator(class_path(SpiralNetwork), HIERARCHY, 3, SPIRAL) is None
    assert light_generator(class_path(BlendshapeNetwork), HIERARCHY, 3, {"latent": 8}) is not None
    assert light_generator("my_nets.Net", HIERARCHY, 3, {}) is None


@compiled
@pytest.mark.parametrize("latent", [0, 2.5, "8", True])
def test_a_size_that_is_none_is_refused(latent: Any) -> None:
    for kind in (SpiralNetwork, BlendshapeNetwork):
        with pytest.raises((FacegenError, TypeError, ValueError)):
            light_generator(class_path(kind), HIERARCHY, 3, SETTINGS["blendshape"][1] | {"latent": latent})


@compiled
def test_a_label_of_other_expressions_is_refused() -> None:
    with pytest.raises(FacegenError, match=r"a label is \(T, 3\), got \(4, 2\)"):
        both("blendshape")[1].latents(np.zeros((4, 2), np.float32))

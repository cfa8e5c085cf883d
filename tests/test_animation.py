"""What a checkpoint makes of a neutral and a label is Eq. 4, with weights that nobody trained."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from shapes import plate_with_hole

from facegen import checkpoint
from facegen.animation import (
    PHASE_FRAMES,
    animate,
    apex_displacements,
    apex_latent,
    interpolate,
    ready,
    register,
)
from facegen.animation_frames import DecodedFrames, TurnedFrames
from facegen.checkpoint import Checkpoint, StoredNetwork
from facegen.errors import CheckpointError, MeshError, MotionError
from facegen.face import Face
from facegen.mesh import TriMesh, read_mesh
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.motion.label import Phases, motion_label
from facegen.nn.blendshape_network import BlendshapeNetwork

EXPRESSIONS = ("anger", "happy", "sad")


@pytest.fixture(scope="module")
def model() -> Checkpoint:
    """A network of random weights and components, on a plate."""
    template = plate_with_hole()
    hierarchy = MeshHierarchy.build(template.with_vertices(10 * template.vertices), depth=1, factor=3)
    network = BlendshapeNetwork(hierarchy, len(EXPRESSIONS), latent=4).eval()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for each in (network.decoder.mean, network.decoder.rows):
            each.copy_(torch.randn(each.shape, generator=generator))
    return Checkpoint(network, hierarchy, EXPRESSIONS, 30.0, 0.0, "", 0)


@pytest.fixture
def neutral(model: Checkpoint) -> TriMesh:
    """Another face of the template's topology."""
    template = model.hierarchy.template
    return template.with_vertices(template.vertices + np.random.default_rng(2).normal(0, 0.5, template.vertices.shape))


def label() -> np.ndarray:
    return motion_label(40, "happy", Phases(5, 12, 25, 35), 1.0, EXPRESSIONS)


def displacement(model: Checkpoint, motion: np.ndarray) -> np.ndarray:
    """D(E(motion)), as the network as a whole gives it."""
    with torch.inference_mode():
        return model.network(torch.from_numpy(motion)).numpy()


def doubled(neutral: TriMesh) -> Face:
    """A face onto which motion comes twice as large, as on a mesh of another topology it may."""
    fit = SimpleNamespace(vertices=neutral.vertices + 1)
    return Face(neutral, lambda moved: 2 * moved, np.eye(3), fit, "cm", 10.0)  # pyright: ignore[reportArgumentType]


def test_the_displacement_of_the_label_is_added_to_the_neutral(model: Checkpoint, neutral: TriMesh) -> None:
    motion = label()
    made = animate(model, neutral, motion, 25)
    assert made.vertices.dtype == np.float32 and (made.fps, made.expressions) == (25.0, EXPRESSIONS)
    np.testing.assert_array_equal(made.motion, motion)
    np.testing.assert_array_equal(made.faces, neutral.faces)
    np.testing.assert_allclose(made.vertices, neutral.vertices + displacement(model, motion), atol=1e-4)  # Eq. 4


def test_motion_comes_onto_a_face_the_way_that_it_is_carried_there(model: Checkpoint, neutral: TriMesh) -> None:
    face = doubled(neutral)
    assert ready(face, model) is face
    made = animate(model, face, label(), 25)
    np.testing.assert_allclose(made.vertices, neutral.vertices + 2 * displacement(model, label()), atol=1e-4)


def test_frames_are_decoded_when_they_are_asked_for_and_only_those(neutral: TriMesh) -> None:
    asked = []

    def decode(latents: np.ndarray) -> np.ndarray:
        asked.append(latents[:, 0].tolist())
        return np.broadcast_to(latents[:, :1, None], (len(latents), len(neutral.vertices), 3))

    frames = DecodedFrames(decode, np.arange(8, dtype=np.float32)[:, None], doubled(neutral))
    assert frames.shape == (8, *neutral.vertices.shape) and not asked
    np.testing.assert_allclose(frames[3:5], neutral.vertices + np.array([6.0, 8])[:, None, None], rtol=1e-6)
    assert asked == [[3.0, 4.0]]


def test_what_is_streamed_is_what_is_decoded_at_once(checkpoint_path: Path, neutral_path: Path) -> None:
    model, neutral = checkpoint.load(checkpoint_path), read_mesh(neutral_path)
    motion = motion_label(150, "happy", Phases(5, 40, 80, 140), 1.0, model.expressions)
    whole = animate(model, neutral, motion, 25)
    streamed = animate(model, neutral, motion, 25, streamed=True)
    assert isinstance(whole.vertices, np.ndarray) and isinstance(streamed.vertices, DecodedFrames)
    np.testing.assert_allclose(np.stack(list(streamed.vertices)), whole.vertices, atol=1e-4)
    np.testing.assert_allclose(streamed.vertices[77], whole.vertices[77], atol=1e-4)
    np.testing.assert_array_equal(streamed.motion, whole.motion)


@pytest.mark.parametrize("scale", [1e4, 1e20, float("nan")])
def test_a_model_whose_weights_are_far_off_is_told_as_that(checkpoint_path: Path, scale: float) -> None:
    found = checkpoint.load(checkpoint_path)
    assert found.name == str(checkpoint_path)
    light = replace(found, name="far.ckpt")
    assert isinstance(light.source, StoredNetwork)
    with np.errstate(all="ignore"):
        state = {name.removeprefix("network."): value * np.float32(scale) for name, value in light.source.state.items()}
        light.source.light.take(state)
    face = light.hierarchy.template
    motion = motion_label(6, "happy", Phases(0, 2, 3, 5), 1.0, light.expressions)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for make in (
            lambda: animate(light, face, motion, 25),
            lambda: list(animate(light, face, motion, 25, streamed=True).vertices),
            lambda: apex_displacements(light),
            lambda: interpolate(light, face, "happy", "sad", 3),
        ):
            with pytest.raises(CheckpointError, match=r"far\.ckpt: expected a model that moves .*: train it again"):
                make()


def test_turned_frames_are_turned_about_the_origin() -> None:
    quarter = np.array([[0, 0, 1.0], [0, 1, 0], [-1, 0, 0]])  # about y: x goes to -z
    frames = np.array([[[1, 2, 3]], [[4, 5, 6]]], np.float32)
    turned = TurnedFrames(frames, quarter)
    assert turned.shape == (2, 1, 3)
    np.testing.assert_array_equal(np.asarray(turned), [[[3, 2, -1]], [[6, 5, -4]]])
    np.testing.assert_array_equal(turned[1], [[6, 5, -4]])


def test_an_apex_is_taken_in_the_middle_of_a_label_of_that_expression_alone(model: Checkpoint) -> None:
    curve = np.concatenate([np.linspace(0, 1, 30), np.ones(30), np.linspace(1, 0, 30)]).astype(np.float32)
    motion = torch.from_numpy(curve[:, None] * np.array([0, 1, 0], np.float32))
    with torch.inference_mode():
        wanted = model.network.encoder(motion)[45]
    assert PHASE_FRAMES == 30
    np.testing.assert_allclose(apex_latent(model, "happy"), wanted, atol=1e-6)


def test_apexes_of_all_expressions_come_in_the_order_of_the_model(model: Checkpoint) -> None:
    apexes = apex_displacements(model)
    assert apexes.shape == (3, *model.hierarchy.template.vertices.shape) and apexes.flags.c_contiguous
    with torch.inference_mode():
        for name, apex in zip(EXPRESSIONS, apexes, strict=True):
            latent = torch.from_numpy(apex_latent(model, name)[None])
            np.testing.assert_allclose(model.network.decoder(latent)[0], apex, atol=1e-5)
    assert np.abs(apexes[0] - apexes[1]).max() > 0.1  # of two expressions there are two


def test_an_interpolation_goes_through_the_latents_between_two_apexes(model: Checkpoint, neutral: TriMesh) -> None:
    walk = interpolate(model, neutral, "sad", "happy", 5)
    assert walk.fps == model.fps and walk.motion.dtype == np.float32
    assert walk.motion.tolist() == [[0, 0, 1], [0, 0.25, 0.75], [0, 0.5, 0.5], [0, 0.75, 0.25], [0, 1, 0]]
    apexes = apex_displacements(model)
    np.testing.assert_allclose(walk.vertices[0], neutral.vertices + apexes[2], atol=1e-4)
    np.testing.assert_allclose(walk.vertices[-1], neutral.vertices + apexes[1], atol=1e-4)
    middle = (apex_latent(model, "sad") + apex_latent(model, "happy")) / 2
    with torch.inference_mode():
        moved = model.network.decoder(torch.from_numpy(middle[None])).numpy()[0]
    np.testing.assert_allclose(walk.vertices[2], neutral.vertices + moved, atol=1e-4)


def test_what_the_model_does_not_know_is_refused_with_what_it_knows(model: Checkpoint, neutral: TriMesh) -> None:
    for refused in (
        lambda: apex_latent(model, "joy"),
        lambda: interpolate(model, neutral, "joy", "sad", 3),
        lambda: interpolate(model, neutral, "sad", "joy", 3),
    ):
        with pytest.raises(MotionError, match="joy.*anger, happy, sad"):
            refused()
    with pytest.raises(MotionError, match="at least two steps and has at most 10,000, got 1"):
        interpolate(model, neutral, "sad", "happy", 1)


def test_polygons_are_the_templates_where_the_topology_is(model: Checkpoint, neutral: TriMesh) -> None:
    faces = model.hierarchy.template.faces
    polygons = np.column_stack([faces, np.full(len(faces), -1)])
    template = TriMesh(model.hierarchy.template.vertices, faces, polygons)
    hierarchy = replace(model.hierarchy, levels=(template, *model.hierarchy.levels[1:]))
    with_polygons = replace(model, hierarchy=hierarchy)
    np.testing.assert_array_equal(animate(with_polygons, neutral, label(), 25).polygons, polygons)
    assert animate(with_polygons, doubled(neutral), label(), 25).polygons is None  # a fit has the mesh's own


def test_a_registered_scan_has_the_fit_in_millimetres(model: Checkpoint, neutral: TriMesh) -> None:
    registered = register(model, doubled(neutral))
    assert registered.digest == model.hierarchy.template.digest
    np.testing.assert_allclose(registered.vertices, 10 * (neutral.vertices + 1))


def test_a_mesh_of_the_models_topology_needs_no_registration(model: Checkpoint, neutral: TriMesh) -> None:
    with pytest.raises(MeshError, match="the model's topology already"):
        register(model, neutral)


def test_a_label_beyond_one_is_refused_and_not_laid_to_the_model(checkpoint_path: Path, neutral_path: Path) -> None:
    with pytest.raises(MotionError, match="expected a label from 0 to 1, found 1e\\+09 of "):
        animate(checkpoint.load(checkpoint_path), read_mesh(neutral_path), np.full((2, 6), 1e9), 10.0)

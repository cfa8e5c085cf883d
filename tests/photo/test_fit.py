"""A person who is known is recovered from a rendered picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from facegen.data.identity import Identity
from facegen.data.sources import open_source
from facegen.errors import FacegenError
from facegen.mesh.alignment import similarity
from facegen.mesh.tri_mesh import TriMesh
from facegen.photo.camera import PhotoCamera, first_camera
from facegen.photo.fit import PhotoFit, fit_photo
from facegen.photo.marks import Marks
from facegen.photo.picture import find_face
from facegen.pictures.render import Camera, render

pytest.importorskip("mediapipe")
pytest.importorskip("embreex")


@dataclass
class World:
    """Built-in people, of whom the model has seen some, and what their faces do."""

    identity: Identity
    apexes: np.ndarray
    marks: Marks
    unseen: list[np.ndarray]
    faces: np.ndarray
    face: np.ndarray  # (V,) bool, near a landmark

    def fit(self, vertices: np.ndarray, side: float = 0.0) -> PhotoFit:
        front = Camera.framing(vertices)
        turn = Rotation.from_rotvec([0, -np.radians(side), 0]).as_matrix()
        middle = (vertices.max(axis=0) + vertices.min(axis=0)) / 2
        axes = front.axes @ turn
        camera = Camera(middle + axes[2] * np.linalg.norm(front.position - middle), axes, front.field_of_view)
        pixels = find_face(render(vertices, self.faces, camera, size=640), None, "a render")
        return fit_photo(self.identity, self.apexes, self.marks, pixels)

    def apart(self, one: np.ndarray, two: np.ndarray) -> float:
        """Root mean square mm over the face; a picture does not tell how large a head is."""
        one, two = one[self.face].astype(float), two[self.face].astype(float)
        return float(np.sqrt(np.square(similarity(one, two)(one) - two).sum(axis=1).mean()))

    def share(self, found: np.ndarray, person: np.ndarray) -> float:
        """Of the distance from the mean face to a person, what remains."""
        return self.apart(found, person) / self.apart(self.identity.mean, person)


@pytest.fixture(scope="module")
def world() -> World:
    options = {"subjects": 84, "test_subjects": 4, "vertices": 2000, "frames": (12, 14), "seed": 3}
    source = open_source("synthetic", options)
    takes = {key[0]: key for key in source.keys}
    neutrals = {subject: source.read(key).neutral.astype(float) for subject, key in takes.items()}
    seen = [neutral for subject, neutral in neutrals.items() if subject not in source.test_subjects]
    identity = Identity.of(np.stack(seen), source.template.vertices)
    actor = next(subject for subject in neutrals if subject not in source.test_subjects)
    apexes = []
    for key in source.keys:
        if key[0] == actor:
            recording = source.read(key)
            moved = recording.vertices - recording.neutral
            apexes.append(moved[np.square(moved).sum(axis=(1, 2)).argmax()])
    faces = source.template.faces
    marks = Marks.of(TriMesh(identity.mean, faces))
    mean = identity.mean.astype(float)
    near = cKDTree(marks.matrix @ mean).query(mean)[0] < 6
    unseen = [neutrals[subject] for subject in source.test_subjects]
    return World(identity, np.stack(apexes), marks, unseen, faces, near)


@pytest.fixture(scope="module")
def at_rest(world: World) -> list[PhotoFit]:
    """Of the people whom the model has not seen, from the front."""
    return [world.fit(neutral) for neutral in world.unseen]


def test_people_are_nearer_than_the_mean_is(world: World, at_rest: list[PhotoFit]) -> None:
    shares = [world.share(fit.neutral, person) for fit, person in zip(at_rest, world.unseen, strict=True)]
    assert np.mean(shares) < 0.8  # 0.72
    assert max(shares) < 1.02
    assert max(np.median(fit.off) for fit in at_rest) < 0.01
    assert max(fit.strengths.max() for fit in at_rest) < 0.3


def beside_the_model(world: World) -> list[np.ndarray]:
    """(V, 3) mm each: smooth differences, up to 7 mm, that none of the model's people has."""
    mean = world.identity.mean.astype(float)
    at = dict(zip(world.marks.numbers, world.marks.matrix @ mean, strict=True))
    bump = lambda number, width: np.exp(-np.square(mean - at[number]).sum(axis=1) / (2 * width**2))[:, None]  # noqa: E731
    apart = bump(362, 20) * [6, 0, 0] - bump(133, 20) * [6, 0, 0]  # inner corners of the eyes
    return [bump(13, 22) * [0, 7, 0], apart, bump(425, 20) * [6, 3, 0]]  # mouth, one cheek


def test_people_outside_the_model_are_nearer_when_refined(world: World) -> None:
    for more in beside_the_model(world):
        person = world.unseen[0] + more
        fit = world.fit(person)
        spanned = world.identity.mean + np.tensordot(fit.coefficients, world.identity.modes.astype(float), 1)
        np.testing.assert_allclose(fit.neutral - fit.beyond, spanned, atol=1e-6)
        assert world.apart(fit.neutral, person) < 0.995 * world.apart(spanned, person)


def test_refining_costs_the_models_own_people_nothing(world: World, at_rest: list[PhotoFit]) -> None:
    pairs = zip(at_rest, world.unseen, strict=True)
    shares = np.array([(world.share(f.neutral, p), world.share(f.neutral - f.beyond, p)) for f, p in pairs])
    assert shares[:, 0].mean() < shares[:, 1].mean() + 0.01
    assert np.all(shares[:, 0] < shares[:, 1] + 0.05)


def test_refining_folds_nothing(world: World, at_rest: list[PhotoFit]) -> None:
    for fit in at_rest:
        assert 0.1 < np.linalg.norm(fit.beyond[world.face], axis=1).mean() < 2
        before, after = (
            (v[world.faces[:, 1:]] - v[world.faces[:, :1]]) for v in (fit.neutral - fit.beyond, fit.neutral)
        )
        one, two = (np.cross(sides[:, 0], sides[:, 1]) for sides in (before, after))
        assert (np.einsum("fc,fc->f", one, two) > 0).all()
        edges = world.faces[:, :2]
        length = np.linalg.norm(np.diff(fit.neutral[edges], axis=1)[:, 0], axis=1)
        step = np.linalg.norm(np.diff(fit.beyond[edges], axis=1)[:, 0], axis=1)
        assert (step / length).max() < 0.2


@pytest.mark.parametrize("side", [20.0, -20.0])
def test_from_another_angle(world: World, at_rest: list[PhotoFit], side: float) -> None:
    found = [world.fit(person, side) for person in world.unseen]
    assert np.mean([world.share(fit.neutral, person) for fit, person in zip(found, world.unseen, strict=True)]) < 0.85
    for fit, front in zip(found, at_rest, strict=True):
        turned = Rotation.from_matrix(fit.camera.rotation @ front.camera.rotation.T).as_rotvec(degrees=True)
        assert turned[1] == pytest.approx(-side, abs=8)


def test_an_expression_is_taken_out(world: World, at_rest: list[PhotoFit]) -> None:
    """Of one at full strength about a fifth stays in the neutral."""
    left = []
    for apex in world.apexes:
        found = world.fit(world.unseen[0] + apex)
        assert found.strengths.sum() > 0.1
        left.append(world.apart(found.neutral, at_rest[0].neutral))
    put_in = [world.apart(world.unseen[0] + apex, world.unseen[0]) for apex in world.apexes]
    assert np.mean(left) < 0.27 * np.mean(put_in)  # 0.20


def test_the_camera_is_the_renderers(world: World, at_rest: list[PhotoFit]) -> None:
    fit = at_rest[0]
    half = 200.0
    camera = fit.camera.pinhole(half)
    points = world.identity.mean.astype(float) - fit.middle
    local = (points - camera.position) @ camera.axes.T
    slope = np.tan(np.radians(camera.field_of_view) / 2)
    pixels = fit.camera.center + half * local[:, :2] / -local[:, 2:] / slope * [1, -1]
    np.testing.assert_allclose(pixels, fit.camera.project(points), atol=1e-6)


def test_a_weak_perspective_is_exact() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(30, 3)) * 50
    rotation = Rotation.from_rotvec([0.2, -0.4, 0.1]).as_matrix()
    wanted = PhotoCamera(rotation, np.array([300.0, 200.0]), 2.5, 0.0)
    found = first_camera(points, wanted.project(points), 0.0)
    np.testing.assert_allclose(found.rotation, rotation, atol=1e-9)
    np.testing.assert_allclose(found.project(points), wanted.project(points), atol=1e-6)


def test_what_is_no_face_is_refused(world: World) -> None:
    with pytest.raises(FacegenError, match="in the picture"):
        fit_photo(world.identity, world.apexes, world.marks, np.random.default_rng(0).uniform(0, 500, (468, 2)))


def test_a_face_turned_aside_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    every = np.zeros((468, 2))
    every[world.marks.numbers] = 3 * (world.marks.matrix @ world.identity.mean)[:, :2] * [1, -1]
    monkeypatch.setattr(Marks, "normals", lambda self, vertices: np.tile([1.0, 0, 0], (len(self.numbers), 1)))
    with pytest.raises(FacegenError, match="turned too far aside"):
        fit_photo(world.identity, world.apexes, world.marks, every)

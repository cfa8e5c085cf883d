"""Regions of real faces by their published landmarks, of the built-in ones by their formulas."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from shapes import disk, grid, plate_with_hole, sphere

from facegen.data.sources.built_in.face import face_template
from facegen.data.sources.built_in.face_map import face_map
from facegen.data.sources.built_in.people import draw_person, variety
from facegen.data.sources.built_in.skull import (
    EYE,
    EYE_HALF_WIDTH,
    MOUTH_HALF_WIDTH,
    lid_heights,
    slit_half_height,
    slit_line,
)
from facegen.data.sources.casting import Casting
from facegen.data.sources.ict_face import MM
from facegen.data.sources.ict_facekit import ICTFaceKitSource
from facegen.errors import MeshError
from facegen.evaluation.regions import REGIONS, _symmetry, face_regions
from facegen.mesh import TriMesh, read_mesh, vertex_normals
from facegen.mesh.decimation import decimate

MOUTH, EYES, BROWS, REST = range(4)

# The README of ICT-FaceKit: "Multi-PIE 68 point facial landmarks indices".
# fmt: off
LANDMARKS = np.array([
    1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443,
    268, 493, 1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509,
    978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360,
    1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732,
    5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841,
    5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
])
# fmt: on
# Jaw 0-16, brows 17-26, nose 27-35, rims of the eyes 36-47, lips 48-67.
EXPECTED = np.repeat([REST, BROWS, REST, EYES, MOUTH], [17, 10, 9, 12, 20])

# Degrees around x (nodding), y (shaking) and z (tilting).
TURNS = [(0, 0, 0), (5, 0, 0), (-5, 0, 0), (0, 5, 0), (0, 0, 5), (0, 0, -5), (5, 5, 5), (-5, 5, -5)]


def moved(template: TriMesh, turn: tuple[int, int, int], scale: float = 1.0) -> TriMesh:
    rotation = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    return template.with_vertices(scale * template.vertices @ rotation.T + [40, -70, 120])


@lru_cache(maxsize=3)
def ict(root: Path, region: str) -> ICTFaceKitSource:
    return ICTFaceKitSource(Casting(subjects=2), root, region)


@pytest.mark.parametrize("scale", [0.9, 1.0, 1.1])
@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("region", ["narrow", "face", "head"])
def test_landmarks_of_a_real_face(ict_root: Path, region: str, turn: tuple[int, int, int], scale: float) -> None:
    regions = face_regions(moved(ict(ict_root, region).template, turn, scale))
    np.testing.assert_array_equal(regions[LANDMARKS], EXPECTED)


@pytest.mark.parametrize("weights", [(1, 1), (1, -1), (-1, 1), (-1, -1), (-2, 0), (0, 2), (1.5, -1.5)])
def test_landmarks_of_people_who_differ(ict_root: Path, weights: tuple[float, float]) -> None:
    # In standard deviations of the first two modes, so that it does not matter how many a clone has.
    source = ict(ict_root, "narrow")
    person = source.face.coarse + np.einsum("m,mvc->vc", np.array(weights), source.face.identities[:2])
    for turn in TURNS:
        for scale in (0.9, 1.0, 1.1):
            regions = face_regions(moved(source.template.with_vertices(person), turn, scale))
            np.testing.assert_array_equal(regions[LANDMARKS], EXPECTED)


def test_nothing_of_ears_neck_and_back_of_the_head_is_a_feature(ict_root: Path) -> None:
    narrow, head = (face_regions(ict(ict_root, region).template) for region in ("narrow", "head"))
    np.testing.assert_array_equal(head[: len(narrow)], narrow)
    assert (head[len(narrow) :] == REST).all()


def test_eyeballs_and_teeth_are_no_obstacle(ict_root: Path) -> None:
    whole = read_mesh(ict_root / "FaceXModel" / "generic_neutral_mesh.obj")
    regions = face_regions(whole.with_vertices(whole.vertices * MM))
    np.testing.assert_array_equal(regions[LANDMARKS], EXPECTED)
    # Vertex ranges of its README.
    assert (regions[21451:24591] == EYES).mean() > 0.8
    assert (regions[17039:21451] == MOUTH).mean() > 0.5


def test_lips_a_little_apart_are_found(ict_root: Path) -> None:
    source = ict(ict_root, "face")
    parted = source.template.vertices + 0.15 * source.units["AU27"]
    np.testing.assert_array_equal(face_regions(source.template.with_vertices(parted))[LANDMARKS], EXPECTED)


@pytest.mark.parametrize("count", [600, 2500])
def test_another_topology_of_the_same_face_has_the_same_regions(ict_root: Path, count: int) -> None:
    template = ict(ict_root, "face").template
    kept, coarse = decimate(template, count)
    assert (face_regions(coarse) == face_regions(template)[kept]).mean() >= 0.98


def borders(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether each vertex (V,) of the built-in face lies on the rim of the lips' slit, and on that of the lids."""
    frontal = face_map(count).frontal
    x, y = np.abs(frontal[:, 0]), frontal[:, 1]
    lips = (x < MOUTH_HALF_WIDTH + 0.01) & (np.abs(np.abs(y - slit_line(x)) - slit_half_height(x)) < 0.05)
    along = (x - EYE[0]) / EYE_HALF_WIDTH
    lids = np.abs(np.stack(lid_heights(along)) - y).min(axis=0) < 0.05
    return lips, lids & (np.abs(along) < 1.001)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("count", [400, 2000, 28431])
def test_lips_and_lids_of_the_built_in_face(count: int, turn: tuple[int, int, int]) -> None:
    template = face_template(count)
    regions = face_regions(moved(template, turn))
    assert regions.shape == (count,) and set(regions) == set(range(len(REGIONS)))
    lips, lids = borders(count)
    assert lips.sum() >= 14 and lids.sum() >= 14
    assert (regions[lips] == MOUTH).all() and (regions[lids] == EYES).all()
    assert regions[template.vertices[:, 2].argmax()] == REST
    for region in (MOUTH, EYES, BROWS):
        left, right = ((regions == region) & (side * template.vertices[:, 0] > 1e-6) for side in (1, -1))
        assert abs(int(left.sum()) - int(right.sum())) <= 0.1 * (left | right).sum()


def test_the_two_sides_of_a_symmetric_face_are_alike() -> None:
    regions = face_regions(face_template(2000))
    np.testing.assert_array_equal(regions[face_map(2000).mirror], regions)


@pytest.mark.parametrize("seed", [*range(8), 13])
def test_lips_and_lids_of_people_of_the_built_in_face(seed: int) -> None:
    template = face_template(2000)
    person = template.with_vertices(draw_person(variety(2000), np.random.default_rng(seed)).neutral)
    lips, lids = borders(2000)
    for turn in TURNS:
        regions = face_regions(moved(person, turn))
        assert (regions[lips] == MOUTH).all() and (regions[lids] == EYES).all()


@pytest.mark.parametrize("turn", TURNS)
def test_the_plane_of_symmetry_turns_with_the_face(turn: tuple[int, int, int]) -> None:
    template = face_template(2000)
    rotation = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    tip = template.vertices[template.vertices[:, 2].argmax()]
    points = (template.vertices - tip + [3, 0, 0]) @ rotation.T
    across, offset = _symmetry(points, vertex_normals(points, template.faces))
    np.testing.assert_allclose(across, rotation[:, 0], atol=1e-3)
    assert offset == pytest.approx(3, abs=0.05)


def cut(template: TriMesh, kept: np.ndarray) -> TriMesh:
    rank = np.cumsum(kept) - 1
    return TriMesh(template.vertices[kept], rank[template.faces[kept[template.faces].all(axis=1)]])


def strange(name: str) -> TriMesh:
    face = face_template(1000)
    x, y, _ = face.vertices.T
    plate = grid(60, 60)
    return {
        "plate": lambda: plate.with_vertices(plate.vertices * 4),
        "holed plate": plate_with_hole,
        "disk": lambda: disk(7),
        "sphere": lambda: sphere(2000),
        "one triangle": lambda: TriMesh(50 * np.eye(3), [[0, 1, 2]]),
        "points": lambda: TriMesh(50 * np.eye(3), np.zeros((0, 3))),
        "not finite": lambda: face.with_vertices(np.where(face.vertices == face.vertices.max(), np.nan, face.vertices)),
        "in cm": lambda: face.with_vertices(face.vertices / 10),
        "in m": lambda: face.with_vertices(face.vertices / 1000),
        "much larger": lambda: face.with_vertices(face.vertices * 2.5),
        "too long": lambda: face.with_vertices(face.vertices * [1, 1.5, 1]),
        "turned away": lambda: moved(face, (0, 32, 0)),
        "head over heels": lambda: face.with_vertices(face.vertices * [-1, -1, 1]),
        "from behind": lambda: face.with_vertices(face.vertices * [-1, 1, -1]),
        "z up": lambda: face.with_vertices(face.vertices[:, [0, 2, 1]] * [1, -1, 1]),
        "profile": lambda: face.with_vertices(face.vertices[:, [2, 1, 0]] * [1, 1, -1]),
        "no eyes": lambda: cut(face, y < -20),
        "no mouth": lambda: cut(face, y > -60),
        "left half": lambda: cut(face, x > -3),
    }[name]()


@pytest.mark.parametrize(
    "name, reason",
    [
        ("plate", "no nose"),
        ("holed plate", "no nose"),
        ("disk", "no nose"),
        ("sphere", "no crease"),
        ("one triangle", "no nose"),
        ("points", "no triangles"),
        ("not finite", "not finite"),
        ("in cm", ""),
        ("in m", "no nose"),
        ("much larger", ""),
        ("too long", "mm above its lips, not about 70"),
        ("turned away", "does not mirror"),
        ("head over heels", ""),
        ("from behind", ""),
        ("z up", ""),
        ("profile", ""),
        ("no eyes", "no eye sockets"),
        ("no mouth", "no crease"),
        ("left half", ""),
    ],
)
def test_what_is_no_face_is_refused(name: str, reason: str) -> None:
    with pytest.raises(MeshError, match=f"expected a face at rest, in mm, .*{reason}"):
        face_regions(strange(name))

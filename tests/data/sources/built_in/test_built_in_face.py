"""The head itself: its triangulation, its openings, its landmarks."""

import doctest
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from facegen.data.sources import built_in
from facegen.data.sources.built_in.face import face_template
from facegen.data.sources.built_in.face_map import _pushed, face_map
from facegen.data.sources.built_in.landmarks import LANDMARKS, REGIONS, landmarks, regions
from facegen.data.sources.built_in.skull import SLIT_HALF_HEIGHT, roll, skull, skull_normal, slit_line, unroll
from facegen.data.sources.casting import Casting
from facegen.data.sources.ict_face import NOSE_TIP
from facegen.data.sources.ict_facekit import ICTFaceKitSource
from facegen.errors import DataError
from facegen.mesh.alignment import rigid_transform
from facegen.mesh.tri_mesh import TriMesh


@pytest.fixture(scope="module")
def template() -> TriMesh:
    return face_template(2000)


def normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a)


def border_edges(mesh: TriMesh) -> np.ndarray:
    """Directed edges (E, 2) that no other face has the other way round."""
    directed = mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    codes = directed @ [len(mesh.vertices), 1]
    # Each direction once: manifold, and wound the same way throughout.
    assert len(np.unique(codes)) == len(codes)
    return directed[~np.isin(directed[:, ::-1] @ [len(mesh.vertices), 1], codes)]


def components(edges: np.ndarray, count: int) -> tuple[int, np.ndarray]:
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(count, count))
    return connected_components(graph, directed=False)


def lip(template: TriMesh, side: float) -> int:
    """The vertex in the middle of the border of the upper (1) or the lower (-1) lip."""
    middle = np.array([0.0, slit_line(np.array(0.0)) + side * SLIT_HALF_HEIGHT])
    return int(np.argmin(np.linalg.norm(face_map(len(template.vertices)).frontal - middle, axis=1)))


@pytest.mark.parametrize("count", [400, 401, 547, 997, 1500, 2000, 5000])
def test_the_template_is_one_sound_piece_with_four_borders(count: int) -> None:
    mesh = face_template(count)
    assert mesh.vertices.shape == (count, 3)
    assert np.isfinite(mesh.vertices).all()
    assert len(np.unique(mesh.faces)) == count
    assert components(mesh.edges, count)[0] == 1
    rim = border_edges(mesh)
    assert (np.bincount(rim[:, 0]) <= 1).all()
    labels = components(rim, count)[1]
    assert len(np.unique(labels[rim[:, 0]])) == 4
    # A disk with three holes.
    assert count - len(mesh.edges) + len(mesh.faces) == 1 - 3
    assert np.linalg.norm(normals(mesh.vertices, mesh.faces), axis=1).min() > 1e-3


def test_many_other_counts_are_exact_too() -> None:
    for count in range(402, 1200, 79):
        mesh = face_template(count)
        assert len(mesh.vertices) == count
        assert count - len(mesh.edges) + len(mesh.faces) == -2


def test_a_point_that_hides_a_border_is_pushed_away() -> None:
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.1], [0.5, 2.0]])
    pushed = _pushed(points, np.array([[0, 1]]), fixed=2)
    assert np.linalg.norm(pushed[2] - [0.5, 0.0]) > 0.5
    np.testing.assert_array_equal(pushed[[0, 1, 3]], points[[0, 1, 3]])


def test_too_few_vertices_are_refused() -> None:
    with pytest.raises(DataError, match="at least 400"):
        face_template(399)


def test_the_template_is_as_large_as_a_head(template: TriMesh) -> None:
    width, height, depth = np.ptp(template.vertices, axis=0)
    assert 150 < width < 190  # with ears
    assert 210 < height < 245  # chin to crown
    assert 130 < depth < 215
    # Counter-clockwise from outside: nearly everything looks away from the middle of the head.
    middle = template.vertices[template.faces].mean(axis=1) - [0, 0, -20]
    assert ((normals(template.vertices, template.faces) * middle).sum(axis=1) > 0).mean() > 0.95


def test_the_template_is_denser_at_the_eyes_and_the_mouth(template: TriMesh) -> None:
    x, y, _ = template.vertices.T
    ends = template.vertices[template.edges]
    length = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    at = template.edges[:, 0]
    eyes = np.hypot(np.abs(x[at]) - 31, y[at]) < 18
    assert np.median(length[eyes]) < 0.5 * np.median(length[y[at] > 60])


def test_the_template_is_symmetric(template: TriMesh) -> None:
    mirror = face_map(2000).mirror
    np.testing.assert_array_equal(template.vertices[mirror], template.vertices * [-1, 1, 1])
    mirrored = {tuple(np.roll(face, -face.argmin())) for face in mirror[template.faces][:, [0, 2, 1]]}
    assert mirrored == {tuple(np.roll(face, -face.argmin())) for face in template.faces}


def test_the_lips_meet_at_rest(template: TriMesh) -> None:
    upper, lower = (template.vertices[lip(template, side)] for side in (1, -1))
    assert 0 < upper[1] - lower[1] < 0.5


def test_the_same_call_gives_the_same_bytes(template: TriMesh) -> None:
    face_map.cache_clear()
    again = face_template(2000)
    assert again.vertices.tobytes() == template.vertices.tobytes()
    assert again.faces.tobytes() == template.faces.tobytes()


def test_rolling_undoes_unrolling_also_behind_the_outline() -> None:
    generator = np.random.default_rng(0)
    frontal = generator.uniform(-95, 95, (500, 2))
    np.testing.assert_allclose(roll(unroll(frontal)), frontal, atol=1e-9)
    assert (skull(frontal)[:, 2] < -18).any() and (skull(frontal)[:, 2] > 60).any()


def test_the_skull_is_smooth_where_its_outline_is_passed_and_normals_point_outwards() -> None:
    line = np.stack([np.linspace(40, 95, 400), np.full(400, -5.0)], axis=1)
    places = skull(line)
    steps = np.diff(places, axis=0)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    assert (steps[1:] * steps[:-1]).sum(axis=1).min() > 0.99
    normal = skull_normal(line)
    np.testing.assert_allclose(np.linalg.norm(normal, axis=1), 1)
    assert (normal * (places - [0, -20, -18])).sum(axis=1).min() > 0
    assert np.abs((normal[:-1] * steps).sum(axis=1)).max() < 0.05


@pytest.mark.parametrize("count", [2000, 8000])
def test_landmarks_are_where_their_names_say(count: int) -> None:
    vertices, at = face_template(count).vertices, landmarks(count)
    assert set(at) == set(LANDMARKS)
    place = {name: vertices[index] for name, index in at.items()}
    heights = [place[name][1] for name in ("tr", "g", "n", "prn", "sn", "ls", "sto", "li", "sl", "pg", "gn")]
    assert heights == sorted(heights, reverse=True)
    assert place["prn"][2] == vertices[:, 2].max() or abs(place["prn"][2] - vertices[:, 2].max()) < 1
    for name in ("en", "ex", "al", "ch", "zy", "go", "ft", "brow_inner"):
        left, right = place[f"{name}_L"], place[f"{name}_R"]
        assert left[0] > 5
        np.testing.assert_allclose(left, right * [-1, 1, 1], atol=1e-6)
    assert place["ps_L"][1] - place["pi_L"][1] > 5


def test_regions_hold_their_landmarks() -> None:
    masks, at = regions(3000), landmarks(3000)
    assert tuple(masks) == REGIONS
    for region, names in {
        "mouth": ("ch_L", "ls", "li", "sto"),
        "eyes": ("en_R", "ex_L", "ps_L"),
        "brows": ("brow_inner_L", "brow_middle_R"),
    }.items():
        assert all(masks[region][at[name]] for name in names)
        assert not masks[region][at["prn"]]
    assert not (masks["mouth"] & masks["eyes"]).any()


def test_the_mean_face_lies_near_the_mean_of_real_scans(ict_root: Path) -> None:
    """Each part of it, after rigid alignment to the ICT Face Model's mean: its surface is a guide to ours, no data."""
    scans = ICTFaceKitSource(Casting(2), ict_root, "face").template
    surface = trimesh.Trimesh(scans.vertices, scans.faces, process=False)
    vertices, (x, y) = face_template(4000).vertices, face_map(4000).frontal.T
    x = np.abs(x)
    parts = regions(4000) | {
        "nose": (x < 20) & (y > -50) & (y < 2),
        "cheeks": (x > 22) & (x < 62) & (y > -62) & (y < -12),
        "forehead": (x < 58) & (y > 34) & (y < 66),
        "chin": (x < 38) & (y > -112) & (y < -88),
    }
    front = np.any(list(parts.values()), axis=0)
    nose = scans.vertices[NOSE_TIP]
    placed = vertices + [0, nose[1] + 36.5, nose[2] - vertices[:, 2].max()]
    for _ in range(20):  # iterated closest points
        near = trimesh.proximity.closest_point(surface, placed[front])[0]
        rotation, translation = rigid_transform(placed[front], near)
        placed = placed @ rotation.T + translation
    distance = np.full(len(placed), np.nan)
    distance[front] = trimesh.proximity.closest_point(surface, placed[front])[1]
    for part, mask in parts.items():
        assert np.median(distance[mask]) < 2.0, part
    assert np.median(distance[front]) < 1.4


def test_the_example_runs() -> None:
    assert doctest.testmod(built_in).attempted > 2
    assert doctest.testmod(built_in).failed == 0

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from facegen.data.sources.built_in_face import action_units, draw_neutral, face_template
from facegen.data.sources.built_in_layout import _pushed, layout
from facegen.data.sources.built_in_skull import MOUTH_HALF_WIDTH, SLIT_HALF_HEIGHT, slit_line
from facegen.errors import DataError
from facegen.mesh.tri_mesh import TriMesh

PAIRED = ["AU1", "AU2", "AU4", "AU5", "AU6", "AU7", "AU9", "AU10", "AU12", "AU15", "AU16", "AU20"]
CENTRAL = ["AU17", "AU24", "AU25", "AU27"]
EXPRESSIONS = [
    {"AU6": 1, "AU12": 1, "AU25": 1},
    {"AU4": 1, "AU5": 1, "AU7": 1, "AU24": 1, "AU10": 0.2},
    {"AU1": 1, "AU4": 0.5, "AU15": 1, "AU17": 1},
    {"AU1": 1, "AU2": 1, "AU5": 1, "AU27": 1},
    {"AU1": 1, "AU2": 1, "AU4": 1, "AU5": 1, "AU20": 1, "AU25": 1, "AU27": 0.4},
    {"AU9": 1, "AU10": 1, "AU15": 0.5, "AU17": 1, "AU4": 0.3},
]


@pytest.fixture(scope="module")
def template() -> TriMesh:
    return face_template(2000)


@pytest.fixture(scope="module")
def units(template: TriMesh) -> dict[str, np.ndarray]:
    return action_units(template, template.vertices)


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
    return int(np.argmin(np.linalg.norm(layout(len(template.vertices)).frontal - middle, axis=1)))


def mouth_corner(template: TriMesh) -> int:
    at = np.array([MOUTH_HALF_WIDTH, slit_line(np.array(MOUTH_HALF_WIDTH))])
    return int(np.argmin(np.linalg.norm(layout(len(template.vertices)).frontal - at, axis=1)))


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


def test_the_template_is_as_large_as_a_face(template: TriMesh) -> None:
    width, height, depth = np.ptp(template.vertices, axis=0)
    assert 135 < width < 155
    assert 180 < height < 205
    assert 70 < depth < 110
    # Counter-clockwise from outside: nearly everything looks forward.
    assert (normals(template.vertices, template.faces)[:, 2] > 0).mean() > 0.9


def test_the_template_is_denser_at_the_eyes_and_the_mouth(template: TriMesh) -> None:
    x, y, _ = template.vertices.T
    ends = template.vertices[template.edges]
    length = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    at = template.edges[:, 0]
    eyes = np.hypot(np.abs(x[at]) - 31, y[at]) < 18
    assert np.median(length[eyes]) < 0.6 * np.median(length[y[at] > 45])


def test_the_template_is_symmetric(template: TriMesh) -> None:
    mirror = layout(2000).mirror
    np.testing.assert_array_equal(template.vertices[mirror], template.vertices * [-1, 1, 1])
    mirrored = {tuple(np.roll(face, -face.argmin())) for face in mirror[template.faces][:, [0, 2, 1]]}
    assert mirrored == {tuple(np.roll(face, -face.argmin())) for face in template.faces}


def test_the_lips_meet_at_rest(template: TriMesh) -> None:
    upper, lower = (template.vertices[lip(template, side)] for side in (1, -1))
    assert 0 < upper[1] - lower[1] < 0.5


def test_the_same_call_gives_the_same_bytes(template: TriMesh) -> None:
    layout.cache_clear()
    again = face_template(2000)
    assert again.vertices.tobytes() == template.vertices.tobytes()
    assert again.faces.tobytes() == template.faces.tobytes()


def test_a_seed_is_a_person(template: TriMesh) -> None:
    first, same, other = (draw_neutral(template, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.tobytes() == same.tobytes()
    assert 1 < np.linalg.norm(first - other, axis=1).mean() < 15


def test_no_person_and_no_expression_turns_a_face_over(template: TriMesh) -> None:
    mean = normals(template.vertices, template.faces)
    for seed in range(25):
        neutral = draw_neutral(template, np.random.default_rng(seed))
        rest = normals(neutral, template.faces)
        assert ((rest * mean).sum(axis=1) > 0).all()
        known = action_units(template, neutral)
        for weights in EXPRESSIONS:
            posed = neutral + sum(weights.get(name.split("_")[0], 0) * field for name, field in known.items())
            turned = (normals(posed, template.faces) * rest).sum(axis=1) < 0
            assert turned.mean() < 0.002


def test_all_units_are_there_and_move_something(units: dict[str, np.ndarray]) -> None:
    assert set(units) == {f"{name}_{side}" for name in PAIRED for side in "LR"} | set(CENTRAL)
    for name, field in units.items():
        assert field.shape == (2000, 3)
        assert np.isfinite(field).all()
        assert 1 < np.linalg.norm(field, axis=1).max() < 35, name


@pytest.mark.parametrize("unit", PAIRED)
def test_a_unit_of_one_side_stays_there_and_mirrors_the_other(
    template: TriMesh, units: dict[str, np.ndarray], unit: str
) -> None:
    left, right = units[f"{unit}_L"], units[f"{unit}_R"]
    strength = np.linalg.norm(left, axis=1)
    assert template.vertices[strength.argmax(), 0] > 0
    assert strength[template.vertices[:, 0] < -10].max() < 0.5
    np.testing.assert_allclose(left[layout(2000).mirror] * [-1, 1, 1], right, atol=1e-9)


def test_the_jaw_opens_the_mouth_and_leaves_the_upper_lip(template: TriMesh, units: dict[str, np.ndarray]) -> None:
    jaw = units["AU27"]
    assert jaw[lip(template, -1), 1] < -15
    assert np.linalg.norm(jaw[lip(template, 1)]) < 2
    assert jaw[template.vertices[:, 1] > 10].max() < 0.5


def test_corners_brows_and_lids_go_where_their_names_say(template: TriMesh, units: dict[str, np.ndarray]) -> None:
    corner = mouth_corner(template)
    assert units["AU12_L"][corner, 0] > 3
    assert units["AU12_L"][corner, 1] > 4
    assert units["AU15_L"][corner, 1] < -4
    assert units["AU20_L"][corner, 0] > 4
    x, y = template.vertices[:, 0], template.vertices[:, 1]
    inner, outer = (int(np.argmin(np.hypot(x - at_x, y - at_y))) for at_x, at_y in ((13, 20), (46, 24)))
    assert units["AU1_L"][inner, 1] > 5
    assert units["AU2_L"][outer, 1] > 5
    assert units["AU4_L"][inner, 1] < -3
    assert units["AU4_L"][inner, 0] < -2
    upper, lower = (int(np.argmin(np.hypot(x - 31.5, y - at_y))) for at_y in (6.5, -4.5))
    assert units["AU5_L"][upper, 1] > 2.5
    assert units["AU7_L"][upper, 1] < -1
    assert units["AU7_L"][lower, 1] > 1


def test_amplitudes_follow_the_subject(template: TriMesh) -> None:
    wide = template.vertices * [1.2, 1, 1]
    narrow = template.vertices * [0.8, 1, 1]
    corner = mouth_corner(template)
    assert action_units(template, wide)["AU12_L"][corner, 0] > action_units(template, narrow)["AU12_L"][corner, 0]


def test_another_mesh_is_refused(template: TriMesh) -> None:
    other = TriMesh(template.vertices, template.faces[::-1])
    with pytest.raises(DataError, match="built-in face"):
        action_units(other, template.vertices)
    with pytest.raises(DataError, match="neutral must be"):
        action_units(template, template.vertices[:-1])

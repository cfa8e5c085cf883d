"""Each fault is found where it is, and a sound surface has none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegen.errors import MeshError
from facegen.mesh import TriMesh, check, read_mesh, require_sound
from facegen.mesh.topology import surface_pieces

# A tetrahedron, wound outwards.
POINTS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float64)
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])


def faults(mesh: TriMesh) -> dict[str, list]:
    return {(finding.kind, finding.fatal): finding.where.tolist() for finding in check(mesh)}


def test_a_sound_surface_has_no_findings():
    assert check(TriMesh(POINTS, FACES)) == []
    assert check(TriMesh(POINTS, FACES[:3])) == []
    require_sound(TriMesh(POINTS, FACES), "tetrahedron")


def test_a_mesh_of_nothing_is_no_error():
    assert check(TriMesh(np.empty((0, 3)), np.empty((0, 3)))) == []
    assert surface_pieces(TriMesh(np.empty((0, 3)), np.empty((0, 3))))[0] == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_vertices(value):
    vertices = POINTS.copy()
    vertices[[1, 3], 2] = value
    (finding,) = check(TriMesh(vertices, FACES))
    assert (finding.kind, finding.where.tolist(), finding.fatal) == ("non-finite vertices", [1, 3], True)
    assert finding.message == "2 vertices are NaN or infinite (vertex 1, 3)"


def test_a_face_that_uses_a_vertex_twice_is_fatal():
    faces = np.concatenate([FACES, [[1, 1, 2]]])
    findings = {(finding.kind, finding.fatal): finding for finding in check(TriMesh(POINTS, faces))}
    assert findings["degenerate faces", True].where.tolist() == [4]
    assert findings["degenerate faces", True].message == "1 face uses a vertex twice (face 4)"
    # It is counted at no edge, so that it is reported once.
    assert set(findings) == {("degenerate faces", True)}


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_a_face_without_area_is_not_fatal_at_any_scale(scale):
    vertices = np.array([[0, 0, 0], [2, 0, 0], [1, 0, 0], [1, 1, 0]]) * scale
    mesh = TriMesh(vertices, np.array([[0, 2, 1], [0, 3, 2], [2, 3, 1]]))
    assert faults(mesh) == {("degenerate faces", False): [0]}
    require_sound(mesh, "sliver")
    thin = vertices.copy()
    thin[2, 1] = -1e-6 * scale
    assert check(mesh.with_vertices(thin)) == []


def test_all_vertices_in_one_place():
    everywhere = [0, 1, 2, 3]
    assert faults(TriMesh(np.ones((4, 3)), FACES)) == {
        ("no extent", True): everywhere,
        ("degenerate faces", False): everywhere,
    }
    small = 1e-30 * np.random.default_rng(0).random((4, 3))
    assert faults(TriMesh(small, FACES)) == {("no extent", True): everywhere}
    with pytest.raises(MeshError, match=r"small: expected .* all faces lie at one place, \S+e-31 units large"):
        require_sound(TriMesh(small, FACES), "small")


def test_duplicate_faces_are_the_later_ones_in_any_order_of_corners():
    faces = np.array([[0, 1, 2], [3, 4, 5], [2, 1, 0], [5, 3, 4], [1, 2, 0]])
    found = faults(TriMesh(np.random.default_rng(0).normal(size=(6, 3)), faces))
    assert found["duplicate faces", False] == [2, 3, 4]


def test_an_edge_with_three_faces():
    vertices = np.concatenate([POINTS, [[1, 1, 1]]])
    mesh = TriMesh(vertices, np.concatenate([FACES, [[0, 1, 4]]]))
    (finding,) = check(mesh)
    assert finding.kind == "edges with more than two faces" and finding.fatal
    assert mesh.edges[finding.where].tolist() == [[0, 1]]
    assert finding.message == "1 edge lies on more than two faces (vertices 0-1)"


def test_one_face_turned_over():
    faces = FACES.copy()
    faces[2] = faces[2, ::-1]
    mesh = TriMesh(POINTS, faces)
    (finding,) = check(mesh)
    assert finding.kind == "inconsistent winding" and finding.fatal
    assert mesh.edges[finding.where].tolist() == [[1, 2], [1, 3], [2, 3]]
    assert finding.message == "3 edges are run through in one direction by both faces (vertices 1-2, 1-3, 2-3)"


def test_unused_vertices_and_pieces():
    vertices = np.concatenate([POINTS, [[9, 9, 9]], POINTS + 5, POINTS[:3] + 8])
    faces = np.concatenate([FACES + 5, FACES, [[9, 10, 11]]])
    mesh = TriMesh(vertices, faces)
    found = {finding.kind: finding for finding in check(mesh)}
    assert found["unused vertices"].where.tolist() == [4] and not found["unused vertices"].fatal
    assert found["unused vertices"].message == "1 vertex is on no face (vertex 4)"
    parts = found["several pieces"]
    assert parts.message == "3 separate pieces of 4, 4, 3 vertices" and not parts.fatal
    assert parts.where.tolist() == [5, 6, 7, 8, 9, 10, 11]


def test_fatal_findings_come_first_and_in_one_line():
    vertices = np.concatenate([POINTS, np.full((7, 3), np.nan)])
    faces = np.concatenate([FACES[:, ::-1][:1], FACES[1:], [[0, 0, 1]]])
    mesh = TriMesh(vertices, faces)
    fatal = [finding.fatal for finding in check(mesh)]
    assert fatal == sorted(fatal, reverse=True) and not all(fatal)
    with pytest.raises(MeshError) as error:
        require_sound(mesh, "scan.ply")
    message = str(error.value)
    assert message.startswith("scan.ply: expected a surface") and "\n" not in message
    assert "7 vertices are NaN or infinite (vertex 4, 5, 6, 7, 8, ...); 1 face uses a vertex twice" in message
    assert "3 edges are run through" in message and "on no face" not in message and message.count("repair") == 1


def test_an_index_out_of_range_never_becomes_a_mesh():
    with pytest.raises(MeshError, match=r"face 1 uses vertices \[0, 1, 4\], but there are 4 of them"):
        TriMesh(POINTS, np.array([[0, 1, 2], [0, 1, 4]]))


def plain_fans(vertex, faces):
    """How many groups of the faces around a vertex hang together by edges at it."""
    around = [set(face) for face in faces if vertex in face]
    groups = []
    for face in around:
        joined = [group for group in groups if any(len(face & other) > 1 for other in group)]
        groups = [group for group in groups if group not in joined] + [[face, *sum(joined, [])]]
    return len(groups)


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 3), max_size=8))
def test_against_plain_loops(faces):
    mesh = TriMesh(np.random.default_rng(1).normal(size=(6, 3)), np.array(faces).reshape(-1, 3))
    sound = [face for face in faces if len(set(face)) == 3]
    steps = [(face[i], face[(i + 1) % 3]) for face in sound for i in range(3)]
    uses = [sum(set(step) == set(edge) for step in steps) for edge in mesh.edges.tolist()]
    same = [max(steps.count((a, b)), steps.count((b, a))) == 2 for a, b in mesh.edges.tolist()]
    wanted = {
        ("degenerate faces", True): [i for i, face in enumerate(faces) if len(set(face)) < 3],
        ("duplicate faces", False): [i for i, f in enumerate(faces) if sorted(f) in map(sorted, faces[:i])],
        ("edges with more than two faces", True): [i for i, n in enumerate(uses) if n > 2],
        ("inconsistent winding", True): [i for i, n in enumerate(uses) if n == 2 and same[i]],
        ("pinched vertices", True): [v for v in range(6) if plain_fans(v, sound) > 1],
        ("unused vertices", False): [v for v in range(6) if not any(v in face for face in faces)],
    }
    found = faults(mesh)
    found.pop(("several pieces", False), None)
    assert found == {key: where for key, where in wanted.items() if where}


def test_a_real_face_is_sound_and_has_the_parts_of_its_model(ict_root):
    mesh = read_mesh(ict_root / "FaceXModel" / "generic_neutral_mesh.obj")
    require_sound(mesh, "generic_neutral_mesh.obj")
    assert surface_pieces(mesh)[0] == 56


def test_a_bow_tie_is_pinched_at_its_middle() -> None:
    tie = TriMesh(
        np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [-1, 0, 0], [-1, -1, 0.0]]), np.array([[0, 1, 2], [0, 3, 4]])
    )
    found = [finding for finding in check(tie) if finding.kind == "pinched vertices"]
    assert found[0].where.tolist() == [0]
    assert found[0].fatal
    with pytest.raises(MeshError, match="1 vertex joins parts"):
        require_sound(tie, "tie.obj")

"""OBJ: what was in the file is in the mesh, and nothing else ever happens than a mesh or a MeshError."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from facegen.errors import MeshError
from facegen.mesh.formats.io import read_mesh, write_mesh
from facegen.mesh.formats.obj import read_obj, read_obj_vertices, write_obj
from facegen.mesh.formats.raw import FURTHEST
from facegen.mesh.tri_mesh import TriMesh

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"
RICH = (
    b"# made by hand\r\nmtllib some.mtl\r\no face\r\nv 0 0 0 1 0 0\r\nv 1. 0 -0 # here\r\nv 1e0 +1 .0\r\n"
    b"  v 0 1 0 1.0\r\n"
    b"vt 0 0\r\nvt 1 1\r\nvn 0 0 1\r\ng left\r\nusemtl skin\r\ns off\r\nf 1/2/1 2/1/1 \\\r\n3/1/1 4/2/1\r\n"
    b"v 2 2 2\r\nf -1//1 -2//1 -3//1\r\nf 1/1 3 5//1\r\n"
)


@pytest.fixture
def obj(tmp_path):
    def write(content: str | bytes):
        path = tmp_path / "mesh.obj"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def naive(content: bytes) -> tuple[list, list]:
    """Positions and polygons, read line by line as the format's description has it."""
    vertices, polygons = [], []
    for line in content.replace(b"\r\n", b"\n").replace(b"\\\n", b" ").split(b"\n"):
        words = line.split(b"#")[0].split()
        if words[:1] == [b"v"]:
            vertices.append([float(word) for word in words[1:4]])
        if words[:1] == [b"f"]:
            indices = [int(word.split(b"/")[0]) for word in words[1:]]
            polygons.append([i - 1 if i > 0 else len(vertices) + i for i in indices])
    return vertices, polygons


def test_everything_the_format_allows_at_once(obj):
    mesh = read_obj(obj(RICH))
    vertices, polygons = naive(RICH)
    assert mesh.vertices.tolist() == vertices
    assert mesh.polygons.tolist() == [[0, 1, 2, 3], [4, 3, 2, -1], [0, 2, 4, -1]]
    assert [[i for i in row if i >= 0] for row in mesh.polygons.tolist()] == polygons
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3], [4, 3, 2], [0, 2, 4]]


def test_faces_that_are_written_alike_are_read_alike_wherever_vertices_stand(obj):
    """Each file after each other: what was read last decides nothing but the time."""
    square, faces = SQUARE.splitlines(), ["f 1 2 3 4", "f -1 -2 -3"]
    moved = [line.replace("1", "2") for line in square]
    files = [
        [*square, *faces],
        [*moved, *faces],
        [*moved, "v 5 5 5", *faces],
        [*square[:3], "# none", *faces[1:], square[3]],  # the same face, below three vertices
        [*square, *faces[1:]],
        [*square[:3], "v 9 9 9", *faces[1:], "f 1 2 4"],
        [*square, "f 1 2", *faces],
        ["# one more line", *square, "f 1 2", *faces],
    ]
    texts = ["\n".join(lines) + "\n" for lines in files]
    for text in itertools.chain(*itertools.product(texts, texts)):
        mesh, (vertices, polygons) = read_obj(obj(text)), naive(text.encode())
        assert mesh.vertices.tolist() == vertices
        kept = [polygon for polygon in polygons if len(polygon) > 2]
        found = mesh.faces if mesh.polygons is None else mesh.polygons
        assert [[i for i in row if i >= 0] for row in found.tolist()] == kept
        line = text.splitlines().index("f 1 2") + 1 if "f 1 2\n" in text else None
        assert [f"line {line}: a face of fewer than three corners"] * (line is not None) == list(mesh.left_out)


def test_order_and_number_stay_where_texture_indices_differ(obj):
    mesh = read_obj(obj(SQUARE + "vt 0 0\nvt 1 0\nvt 1 1\nf 3/1 2/2 1/3\nf 1/2 4/1 3/3\n"))
    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    assert mesh.faces.tolist() == [[2, 1, 0], [0, 3, 2]]
    assert mesh.polygons is None


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends(obj, newline):
    mesh = read_obj(obj((SQUARE + "f 1 2 3\n").replace("\n", newline)))
    assert len(mesh.vertices) == 4 and mesh.faces.tolist() == [[0, 1, 2]]


def test_a_backslash_in_a_comment_does_not_join_lines(obj):
    assert len(read_obj(obj("# C:\\faces\\\n" + SQUARE + "f 1 2 3")).vertices) == 4


def test_byte_order_mark_is_passed_over(obj):
    assert len(read_obj(obj(b"\xef\xbb\xbf" + SQUARE.encode())).vertices) == 4


def test_colours_on_some_lines_only(obj):
    assert read_obj_vertices(obj("v 1 2 3 9 9 9\nv 4 5 6\nv 7 8 9 1\n")).tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


@given(arrays.arrays(np.float64, (5, 3), elements=st.floats(-FURTHEST, FURTHEST)))
def test_round_trip_gives_the_same_float64(tmp_path_factory, vertices):
    path = tmp_path_factory.mktemp("obj") / "mesh.obj"
    polygons = np.array([[0, 1, 2, 3, 4], [4, 3, 1, -1, -1], [0, 2, 4, 1, -1]])
    mesh = TriMesh.from_polygons(vertices, polygons)
    write_obj(path, mesh)
    again = read_obj(path)
    assert again.vertices.tobytes() == mesh.vertices.tobytes()
    assert np.array_equal(again.polygons, polygons) and np.array_equal(again.faces, mesh.faces)


def test_polygons_are_written_back_as_they_were(obj, tmp_path):
    text = "v 0.0 0.0 0.0\nv 1.0 0.0 0.0\nv 1.0 1.0 0.0\nv 0.0 1.0 0.1\nf 1 2 3 4\nf 3 1 2\nf 4 3 2 1\n"
    write_mesh(tmp_path / "out.obj", read_mesh(obj(text)))
    assert (tmp_path / "out.obj").read_text() == text


def test_a_real_face_reads_as_a_plain_loop_reads_it(ict_root):
    path = ict_root / "FaceXModel" / "generic_neutral_mesh.obj"
    mesh = read_mesh(path)
    vertices, polygons = naive(path.read_bytes())
    assert mesh.vertices.shape == (26719, 3) and mesh.polygons.shape == (26384, 4)
    assert mesh.vertices.tolist() == vertices
    assert [[i for i in row if i >= 0] for row in mesh.polygons.tolist()] == polygons
    assert np.array_equal(read_obj_vertices(path), mesh.vertices)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("o nothing\n", r"expected an OBJ file with vertices \('v x y z'\), found none"),
        ("v 1 2\n", "line 1: expected three coordinates after 'v', found 2 of at least 3"),
        ("v\n" + SQUARE, "line 1: expected three coordinates after 'v', found 0"),
        ("# x\nv 0 0 0\nv 0 1,5 0\n", "line 3: expected a number, found '1,5'"),
        ("v 0 0 0x10\n", "line 1: expected a number, found '0x10'"),
        ("v 0 0 1_0\n", "line 1: expected a number, found '1_0'"),
        ("v 0 0 1-2\n", "line 1: expected a number, found '1-2'"),
        (b"v 0 0 \xff\x00\n", r"line 1: expected a number, found '\\xff\\x00'"),
        (SQUARE + "f 1 2 a\n", "line 5: expected a corner such as 7, 7/8, 7//9 or 7/8/9, found 'a'"),
        (SQUARE + "f 1 2 3\nf 1 2 /3\n", "line 6: expected a corner .*, found '/3'"),
        (SQUARE + "f 1 2 -\n", "line 5: expected a corner .*, found '-'"),
        (SQUARE + "f 1 2 3.0\n", "line 5: expected a corner .*, found '3.0'"),
        (SQUARE + "f 1 2 3\nf 1 2 5\n", r"line 6: face 1 \(counted from 0\) uses vertex 5, but .* vertices 1 to 4"),
        (SQUARE + "f 0 1 2\n", "line 5: face 0 .* uses vertex 0"),
        (SQUARE + "f 1 2 -5\n", "line 5: face 0 .* uses vertex -5"),
        ("v 0 0 0\nf -1 -2 -3\nv 0 0 0\nv 0 0 0\n", "line 2: face 0 .* uses vertex -2"),
        (SQUARE + "f 1 2 99999999999999999999\n", "line 5: face 0 .* uses vertex number of more than 18 digits, but"),
        (SQUARE + f"f 1 2 -{5000 * '9'}\n", "line 5: face 0 .* uses vertex number of more than 18 digits, but"),
    ],
)
def test_refused(obj, content, message):
    path = obj(content)
    with pytest.raises(MeshError, match=message) as error:
        read_obj(path)
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)


def test_one_huge_face_beside_many_is_refused_before_it_fills_the_memory(obj):
    many = "f 1 2 3\n" * 20_000
    with pytest.raises(MeshError, match="face 20000 has 5000 corners beside 20000 other faces; triangulate it"):
        read_obj(obj(SQUARE + many + "f" + " 1" * 5000))


def test_positions_alone_are_never_silently_not_finite(obj):
    with pytest.raises(MeshError, match=r"vertex 1 is \[0.0, nan, 0.0\] \(2 of 3 are not finite\)"):
        read_obj_vertices(obj("v 0 0 0\nv 0 nan 0\nv 0 0 1e999\n"))
    with pytest.raises(MeshError, match="expected finite positions, but vertex 1 "):
        read_mesh(obj("v 0 0 0\nv 0 nan 0\nv 0 0 0\nf 1 2 3\n"))


@pytest.mark.parametrize("far", ["1.1e9", "-1e308"])
def test_no_position_is_so_far_that_areas_are_no_numbers(obj, far):
    assert read_mesh(obj("v 0 0 0\nv 0 1e9 0\nv -1e9 0 0\nf 1 2 3\n")).vertices.max() == 1e9
    with pytest.raises(MeshError, match=r"within 1,000,000,000 units of the origin, but vertex 2 is \[.*\(1 of 3 lie"):
        read_mesh(obj(f"v 0 0 0\nv 0 1 0\nv {far} 0 0\nf 1 2 3\n"))


def test_a_mesh_that_is_not_finite_is_not_written(tmp_path):
    with pytest.raises(MeshError, match="expected finite positions, but vertex 0"):
        write_obj(tmp_path / "x.obj", TriMesh(np.full((3, 3), np.inf), np.array([[0, 1, 2]])))
    assert list(tmp_path.iterdir()) == []


def test_cut_anywhere_it_is_a_mesh_or_a_mesh_error(obj):
    for end in range(len(RICH)):
        try:
            assert isinstance(read_obj(obj(RICH[:end])), TriMesh)
        except MeshError as error:
            assert "\n" not in str(error)


WORDS = [b"v", b"f", b" ", b"\n", b"\\", b"\r", b"#", b"1", b"-2", b"-", b"/", b".", b"e9", b"\0", b"\xff"]


@given(st.lists(st.sampled_from(WORDS)))
def test_any_bytes_are_a_mesh_or_a_mesh_error(tmp_path_factory, parts):
    path = tmp_path_factory.getbasetemp() / "any.obj"
    path.write_bytes(b"v 0 0 0\nf 1 1 1\n" + b"".join(parts))
    try:
        assert isinstance(read_obj(path), TriMesh)
    except MeshError as error:
        assert "\n" not in str(error)


@given(st.data())
def test_any_valid_text_reads_as_a_plain_loop_reads_it(tmp_path_factory, data):
    count = data.draw(st.integers(3, 6))
    number = st.floats(-1e3, 1e3).map(repr) | st.sampled_from(["0", "-1.", "+.5", "1e-3", "7E2"])
    lines = [" ".join(["v", *data.draw(st.lists(number, min_size=3, max_size=7))]) for _ in range(count)]
    corner = st.builds(
        lambda index, tail: f"{index}{tail}",
        st.integers(1, count) | st.integers(-count, -1),
        st.sampled_from(["", "/7", "//3", "/1/2", "/"]),
    )
    faces = data.draw(st.lists(st.lists(corner, min_size=3, max_size=6), min_size=1, max_size=4))
    other = itertools.cycle(["", "vt 0 1", "# v 1 2 3", "g f 1 2 3", "vn 0 0 1"])
    lines += [line for face in faces for line in (next(other), " ".join(["f", *face]))]
    content = "\n".join(lines).encode()
    path = tmp_path_factory.getbasetemp() / "valid.obj"
    path.write_bytes(content)
    mesh = read_obj(path)
    vertices, polygons = naive(content)
    kept = mesh.faces if mesh.polygons is None else mesh.polygons
    assert mesh.vertices.tolist() == vertices
    assert [[i for i in row if i >= 0] for row in kept.tolist()] == polygons

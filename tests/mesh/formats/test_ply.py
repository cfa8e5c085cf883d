"""PLY, against the `plyfile` package where it is there, and against damage."""

import struct
import sys
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes import NO_NUMBER

from facegen.errors import MeshError
from facegen.mesh.formats.io import read_mesh, write_mesh
from facegen.mesh.formats.ply import read_ply, write_ply
from facegen.mesh.formats.ply_body import read_columns
from facegen.mesh.tri_mesh import TriMesh

VERTICES = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.25], [2, 2, -2]], dtype=np.float64)
MIXED = np.array([[0, 1, 2, 3], [4, 3, 2, -1]])
TRIANGLES = np.array([[0, 1, 2], [4, 3, 2]])
HEADER = "ply\nformat {} 1.0\nelement vertex {}\nproperty float x\nproperty float y\nproperty float z\n"
TEXT = (
    HEADER.format("ascii", 3)
    + "element face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"
)


@pytest.fixture
def ply(tmp_path):
    def write(content: str | bytes):
        path = tmp_path / "mesh.ply"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def by_plyfile(path, polygons, *, text=False, order="<", name="vertex_indices", extras=False):
    """The five vertices, written by another library, with all that a scanner adds to them."""
    plyfile = pytest.importorskip("plyfile")
    fields = [("x", "f4"), ("y", "f8"), ("z", "f4")]
    if extras:
        fields = [("quality", "u1"), *fields, ("red", "u1"), ("flags", "i2")]
    vertex = np.zeros(len(VERTICES), dtype=fields)
    for axis, values in zip("xyz", VERTICES.T, strict=True):
        vertex[axis] = values
    fields = [("weight", "f8"), (name, "O"), ("texcoord", "O")] if extras else [(name, "O")]
    face = np.zeros(len(polygons), dtype=fields)
    face[name] = [row[row >= 0].astype("i4") for row in polygons]
    elements = [plyfile.PlyElement.describe(vertex, "vertex"), plyfile.PlyElement.describe(face, "face")]
    if extras:
        face["texcoord"] = [np.arange(2 * i, dtype="f4") for i in range(len(polygons))]
        elements[1] = plyfile.PlyElement.describe(face, "face", val_types={"texcoord": "f4"})
        camera = plyfile.PlyElement.describe(np.array([(1.5,)], dtype=[("focal", "f4")]), "camera")
        strips = np.empty(1, dtype=[("strip", "O")])
        strips["strip"] = [np.array([1, 2, -1], dtype="i4")]
        elements = [camera, *elements, plyfile.PlyElement.describe(strips, "tristrips")]
    plyfile.PlyData(elements, text=text, byte_order=order, comments=["scanned"], obj_info=["1"]).write(str(path))


@pytest.mark.parametrize("polygons", [MIXED, TRIANGLES], ids=["mixed", "triangles"])
@pytest.mark.parametrize("extras", [False, True], ids=["plain", "extras"])
@pytest.mark.parametrize("name", ["vertex_indices", "vertex_index"])
@pytest.mark.parametrize(("text", "order"), [(True, "="), (False, "<"), (False, ">")], ids=["text", "little", "big"])
def test_what_another_library_wrote(tmp_path, text, order, name, extras, polygons):
    by_plyfile(tmp_path / "m.ply", polygons, text=text, order=order, name=name, extras=extras)
    mesh = read_ply(tmp_path / "m.ply")
    assert np.array_equal(mesh.vertices, VERTICES)
    assert np.array_equal(mesh.faces if mesh.polygons is None else mesh.polygons, polygons)


@pytest.mark.parametrize("polygons", [MIXED, TRIANGLES, np.arange(300)[None] % 5], ids=["mixed", "3", "300-gon"])
@pytest.mark.parametrize("text", [False, True])
def test_another_library_reads_what_was_written(tmp_path, text, polygons):
    plyfile = pytest.importorskip("plyfile")
    write_ply(tmp_path / "m.ply", TriMesh.from_polygons(VERTICES, polygons), text=text)
    data = plyfile.PlyData.read(str(tmp_path / "m.ply"))
    assert np.array_equal(np.stack([data["vertex"][axis] for axis in "xyz"], axis=1), VERTICES.astype("f4"))
    rows = [row.tolist() for row in data["face"]["vertex_indices"]]
    assert rows == [row[row >= 0].tolist() for row in polygons]


@pytest.mark.parametrize("text", [False, True])
def test_round_trip_is_exact_in_float32_and_keeps_polygons(tmp_path, text):
    vertices = np.random.default_rng(0).normal(scale=100, size=(5, 3))
    mesh = TriMesh.from_polygons(vertices, MIXED)
    write_ply(tmp_path / "m.ply", mesh, text=text)
    again = read_ply(tmp_path / "m.ply")
    assert np.array_equal(again.vertices.astype("f4"), vertices.astype("f4"))
    assert np.array_equal(again.polygons, MIXED) and np.array_equal(again.faces, mesh.faces)


def test_by_suffix_it_is_binary_and_of_32_bit(tmp_path):
    write_mesh(tmp_path / "m.PLY", TriMesh(VERTICES, TRIANGLES))
    data = (tmp_path / "m.PLY").read_bytes()
    assert data.startswith(b"ply\nformat binary_little_endian 1.0\n") and b"property float x\n" in data
    assert np.array_equal(read_mesh(tmp_path / "m.PLY").faces, TRIANGLES)


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_line_ends_of_a_text(ply, newline):
    assert read_ply(ply(TEXT.replace("\n", newline))).faces.tolist() == [[0, 1, 2]]


def test_a_point_cloud_is_read_but_is_no_mesh(ply):
    path = ply(TEXT.replace("element face 1\nproperty list uchar int vertex_indices\n", "").replace("3 0 1 2\n", ""))
    assert read_ply(path).faces.shape == (0, 3)
    with pytest.raises(MeshError, match="found 3 vertices and no faces; a point cloud must be meshed first"):
        read_mesh(path)


@pytest.mark.parametrize("order", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize("count", [10_000_000_000, 10**14])
def test_absurd_counts_are_refused_at_once_and_take_no_memory(ply, order, count):
    path = ply(HEADER.format(order, count) + "end_header\n" + "0 " * 3000)
    tracemalloc.start()
    begin = time.perf_counter()
    with pytest.raises(MeshError, match=f"promises {count} rows of 'vertex'; from row 0 on .* are left"):
        read_ply(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.perf_counter() - begin < 1 and peak < 1e6


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ply\n", "PLY\n", r"expected a PLY file, which begins with a line 'ply', found 'PLY"),
        ("end_header", "end_heade", "expected 'end_header' in the first"),
        ("ascii 1.0", "ascii 2.0", "header line 2: expected format .* found 'format ascii 2.0'"),
        ("format ascii 1.0\n", "", "the header has no line 'format'"),
        ("vertex 3", "vertex -3", "header line 3: expected 'element NAME COUNT', found 'element vertex -3'"),
        ("vertex 3", "vertex 99999999999999999999", "header line 3: expected 'element NAME COUNT'"),
        ("vertex 3", "vertex 3_0", "header line 3: expected 'element NAME COUNT'"),
        ("float x", "string x", "header line 4: expected 'property TYPE NAME' or .*found 'property string x'"),
        ("list uchar", "list float", "header line 8: expected 'property TYPE NAME' or"),
        ("float y", "float x", r"element 'vertex' has no properties, or two of one name: \['x', 'x', 'z'\]"),
        ("element face", "element vertex", r"two elements of one name: \['vertex', 'vertex'\]"),
        ("float z", "float w", r"expected an element 'vertex' with numbers x, y and z, found \['x', 'y', 'w'\]"),
        ("element vertex", "element verts", r"expected an element 'vertex' with numbers x, y and z, found \[\]"),
        ("vertex_indices", "corners", r"expected a list vertex_indices or vertex_index in element 'face'"),
        ("list uchar int vertex_indices", "int vertex_indices", "expected 10 numbers .* found 13"),
        (
            "list uchar int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2",
            "int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 1 0\n3",
            "expected a list vertex_indices or vertex_index in element 'face', found",
        ),
        ("1 0 0\n", "1 zero 0\n", "expected nothing but numbers after the header"),
        ("1 0 0\n", "1 0 0 0\n", "the file is damaged"),
        ("1 0 0\n", "1 0\n", "the file is damaged"),
        ("3 0 1 2", "3 0 1 3", r"face 0 uses vertex 3 \(counted from 0\), but there are 3 vertices"),
        ("3 0 1 2", "3 0 1 -1", "face 0 uses vertex -1"),
        ("3 0 1 2", "3 0 1 1.5", "expected whole numbers as vertex indices of the faces, found 1.5"),
        ("3 0 1 2", "3 0 1 nan", "expected whole numbers as vertex indices of the faces, found nan"),
        ("3 0 1 2", "-1 0 1 2", "element 'face', row 0: expected the length of a list, found -1"),
        ("3 0 1 2", "inf 0 1 2", "row 0: expected the length of a list, found inf"),
        ("3 0 1 2", "4 0 1 2", "from row 0 on they take at least 4 more numbers, but 3 are left"),
        ("3 0 1 2", "1e300 0 1 2", "the header promises 1 rows of 'face'"),
    ],
)
def test_refused(ply, old, new, message):
    assert old in TEXT
    path = ply(TEXT.replace(old, new, 1))
    with pytest.raises(MeshError, match=message) as error:
        read_ply(path)
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("kind", "length", "message"),
    [
        ("char", struct.pack("<b", -1), "expected the length of a list, found -1"),
        ("uint", struct.pack("<I", 2**32 - 1), "take at least 17179869180 more bytes, but 12 are left"),
    ],
)
def test_lengths_of_lists_in_a_binary_file(ply, kind, length, message):
    header = HEADER.format("binary_little_endian", 3)
    header += f"element face 1\nproperty list {kind} int vertex_indices\nend_header\n"
    with pytest.raises(MeshError, match=message):
        read_ply(ply(header.encode() + bytes(36) + length + struct.pack("<3i", 0, 1, 2)))


def test_positions_that_are_not_finite(ply, tmp_path):
    with pytest.raises(MeshError, match=r"expected finite positions, but vertex 1 is \[1.0, nan, 0.0\]"):
        read_mesh(ply(TEXT.replace("1 0 0", "1 nan 0")))
    with pytest.raises(MeshError, match=r"expected finite positions, but vertex 0 is \[inf"):
        write_ply(tmp_path / "big.ply", TriMesh(np.full((3, 3), 1e39), np.array([[0, 1, 2]])))
    assert not (tmp_path / "big.ply").exists()


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("polygons", [MIXED, TRIANGLES], ids=["mixed", "triangles"])
def test_cut_anywhere_it_is_a_mesh_error(tmp_path, text, polygons):
    path = tmp_path / "m.ply"
    write_ply(path, TriMesh.from_polygons(VERTICES, polygons), text=text)
    data = path.read_bytes()
    # The last newline of a text is not missed.
    for end in range(len(data) - text):
        path.write_bytes(data[:end])
        with pytest.raises(MeshError):
            read_ply(path)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4), st.booleans())
def test_any_damage_is_a_mesh_or_a_mesh_error(tmp_path_factory, changes, text):
    path = tmp_path_factory.getbasetemp() / "damaged.ply"
    write_ply(path, TriMesh.from_polygons(VERTICES, MIXED), text=text)
    data = bytearray(path.read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    path.write_bytes(data)
    try:
        assert isinstance(read_ply(path), TriMesh)
    except MeshError as error:
        assert "\n" not in str(error)


def test_colours_stand_beside_positions(tmp_path) -> None:
    mesh = TriMesh(np.eye(3), np.array([[0, 1, 2]]))
    colors = np.array([[255, 0, 0], [0, 255, 0], [1, 2, 3]], np.uint8)
    write_ply(tmp_path / "m.ply", mesh, colors=colors)
    np.testing.assert_array_equal(read_ply(tmp_path / "m.ply").vertices, mesh.vertices)
    plyfile = pytest.importorskip("plyfile")
    assert plyfile.PlyData.read(tmp_path / "m.ply")["vertex"]["blue"].tolist() == [0, 0, 3]
    for wrong, text in ((colors[:2], False), (colors.astype(float), False), (colors, True)):
        with pytest.raises(MeshError, match="colours are"):
            write_ply(tmp_path / "n.ply", mesh, colors=wrong, text=text)
    assert not (tmp_path / "n.ply").exists()


def test_a_line_is_no_face(ply):
    mesh = read_ply(ply(TEXT.replace("element face 1", "element face 2").replace("3 0 1 2", "2 0 1\n3 0 1 2")))
    assert mesh.faces.tolist() == [[0, 1, 2]]
    assert mesh.left_out == ("face 0: a face of fewer than three corners",)


STRIPS = """ply
format ascii 1.0
element vertex 6
property float x
property float y
property float z
element tristrips 1
property list int int vertex_indices
end_header
0 0 0
0 1 0
1 0 0
1 1 0
2 0 0
2 1 0
"""


def test_strips_of_triangles(ply):
    """Every second triangle is turned round, -1 begins a new strip, and what is used twice in a row turns a corner."""
    assert read_ply(ply(STRIPS + "6 0 1 2 3 4 5\n")).faces.tolist() == [[0, 1, 2], [1, 3, 2], [2, 3, 4], [3, 5, 4]]
    assert read_ply(ply(STRIPS + "7 0 1 2 -1 3 4 5\n")).faces.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read_ply(ply(STRIPS + "5 0 1 2 2 3\n")).faces.tolist() == [[0, 1, 2]]
    assert len(read_mesh(ply(STRIPS + "6 0 1 2 3 4 5\n")).vertices) == 6


@pytest.mark.parametrize("property_line", ["property list uchar int vertex_indices\n", ""])
def test_strips_beside_an_element_of_no_faces(ply, property_line):
    both = STRIPS.replace("element tristrips", f"element face 0\n{property_line}element tristrips")
    assert len(read_ply(ply(both + "6 0 1 2 3 4 5\n")).faces) == 4


@pytest.mark.filterwarnings("error")
def test_bytes_that_are_no_number_are_refused_in_silence(ply):
    places = np.zeros((3, 3), "<f4")
    places.view("<u4")[1, 2] = NO_NUMBER
    head = TEXT.split("end_header\n")[0].replace("ascii", "binary_little_endian") + "end_header\n"
    content = head.encode() + places.tobytes() + b"\3" + np.arange(3, dtype="<i4").tobytes()
    with pytest.raises(MeshError, match="expected finite positions, but vertex 1"):
        read_mesh(ply(content))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_header_lines_may_end_in_spaces(ply, newline):
    head, body = TEXT.split("end_header\n")
    spaced = "".join(f"{line} {newline}" for line in [*head.splitlines(), "end_header"]) + body.replace("\n", newline)
    assert read_ply(ply(spaced)).faces.tolist() == read_ply(ply(TEXT)).faces.tolist()


def test_faces_with_more_numbers_than_the_header_says(ply):
    """An older exporter's colours of corners, which its header does not have; one line alone is damage."""
    more = TEXT.replace("element face 1", "element face 2").replace("3 0 1 2", "3 0 1 2 3 9 9 9\n3 2 1 0 3 9 9 9")
    assert read_ply(ply(more)).faces.tolist() == [[0, 1, 2], [2, 1, 0]]
    with pytest.raises(MeshError, match="the file is damaged"):
        read_ply(ply(more.replace("9 9 9\n3", "9 9\n3")))


def row_by_row(data: bytes, form: str, rows: int, lists: list[str]) -> list[list[list[float]]]:
    """The naive reference: each row in turn; `lists` are the types of the row's lists, "" for a scalar of 2 bytes."""
    at, found = 0, []
    for _ in range(rows):
        row = []
        for kind in lists:
            count = 1
            if kind:
                count, at = data[at], at + 1
            code = f"{form}{count}{kind or 'h'}"
            row.append(list(struct.unpack_from(code, data, at)))
            at += struct.calcsize(code)
        found.append(row)
    return found


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("lists", [["i"], ["", "i", "", "f"], ["f", "i"]])
def test_lists_of_mixed_length_by_columns_are_those_row_by_row(ply, order, lists):
    rng, rows, body = np.random.default_rng(0), 50, b""
    for _ in range(rows):
        for kind in lists:
            count = int(rng.integers(0, 6)) if kind else 1
            values = rng.integers(-9, 9, count).astype(f"{order}{(kind or 'h').replace('i', 'i4').replace('h', 'i2')}")
            body += (bytes([count]) if kind else b"") + values.tobytes()
    names = {"": "short", "i": "list uchar int", "f": "list uchar float"}
    header = f"ply\nformat binary_{'little' if order == '<' else 'big'}_endian 1.0\nelement face {rows}\n"
    header += "".join(f"property {names[kind]} p{number}\n" for number, kind in enumerate(lists))
    _, columns = read_columns(ply(header.encode() + b"end_header\n" + body + b"rest"))
    wanted = row_by_row(body, order, rows, lists)
    for number, kind in enumerate(lists):
        values, counts = columns["face"][f"p{number}"]
        assert values.tolist() == [value for row in wanted for value in row[number]]
        assert counts is None if not kind else counts.tolist() == [len(row[number]) for row in wanted]


def test_rows_of_mixed_length_take_few_calls_each(ply):
    rows, row = 20_000, bytes([3]) + bytes(12) + bytes([4]) + bytes(16)
    header = HEADER.format("binary_little_endian", 1) + f"element face {2 * rows}\n"
    header += "property list uchar int vertex_indices\nend_header\n"
    path, calls = ply(header.encode() + bytes(12) + rows * row), []
    sys.setprofile(lambda _frame, event, what: calls.append(what) if event in ("call", "c_call") else None)
    try:
        read_columns(path)
    finally:
        sys.setprofile(None)
    assert len(calls) < 5 * 2 * rows  # a handful a row: where it begins; the numbers come at once

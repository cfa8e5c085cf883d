"""Some of a mesh's faces alone, with what they look like."""

from __future__ import annotations

import numpy as np
from shapes import grid

from facegen.mesh import TriMesh
from facegen.mesh.appearance import Appearance
from facegen.mesh.material import Material
from facegen.mesh.portion import Portion
from facegen.mesh.tri_mesh import triangulate


def test_chosen_faces_keep_their_order_their_polygons_and_nothing_else() -> None:
    points = np.arange(21, dtype=float).reshape(7, 3) ** 2
    polygons = np.array([[0, 1, 2, 3], [1, 4, 2, -1], [6, 5, 4, 1]])
    whole = TriMesh.from_polygons(points, polygons, ("a line",))
    portion = Portion(whole, np.array([False, False, True, True, True]))
    np.testing.assert_array_equal(portion.vertices, [1, 2, 4, 5, 6])
    np.testing.assert_array_equal(portion.mesh.polygons, [[0, 2, 1, -1], [4, 3, 2, 0]])
    np.testing.assert_array_equal(portion.mesh.faces, triangulate(portion.mesh.polygons))
    np.testing.assert_array_equal(portion.mesh.vertices, points[portion.vertices])
    assert portion.mesh.left_out == ("a line",)


def test_what_they_look_like_goes_with_them() -> None:
    plate = grid(2, 4)
    chosen = np.zeros(len(plate.faces), bool)
    chosen[-2:] = True  # the triangles of which one is the first made of, and so on: the last two
    materials = tuple(Material(name=name) for name in ("one", "two", "three"))
    used = np.array([0, 0, 1, 1, 2, -1])
    uv = np.random.default_rng(0).random((8, 2)).astype(np.float32)
    colors = np.arange(24, dtype=np.uint8).reshape(8, 3)
    smooth = np.array([0, 1, 2, 2, 0, 5, 2, 7])
    portion = Portion(plate, chosen)
    worn = portion.dressed(Appearance(uv, plate.faces, materials, used, colors, ("a map",), smooth))
    assert [each.name for each in worn.materials] == ["three"]
    np.testing.assert_array_equal(worn.face_materials, [0, -1])
    np.testing.assert_array_equal(worn.uv[worn.corners], uv[plate.faces[-2:]])
    np.testing.assert_array_equal(worn.colors, colors[portion.vertices])
    # Vertices that are one to the light stay so, also where the first of them is gone.
    one = smooth[portion.vertices]
    np.testing.assert_array_equal(worn.smooth[:, None] == worn.smooth, one[:, None] == one)
    assert (worn.smooth <= np.arange(len(one))).all()

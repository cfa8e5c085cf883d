"""Any face mesh moves as the model's template does: the whole way, with the detector."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from one_face import cropped, decimated, fields, remeshed, subdivided, template, turned
from scipy.spatial.transform import Rotation
from shapes import grid, sphere

from facegen.detection import detector
from facegen.detection.search import UnseenError, find_landmarks
from facegen.errors import FacegenError, MeshError
from facegen.face import Face
from facegen.face_file import read_face, refusal_picture
from facegen.fitting.register import FitError
from facegen.landmarks.points import CHIN_TIP, FOREHEAD_TOP
from facegen.mesh import TriMesh, read_mesh, vertex_normals, write_mesh
from facegen.mesh.strain import turned_over
from facegen.mesh.surface import Surface
from facegen.mesh.topology import surface_pieces
from facegen.pictures.render import Camera

pytest.importorskip("mediapipe")
pytest.importorskip("embreex")


@pytest.fixture(scope="session")
def own() -> np.ndarray:
    """(468, 3) mm, landmarks of the template."""
    return find_landmarks(template(), "the template").points


@pytest.mark.parametrize("make", [decimated, subdivided, remeshed, cropped, turned])
def test_the_same_face_in_another_topology_moves_the_same_way(make) -> None:
    mesh, matrix = make()
    turn, scale = Rotation.from_quat(np.random.default_rng(5).normal(size=4)).as_matrix(), 0.1
    scan = TriMesh(scale * mesh.vertices @ turn.T + 7, mesh.faces)
    face = Face.of(template(), scan, name="the scan")
    assert (face.units, face.factor) == ("cm", 10)
    np.testing.assert_allclose(face.rotation @ turn, np.eye(3), atol=0.1)
    true = np.stack([matrix @ field for field in fields()])
    carried = face.carry(fields()) @ turn
    error = np.linalg.norm(carried - true, axis=-1)
    length = np.linalg.norm(true, axis=-1)
    for each, moved in zip(error, length, strict=True):
        moving = moved > 0.05 * moved.max()
        assert np.sqrt(np.mean(each[moving] ** 2) / np.mean(moved[moving] ** 2)) < 0.05
    flipped, wanted = (turned_over(mesh.vertices, mesh.vertices + x, mesh.faces).sum(axis=-1) for x in (carried, true))
    assert (flipped <= wanted + np.maximum(0.05 * wanted, 10)).all()


def test_landmarks_of_a_file_stand_for_the_detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh, matrix = decimated()
    seen = find_landmarks(mesh, "it").points
    chosen = [33, 133, 362, 263, 61, 291, 4]
    some = np.full((468, 3), np.nan)
    some[chosen] = seen[chosen] / 10
    face = Face.of(template(), mesh.with_vertices(mesh.vertices / 10), landmarks=some)
    error = face.carry(fields()) - np.stack([matrix @ field for field in fields()])
    assert np.sqrt(np.mean(error**2)) < 0.1 * np.sqrt(np.mean(fields() ** 2))


def test_without_the_detector_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "mediapipe"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    monkeypatch.setattr(detector, "_made", threading.local())  # one that other tests have made would do
    with pytest.raises(FacegenError, match=r"'mediapipe'.*pip install 'facegen\[photo\]' \(with Python 3.11 or 3.12"):
        Face.of(template(), decimated()[0])


def test_what_is_no_face_is_refused_with_a_picture() -> None:
    with pytest.raises(UnseenError, match="ball: no face is seen") as error:
        Face.of(template(), sphere(), name="ball")
    picture = refusal_picture(error.value)
    assert picture.dtype == np.uint8
    assert picture.shape == (4 * 160, 6 * 160, 3)  # 24 views at half their size


def test_a_surface_without_depth_and_one_wound_both_ways_are_refused_with_a_reason() -> None:
    mesh, _ = decimated()
    with pytest.raises(MeshError, match="without depth"):
        Face.of(template(), mesh.with_vertices(mesh.vertices * [1, 1, 0]))
    for scale in (0, 1e-30):
        with pytest.raises(MeshError, match="all vertices at one place"):
            Face.of(template(), mesh.with_vertices(mesh.vertices * scale))
    other = np.random.default_rng(0).random(len(mesh.faces)) < 0.5
    faces = np.where(other[:, None], mesh.faces[:, ::-1], mesh.faces)
    with pytest.raises(UnseenError, match="wound both ways"):
        Face.of(template(), TriMesh(mesh.vertices, faces))


def test_a_mesh_without_extent_is_refused() -> None:
    with pytest.raises(MeshError, match="it: expected the surface of a face, found all vertices at one place"):
        Face.of(template(), template().with_vertices(template().vertices * 0 + 5), name="it")
    with pytest.raises(MeshError, match=r"it: .* at one place \(it is \S+e-28 units large\)"):
        Face.of(template(), template().with_vertices(template().vertices * 1e-30), name="it")


def test_a_fit_on_which_no_vertex_lies_is_refused_with_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facegen.fitting.transfer.ANCHOR_GAP", 0.0)
    with pytest.raises(FitError, match="hardly any vertex") as error:
        Face.of(template(), decimated()[0])
    assert error.value.laid.digest == template().digest
    assert refusal_picture(error.value).shape == (448, 2 * 448, 3)  # the mesh, and beside it the template


def _body(head: TriMesh) -> TriMesh:
    """A head of mm on a body of spindles, 1.8 m tall, arms to the sides."""
    ball = sphere(400)
    top = head.vertices[:, 1].max()
    limbs = [((0, -640, -30), (150, 300, 100)), ((0, -360, -30), (850, 45, 45))]
    limbs += [((side * 90, -1340, -30), (70, 460, 70)) for side in (-1, 1)]
    vertices, faces = [head.vertices], [head.faces]
    for middle, radii in limbs:
        faces.append(ball.faces + sum(map(len, vertices)))
        vertices.append(ball.vertices / 50 * radii + middle + [0, top, 0])
    return TriMesh(np.concatenate(vertices), np.concatenate(faces))


def test_the_face_of_a_whole_body_is_found_and_moves_alone() -> None:
    mesh, matrix = decimated()
    body = _body(mesh)
    assert np.ptp(body.vertices, axis=0)[1] == pytest.approx(1800, rel=0.02)
    count = len(mesh.vertices)
    # Upright in a file whose third axis points up, in metres.
    face = Face.of(template(), body.with_vertices(body.vertices[:, [2, 0, 1]] / 1000))
    assert face.units == "m"
    moved = face.carry(fields())[..., [1, 2, 0]]
    assert not moved[:, count:].any()
    error = moved[:, :count] - np.stack([matrix @ field for field in fields()])
    assert np.sqrt(np.mean(error**2)) < 0.08 * np.sqrt(np.mean(fields() ** 2))


def test_pictures_of_a_body_show_the_face_and_those_of_a_head_all_of_it(own: np.ndarray) -> None:
    head, body = template(), _body(template())
    faces = [Face(mesh, lambda moved: moved, np.eye(3), None, "mm", 1.0, own) for mesh in (head, body)]
    assert faces[0].focus() is None
    shown = faces[1].focus()
    # Turned anyhow, it is the same part.
    turn = Rotation.from_euler("zyx", [80, 30, 10], degrees=True).as_matrix()
    lying = body.with_vertices(body.vertices @ turn)
    np.testing.assert_array_equal(Face(lying, lambda moved: moved, turn, None, "mm", 1.0, own @ turn).focus(), shown)
    camera = Camera.framing(body.vertices, focus=shown)
    at = (own[[FOREHEAD_TOP, CHIN_TIP]] - camera.position) @ camera.axes.T
    high, low = at[:, 1] / -at[:, 2] / np.tan(np.radians(camera.field_of_view) / 2)
    assert 0.58 < (high - low) / 2 < 0.72
    assert low > -0.9 and high < 0.7


def test_landmarks_of_a_file_that_lie_on_no_face_are_refused(own: np.ndarray) -> None:
    mesh, _ = decimated()
    with pytest.raises(FitError, match="it: the landmarks lie on no face") as error:
        Face.of(template(), mesh, landmarks=own * [1, -1, 1], name="it", own=own)
    assert refusal_picture(error.value).shape == (448, 448, 3)


def test_landmarks_far_from_the_mesh_and_a_mesh_without_a_triangle_are_refused(own: np.ndarray) -> None:
    mesh, _ = decimated()
    with pytest.raises(FitError, match="it: nothing of it lies at the landmarks; give them in the mesh's own units"):
        Face.of(template(), mesh, landmarks=own + [1000, 0, 0], name="it", own=own)
    flat = TriMesh(mesh.vertices, mesh.faces[:, [0, 0, 1]])
    with pytest.raises(MeshError, match="it: expected the surface of a face, found no triangle with an area"):
        Face.of(template(), flat, landmarks=own, name="it", own=own)


def test_a_hundred_thousand_vertices_on_no_face_take_no_time_each(own: np.ndarray) -> None:
    mesh, _ = decimated()
    marks = find_landmarks(mesh, "it").points
    cloud = np.random.default_rng(0).normal(0, 100, (100_000, 3))
    began = time.process_time()
    face = Face.of(template(), TriMesh(np.concatenate([mesh.vertices, cloud]), mesh.faces), landmarks=marks, own=own)
    assert time.process_time() - began < 30  # where each was looked at alone, it took minutes
    assert np.isfinite(face.carry(fields())).all()


def test_a_group_that_alone_bears_a_face_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    head, cover = decimated()[0], sphere()
    write_mesh(
        tmp_path / "both.obj",
        TriMesh(
            np.concatenate([cover.vertices, head.vertices]),
            np.concatenate([cover.faces, len(cover.vertices) + head.faces]),
        ),
    )
    lines = (tmp_path / "both.obj").read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("f "))
    lines[first:first] = ["g cover"]
    lines[first + 1 + len(cover.faces) : first + 1 + len(cover.faces)] = ["g person"]
    (tmp_path / "both.obj").write_text("\n".join(lines))
    bearing: set[int] = set()

    def of(template: TriMesh, mesh: TriMesh, *_) -> Face:
        if len(mesh.vertices) not in bearing:
            raise UnseenError("it: no face", [np.zeros((64, 64, 3), np.uint8)])
        return Face(mesh, lambda moved: moved, np.eye(3), None, "mm", 1.0)

    monkeypatch.setattr(Face, "of", of)

    def read(**more) -> Face:
        return read_face(tmp_path / "both.obj", template(), tmp_path / "out.glb", **more)

    bearing.add(len(head.vertices))
    face = read()
    np.testing.assert_array_equal(face.mesh.vertices, head.vertices)
    assert face.portion is not None and len(face.portion.whole.faces) == len(head.faces) + len(cover.faces)
    assert "one in its group 'person' alone, which is taken" in capsys.readouterr().out
    assert len(read(groups="person").mesh.vertices) == len(head.vertices)
    with pytest.raises(FacegenError, match="^it: no face; .*out.refused.png shows"):
        read(groups="cover")
    bearing.add(len(cover.vertices))
    with pytest.raises(FacegenError, match="groups 'person' and 'cover' bear a face each"):
        read()
    bearing.clear()
    with pytest.raises(FacegenError, match=r"it has 2 groups \(person, cover\): --groups NAMES takes some alone"):
        read()


def test_units_that_contradict_the_size_are_refused() -> None:
    mesh, _ = decimated()
    with pytest.raises(MeshError, match="times the size"):
        Face.of(template(), mesh, units="m")
    with pytest.raises(MeshError, match="unknown unit 'inch'"):
        Face.of(template(), mesh, units="inch")
    assert Face.of(template(), mesh.with_vertices(mesh.vertices * 37)).factor == pytest.approx(1 / 37, rel=0.02)


def seen_from_the_front(mesh: TriMesh) -> TriMesh:
    """What a depth camera makes of a mesh in mm: one sheet, lips and all."""
    import trimesh

    across, up = np.meshgrid(np.arange(-75, 75.1, 1.5), np.arange(-110, 110.1, 1.5))
    origins = np.stack([across.ravel(), up.ravel(), np.full(across.size, 500.0)], axis=1)
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    hits, rays, _ = solid.ray.intersects_location(origins, np.tile([0, 0, -1.0], (len(origins), 1)), False)
    points = origins.copy()
    points[:, 2] = np.nan
    points[rays] = hits
    sheet = grid(*across.shape).faces
    depth = points[sheet, 2]
    used, faces = np.unique(sheet[np.isfinite(depth).all(axis=1) & (np.ptp(depth, axis=1) < 12)], return_inverse=True)
    return TriMesh(points[used], faces.reshape(-1, 3))


def test_fused_lips_are_said(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for name, mesh in (("sheet.obj", seen_from_the_front(template())), ("two.obj", subdivided()[0])):
        write_mesh(tmp_path / name, mesh)
        read_face(tmp_path / name, template(), tmp_path / "out.glb", None, None)
        assert ("one sheet of skin closes its mouth" in capsys.readouterr().out) == (name == "sheet.obj")


PARTS = {
    "face": slice(0, 9409),
    "back of the head": slice(9409, 11248),
    "gums": slice(14062, 17039),
    "upper teeth": slice(17039, 19247),
    "lower teeth": slice(19247, 21451),
    "eyeballs": slice(21451, 24591),
    "lashes": slice(25351, 26719),
}
"""Of the ICT Face Model, by the README of its repository."""


@pytest.fixture(scope="session")
def head(ict_root: Path) -> tuple[TriMesh, np.ndarray]:
    """The full ICT head in cm, and what the built-in faces' fields do to it, mm."""
    mesh = read_mesh(ict_root / "FaceXModel" / "generic_neutral_mesh.obj")
    face = Face.of(template(), mesh)
    assert face.units == "cm"
    assert face.mesh.polygons is not None
    return face.mesh, face.carry(fields())


def test_a_whole_head_smiles_and_opens_its_mouth(head, ict_root: Path) -> None:
    mesh, moved = head
    part = PARTS["face"]
    drawn = {3: ("mouthSmile_L", "mouthSmile_R"), 5: ("jawOpen",), 0: ("browInnerUp_L", "browInnerUp_R")}
    for field, names in drawn.items():
        paths = [ict_root / "FaceXModel" / f"{name}.obj" for name in names]
        own = sum(read_mesh(path).vertices * 10 - mesh.vertices for path in paths)[part]
        # Where both move at all they move alike, in direction and place; whoever drew them drew two different faces.
        one, two = np.linalg.norm(moved[field][part], axis=1), np.linalg.norm(own, axis=1)
        assert (moved[field][part] * own).sum() > 0.7 * np.sqrt((one**2).sum() * (two**2).sum())


def test_eyes_and_teeth_stay_whole(head) -> None:
    mesh, moved = head
    assert not moved[:, PARTS["eyeballs"]].any()
    assert not moved[:, PARTS["upper teeth"]].any()
    opened = moved[5]
    lower = PARTS["lower teeth"]
    assert (opened[lower, 1].mean(), opened[lower, 1].max()) < (-5, 0)
    was, now = mesh.vertices[lower], mesh.vertices[lower] + opened[lower]
    turn = Rotation.align_vectors(now - now.mean(axis=0), was - was.mean(axis=0))[0]
    np.testing.assert_allclose(turn.apply(was - was.mean(axis=0)), now - now.mean(axis=0), atol=1e-3)
    # Lashes keep to their lids.
    far = np.linalg.norm(moved, axis=2)
    assert (far[:, PARTS["lashes"]].max(axis=1) <= far[:, PARTS["face"]].max(axis=1)).all()


def test_the_lips_part_and_the_rest_of_the_head_is_still(head) -> None:
    mesh, moved = head
    label = surface_pieces(mesh)[1]
    upper, lower = 5533, 5517  # inner lips in the middle, points 62 and 66 of the Multi-PIE 68, counted from 0
    gap = mesh.vertices[upper, 1] - mesh.vertices[lower, 1]
    opened = moved[5]
    assert gap + opened[upper, 1] - opened[lower, 1] > gap + 8
    back = (mesh.vertices[:, 2] < -30) & (mesh.vertices[:, 1] > -60)
    assert np.abs(moved[:, back & (label == 0)]).max() < 2  # beside the corner of the jaw
    # Nothing is torn: no edge of the skin grows by more than what the mouth opens.
    edges = mesh.edges[(label[mesh.edges] == label[0]).all(axis=1)]
    step = np.linalg.norm(opened[edges[:, 0]] - opened[edges[:, 1]], axis=1)
    assert np.quantile(step, 0.999) < 6


def _depth(solid: TriMesh, points: np.ndarray) -> float:
    """How deep, mm, the deepest of `points` (N, 3) lies behind a surface."""
    hits = Surface(solid, 1e-9).nearest(points, np.zeros_like(points), tried=12)
    off = points - hits.points
    behind = np.einsum("nc,nc->n", off, hits.normals) < 0
    return float(np.linalg.norm(off, axis=1)[behind & ~hits.border].max(initial=0))


def _part(mesh: TriMesh, vertices: np.ndarray, chosen: np.ndarray) -> TriMesh:
    used, faces = np.unique(mesh.faces[np.isin(mesh.faces, chosen).all(axis=1)], return_inverse=True)
    return TriMesh(vertices[used], faces.reshape(-1, 3))


def test_nothing_goes_through_lips_and_lids_that_did_not_at_rest(head) -> None:
    mesh, moved = head
    skin = np.r_[0:9409, 11248:13294]
    teeth = [np.arange(len(mesh.vertices))[PARTS[name]] for name in ("upper teeth", "lower teeth")]
    balls = [np.arange(21451, 22221), np.arange(23021, 23791)]
    seen = np.flatnonzero(vertex_normals(mesh.vertices, mesh.faces)[:9409, 2] > 0.2)
    # Inside the mouth, an artist's own smile lets teeth lie 4.4 mm deeper in the skin than at rest.
    bound = np.array([2.0, 2.0, 0.25, 0.25, 0.25, 0.25])

    def depths(vertices: np.ndarray) -> np.ndarray:
        lids = [
            np.flatnonzero(np.linalg.norm(vertices[:9409] - vertices[ball].mean(axis=0), axis=1) < 30) for ball in balls
        ]
        surface = _part(mesh, vertices, skin)
        return np.array(
            [_depth(surface, vertices[row]) for row in teeth]
            + [_depth(_part(mesh, vertices, row), vertices[seen]) for row in teeth]
            + [_depth(_part(mesh, vertices, ball), vertices[lid]) for ball, lid in zip(balls, lids, strict=True)]
        )

    rest = depths(mesh.vertices)
    for field in moved:
        assert (depths(mesh.vertices + field) < rest + bound).all()

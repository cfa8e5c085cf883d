from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from urllib.parse import unquote

import numpy as np
import pytest
import trimesh
from pygltflib import GLTF2

from facegen.errors import FacegenError
from facegen.exporters.glb import pack, write_glb, write_gltf
from facegen.mesh.appearance import Appearance
from facegen.mesh.formats.gltf_buffer import Buffer
from facegen.mesh.material import Material
from facegen.sequence.frames import CHUNK_FRAMES, Frames
from facegen.sequence.sequence import Sequence

WIDTHS = {"SCALAR": 1, "VEC3": 3}
DTYPES = {5126: "<f4", 5123: "<u2", 5125: "<u4"}


def read(path):
    """What pygltflib finds in the file: positions, indices, weights, times as a viewer would play them."""
    document = GLTF2().load(str(path))
    (buffer,) = document.buffers
    blob = (path.parent / unquote(buffer.uri)).read_bytes() if buffer.uri else document.binary_blob()
    assert len(blob) - buffer.byteLength in range(4)

    def array(index):
        accessor = document.accessors[index]
        view = document.bufferViews[accessor.bufferView]
        assert view.byteOffset % 4 == 0
        shape = accessor.count, WIDTHS[accessor.type]
        data = np.frombuffer(blob, DTYPES[accessor.componentType], np.prod(shape), view.byteOffset)
        assert data.nbytes == view.byteLength
        return data.reshape(shape)

    primitive = document.meshes[0].primitives[0]
    base = array(primitive.attributes.POSITION).astype(np.float64)
    targets = np.array([array(target["POSITION"]) for target in primitive.targets or []])
    normals = array(primitive.attributes.NORMAL), np.array([array(t["NORMAL"]) for t in primitive.targets or []])
    if not document.animations:
        return document, base[None], np.zeros(1), np.zeros((1, 0)), array(primitive.indices), normals
    sampler = document.animations[0].samplers[0]
    times, weights = array(sampler.input).ravel(), array(sampler.output).reshape(-1, len(targets))
    shown = base + np.einsum("tk,kvc->tvc", weights.astype(np.float64), targets)
    return document, shown, times, weights, array(primitive.indices), normals


def test_reads_back_within_the_reported_error(moving, tmp_path):
    sequence = moving(30, 5, noise=0.02)
    report = write_glb(sequence, tmp_path / "a.glb", tolerance=0.2)
    document, shown, times, weights, indices, _ = read(tmp_path / "a.glb")
    error = np.linalg.norm(shown * 1000 - sequence.vertices, axis=-1)
    assert error.max() == pytest.approx(report.max_error_mm, rel=1e-4)
    assert error.mean() == pytest.approx(report.mean_error_mm, rel=1e-4)
    assert report.max_error_mm <= 0.2
    np.testing.assert_allclose(times, np.arange(30) / 25, rtol=1e-6)
    np.testing.assert_array_equal(indices.reshape(-1, 3), sequence.faces)
    assert weights.min() == 0 and weights.max(axis=0) == pytest.approx(1)
    assert report.bytes == (tmp_path / "a.glb").stat().st_size
    assert document.asset.extras["expressions"] == ["smile", "frown"]
    assert len(document.meshes[0].extras["targetNames"]) == report.targets == weights.shape[1]
    np.testing.assert_allclose(document.meshes[0].weights, weights[0])


@pytest.mark.parametrize("rank", [1, 3, 6])
def test_a_motion_of_rank_n_needs_n_targets_and_one_against_them(moving, tmp_path, rank):
    """Viewers that stop weights at 0, as Blender does, show the whole motion."""
    sequence = moving(20, rank)
    there_and_back = np.diff(np.sign(np.sin(np.linspace(0, 3, 20) * rank))[1:]).any()
    report = write_glb(sequence, tmp_path / "a.glb", tolerance=0.01)
    assert report.targets == rank + (1 if there_and_back else 0)
    _, shown, _, weights, *_ = read(tmp_path / "a.glb")
    assert weights.min() >= 0
    assert np.linalg.norm(shown * 1000 - sequence.vertices, axis=-1).max() <= 0.01
    assert not weights[0].any()


@pytest.mark.parametrize("frames", [25, 150])
def test_one_target_fewer_would_break_the_tolerance(moving, tmp_path, frames):
    sequence = moving(frames, 8, noise=0.3)
    report = write_glb(sequence, tmp_path / "a.glb", tolerance=1.0)
    moved = (sequence.vertices - sequence.vertices[0]).reshape(frames, -1).astype(np.float64)
    left, values, right = np.linalg.svd(moved, full_matrices=False)

    def worst(rank):
        missed = moved - (left[:, :rank] * values[:rank]) @ right[:rank]
        return np.linalg.norm(missed.reshape(frames, -1, 3), axis=-1).max()

    rank = report.targets - 1  # one is against the others
    assert worst(rank) <= 1.0 < worst(rank - 1)
    assert report.max_error_mm == pytest.approx(worst(rank), rel=1e-3)


def test_directions_that_are_left_out_cost_no_more_than_the_tolerance(moving, tmp_path):
    sequence = moving(200, 6, noise=0.004)
    report = write_glb(sequence, tmp_path / "a.glb")
    assert report.targets == 6 + 1
    _, shown, *_ = read(tmp_path / "a.glb")
    assert np.linalg.norm(shown * 1000 - sequence.vertices, axis=-1).max() <= 0.1


def test_gltf_has_the_same_numbers_in_a_file_beside_it(moving, tmp_path):
    sequence = moving(30, 5, noise=0.02)
    write_glb(sequence, tmp_path / "a.glb")
    report = write_gltf(sequence, tmp_path / "two words.gltf")
    files = sorted(tmp_path.iterdir())
    digest = hashlib.sha256(files[1].read_bytes()).hexdigest()[:12]
    assert [file.name for file in files] == ["a.glb", f"two words.{digest}.bin", "two words.gltf"]
    assert report.bytes == sum(file.stat().st_size for file in files[1:])
    (document, *one), (_, *two) = read(files[2]), read(files[0])
    assert document.buffers[0].uri == f"two%20words.{digest}.bin"
    for a, b in zip(one[:4], two[:4], strict=True):
        np.testing.assert_array_equal(a, b)


def test_trimesh_opens_both(moving, tmp_path):
    sequence = moving(5)
    for name, write in (("a.glb", write_glb), ("b.gltf", write_gltf)):
        write(sequence, tmp_path / name)
        mesh = trimesh.load(tmp_path / name, force="mesh", process=False)
        np.testing.assert_allclose(mesh.vertices * 1000, sequence.vertices[0], atol=5e-5)


@pytest.mark.parametrize("write", [write_glb, write_gltf])
def test_texture_and_coordinates_are_kept_along_a_seam(dressed, tmp_path, write):
    path = tmp_path / ("a.glb" if write is write_glb else "a.gltf")
    write(dressed, path)
    mesh = trimesh.load(path, force="mesh", process=False)
    seen = mesh.vertices[mesh.faces] * 1000, mesh.visual.uv[mesh.faces]
    np.testing.assert_allclose(seen[0], dressed.vertices[0][dressed.faces], atol=5e-5)
    np.testing.assert_allclose(seen[1], dressed.appearance.uv[dressed.appearance.corners], atol=1e-6)
    np.testing.assert_array_equal(np.array(mesh.visual.material.baseColorTexture), [[0x10, 0x90]] * 2)
    _, shown, *_ = read(path)
    assert shown.shape[1] == 144 + 12  # those on the seam stand twice
    np.testing.assert_allclose(shown[:, :144] * 1000, dressed.vertices, atol=0.1)


def test_one_colour_needs_no_coordinates(dressed, tmp_path):
    plain = Appearance.plain(len(dressed.faces), materials=(Material("", (0.25, 0.5, 0.75)),))
    write_glb(replace(dressed, appearance=plain), tmp_path / "a.glb")
    document, shown, *_ = read(tmp_path / "a.glb")
    assert document.materials[0].pbrMetallicRoughness.baseColorFactor == [0.25, 0.5, 0.75, 1.0]
    assert shown.shape[1] == 144 and not document.images


def test_what_stands_still_has_no_numbers_in_the_file(moving, tmp_path):
    """The half that never moves shares one accessor without a view, which is zero; the other half is what it was."""
    sequence = moving(20, 3)
    middle = sequence.vertices[0][:, 0].mean()
    still = (sequence.vertices[0][sequence.faces][..., 0] < middle).any(axis=1)
    vertices = np.array(sequence.vertices)
    vertices[:, np.unique(sequence.faces[still])] = vertices[0, np.unique(sequence.faces[still])]
    two = Appearance.plain(
        len(sequence.faces), materials=(Material("still"), Material("moved")), face_materials=np.where(still, 0, 1)
    )
    write_glb(replace(sequence, vertices=vertices, polygons=None, appearance=two), tmp_path / "a.glb")
    document = GLTF2().load(str(tmp_path / "a.glb"))
    first, second = document.meshes[0].primitives
    accessors = {target["POSITION"] for target in first.targets}
    (zero,) = (document.accessors[index] for index in accessors)
    assert zero.bufferView is None and zero.sparse is None and zero.min == zero.max == [0, 0, 0]
    moved = [document.accessors[target["POSITION"]] for target in second.targets]
    assert len(first.targets) == len(moved) > 1
    assert all(each.bufferView is not None or each.sparse is not None for each in moved)


@pytest.mark.parametrize("per_frame", [False, True])
def test_seams_of_a_file_are_lit_as_one_surface(moving, tmp_path, per_frame):
    """Vertices that stand twice have one normal in every frame, as the file's own normals say they do."""
    sequence = moving(20, 3)
    look = Appearance.plain(len(sequence.faces))
    right = sequence.vertices[0][sequence.faces][..., 0].mean(axis=1) > sequence.vertices[0][:, 0].mean()
    faces = sequence.faces + np.where(right, sequence.vertices.shape[1], 0)[:, None]
    used, faces = np.unique(faces, return_inverse=True)
    same = used % sequence.vertices.shape[1]
    smooth = np.unique(same, return_index=True)[1][np.unique(same, return_inverse=True)[1]]
    cut = replace(
        sequence,
        vertices=sequence.vertices[:, same],
        faces=faces.reshape(-1, 3),
        polygons=None,
        appearance=replace(look, smooth=smooth),
    )
    assert len(same) > sequence.vertices.shape[1]
    write_glb(cut, tmp_path / "a.glb", per_frame=per_frame)
    _, _, _, weights, _, (base, targets) = read(tmp_path / "a.glb")
    shown = base + np.einsum("tk,kvc->tvc", weights, targets)
    np.testing.assert_allclose(shown, shown[:, smooth], atol=1e-6)
    np.testing.assert_allclose(base, sequence.normals(sequence.vertices[0])[same], atol=1e-6)
    plain = replace(cut, appearance=look)
    assert np.abs(plain.normals(plain.vertices[9]) - plain.normals(plain.vertices[9])[smooth]).max() > 0.05


def test_displacements_of_few_vertices_are_sparse(tmp_path):
    array = np.zeros((100, 3), np.float32)
    array[[3, 70]] = [[1, 2, 3], [-4, 5, -6]]
    with (tmp_path / "numbers").open("w+b") as file:
        buffer = Buffer(file)
        number = buffer.add_displacements(array, bounds=True)
        dense = buffer.add_displacements(array + 1)
        zero = {buffer.add_displacements(0 * array), buffer.add_displacements(0 * array)}
        file.seek(0)
        data = file.read()
    found, sparse = buffer.accessors[number], buffer.accessors[number]["sparse"]
    assert (found["min"], found["max"], found["count"], sparse["count"]) == ([-4, 0, -6], [1, 5, 3], 100, 2)
    rows, values = (buffer.views[sparse[name]["bufferView"]] for name in ("indices", "values"))
    assert np.frombuffer(data, "<u2", 2, rows["byteOffset"]).tolist() == [3, 70]
    assert np.frombuffer(data, "<f4", 6, values["byteOffset"]).tolist() == [1, 2, 3, -4, 5, -6]
    assert "bufferView" not in found and "sparse" not in buffer.accessors[dense]
    assert len(zero) == 1 and not {"bufferView", "sparse"} & set(buffer.accessors[zero.pop()])


def test_gltf_that_fails_leaves_nothing(moving, tmp_path):
    with pytest.raises(FacegenError, match="below what float32 holds"):
        write_gltf(moving(), tmp_path / "a.gltf", tolerance=1e-9)
    assert list(tmp_path.iterdir()) == []


def test_more_than_a_glb_holds_is_refused():
    with pytest.raises(FacegenError, match=r"up to 4 GB, these frames make 4\.3 GB; take \.gltf"):
        pack({"buffers": [{"byteLength": 1 << 32}]}, io.BytesIO(), io.BytesIO())


def test_bounds_are_those_of_the_data(moving, tmp_path):
    write_glb(moving(), tmp_path / "a.glb")
    document, shown, times, *_ = read(tmp_path / "a.glb")
    position = document.accessors[document.meshes[0].primitives[0].attributes.POSITION]
    np.testing.assert_allclose(position.min, shown[0].min(axis=0), atol=1e-7)
    np.testing.assert_allclose(position.max, shown[0].max(axis=0), atol=1e-7)
    clock = document.accessors[document.animations[0].samplers[0].input]
    assert (clock.min, clock.max) == ([times.min()], [times.max()])
    for target in document.meshes[0].primitives[0].targets:
        assert len(document.accessors[target["POSITION"]].max) == 3


@pytest.mark.parametrize("swing", [np.linspace(0, 1, 15), 0.7 * np.sin(np.linspace(0, 6.28, 15))])
def test_normals_follow_the_motion(moving, tmp_path, swing):
    from facegen.mesh.tri_mesh import vertex_normals

    vertices, faces = moving(1, 0).vertices[0], moving(1, 0).faces
    lean = swing[:, None, None] * vertices[:, [0]] * np.array([0, 0, 0.5])
    sequence = Sequence(vertices + lean, faces, 25, np.zeros((15, 0)), ())
    write_glb(sequence, tmp_path / "a.glb", tolerance=0.01)
    *_, weights, _, (base, moved) = read(tmp_path / "a.glb")
    shown = base + np.einsum("tk,kvc->tvc", weights, moved)
    shown /= np.linalg.norm(shown, axis=-1, keepdims=True)
    wanted = vertex_normals(sequence.vertices, faces)
    still = (wanted * wanted[0]).sum(axis=-1).min()
    assert (shown * wanted).sum(axis=-1).min() > 1 - (1 - still) / 10
    np.testing.assert_allclose(np.linalg.norm(base, axis=1), 1, atol=1e-6)


def test_per_frame_is_exact_and_writes_repeated_poses_once(moving, tmp_path):
    sequence = moving(6, 4)
    order = [0, 1, 2, 1, 3, 0, 5]
    sequence = Sequence(sequence.vertices[order], sequence.faces, 25, sequence.motion[order], sequence.expressions)
    report = write_glb(sequence, tmp_path / "a.glb", per_frame=True)
    _, shown, _, weights, *_ = read(tmp_path / "a.glb")
    assert report.targets == 4
    assert set(np.unique(weights)) == {0.0, 1.0} and weights.sum(axis=1).tolist() == [0, 1, 1, 1, 1, 0, 1]
    np.testing.assert_allclose(shown * 1000, sequence.vertices, atol=5e-5)
    assert report.max_error_mm < 1e-4


@pytest.mark.parametrize("per_frame", [False, True])
@pytest.mark.parametrize("frames", [1, 5])
def test_without_motion_the_file_is_a_still_mesh(moving, tmp_path, frames, per_frame):
    sequence = moving(frames, 0)
    report = write_glb(sequence, tmp_path / "a.glb", per_frame=per_frame)
    document, shown, *_ = read(tmp_path / "a.glb")
    assert (report.targets, report.frames, document.animations) == (0, frames, [])
    np.testing.assert_allclose(shown[0] * 1000, sequence.vertices[0], atol=5e-5)


def test_large_meshes_get_wide_indices(tmp_path):
    count = 65536
    vertices = np.random.default_rng(0).normal(size=(1, count, 3))
    sequence = Sequence(vertices, [[0, 1, count - 1]], 25, np.zeros((1, 0)), ())
    write_glb(sequence, tmp_path / "a.glb")
    assert read(tmp_path / "a.glb")[4].ravel().tolist() == [0, 1, count - 1]


@pytest.mark.parametrize("tolerance", [0, -1, float("nan"), float("inf")])
def test_a_tolerance_that_is_none_is_refused(moving, tmp_path, tolerance):
    with pytest.raises(FacegenError, match="positive number of mm"):
        write_glb(moving(), tmp_path / "a.glb", tolerance=tolerance)


def test_refusals_leave_nothing(moving, tmp_path):
    sequence = moving()
    with pytest.raises(FacegenError, match="below what float32 holds"):
        write_glb(sequence, tmp_path / "a.glb", tolerance=1e-9)
    bare = Sequence(sequence.vertices, np.empty((0, 3)), 25, sequence.motion, sequence.expressions)
    with pytest.raises(FacegenError, match="faces"):
        write_glb(bare, tmp_path / "a.glb")
    broken = sequence.vertices.copy()
    broken[3, 4] = np.nan
    with pytest.raises(FacegenError, match="NaN"):
        write_glb(Sequence(broken, sequence.faces, 25, sequence.motion, sequence.expressions), tmp_path / "a.glb")
    assert list(tmp_path.iterdir()) == []


class Made(Frames):
    """Frames that count how often each was made."""

    def __init__(self, frames: np.ndarray) -> None:
        super().__init__(frames.shape)
        self.frames, self.counts = frames, np.zeros(len(frames), int)

    def read(self, start, stop):
        self.counts[start:stop] += 1
        return self.frames[start:stop]


@pytest.mark.parametrize("write, name", [(write_glb, "face.glb"), (write_gltf, "face.gltf")])
@pytest.mark.parametrize("per_frame", [False, True])
def test_what_takes_long_to_make_is_made_once(moving, tmp_path, write, name, per_frame):
    sequence = moving(CHUNK_FRAMES + 20, 5)
    frames = Made(sequence.vertices)
    made = write(replace(sequence, vertices=frames), tmp_path / name, tolerance=0.5, per_frame=per_frame)
    assert frames.counts[1:].tolist() == [1] * (len(frames) - 1) and frames.counts[0] <= 2
    kept = write(sequence, tmp_path / f"kept{name[4:]}", tolerance=0.5, per_frame=per_frame)
    assert replace(made, seconds=0) == replace(kept, seconds=0)
    assert not [path.name for path in tmp_path.iterdir() if path.suffix not in (".glb", ".gltf", ".bin")]

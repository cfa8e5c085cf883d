"""Read back and checked by USD's own libraries."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from facegen.errors import FacegenError
from facegen.exporters.usd import write_usd
from facegen.sequence.sequence import Sequence

Usd = pytest.importorskip("pxr.Usd")
from pxr import UsdGeom, UsdShade, UsdValidation  # noqa: E402

TESTS = Path(__file__).parents[1]
SUFFIXES = [".usd", ".usda", ".usdc", ".usdz"]


@pytest.fixture(params=SUFFIXES)
def stage(request, moving, tmp_path):
    """A sequence of 70 frames, the report on it, and the stage that was written."""
    sequence = moving(70, fps=30)
    report = write_usd(sequence, tmp_path / f"smile{request.param}")
    assert [path.name for path in tmp_path.iterdir()] == [f"smile{request.param}"]
    return sequence, report, Usd.Stage.Open(str(tmp_path / f"smile{request.param}"))


def test_points_over_time_are_the_vertices(stage):
    sequence, report, found = stage
    mesh = UsdGeom.Mesh(found.GetPrimAtPath("/face/surface"))
    assert report.startswith("70 frames, ")
    codes = [t * 24 / 30 for t in range(70)]  # seconds times 24
    assert mesh.GetPointsAttr().GetTimeSamples() == pytest.approx(codes)
    for code, vertices in zip(codes, sequence.vertices, strict=True):
        np.testing.assert_allclose(mesh.GetPointsAttr().Get(code), vertices, rtol=1e-6)
        low, high = mesh.GetExtentAttr().Get(code)
        np.testing.assert_allclose([low, high], [vertices.min(axis=0), vertices.max(axis=0)], rtol=1e-6)
    normals = np.array(mesh.GetNormalsAttr().Get(codes[33]))
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    outside = trimesh.Trimesh(sequence.vertices[33], sequence.faces, process=False).vertex_normals
    assert np.einsum("vc,vc->v", normals, outside).min() > 0.5  # trimesh weights by angle
    assert mesh.GetNormalsInterpolation() == "vertex"


def test_the_stage_says_its_units_axis_and_rate(stage):
    _, _, found = stage
    assert UsdGeom.GetStageUpAxis(found) == "Y"
    assert UsdGeom.GetStageMetersPerUnit(found) == 0.001
    assert (found.GetTimeCodesPerSecond(), found.GetFramesPerSecond()) == (24, 24)
    assert (found.GetStartTimeCode(), found.GetEndTimeCode()) == (0, pytest.approx(69 / 30 * 24))
    assert found.GetDefaultPrim().GetPath() == "/face"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_scene_of_another_rate_gets_its_time_codes(moving, tmp_path, suffix):
    sequence = moving(5, fps=12.5)
    write_usd(sequence, tmp_path / f"a{suffix}", scene_fps=60)
    found = Usd.Stage.Open(str(tmp_path / f"a{suffix}"))
    assert (found.GetTimeCodesPerSecond(), found.GetEndTimeCode()) == (60, pytest.approx(4 / 12.5 * 60))
    points = UsdGeom.Mesh(found.GetPrimAtPath("/face/surface")).GetPointsAttr()
    assert points.GetTimeSamples() == pytest.approx([0, 4.8, 9.6, 14.4, 19.2])


@pytest.mark.parametrize("rate", [0, -1, 1001, float("nan")])
def test_no_rate_of_a_scene_is_refused(moving, tmp_path, rate):
    with pytest.raises(FacegenError, match=f"a scene has 1 to 1000 frames a second, got scene_fps {rate}"):
        write_usd(moving(2), tmp_path / "a.usdc", scene_fps=rate)
    assert list(tmp_path.iterdir()) == []


def test_polygons_and_material_are_there(stage):
    sequence, _, found = stage
    mesh = UsdGeom.Mesh(found.GetPrimAtPath("/face/surface"))
    assert set(mesh.GetFaceVertexCountsAttr().Get()) == {4}
    np.testing.assert_array_equal(np.reshape(mesh.GetFaceVertexIndicesAttr().Get(), (-1, 4)), sequence.polygons)
    assert mesh.GetSubdivisionSchemeAttr().Get() == "none"
    material, _ = UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()
    shader = material.ComputeSurfaceSource()[0]
    np.testing.assert_allclose(shader.GetInput("diffuseColor").Get(), (0.62, 0.42, 0.33), rtol=1e-6)


def test_usd_finds_nothing_wrong(stage):
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert len(validators) > 10
    errors = UsdValidation.ValidationContext(validators).Validate(stage[2])
    assert [error.GetMessage() for error in errors] == []


def test_the_validators_see_what_is_wrong(moving, tmp_path):
    write_usd(moving(2), tmp_path / "a.usda")
    found = Usd.Stage.Open(str(tmp_path / "a.usda"))
    for name in ("upAxis", "metersPerUnit", "defaultPrim"):
        found.ClearMetadata(name)
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    names = {error.GetName() for error in UsdValidation.ValidationContext(validators).Validate(found)}
    assert names == {"MissingUpAxisMetadata", "MissingMetersPerUnitMetadata", "MissingDefaultPrim"}


def test_triangles_are_written_where_there_are_no_polygons(moving, tmp_path):
    one = moving(1)
    write_usd(Sequence(one.vertices, one.faces, 25, one.motion, one.expressions), tmp_path / "a.usdc")
    found = Usd.Stage.Open(str(tmp_path / "a.usdc"))
    mesh = UsdGeom.Mesh(found.GetPrimAtPath("/face/surface"))
    assert set(mesh.GetFaceVertexCountsAttr().Get()) == {3}
    np.testing.assert_array_equal(np.reshape(mesh.GetFaceVertexIndicesAttr().Get(), (-1, 3)), one.faces)


def found_texture(stage) -> tuple[str, np.ndarray]:
    """Where the picture of the surface is, and the texture coordinates of its polygons' corners one after the other."""
    mesh = UsdGeom.Mesh(stage.GetPrimAtPath("/face/surface"))
    material, _ = UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()
    source = material.ComputeSurfaceSource()[0].GetInput("diffuseColor").GetConnectedSources()[0][0].source
    st = UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st")
    assert st.GetInterpolation() == "faceVarying"
    return source.GetInput("file").Get().resolvedPath, np.array(st.ComputeFlattened())


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("polygons", [True, False])
def test_texture_and_coordinates_are_kept(dressed, tmp_path, suffix, polygons):
    sequence = dressed if polygons else replace(dressed, polygons=None)
    write_usd(sequence, tmp_path / f"smile{suffix}")
    digest = hashlib.sha256(dressed.appearance.textures()[0].data).hexdigest()
    beside = [] if suffix == ".usdz" else [f"smile_texture.{digest[:12]}.png"]  # two writers cannot mix their pictures
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"smile{suffix}", *beside])
    found = Usd.Stage.Open(str(tmp_path / f"smile{suffix}"))
    picture, st = found_texture(found)
    corners, uv = dressed.appearance.corners, dressed.appearance.uv
    if polygons:  # two triangles each, (a, b, c) and (a, c, d)
        corners = np.concatenate([corners[::2], corners[1::2, 2:]], axis=1)
    np.testing.assert_allclose(st, uv[corners].reshape(-1, 2), atol=1e-7)
    if suffix == ".usdz":
        assert picture.endswith("smile.usdz[smile_texture.png]")
        with zipfile.ZipFile(tmp_path / "smile.usdz") as archive:
            assert archive.namelist() == ["smile.usdc", "smile_texture.png"]
            assert archive.read("smile_texture.png") == dressed.appearance.textures()[0].data
    else:
        assert Path(picture).read_bytes() == dressed.appearance.textures()[0].data
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert UsdValidation.ValidationContext(validators).Validate(found) == []


def test_coordinates_of_other_triangles_than_the_polygons_make_triangles(dressed, tmp_path):
    appearance = replace(dressed.appearance, corners=dressed.appearance.corners[::-1])
    write_usd(replace(dressed, faces=dressed.faces[::-1], appearance=appearance), tmp_path / "a.usdc")
    found = Usd.Stage.Open(str(tmp_path / "a.usdc"))
    assert set(UsdGeom.Mesh(found.GetPrimAtPath("/face/surface")).GetFaceVertexCountsAttr().Get()) == {3}
    np.testing.assert_allclose(found_texture(found)[1], appearance.uv[appearance.corners].reshape(-1, 2), atol=1e-7)


def test_a_package_is_stored_uncompressed_with_one_stage(moving, tmp_path):
    write_usd(moving(3), tmp_path / "smile.usdz")
    with zipfile.ZipFile(tmp_path / "smile.usdz") as archive:
        (inside,) = archive.infolist()
    assert (inside.filename, inside.compress_type) == ("smile.usdc", zipfile.ZIP_STORED)


def test_refusals_leave_nothing(moving, tmp_path, monkeypatch):
    one = moving(2)
    with pytest.raises(FacegenError, match="USD needs faces"):
        write_usd(Sequence(one.vertices, np.empty((0, 3)), 25, one.motion, one.expressions), tmp_path / "a.usdc")
    with pytest.raises(FacegenError, match="does not exist"):
        write_usd(one, tmp_path / "nowhere" / "a.usdc")
    monkeypatch.setattr(Sequence, "normals", lambda *args: 1 / 0)
    for suffix in SUFFIXES:
        with pytest.raises(ZeroDivisionError):
            write_usd(one, tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_without_usd_the_extra_is_named(moving, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pxr", None)
    monkeypatch.delitem(sys.modules, "pxr.Sdf", raising=False)
    with pytest.raises(FacegenError, match=r"pip install 'facegen\[usd\]'"):
        write_usd(moving(2), tmp_path / "a.usd")


GROWTH = """
import resource, sys
from moving_sheet import Waves
from facegen.exporters.usd import write_usd
write_usd(Waves(int(sys.argv[1])).sequence(), sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def test_memory_does_not_grow_with_the_frames(tmp_path):
    def peak(frames: int) -> float:
        command = [sys.executable, "-c", GROWTH, str(frames), str(tmp_path / f"{frames}.usdc")]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=TESTS)
        return float(done.stdout)

    grown = peak(1500) - peak(100)
    assert (tmp_path / "1500.usdc").stat().st_size > 55e6
    assert grown < 25

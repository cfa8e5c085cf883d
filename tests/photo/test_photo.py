"""`facegen photo`: from a picture to a neutral that can be animated."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from facegen import checkpoint
from facegen.cli import run
from facegen.data.identity import Identity
from facegen.detection.detector import detect, look_closely
from facegen.errors import FacegenError
from facegen.mesh import read_mesh
from facegen.mesh.formats.io import read_appearance
from facegen.mesh.tri_mesh import TriMesh
from facegen.optional import require
from facegen.photo import picture as pictures
from facegen.photo.neutral import fit_neutral, identity_of
from facegen.photo.picture import find_face, read_picture, upright

pytest.importorskip("mediapipe")
pytest.importorskip("embreex")
image = pytest.importorskip("PIL.Image")
astronaut = pytest.importorskip("skimage.data").astronaut


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "portrait.png"
    image.fromarray(astronaut()[:260, 100:360]).save(path)
    return path


def command(portrait: Path, model: Path, out: Path, *more: str) -> int:
    return run(["photo", str(portrait), "--model", str(model), "--out", str(out), *more])


def share_off(line: str) -> float:
    """Per cent of the face's height that landmarks are off, as the command prints it."""
    return float(line.split("off by ")[1].split(" %")[0])


def test_a_photograph_becomes_a_face_that_moves(
    portrait: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "neutral.glb"
    assert command(portrait, checkpoint_path, out, "--compare", str(portrait), "--expression", "happy") == 0
    assert share_off(capsys.readouterr().out) < 3
    assert {path.name for path in tmp_path.iterdir()} == {"neutral.glb", "neutral.report.png", "neutral.compare.png"}
    mesh, template = read_mesh(out), checkpoint.load(checkpoint_path).hierarchy.template
    assert mesh.digest == template.digest
    assert np.ptp(mesh.vertices, axis=0) == pytest.approx(np.ptp(template.vertices, axis=0), rel=0.25)
    moved = tmp_path / "smile.glb"
    assert (
        run(["animate", str(out), "--model", str(checkpoint_path), "--expression", "happy", "--out", str(moved)]) == 0
    )
    assert read_appearance(moved, read_mesh(moved)).textures()[0].data == read_appearance(out, mesh).textures()[0].data


@pytest.mark.parametrize("suffix", [".ply", ".obj"])
def test_other_formats_have_the_same_shape(suffix: str, portrait: Path, checkpoint_path: Path, tmp_path: Path) -> None:
    for kind in (".glb", suffix):
        assert command(portrait, checkpoint_path, tmp_path / f"neutral{kind}") == 0
    one, two = (read_mesh(tmp_path / f"neutral{kind}") for kind in (".glb", suffix))
    assert two.digest == one.digest
    np.testing.assert_allclose(two.vertices, one.vertices, atol=1e-3)
    if suffix == ".ply":
        assert b"property uchar red" in (tmp_path / "neutral.ply").read_bytes()[:300]


def test_what_an_older_checkpoint_lacks_a_corpus_gives(
    portrait: Path, checkpoint_path: Path, corpus_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    content = torch.load(checkpoint_path, weights_only=True)
    del content[checkpoint.KEY]["identity"]
    old, out = tmp_path / "old.ckpt", tmp_path / "neutral.ply"
    torch.save(content, old)
    assert command(portrait, old, out) == 2
    assert "--corpus CORPUS" in capsys.readouterr().err
    assert not out.exists()
    assert command(portrait, old, out, "--corpus", str(corpus_path)) == 0
    again = tmp_path / "again.ply"
    assert command(portrait, checkpoint_path, again) == 0
    np.testing.assert_array_equal(read_mesh(again).vertices, read_mesh(out).vertices)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--face", "2"], "1 faces are found, there is no face 2"),
        (["--face", "0"], "--face: must be a whole number from 1 to 1,000, got '0'"),
        (["--expression", "happy"], "go together"),
        (["--out", "neutral.stl"], "unknown suffix to write a neutral with"),
    ],
)
def test_mistakes_write_nothing(
    more: list[str], message: str, portrait: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert command(portrait, checkpoint_path, tmp_path / "neutral.ply", *more) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_picture_without_a_face(checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    wall = tmp_path / "wall.png"
    image.fromarray(np.full((200, 200, 3), 128, np.uint8)).save(wall)
    assert command(wall, checkpoint_path, tmp_path / "neutral.ply") == 2
    assert "no face is found" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["wall.png"]


def test_several_pictures_become_one_face(
    portrait: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    other, out = tmp_path / "other.png", tmp_path / "neutral.glb"
    image.open(portrait).transpose(image.Transpose.FLIP_LEFT_RIGHT).save(other)
    assert run(["photo", str(portrait), str(other), "--model", str(checkpoint_path), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "of the face's height in 2 pictures" in said and share_off(said) < 4
    assert read_mesh(out).digest == checkpoint.load(checkpoint_path).hierarchy.template.digest
    width, height = image.open(tmp_path / "neutral.report.png").size
    assert height * 3 == width * 2  # three panels for each
    assert len(read_appearance(out, read_mesh(out)).textures()) == 1


@pytest.mark.parametrize(
    ("count", "more", "message"),
    [
        (2, [], "are the same picture; give each once"),
        (2, ["--face", "1"], "--face 1 counts the faces of one picture, got 2"),
        (17, [], "17 pictures; up to 16 are taken"),
    ],
)
def test_mistaken_pictures_are_refused(
    count: int, more: list[str], message: str, portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run(["photo", *[str(portrait)] * count, "--out", str(tmp_path / "neutral.obj"), *more]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_largest_of_several_is_the_first() -> None:
    one = image.fromarray(astronaut()[:260, 100:360])
    both = image.new("RGB", (460, 260), "white")
    both.paste(one.resize((180, 180)), (0, 0))
    both.paste(one, (200, 0))
    both = np.array(both)
    sizes = [np.ptp(find_face(both, number, "both")[:, 1]) for number in (None, 1, 2)]
    assert sizes[0] == sizes[1] > sizes[2]


def test_a_portrait_on_its_head_is_turned(
    portrait: Path, checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    over = tmp_path / "over.png"
    image.open(portrait).rotate(180).save(over)
    assert command(over, checkpoint_path, tmp_path / "neutral.obj") == 0
    said = capsys.readouterr().out
    assert "over.png: turned by 180 degrees, so that the face stands upright" in said
    assert share_off(said) < 3
    report = np.array(image.open(tmp_path / "neutral.report.png").convert("RGB"))
    command(portrait, checkpoint_path, tmp_path / "upright.obj")
    wanted = np.array(image.open(tmp_path / "upright.report.png").convert("RGB"))
    assert np.abs(report.astype(float) - wanted).mean() < 8


def test_what_its_camera_noted_turns_a_picture(portrait: Path, tmp_path: Path) -> None:
    noted = image.Exif()
    noted[0x0112] = 6  # orientation: the top of the scene is at the right
    image.open(portrait).rotate(90, expand=True).save(tmp_path / "noted.jpg", exif=noted, quality=95)
    wanted = np.array(image.open(portrait).convert("RGB")).astype(float)
    assert np.abs(read_picture(tmp_path / "noted.jpg") - wanted).mean() < 4


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_quarter_turns_bring_a_face_upright(quarters: int) -> None:
    face = astronaut()[:260, 100:340]
    points = find_face(face, None, "it")
    lying = np.ascontiguousarray(np.rot90(face, -quarters))  # clockwise
    height, width = face.shape[:2]
    x, y = points.T
    there = np.stack([(x, y), (height - y, x), (width - x, height - y), (y, width - x)][quarters], axis=1)
    picture, back, degrees = upright(lying, there)
    np.testing.assert_array_equal(picture, face)
    np.testing.assert_allclose(back, points)
    assert degrees == (360 - 90 * quarters) % 360


def test_grey_of_sixteen_bits_is_the_same_picture(tmp_path: Path) -> None:
    grey = np.array(image.fromarray(astronaut()).convert("L"))
    image.fromarray(grey).save(tmp_path / "eight.png")
    image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "sixteen.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "sixteen.png"), read_picture(tmp_path / "eight.png"))


def test_a_close_look_jitters_less() -> None:
    """The same face in eight pictures that are shifted and scaled a little."""
    face = image.fromarray(astronaut()[:260, 100:360])
    once, closely = [], []
    for number in range(8):
        scale, shift = 1 + 0.03 * number, np.array([3.0 * number, 2.0 * (number % 3)])
        frame = (1 / scale, 0, -shift[0] / scale, 0, 1 / scale, -shift[1] / scale)
        moved = np.array(face.transform((360, 360), image.Transform.AFFINE, frame, image.Resampling.BICUBIC))
        (points,) = detect(moved)
        once.append((points - shift) / scale)
        closely.append((look_closely(moved, points) - shift) / scale)
    jitter = [np.sqrt(np.var(each, axis=0).sum(axis=1).mean()) for each in (once, closely)]
    assert jitter[1] < 0.7 * jitter[0]
    assert np.linalg.norm(np.mean(closely, axis=0) - np.mean(once, axis=0), axis=1).mean() < 0.01 * 130


def test_a_close_look_shrinks_large_pictures() -> None:
    face = image.fromarray(astronaut()[:260, 100:360]).resize((2080, 2080), image.Resampling.BICUBIC)
    (points,) = detect(np.array(face))
    assert np.linalg.norm(look_closely(np.array(face), points) - points, axis=1).mean() < 0.02 * 8 * 110


def test_a_corpus_of_another_topology_is_refused(checkpoint_path: Path, corpus_path: Path) -> None:
    model = checkpoint.load(checkpoint_path)
    template = model.hierarchy.template
    other = SimpleNamespace(hierarchy=SimpleNamespace(template=TriMesh(template.vertices, template.faces[:-1])))
    with pytest.raises(FacegenError, match="another topology"):
        identity_of(other, corpus_path, "model.ckpt")


def test_people_without_a_face_are_refused(checkpoint_path: Path) -> None:
    model = checkpoint.load(checkpoint_path)
    flat = model.identity.mean * np.float32([1, 1, 0.001])
    flat[:, :2] = np.random.default_rng(0).uniform(-90, 90, (len(flat), 2))
    with pytest.raises(FacegenError, match="sees no face in the mean"):
        fit_neutral(model, Identity(flat, model.identity.modes), [np.zeros((468, 2))])


def test_a_picture_is_turned_as_its_camera_noted(tmp_path: Path) -> None:
    upright = image.fromarray(np.arange(60 * 40 * 3, dtype=np.uint8).reshape(60, 40, 3))
    exif = image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    upright.save(tmp_path / "side.png", exif=exif)
    assert read_picture(tmp_path / "side.png").shape == (40, 60, 3)


def test_damaged_notes_of_a_camera_are_passed_over_without_a_word(tmp_path: Path) -> None:
    image = require("PIL.Image", "photo")
    notes = b"Exif\0\0MM\0*\0\0\xff\xff" + 50 * b"\xff"
    image.new("RGB", (40, 30), "teal").save(tmp_path / "noted.jpg", exif=notes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_picture(tmp_path / "noted.jpg").shape == (30, 40, 3)


def test_large_pictures_are_scaled_and_huge_ones_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image.fromarray(np.zeros((100, 3000), np.uint8)).save(tmp_path / "wide.png")
    assert read_picture(tmp_path / "wide.png").shape == (68, 2048, 3)
    monkeypatch.setattr(pictures, "LARGEST_PICTURE", 200_000)
    with pytest.raises(FacegenError, match="scale it down"):
        read_picture(tmp_path / "wide.png")
    monkeypatch.setattr(pictures, "LARGEST_FILE", 10)
    with pytest.raises(FacegenError, match="pictures up to"):
        read_picture(tmp_path / "wide.png")


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "other.png", "GIF")
    image.fromarray(astronaut()).save(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "cut.jpg").read_bytes()[:5000])
    for name in ("text.jpg", "other.png", "cut.jpg"):
        with pytest.raises(FacegenError, match="expected a picture as JPEG, PNG or WebP"):
            read_picture(tmp_path / name)
    with pytest.raises(FacegenError, match="no such picture"):
        read_picture(tmp_path / "none.jpg")


def test_what_is_clear_shows_white(tmp_path: Path) -> None:
    require("PIL.Image", "photo").new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (read_picture(tmp_path / "clear.png") == 255).all()

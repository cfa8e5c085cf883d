"""The contract for data of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from shapes import sphere

from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.data.sources.folder import FolderSource
from facegen.data.sources.source import Key
from facegen.errors import FacegenError
from facegen.mesh import TriMesh, read_mesh, write_mesh

MESH = sphere(120)
PEOPLE = {"ann": 1.0, "bob": 1.1, "cleo": 0.9, "dan2": 1.05, "dan10": 0.95}
CURVE = np.array([0, 0, 0.5, 1, 1, 1, 0.5, 0, 0])


def frame(size: float, expression: str, amount: float) -> np.ndarray:
    """A ball of some size that bulges along x when happy, along y when sad."""
    axis = ["happy", "sad"].index(expression)
    moved = MESH.vertices * size
    moved[:, axis] *= 1 + 0.1 * amount * size
    return moved


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset in cm, as somebody might have it: frame names without leading zeros, .ply and .obj."""
    for person, size in PEOPLE.items():
        for expression in ("happy", "sad"):
            folder = tmp_path / "faces" / person / expression
            folder.mkdir(parents=True)
            for t, amount in enumerate(CURVE):
                suffix = ".obj" if person == "bob" else ".ply"
                write_mesh(folder / f"frame{t + 3}{suffix}", MESH.with_vertices(frame(size, expression, amount) / 10))
    (tmp_path / "faces" / "dataset.yaml").write_text(
        "units: cm\nfps: 30\nexpressions: [sad, happy]\ntest_subjects: [bob]\nval_subjects: [dan2]\n"
    )
    (tmp_path / "faces" / ".cache").mkdir()
    return tmp_path / "faces"


def test_a_folder_becomes_a_corpus(root: Path, tmp_path: Path) -> None:
    assert run(["prepare", "folder", "--root", str(root), "--depth", "2", "--out", str(tmp_path / "c")]) == 0
    corpus = Corpus(tmp_path / "c")
    assert (corpus.expressions, corpus.fps, corpus.test_subjects) == (("sad", "happy"), 30, ("bob",))
    assert corpus.val_subjects == ("dan2",)
    assert corpus.subjects == ("ann", "bob", "cleo", "dan2", "dan10")  # natural order
    made = corpus.sequence(corpus.find("cleo", "happy")).vertices
    wanted = np.stack([frame(0.9, "happy", amount) for amount in CURVE])  # frame3 ... frame11, 10 after 9; mm again
    np.testing.assert_allclose(made, wanted, atol=1e-3)
    assert corpus.entries[corpus.find("cleo", "happy")].phases == (1, 3, 5, 7)  # found in the motion
    assert corpus.motion(corpus.find("cleo", "happy"))[4].argmax() == 1
    mean = np.mean([size for name, size in PEOPLE.items() if name not in ("bob", "dan2")])
    np.testing.assert_allclose(corpus.hierarchy.template.vertices, MESH.vertices * mean, atol=1e-3)


def test_neutrals_and_annotations_are_taken_where_they_are(root: Path) -> None:
    (root / "neutral").mkdir()
    write_mesh(root / "neutral" / "ann.ply", MESH.with_vertices(MESH.vertices * 0.2))
    (root / "annotations.csv").write_text("subject,expression,onset,apex_start,apex_end,offset\nann,happy,0,4,5,8\n\n")
    source = FolderSource(root)
    recording = source.read(Key("ann", "happy", "happy"))
    np.testing.assert_allclose(recording.neutral, MESH.vertices * 2, atol=1e-4)
    assert recording.phases.apex_start == 4
    assert source.read(Key("ann", "sad", "sad")).phases is None
    assert source.read(Key("bob", "sad", "sad")).neutral is None


def test_without_settings_a_seed_draws_the_test_subjects(root: Path) -> None:
    (root / "dataset.yaml").write_text("units: cm")
    source = FolderSource(root, seed=1)
    assert len(source.test_subjects) == 1
    assert source.test_subjects == FolderSource(root, seed=1).test_subjects
    assert source.expressions == ("happy", "sad")


def test_names_of_digits_are_kept_as_they_are_written(root: Path) -> None:
    (root / "bob").rename(root / "003")
    (root / "dataset.yaml").write_text("units: cm\ntest_subjects: [003]\n")
    assert FolderSource(root).test_subjects == ("003",)


def test_fps_resamples(root: Path, tmp_path: Path) -> None:
    assert (
        run(["prepare", "folder", "--root", str(root), "--fps", "60", "--depth", "2", "--out", str(tmp_path / "c")])
        == 0
    )
    corpus = Corpus(tmp_path / "c")
    assert (corpus.fps, corpus.entries[0].frames) == (60, 17)


def damage_yaml(text: str):
    return lambda root: (root / "dataset.yaml").write_text(text)


def damage_csv(text: str):
    return lambda root: (root / "annotations.csv").write_text(text)


def neutral(root: Path, name: str, scale: float) -> None:
    (root / "neutral").mkdir()
    write_mesh(root / "neutral" / f"{name}.ply", MESH.with_vertices(MESH.vertices * scale))


HEAD = "subject,expression,onset,apex_start,apex_end,offset\n"
DAMAGES = {
    "units: expected mm or cm or m, found 'inch'": damage_yaml("units: inch"),
    "unknown test subject 'eve'": damage_yaml("test_subjects: [eve]"),
    "unknown validation subject 'eve'": damage_yaml("val_subjects: [eve]"),
    "ann is a test subject, and nobody": damage_yaml("test_subjects: [ann]\nval_subjects: [cleo, ann]"),
    "unknown test subject '003'; known are: ann": damage_yaml("test_subjects: [003]"),  # a name, not how many to draw
    "unknown validation subject '2'; known are: ann": damage_yaml("val_subjects: [2]"),
    "unknown expression 'sad'": damage_yaml("expressions: [happy]"),
    "unknown key 'fpss'": damage_yaml("fpss: 3"),
    "fps: expected a number from 0.01 to 10000, found 0": damage_yaml("fps: 0"),
    "the header must be": damage_csv("who,what\n"),
    "line 2: expected subject": damage_csv(HEAD + "ann,happy,0,1\n"),
    "line 2: there is no recording eve/happy": damage_csv(HEAD + "eve,happy,0,1,2,3\n"),
    "frame frame5 is there twice": lambda root: write_mesh(root / "ann" / "sad" / "frame5.obj", MESH),
    "unknown subject 'eve'": lambda root: neutral(root, "eve", 0.1),
    "times the size of the other subjects": lambda root: neutral(root, "ann", 1.0),
    "line 2: the phases must follow": damage_csv(HEAD + "ann,happy,5,1,2,3\n"),
    "line 2: expected a frame, a whole number counted from 0, got '2026-02-31'": damage_csv(
        HEAD + "ann,happy,2026-02-31,1,2,3\n"
    ),
    "annotated twice": damage_csv(HEAD + "ann,happy,0,1,2,3\nann,happy,0,1,2,3\n"),
    "has 9 frames, but its offset is frame 20": damage_csv(HEAD + "ann,happy,0,1,2,20\n"),
    "dan10.happy.frame5.ply": lambda root: (root / "dan10" / "happy" / "frame5.ply").write_bytes(b"ply\nformat"),
    "of another topology than": lambda root: write_mesh(
        root / "dan2" / "sad" / "frame5.ply", TriMesh(MESH.vertices, MESH.faces[:-1])
    ),
    "ann.sad: its folder is empty": lambda root: [path.unlink() for path in (root / "ann" / "sad").iterdir()],
}


@pytest.mark.parametrize("message", DAMAGES)
def test_what_is_wrong_is_named_and_nothing_is_left(
    root: Path, tmp_path: Path, message: str, capsys: pytest.CaptureFixture
) -> None:
    DAMAGES[message](root)
    arguments = ["prepare", "folder", "--root", str(root), "--depth", "2", "--strict", "--out", str(tmp_path / "c")]
    assert run(arguments) == 2
    said = capsys.readouterr().err.replace("/", ".")
    assert message.replace("/", ".") in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces"]


def test_a_recording_that_does_not_move_is_named(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for path in (root / "ann" / "sad").iterdir():
        write_mesh(path, MESH.with_vertices(MESH.vertices / 10))
    arguments = ["prepare", "folder", "--root", str(root), "--depth", "2", "--out", str(tmp_path / "c")]
    assert run([*arguments, "--strict"]) == 2
    assert "ann/sad: no phases can be found" in capsys.readouterr().err
    assert run(arguments) == 0
    assert [entry["subject"] for entry in Corpus(tmp_path / "c").left_out] == ["ann"]


def test_an_empty_folder_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(FacegenError, match="expected <subject>/<expression>/<frame>.ply or"):
        FolderSource(tmp_path)


def test_alignment_takes_poses_out(root: Path, tmp_path: Path) -> None:
    turn = Rotation.from_euler("xyz", (10, 20, 5), degrees=True)
    for path in (root / "ann" / "happy").iterdir():
        mesh = read_mesh(path)
        number = int("".join(filter(str.isdigit, path.stem)))
        drift = Rotation.from_euler("y", number - 3, degrees=True)
        write_mesh(path, mesh.with_vertices((turn * drift).apply(mesh.vertices) + (0, number, 0)))
    arguments = ["prepare", "folder", "--root", str(root), "--label", "amplitude", "--depth", "2"]
    moved = {}
    for align in ("none", "subject", "frames"):
        assert run([*arguments, "--align", align, "--out", str(tmp_path / align)]) == 0
        corpus = Corpus(tmp_path / align)
        index = corpus.find("ann", "happy")
        moved[align] = np.linalg.norm(corpus.displacement(index), axis=-1).mean(axis=1)
        gap = np.linalg.norm(corpus.neutral(index) - corpus.neutral(corpus.find("ann", "sad")), axis=-1).mean()
        assert (gap < 1) == (align != "none")  # one subject, one resting face
    assert moved["none"][-1] > 20  # back at rest, but the head has turned and risen
    assert moved["frames"][-1] < 0.5
    assert moved["frames"][4] > 1


def test_the_stillest_frame_can_be_the_neutral(root: Path, tmp_path: Path) -> None:
    arguments = [
        "prepare",
        "folder",
        "--root",
        str(root),
        "--depth",
        "2",
        "--neutral",
        "still",
        "--out",
        str(tmp_path / "c"),
    ]
    assert run(arguments) == 0
    corpus = Corpus(tmp_path / "c")
    index = corpus.find("ann", "happy")
    frames = np.stack([frame(1.0, "happy", amount) for amount in CURVE])
    gaps = np.linalg.norm(frames - corpus.neutral(index), axis=-1).mean(axis=1)
    assert np.diff(CURVE)[np.clip(gaps.argmin(), 0, 7)] == 0

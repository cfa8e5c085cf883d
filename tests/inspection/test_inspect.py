"""What `facegen inspect` says of corpora, meshes, sequences and checkpoints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from avatars import avatar, bowl

from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.errors import FacegenError
from facegen.inspection.inspect import Report, inspect, summary
from facegen.mesh.formats import gltf_document, gltf_scene
from facegen.sequence.sequence import Sequence


def test_inspect_a_corpus(corpus_path: Path, capsys: pytest.CaptureFixture) -> None:
    capsys.readouterr()
    assert run(["inspect", str(corpus_path), "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert (seen["kind"], seen["vertices"], seen["sequences"]) == ("corpus", 420, 30)
    people = [seen[f"{name}subjects"] for name in ("", "train_", "val_", "test_")]
    assert people == [5, 3, 1, 1]
    assert seen["takes_per_expression"] == [1, 1]
    assert len(seen["levels"]) == 4
    assert seen["levels"][0] == 420
    assert seen["expressions"] == ["happy", "angry", "sad", "surprise", "fear", "disgust"]
    assert (seen["fps"], seen["left_out"], len(seen["digest"])) == (10, [], 64)
    assert 30 * 10 <= seen["frames"] <= 30 * 14
    assert seen["components"] == 64
    assert 0 <= seen["components_leave"] < 0.01
    assert 0 <= seen["components_error"] < 1e-5
    assert run(["inspect", str(corpus_path)]) == 0
    assert "sound" in capsys.readouterr().out


def test_what_of_a_mesh_s_looks_cannot_be_used_is_told(tmp_path: Path) -> None:
    lines = ["v 0 0 0", "v 1 0 0", "v 0 1 1", "vt 0 0", "mtllib none.mtl", "usemtl skin", "f 1/5 2/1 3/1"]
    (tmp_path / "a.obj").write_text("\n".join([*lines, ""]))
    told = inspect(tmp_path / "a.obj").facts["left_out"]
    assert any("none.mtl" in each for each in told) and any("texture coordinate" in each for each in told)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (("meshes", 0, "primitives", 0, "targets", 0, "POSITION"), "expected an index into 'accessors'"),
        (("animations", 0, "samplers", 0, "input"), "animation 'idle': expected an index into 'accessors'"),
        ((), ""),
    ],
)
def test_a_gltf_is_sound_if_all_that_moves_it_is_there(tmp_path: Path, place: tuple, said: str) -> None:
    made = avatar(bowl())
    holder = made.document.tree
    for key in place[:-1]:
        holder = holder[key]
    if place:
        holder[place[-1]] = 999
    report = inspect(made.write(tmp_path / "avatar.glb"))
    told = [each for each in report.problems if said and said in each and "avatar.glb" in each]
    assert (report.sound, len(told)) == (not place, int(bool(place)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bufferView": "x"}, "a morph target: expected an index into"),
        ({"sparse": 7}, "the glTF description is malformed"),
    ],
)
def test_morph_targets_are_read(change: dict, said: str, tmp_path: Path) -> None:
    made = avatar(bowl())
    tree = made.document.tree
    tree["accessors"][tree["meshes"][0]["primitives"][0]["targets"][0]["POSITION"]].update(change)
    report = inspect(made.write(tmp_path / "avatar.glb"))
    assert not report.sound and f"avatar.glb: {said}" in report.problems[-1]
    assert "cannot keep what else is in the file" in report.problems[-1]


def test_a_gltf_is_opened_and_its_scene_worked_out_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    for place, name in ((gltf_document, "read_bytes"), (gltf_scene.Scene, "_placed")):
        real = getattr(place, name)
        monkeypatch.setattr(place, name, lambda *given, real=real, name=name: (done.append(name), real(*given))[1])
    report = inspect(avatar(bowl()).write(tmp_path / "avatar.glb"))
    assert report.sound and report.facts["groups"] and done == ["read_bytes", "_placed"]
    assert inspect(tmp_path / "avatar.glb", groups=report.facts["groups"][0]).sound
    assert done == ["read_bytes", "_placed"] * 2


@pytest.mark.parametrize("name", ["a.yaml", "a.CSV", "a.png"])
def test_what_other_verbs_read_is_not_taken_for_a_checkpoint(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("fps: 25\n")
    with pytest.raises(FacegenError, match="expected a mesh, a sequence .* told by the verb that takes it"):
        inspect(tmp_path / name)


def test_inspect_a_mesh_and_a_checkpoint(
    neutral_path: Path, checkpoint_path: Path, corpus_path: Path, capsys: pytest.CaptureFixture
) -> None:
    capsys.readouterr()
    assert run(["inspect", str(neutral_path), "--json"]) == 0
    mesh = json.loads(capsys.readouterr().out)
    assert (mesh["kind"], mesh["vertices"], mesh["pieces"], mesh["problems"]) == ("mesh", 420, 1, [])
    assert run(["inspect", str(checkpoint_path), "--json"]) == 0
    model = json.loads(capsys.readouterr().out)
    assert run(["inspect", str(corpus_path), "--json"]) == 0
    corpus = json.loads(capsys.readouterr().out)
    assert (model["kind"], model["epoch"]) == ("checkpoint", 29)  # of 30, as the log counts them
    assert (model["network"], model["intensity_floor"]) == ("SpiralNetwork", 0.2)
    for name in ("vertices", "faces", "levels", "expressions", "fps", "digest", "hierarchy"):
        assert model[name] == corpus[name]


def test_inspect_says_what_is_wrong_with_a_mesh(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "fan.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nv 1 1 1\nf 1 2 3\nf 1 2 4\nf 1 2 5\n")
    capsys.readouterr()
    assert run(["inspect", str(path), "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert not seen["sound"]
    assert "1 edge lies on more than two faces (vertices 0-1)" in seen["problems"]


def test_names_in_a_file_steer_no_terminal_and_are_not_all_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / "a.obj"
    faces = [f"g {name}\nf 1 2 3\n" for name in ("a\x1b[2Jb", "\u202ezz", "Größe", *map("g{}".format, range(300)))]
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 1\n" + "".join(faces))
    capsys.readouterr()
    assert run(["inspect", str(path)]) == 0
    said = capsys.readouterr().out
    assert "  a?[2Jb, ?zz, Größe, g0, " in said and ", g196, and 103 more\n" in said
    assert run(["inspect", str(path), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["groups"]) == 303


def test_what_was_left_out_is_shown_a_line_each_whatever_it_says() -> None:
    report = Report({"left_out": [{"subject": "a", "recording": "b\n\x1b[2J", "reason": "c\nsound yes"}]}, ["d\ne"])
    assert report.text().splitlines() == ["left_out  1", "- a/b??[2J: c?sound yes", "sound     yes", "- d?e"]
    assert Report({"left_out": ["x" * 9999]}).text().splitlines()[0] == f"left_out  {'x' * 500}..."


@pytest.mark.parametrize("scale", [0, 1e-30])
def test_a_mesh_without_extent_is_not_sound(tmp_path: Path, scale: float) -> None:
    path = tmp_path / "a.obj"
    path.write_text(f"v 0 0 0\nv {scale} 0 0\nv 0 {scale} {scale}\nf 1 2 3\n")
    report = inspect(path)
    assert not report.sound and any("all faces lie at one place" in each for each in report.problems)


def test_a_mesh_of_two_pieces_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "two.obj"
    path.write_text("v 0 0 0\nv 3 0 0\nv 3 2 0\nv 0 2 0\nf 1 2 3 4\nv 5 0 0\nv 6 0 0\nv 5 1 0\nf 5 6 7\n")
    facts = inspect(path).facts
    assert (facts["vertices"], facts["faces"], facts["polygons"], facts["pieces"]) == (7, 3, 2, 2)
    assert facts["extent"] == [6, 2, 0]


def test_a_sequence_says_how_far_it_moves(tmp_path: Path) -> None:
    vertices = np.zeros((4, 3, 3), np.float32)
    vertices[:] = [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    vertices[2, 1] += [0, 3, 4]  # 5 mm from where it was in the first frame
    Sequence(vertices, np.array([[0, 1, 2]]), 25.0, np.zeros((4, 2), np.float32), ("happy", "sad")).save(
        tmp_path / "moves.npz"
    )
    report = inspect(tmp_path / "moves.npz")
    assert report.facts == {
        "kind": "sequence",
        "vertices": 3,
        "faces": 1,
        "frames": 4,
        "expressions": ["happy", "sad"],
        "fps": 25.0,
        "largest_motion_mm": 5.0,
    }
    assert report.sound


def test_a_corpus_whose_frames_were_changed_is_not_sound(corpus_path: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(corpus_path, changed)
    stored = [path for path in (changed / "frames.zarr" / "displacement").rglob("*") if path.is_file()]
    largest = max(stored, key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[100] ^= 255
    largest.write_bytes(content)
    assert inspect(corpus_path).sound
    report = inspect(changed)
    assert not report.sound
    assert "are not those that were written" in "".join(report.problems)
    assert "components" not in report.facts  # those of damaged frames are not spoken of


def test_the_summary_counts_what_the_corpus_holds(corpus_path: Path, old_corpus: Path) -> None:
    frames = sum(entry.frames for entry in Corpus(corpus_path).entries)
    people = "5 subjects (3 to train, 1 to validate, 1 to test)"
    assert summary(corpus_path) == f"{people}, 30 sequences, {frames} frames of 420 vertices"
    first, second = summary(old_corpus).splitlines()
    assert first.startswith("5 subjects (4 to train, 0 to validate, 1 to test), 30 sequences")
    assert second.startswith("no validation subjects: of fewer than 8 people none are drawn")


def test_a_report_for_people_and_for_programs() -> None:
    facts = {"kind": "mesh", "vertices": 28431, "left_out": [], "levels": [1200, 5], "source": {"a": 1, "b": "two"}}
    report = Report(facts, ["a hole", "a spike"], sound=False)
    assert report.text().splitlines() == [
        "kind      mesh",
        "vertices  28,431",
        "left_out  none",
        "levels    1,200, 5",
        "source    1 two",
        "sound     no",
        "- a hole",
        "- a spike",
    ]
    assert json.loads(report.json()) == facts | {"sound": False, "problems": ["a hole", "a spike"]}


@pytest.mark.parametrize("name", ["nowhere", "nowhere.npz", "nowhere.ckpt"])
def test_what_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(FacegenError, match=f"{name}: no such file or folder$"):
        inspect(tmp_path / name)


def test_options_of_datasets_and_corpora_are_refused_for_meshes(
    neutral_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for option, value in (("--source", "coma"), ("--layout", "l.yaml"), ("--phases", "p.png"), ("--people", "p.png")):
        capsys.readouterr()
        assert run(["inspect", str(neutral_path), option, str(tmp_path / value) if "." in value else value]) == 2
        seen = capsys.readouterr()
        assert seen.out == ""
        assert option in seen.err and "is a mesh" in seen.err


def test_what_is_left_out_of_a_corpus_has_a_line_each() -> None:
    left_out = [
        {"subject": "ann", "expression": "", "recording": "take.1-9", "reason": "too short"},
        {"subject": "bob", "expression": "happy", "recording": "smile", "reason": "no phases"},
    ]
    text = Report({"kind": "corpus", "left_out": left_out}).text()
    assert text.splitlines()[1:4] == ["left_out  2", "- ann/take.1-9: too short", "- bob/smile: no phases"]

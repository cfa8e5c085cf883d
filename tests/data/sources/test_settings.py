"""What a user says of a dataset's recordings: which to leave out, and how expressions are spelled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import mesh_trees
import numpy as np
import pytest
from data.sources.trees import VOCA_SUBJECTS, write_multiface, write_vocaset

from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.data.sources import open_source
from facegen.data.sources.source import Key
from facegen.errors import FacegenError
from facegen.mesh import read_mesh, write_mesh


def write_three(root: Path) -> None:
    """Multiface's tracked meshes of three people."""
    write_multiface(root, tuple(f"m--20180227--0000--{number}--GHS" for number in (1, 2, 3)))


TREES = {
    "coma": (mesh_trees.write_coma, "FaceTalk_170728_03272_TA/bareteeth", []),
    "famos": (mesh_trees.write_famos, "FaMoS_subject_002/anger", []),
    "d3dfacs": (mesh_trees.write_d3dfacs, "Joe/1+2", ["--mapping"]),
    "fourdfab": (mesh_trees.write_fourdfab, "2/sad", []),
    "folder": (mesh_trees.write_folder, "bob/sad", ["--align=frames", "--fps=12"]),
    "vocaset": (write_vocaset, f"{VOCA_SUBJECTS[0]}/sentence01", ["--fps=60"]),
    "multiface": (write_three, "1/E009_Smile_Mouth_Open", ["--test-subjects", "3"]),
}


def prepare(source: str, root: Path, out: Path, *more: str) -> int:
    wanted = TREES[source][2]
    if wanted == ["--mapping"]:
        (root.parent / "mapping.yaml").write_text("{1+2: surprise, 12: happy}")
        wanted = [f"--mapping={root.parent / 'mapping.yaml'}"]
    # Without phases to be found, which takes most of the time: nothing here is about them.
    common = ["--label=amplitude", "--depth=2", "--components=4", "--workers=1", f"--out={out}"]
    return run(["prepare", source, f"--root={root}", *wanted, *common, *more])


def settings(root: Path, *names: str) -> None:
    """`leave_out` behind what is in the file already."""
    path = root / "dataset.yaml"
    before = path.read_text().partition("leave_out")[0] if path.is_file() else ""
    path.write_text(before + "leave_out:\n" + "".join(f"- {name}\n" for name in names))


@pytest.mark.parametrize("source", TREES)
def test_recordings_named_in_the_settings_are_left_out(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    write, name, _ = TREES[source]
    root = tmp_path / "data"
    write(root)
    settings(root, name)
    assert prepare(source, root, tmp_path / "c", "--strict") == 0  # what is wanted is no trouble
    corpus = Corpus(tmp_path / "c")
    line = f"{name}: dataset.yaml says so (leave_out)"
    assert corpus.left_out_lines() == [line]
    assert f"left out: {line}" in capsys.readouterr().out.splitlines()
    assert name not in {f"{entry.subject}/{entry.recording}" for entry in corpus.entries}
    assert len(corpus.entries) > 1
    settings(root, name, f"{name[:-1]}?")
    assert prepare(source, root, tmp_path / "d") == 2
    said = capsys.readouterr().err
    assert f"dataset.yaml: leave_out names '{name[:-1]}?', which is not there; give SUBJECT/RECORDING" in said
    assert name in said.partition("the nearest are: ")[2] and said.count("\n") == 1
    assert not (tmp_path / "d").exists()


def test_what_is_left_out_is_in_no_neutral(tmp_path: Path) -> None:
    root = mesh_trees.write_coma(tmp_path / "data", ("bareteeth", "mouth_open", "eyebrow"))
    subject = mesh_trees.COMA[0]
    whole = open_source("coma", {"root": root, "seed": 0}).rest(subject)
    for name in ("bareteeth", "mouth_open"):  # two of three begin far from rest
        for path in (root / subject / name).iterdir():
            mesh = read_mesh(path)
            bent = mesh.vertices.copy()
            bent[bent[:, 1] < 0, 2] += 0.03
            write_mesh(path, mesh.with_vertices(bent))
    settings(root, f"{subject}/bareteeth", f"{subject}/mouth_open")
    source = open_source("coma", {"root": root, "seed": 0})
    np.testing.assert_allclose(source.rest(subject), whole, atol=0.5)  # mm
    settings(root)
    assert np.abs(open_source("coma", {"root": root, "seed": 0}).rest(subject) - whole).max() > 5


def test_a_recording_that_is_left_out_may_be_annotated(tmp_path: Path) -> None:
    root = mesh_trees.write_folder(tmp_path / "data")
    (root / "annotations.csv").write_text(
        "subject,expression,onset,apex_start,apex_end,offset\nbob,sad,1,20,40,60\nbob,happy,1,20,40,60\n"
    )
    settings(root, "bob/sad")
    source = open_source("folder", {"root": root, "seed": 0})
    assert source.left_out == ((Key("bob", "sad", "sad"), "dataset.yaml says so (leave_out)"),)
    assert source.annotations[Key("bob", "happy", "happy")].apex_start == 20


def test_expressions_that_differ_in_case_are_found_and_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    root = mesh_trees.write_folder(tmp_path / "data")
    (root / "bob" / "happy").rename(root / "bob" / "Happy")
    (root / "cleo" / "happy").rename(root / "cleo" / "HAPPY")
    (root / "ann" / "sad").rename(root / "ann" / "sad ")
    shutil.copytree(root / "dan" / "sad", root / "dan" / "Smirk")
    for subject in ("bob", "cleo"):
        shutil.copytree(root / subject / "sad", root / subject / "smirk")
    assert run(["inspect", str(root), "--json"]) == 0
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert "expressions HAPPY and Happy and happy differ in case or spaces alone; give them one name" in problems
    assert prepare("folder", root, tmp_path / "c") == 0
    corpus = Corpus(tmp_path / "c")
    assert corpus.expressions == ("happy", "sad", "smirk")
    assert sorted(corpus.left_out_lines()) == [
        "ann/sad : expression sad  is also there as sad; give them one name, or two",
        "bob/Happy: expression Happy is also there as happy; give them one name, or two",
        "cleo/HAPPY: expression HAPPY is also there as happy; give them one name, or two",
        "dan/Smirk: expression Smirk is also there as smirk; give them one name, or two",
    ]
    assert prepare("folder", root, tmp_path / "d", "--strict") == 2
    said = capsys.readouterr().err
    assert "is also there as sad" in said and said.count("\n") == 1


def test_an_expression_in_another_case_than_a_dataset_s_is_named(tmp_path: Path) -> None:
    root = mesh_trees.write_famos(tmp_path / "data")
    folder = root / "registrations" / mesh_trees.FAMOS[1]
    (folder / "anger").rename(folder / "Anger")
    ((key, reason),) = open_source("famos", {"root": root, "seed": 0}).refused
    assert str(key) == f"{mesh_trees.FAMOS[1]}/Anger"
    assert reason == "Anger is not taken, anger is, which differs in case or spaces alone; give them one name"
    write_multiface(tmp_path / "multiface", ("m--20180227--0000--1--GHS", "m--20171024--0000--2--GHS"))
    tracked = tmp_path / "multiface" / "m--20171024--0000--2--GHS" / "tracked_mesh"
    (tracked / "E019_Frown").rename(tracked / "e019_frown")
    ((key, reason),) = open_source("multiface", {"root": tmp_path / "multiface", "seed": 0}).refused
    assert (str(key), reason.split(",")[0]) == ("2/e019_frown", "e019_frown is not taken")


@pytest.mark.parametrize("suffix", [".PLY", ".OBJ", ".Ply"])
def test_frames_with_suffixes_in_capitals_are_read(suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    root = mesh_trees.write_folder(tmp_path / "data")
    for path in list(root.rglob("*.ply")):
        mesh = read_mesh(path)
        path.unlink()
        write_mesh(path.with_suffix(suffix), mesh)
    assert run(["inspect", str(root), "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert (seen["frames"], seen["neutrals"], seen["left_over"]) == (8 * mesh_trees.FRAMES, 4, 0)
    assert prepare("folder", root, tmp_path / "c") == 0
    corpus = Corpus(tmp_path / "c")
    assert (len(corpus.entries), corpus.left_out) == (8, [])
    first = next((root / "ann" / "sad").glob(f"5{suffix}"))
    write_mesh(first.with_suffix(suffix.lower()), read_mesh(first))
    with pytest.raises(FacegenError, match="frame 5 is there twice, with two suffixes"):
        open_source("folder", {"root": root, "seed": 0}).read(Key("ann", "sad", "sad"))


def test_meshes_at_map_coordinates_say_where_to_move_them(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    root = mesh_trees.write_folder(tmp_path / "data")
    for path in [*(root / "bob" / "sad").iterdir()]:
        mesh = read_mesh(path)
        path.unlink()
        write_mesh(path.with_suffix(".obj"), mesh.with_vertices(mesh.vertices + (500000, 4000000, 200)))
    assert prepare("folder", root, tmp_path / "c") == 0
    (line,) = Corpus(tmp_path / "c").left_out_lines()
    assert line.startswith("bob/sad: ") and "move it to the origin, by -500000 -4000000 -200" in line


def test_inspecting_says_what_preparing_reads_of_the_settings(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    root = mesh_trees.write_folder(tmp_path / "data")
    rows = "subject,expression,onset,apex_start,apex_end,offset\nbob,sad,1,20,40,60\n"
    (root / "annotations.csv").write_text(rows)
    (root / "dataset.yaml").write_text("units: cm\nfps: 12\nexpressions: [sad, happy]\ntest_subjects: [dan]\n")

    def seen() -> dict:
        capsys.readouterr()
        assert run(["inspect", str(root), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    found = seen()
    assert (found["sound"], found["problems"], found["settings"]) == (True, [], "dataset.yaml")
    assert (found["units"], found["fps"], found["tested_on"]) == ("cm", 12, ["dan"])
    assert [line.split(" (")[0] for line in found["expressions"]] == ["sad", "happy"]
    assert (found["annotations"], found["annotations_astray"]) == (1, [])
    assert 100 < max(found["extent_mm"]) < 300
    # What preparing refuses, or leaves out, is said in its words, and is not sound.
    for name, content, reason in (
        ("annotations.csv", rows + "eve,sad,1,2,3,4\n", "line 3: there is no recording eve/sad"),
        ("annotations.csv", rows.replace("60", "600"), "bob/sad has 70 frames, but its offset is frame 600"),
        ("annotations.csv", rows, "mm large if their units are mm"),
        ("dataset.yaml", "units: cm\ntest_subjects: [eve]\n", "eve"),
        ("dataset.yaml", "units: cm\nexpressions: [sad]\n", "unknown expression 'happy'"),
    ):
        if "units are mm" in reason:
            (root / "dataset.yaml").unlink()
        (root / name).write_text(content)
        found = seen()
        assert not found["sound"] and any(reason in problem for problem in found["problems"]), found["problems"]
        if "eve/sad" in reason:
            assert found["annotations_astray"] == ["line 3: eve/sad"]
        if "offset" not in reason:  # a recording with wrong annotations is left out alone
            assert prepare("folder", root, tmp_path / "c") == 2
            assert reason in capsys.readouterr().err
        (root / "annotations.csv").write_text(rows)

"""VOCASET, in the form in which VOCA is trained on it."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data.sources.trees import HEAD, METRE, VOCA_SUBJECTS, bulge, python2_pickle, write_index, write_vocaset
from shapes import sphere

from facegen.data.conform import conform
from facegen.data.recipe import Recipe
from facegen.data.sources import vocaset
from facegen.data.sources.source import Habits, Key
from facegen.data.sources.vocaset import VocasetSource
from facegen.errors import DataError
from facegen.mesh import write_mesh

ANN, BOB, TESTED = VOCA_SUBJECTS


def key(subject: str = ANN, sentence: int = 1) -> Key:
    return Key(subject, "speech", f"sentence{sentence:02d}")


@pytest.mark.parametrize("flat", [True, False])
def test_recordings_come_in_mm_and_in_the_order_of_their_frames(tmp_path: Path, flat: bool) -> None:
    index = write_vocaset(tmp_path, flat=flat)
    # Neither the order of the index nor that of the rows is that of time.
    index[BOB]["sentence02"] = dict(reversed(index[BOB]["sentence02"].items()))
    write_index(tmp_path, index)
    recording = VocasetSource(tmp_path).read(key(BOB, 2))
    expected = np.array([bulge(HEAD, 1.1, 1, 2 * amount) for amount in np.sin(np.pi * np.arange(6) / 5)])
    assert recording.vertices.dtype == np.float32 and recording.fps == 60 and recording.phases is None
    np.testing.assert_allclose(recording.vertices, expected, atol=1e-4)
    np.testing.assert_allclose(recording.neutral, HEAD.vertices * 1.1, atol=1e-9)


def test_keys_are_in_natural_order(tmp_path: Path) -> None:
    index = write_vocaset(tmp_path, sentences=1)
    for subject in index:
        rows = index[subject]["sentence01"]
        index[subject] = {name: rows for name in ("sentence10", "sentence2", "sentence01", "sentence1b")}
    write_index(tmp_path, dict(reversed(index.items())))
    source = VocasetSource(tmp_path)
    assert source.subjects == VOCA_SUBJECTS
    names = [found.name for found in source.keys if found.subject == ANN]
    assert names == ["sentence01", "sentence1b", "sentence2", "sentence10"]
    assert source.keys[0] == Key(ANN, "speech", "sentence01")


def test_what_it_says_of_itself(tmp_path: Path) -> None:
    write_vocaset(tmp_path)
    source = VocasetSource(tmp_path, seed=3)
    assert source.expressions == ("speech",) and source.refused == ()
    assert source.habits == Habits(fps=12.0, align="frames", label="amplitude")
    assert source.options() == {"seed": 3, "units": "m"}


def test_the_split_is_the_dataset_s_unless_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_vocaset(tmp_path)
    assert VocasetSource(tmp_path).test_subjects == (TESTED,)
    assert VocasetSource(tmp_path).val_subjects == ()  # the dataset's are not among these three
    monkeypatch.setattr(vocaset, "VAL_SUBJECTS", ("elsewhere", BOB))
    assert VocasetSource(tmp_path).val_subjects == (BOB,)
    assert VocasetSource(tmp_path, val_subjects=[ANN]).val_subjects == (ANN,)
    assert VocasetSource(tmp_path, test_subjects=[ANN]).test_subjects == (ANN,)
    with pytest.raises(DataError, match="unknown test subject 'nobody'"):
        VocasetSource(tmp_path, test_subjects=["nobody"])


def test_the_template_is_the_mean_of_the_training_subjects(tmp_path: Path) -> None:
    write_vocaset(tmp_path)
    template = VocasetSource(tmp_path).template
    assert template.digest == HEAD.digest
    np.testing.assert_allclose(template.vertices, HEAD.vertices * 1.05, atol=1e-9)  # 1 and 1.1; 1.2 is tested
    other = VocasetSource(tmp_path, test_subjects=[ANN]).template
    np.testing.assert_allclose(other.vertices, HEAD.vertices * 1.15, atol=1e-9)
    alone = VocasetSource(tmp_path, val_subjects=[ANN]).template
    np.testing.assert_allclose(alone.vertices, HEAD.vertices * 1.1, atol=1e-9)


@pytest.mark.parametrize("place", ["FLAME_sample.ply", "template/any.obj", "templates/any.ply"])
def test_triangles_are_found(tmp_path: Path, place: str) -> None:
    write_vocaset(tmp_path)
    (tmp_path / "template" / "FLAME_sample.ply").unlink()
    (tmp_path / place).parent.mkdir(exist_ok=True)
    write_mesh(tmp_path / "other.ply", sphere(60))  # neither of another size
    (tmp_path / "broken.ply").write_text("ply\n")  # nor damaged
    write_mesh(tmp_path / place, HEAD)
    assert VocasetSource(tmp_path).template.digest == HEAD.digest


def test_without_triangles_it_says_what_to_put_where(tmp_path: Path) -> None:
    write_vocaset(tmp_path)
    (tmp_path / "template" / "FLAME_sample.ply").unlink()
    with pytest.raises(DataError, match="expected a mesh of 120 vertices.* found none; put FLAME_sample.ply from"):
        VocasetSource(tmp_path)
    write_mesh(tmp_path / "other.ply", sphere(60))
    with pytest.raises(DataError, match=r"other\.ply has 60 vertices; put FLAME_sample.ply"):
        VocasetSource(tmp_path)


@pytest.mark.parametrize("name", ["data_verts.npy", "subj_seq_to_idx.pkl", "templates.pkl"])
def test_missing_files(tmp_path: Path, name: str) -> None:
    write_vocaset(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(DataError, match=f"{name} is missing; --root must hold .*voca.is.tue.mpg.de"):
        VocasetSource(tmp_path)


def test_missing_frames_are_named(tmp_path: Path) -> None:
    index = write_vocaset(tmp_path, frames=20)
    del index[ANN]["sentence01"][17]
    del index[BOB]["sentence01"][0]
    index[BOB]["sentence02"] = {0: 0}
    index[TESTED]["sentence01"] = {-1: 0, 0: 1}
    write_index(tmp_path, index)
    source = VocasetSource(tmp_path)
    for recording, reason in (
        (key(), f"{ANN}/sentence01: frame 17 is missing"),
        (key(BOB), f"{BOB}/sentence01: frame 0 is missing"),
        (key(BOB, 2), "expected at least two frames, found 1"),
        (key(TESTED), "frames count from 0, found -1"),
    ):
        with pytest.raises(DataError, match=reason):
            source.read(recording)
    assert len(source.read(key(ANN, 2)).vertices) == 20  # the others are read


@pytest.mark.parametrize("row", [36, -1])
def test_rows_outside_of_the_array(tmp_path: Path, row: int) -> None:
    index = write_vocaset(tmp_path)
    index[ANN]["sentence01"][4] = row
    write_index(tmp_path, index)
    with pytest.raises(DataError, match=f"frame 4 is in row {row}, but data_verts.npy has rows 0 to 35"):
        VocasetSource(tmp_path).read(key())


@pytest.mark.parametrize("template", ["none", "other", "text", "nan"])
def test_subjects_without_a_template_are_refused(tmp_path: Path, template: str) -> None:
    write_vocaset(tmp_path)
    templates: dict = {name: HEAD.vertices / METRE for name in VOCA_SUBJECTS}
    reason = {
        "none": f"templates.pkl has no {BOB}",
        "other": f"expected floats (120, 3) for {BOB}, found float64 (119, 3)",
        "text": f"expected floats (120, 3) for {BOB}, found str",
        "nan": f"NaN or infinite vertices for {BOB}",
    }[template]
    del templates[BOB]
    if template != "none":
        templates[BOB] = {"other": HEAD.vertices[1:], "text": "x", "nan": HEAD.vertices * np.nan}[template]
    (tmp_path / "templates.pkl").write_bytes(python2_pickle(templates))
    source = VocasetSource(tmp_path)
    assert source.subjects == (ANN, TESTED)
    assert [found for found, _ in source.refused] == [key(BOB, 1), key(BOB, 2)]
    assert all(reason in why for _, why in source.refused)
    np.testing.assert_allclose(source.template.vertices, HEAD.vertices, atol=1e-9)


def test_with_no_template_at_all(tmp_path: Path) -> None:
    write_vocaset(tmp_path)
    (tmp_path / "templates.pkl").write_bytes(python2_pickle({"somebody": HEAD.vertices}))
    with pytest.raises(DataError, match=f"no recording of a subject that templates.pkl knows.* has no {ANN}"):
        VocasetSource(tmp_path)


@pytest.mark.parametrize(
    ("index", "found"),
    [
        ("text", "found str"),
        ({1: {}}, "found a subject with the name 1"),
        ({"a\nb": {}}, r"found a subject with the name 'a\\nb'"),
        ({ANN: "text"}, f"found str for {ANN}"),
        ({ANN: {2: {}}}, f"found a sentence of {ANN} with the name 2"),
        ({ANN: {"one": "text"}}, f"found something else for {ANN}/one"),
        ({ANN: {"one": {0: "text"}}}, f"found something else for {ANN}/one"),
    ],
)
def test_an_index_of_another_form(tmp_path: Path, index: object, found: str) -> None:
    write_vocaset(tmp_path)
    write_index(tmp_path, index)
    with pytest.raises(DataError) as caught:
        VocasetSource(tmp_path)
    assert "subj_seq_to_idx.pkl: expected {subject: {sentence: {frame: row}}}, " in str(caught.value)
    assert found.replace("\\\\", "\\") in str(caught.value)


def test_an_index_that_would_run_something(tmp_path: Path) -> None:
    write_vocaset(tmp_path)
    flag = tmp_path / "flag"
    (tmp_path / "subj_seq_to_idx.pkl").write_bytes(f"cposix\nmkdir\n(V{flag}\ntR.".encode())
    with pytest.raises(DataError, match="subj_seq_to_idx.pkl: asks for `posix.mkdir`; only arrays"):
        VocasetSource(tmp_path)
    assert not flag.exists()


def test_an_array_of_another_form(tmp_path: Path) -> None:
    write_vocaset(tmp_path)
    path = tmp_path / "data_verts.npy"
    whole = path.read_bytes()
    for array in (np.zeros((4, 361)), np.zeros((4, 120, 2)), np.zeros((0, 360)), np.zeros((4, 360), dtype=int)):
        np.save(path, array)
        with pytest.raises(DataError, match=r"data_verts\.npy: expected floats \(frames, 15069\).*, found "):
            VocasetSource(tmp_path)
    flag = tmp_path / "flag"
    for data in (whole[:-4], whole[:40], b"", b"text", f"cposix\nmkdir\n(V{flag}\ntR.".encode()):
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"data_verts\.npy: not a readable .npy"):
            VocasetSource(tmp_path)
    np.save(path, np.array([None]), allow_pickle=True)
    with pytest.raises(DataError, match=r"data_verts\.npy: not a readable .npy"):
        VocasetSource(tmp_path)
    assert not flag.exists()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("far", [1e5, 1e30, 1e37])
def test_a_sentence_of_far_values_is_refused_by_itself(far: float, tmp_path: Path) -> None:
    index = write_vocaset(tmp_path)
    rows = np.load(tmp_path / "data_verts.npy")
    rows[index[ANN]["sentence01"][2], 7] = far
    np.save(tmp_path / "data_verts.npy", rows)
    source, recipe = VocasetSource(tmp_path), Recipe(align="frames", label="amplitude")
    recording = source.read(key())
    with pytest.raises(DataError, match=r"frame 2: (a vertex is .* mm from the origin, |NaN or infinite)"):
        conform(recording, source.template.vertices, recipe)
    conform(source.read(key(sentence=2)), source.template.vertices, recipe)


@pytest.mark.parametrize(("change", "why"), [(lambda a: a * 1e9, "from the origin"), (lambda a: a * 0, "at one place")])
def test_a_subject_whose_template_is_far_away_or_nothing_is_left_out(change: Any, why: str, tmp_path: Path) -> None:
    write_vocaset(tmp_path)
    templates = {name: HEAD.vertices / METRE for name in VOCA_SUBJECTS}
    templates[ANN] = change(templates[ANN])
    (tmp_path / "templates.pkl").write_bytes(python2_pickle(templates))
    source = VocasetSource(tmp_path)
    assert ANN not in source.subjects
    (reason,) = {reason for each, reason in source.refused if each.subject == ANN}
    assert re.search(why, reason)


def test_it_can_be_sent_to_another_process(tmp_path: Path) -> None:
    write_vocaset(tmp_path, sentences=30, frames=40)
    source = VocasetSource(tmp_path)
    expected = source.read(key(BOB)).vertices  # with the array open
    data = pickle.dumps(source)
    assert len(data) < (tmp_path / "data_verts.npy").stat().st_size / 10
    sent = pickle.loads(data)
    assert sent.keys == source.keys and sent.test_subjects == source.test_subjects
    np.testing.assert_array_equal(sent.read(key(BOB)).vertices, expected)
    np.testing.assert_array_equal(source.read(key(BOB)).vertices, expected)

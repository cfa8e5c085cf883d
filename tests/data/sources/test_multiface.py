"""Multiface's tracked meshes."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from data.sources.trees import HEAD, MULTIFACE_ENTITIES, MULTIFACE_RECORDINGS, bulge, write_multiface
from shapes import sphere

from facegen.data.sources.multiface import LONGEST_GAP, NEUTRALS, SHOWN, MultifaceSource
from facegen.data.sources.source import Habits, Key
from facegen.errors import DataError, FacegenError
from facegen.mesh import write_mesh
from facegen.motion.label import EXPRESSIONS

ANN, BOB = "6795937", "002757580"
SMILE, FROWN, REST = "E009_Smile_Mouth_Open", "E019_Frown", "E001_Neutral_Eyes_Open"


def folder(root: Path, name: str = SMILE, entity: str = MULTIFACE_ENTITIES[0]) -> Path:
    return root / entity / "tracked_mesh" / name


def smile(subject: str = ANN) -> Key:
    return Key(subject, "happy", SMILE)


def test_recordings_come_in_mm_without_the_transform(tmp_path: Path) -> None:
    write_multiface(tmp_path)
    recording = MultifaceSource(tmp_path).read(Key(BOB, "sad", FROWN))
    expected = np.array([bulge(HEAD, 1.1, 1, amount) for amount in (0, 0.25, 0.5, 0.75, 1)])
    assert recording.vertices.dtype == np.float32 and recording.phases is None
    np.testing.assert_allclose(recording.vertices, expected, atol=1e-4)
    assert recording.fps == 10  # steps of 3 at 30 a second


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_stands_in_a_recording_s_place_and_is_no_folder_is_named(kind: str, tmp_path: Path) -> None:
    write_multiface(tmp_path)
    for name in (SMILE, REST, "notes.txt"):
        place = folder(tmp_path, name)
        if place.is_dir():
            shutil.rmtree(place)
        place.write_text("mine") if kind == "file" else place.symlink_to(name)
    source = MultifaceSource(tmp_path)
    named = {str(key): reason for key, reason in source.refused if "folder of frames" in reason}
    assert {*named} == {f"{ANN}/{SMILE}", f"{ANN}/{REST}"} and smile() not in source.keys
    (tmp_path / "dataset.yaml").write_text(f"leave_out: [{ANN}/{REST}]\n")
    assert f"{ANN}/{REST}" not in [str(key) for key, _ in MultifaceSource(tmp_path).refused]


@pytest.mark.parametrize("name", ["", "tracked_mesh"])
def test_what_stands_in_a_person_s_place_and_is_no_folder_is_refused(name: str, tmp_path: Path) -> None:
    write_multiface(tmp_path)
    place = tmp_path / MULTIFACE_ENTITIES[0] / name
    shutil.rmtree(place)
    place.write_text("mine")
    with pytest.raises(DataError, match=f"{place.name}: expected a folder, found none in its place; move it away"):
        MultifaceSource(tmp_path)


def test_the_neutral_is_the_median_of_its_recording(tmp_path: Path) -> None:
    write_multiface(tmp_path)  # in whose last frame everything is elsewhere
    source = MultifaceSource(tmp_path)
    np.testing.assert_allclose(source.read(smile()).neutral, HEAD.vertices, atol=1e-4)
    np.testing.assert_allclose(source.read(smile(BOB)).neutral, HEAD.vertices * 1.1, atol=1e-4)


def test_script_v2_has_a_neutral_too(tmp_path: Path) -> None:
    write_multiface(tmp_path, recordings={"EXP_neutral_peak": None, "EXP_lip001": 0})
    source = MultifaceSource(tmp_path, expressions=["EXP_lip001"])
    np.testing.assert_allclose(source.read(source.keys[0]).neutral, HEAD.vertices * 1.1, atol=1e-4)


def test_without_a_neutral_there_is_none(tmp_path: Path) -> None:
    write_multiface(tmp_path, recordings={SMILE: 0})
    source = MultifaceSource(tmp_path)
    assert source.read(smile()).neutral is None
    trained = next(subject for subject in source.subjects if subject not in source.test_subjects)
    first = HEAD.vertices * (1 if trained == ANN else 1.1)
    np.testing.assert_allclose(source.template.vertices, first, atol=1e-4)


def test_expressions_are_the_paper_s_as_far_as_they_are_there(tmp_path: Path) -> None:
    write_multiface(tmp_path)
    source = MultifaceSource(tmp_path)
    assert source.expressions == ("happy", "sad") and tuple(SHOWN) == EXPRESSIONS
    assert source.keys == (
        Key(BOB, "happy", SMILE),
        Key(BOB, "sad", FROWN),
        Key(ANN, "happy", SMILE),
        Key(ANN, "sad", FROWN),
    )
    assert source.habits == Habits(fps=10.0, align="frames") and source.refused == ()
    assert source.options() == {"seed": 0, "units": "mm", "expressions": ["happy", "sad"]}


def test_expressions_can_be_chosen(tmp_path: Path) -> None:
    write_multiface(tmp_path)
    source = MultifaceSource(tmp_path, expressions=[FROWN, REST])
    assert source.expressions == (FROWN, REST)
    assert Key(ANN, FROWN, FROWN) in source.keys and Key(ANN, REST, REST) in source.keys and len(source.keys) == 4
    with pytest.raises(DataError, match=f"unknown recording 'E999'; known are: {REST}, {SMILE}, {FROWN}"):
        MultifaceSource(tmp_path, expressions=[FROWN, "E999"])


def test_without_the_paper_s_expressions_it_says_what_there_is(tmp_path: Path) -> None:
    write_multiface(tmp_path, recordings={REST: None, "E025_Shh": 0})
    with pytest.raises(DataError, match=f"none of {SMILE}, .* found are {REST}, E025_Shh; choose with --expressions"):
        MultifaceSource(tmp_path)


def test_two_captures_of_one_id_are_one_subject(tmp_path: Path) -> None:
    entities = (*MULTIFACE_ENTITIES, "m--20190529--1300--6795937--GHS", "m--20190529--1004--6795937--GHS")
    write_multiface(tmp_path, entities)
    (folder(tmp_path, FROWN, entities[0])).rename(tmp_path / "away")
    (folder(tmp_path, FROWN, entities[2])).rename(tmp_path / "away too")
    source = MultifaceSource(tmp_path)
    assert source.subjects == (BOB, ANN)
    names = [key.name for key in source.keys if key.subject == ANN]
    assert names == [f"20180227-{SMILE}", f"20190529-1004-{SMILE}", FROWN, f"20190529-1300-{SMILE}"]
    sizes = [np.abs(source.read(key).vertices[0]).max() / np.abs(HEAD.vertices).max() for key in source.keys[2:]]
    np.testing.assert_allclose(sizes, [1.0, 1.3, 1.3, 1.2], atol=1e-4)
    # One neutral for all of a subject's, over the three captures.
    frames = [np.fromfile(path, dtype="<f4") for path in tmp_path.glob(f"m--*-{ANN}--GHS/tracked_mesh/{REST}/*.bin")]
    assert len(frames) == 15
    for key in source.keys[2:]:
        np.testing.assert_allclose(source.read(key).neutral, np.median(frames, axis=0).reshape(-1, 3), atol=1e-4)


def test_the_split_and_the_template(tmp_path: Path) -> None:
    entities = (*MULTIFACE_ENTITIES, "m--20190529--1300--002421669--GHS")
    write_multiface(tmp_path, entities)
    source = MultifaceSource(tmp_path, test_subjects=[BOB])
    assert source.test_subjects == (BOB,)
    # Of 1.2 and 1, the second brought onto the first.
    expected = HEAD.vertices * 1.1 + 0.1 * HEAD.vertices.mean(axis=0)
    np.testing.assert_allclose(source.template.vertices, expected, atol=1e-4)
    assert source.template.digest == HEAD.digest
    alone = MultifaceSource(tmp_path, test_subjects=[BOB], val_subjects=["002421669"]).template
    np.testing.assert_allclose(alone.vertices, HEAD.vertices, atol=1e-4)
    drawn = {MultifaceSource(tmp_path, seed=seed).test_subjects for seed in range(5)}
    assert len(drawn) > 1 and all(len(subjects) == 1 for subjects in drawn)
    assert MultifaceSource(tmp_path, seed=1).test_subjects == MultifaceSource(tmp_path, seed=1).test_subjects


def test_triangles_in_the_root_come_first(tmp_path: Path) -> None:
    write_multiface(tmp_path)
    turned = HEAD.faces[:, [1, 0, 2]]
    write_mesh(tmp_path / "topology.ply", type(HEAD)(HEAD.vertices, turned))
    assert MultifaceSource(tmp_path).template.digest != HEAD.digest


def test_one_obj_anywhere_is_enough(tmp_path: Path) -> None:
    write_multiface(tmp_path)
    for path in list(tmp_path.rglob("*.obj"))[1:]:
        path.unlink()
    assert len(list(tmp_path.rglob("*.obj"))) == 1
    assert MultifaceSource(tmp_path).template.digest == HEAD.digest


def test_without_triangles_it_says_so(tmp_path: Path) -> None:
    write_multiface(tmp_path)
    for path in tmp_path.rglob("*.obj"):
        path.unlink()
    with pytest.raises(DataError, match=r"the .bin files have no triangles; expected a .obj .*; put any frame's .obj"):
        MultifaceSource(tmp_path)
    write_mesh(tmp_path / "other.obj", sphere(60))
    with pytest.raises(DataError, match=r"expected 720 bytes, 60 vertices as in .*other\.obj, found 1440"):
        MultifaceSource(tmp_path)


def test_uneven_frames_come_at_the_recording_s_smallest_step(tmp_path: Path) -> None:
    write_multiface(tmp_path, numbers=(9, 10, 12, 15))
    recording = MultifaceSource(tmp_path).read(smile())
    expected = np.array([bulge(HEAD, 1, 0, t / 6) for t in range(7)])
    np.testing.assert_allclose(recording.vertices, expected, atol=1e-4)
    assert recording.fps == 30


def test_the_last_frame_may_fall_off_the_even_grid(tmp_path: Path) -> None:
    write_multiface(tmp_path, numbers=(10, 12, 15))
    recording = MultifaceSource(tmp_path).read(smile())
    np.testing.assert_allclose(recording.vertices, [bulge(HEAD, 1, 0, t / 5) for t in (0, 2, 4)], atol=1e-4)
    assert recording.fps == 15


def test_frames_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    write_multiface(tmp_path, numbers=(99, 102, 105))
    for path in folder(tmp_path).glob("*.bin"):
        path.rename(path.with_name(path.name.lstrip("0")))  # 99 after 105 by the alphabet
    recording = MultifaceSource(tmp_path).read(smile())
    np.testing.assert_allclose(recording.vertices, [bulge(HEAD, 1, 0, t / 2) for t in (0, 1, 2)], atol=1e-4)


def test_long_gaps_are_named(tmp_path: Path) -> None:
    write_multiface(tmp_path, numbers=(3, 6, 6 + 3 * LONGEST_GAP))
    assert len(MultifaceSource(tmp_path).read(smile()).vertices) == 2 + LONGEST_GAP
    write_multiface(tmp_path / "more", numbers=(3, 6, 7 + 3 * LONGEST_GAP, 10 + 3 * LONGEST_GAP))
    with pytest.raises(
        DataError, match=f"{SMILE}: no frames between 6 and {7 + 3 * LONGEST_GAP}, which is over {LONGEST_GAP} steps"
    ):
        MultifaceSource(tmp_path / "more").read(smile())


def test_a_frame_under_two_names(tmp_path: Path) -> None:
    write_multiface(tmp_path)
    (folder(tmp_path) / "105.bin").write_bytes((folder(tmp_path) / "000105.bin").read_bytes())
    with pytest.raises(DataError, match="frame 105 is there twice"):
        MultifaceSource(tmp_path).read(smile())


def test_cut_files_say_expected_and_found(tmp_path: Path) -> None:
    write_multiface(tmp_path)
    source = MultifaceSource(tmp_path)
    path = folder(tmp_path) / "000108.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"000108\.bin: expected 1440 bytes, 120 vertices as in .*\.obj, found 1439"):
        source.read(smile())
    assert len(source.read(smile(BOB)).vertices) == 5


def test_files_and_folders_that_vanish(tmp_path: Path) -> None:
    write_multiface(tmp_path)
    source = MultifaceSource(tmp_path)
    for path in folder(tmp_path).glob("*.bin"):
        path.unlink()
    with pytest.raises(DataError, match=r"expected at least two frames \(\.bin\), found 0"):
        source.read(smile())
    (folder(tmp_path) / "000102.bin").mkdir()  # nor is a folder of that name a file
    (folder(tmp_path) / "000105.bin").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"000102\.bin: this is a folder"):
        source.read(smile())
    folder(tmp_path).rename(tmp_path / "away")
    with pytest.raises(DataError, match=f"{SMILE}: cannot be read"):
        source.read(smile())


def test_a_damaged_neutral_refuses_its_subject_alone(tmp_path: Path) -> None:
    entities = (*MULTIFACE_ENTITIES, "m--20190529--1300--002421669--GHS")
    write_multiface(tmp_path, entities)
    (folder(tmp_path, REST) / "000105.bin").write_bytes(b"")
    source = MultifaceSource(tmp_path)
    assert ANN not in source.subjects and len(source.subjects) == 2
    assert [key for key, _ in source.refused] == [Key(ANN, "happy", SMILE), Key(ANN, "sad", FROWN)]
    assert "the neutral cannot be read: " in source.refused[0][1] and "found 0" in source.refused[0][1]
    (folder(tmp_path, REST) / "000105.bin").write_bytes(np.full(360, np.nan, dtype="<f4").tobytes())
    assert "NaN or infinite" in MultifaceSource(tmp_path).refused[0][1]


def test_another_layout(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: cannot be read"):
        MultifaceSource(tmp_path / "nowhere")
    (tmp_path / "m--20180227--0000--6795937--GHS" / "images").mkdir(parents=True)
    with pytest.raises(DataError, match="expected m--<date>--<time>--<id>--GHS/tracked_mesh/<expression>/<frame>.bin"):
        MultifaceSource(tmp_path)
    write_multiface(tmp_path / "data")
    with pytest.raises(DataError, match="this is one subject's folder; give the folder that it lies in"):
        MultifaceSource(tmp_path / "data" / MULTIFACE_ENTITIES[0])


def test_one_subject_is_not_enough(tmp_path: Path) -> None:
    write_multiface(tmp_path, MULTIFACE_ENTITIES[:1])
    with pytest.raises(FacegenError, match="at least one to train and one to test"):
        MultifaceSource(tmp_path)


def test_it_can_be_sent_to_another_process(tmp_path: Path) -> None:
    write_multiface(tmp_path)
    source = MultifaceSource(tmp_path)
    sent = pickle.loads(pickle.dumps(source))
    assert sent.keys == source.keys
    np.testing.assert_array_equal(sent.read(smile()).vertices, source.read(smile()).vertices)
    np.testing.assert_array_equal(sent.read(smile()).neutral, source.read(smile()).neutral)


def test_the_names_are_those_of_the_script() -> None:
    assert NEUTRALS[0] in MULTIFACE_RECORDINGS and SHOWN["happy"] == SMILE and SHOWN["sad"] == FROWN
    assert len(set(SHOWN.values())) == len(SHOWN)


def test_a_frame_that_is_a_pipe_a_folder_or_too_long_is_named_and_not_waited_for(tmp_path: Path) -> None:
    write_multiface(tmp_path)
    source = MultifaceSource(tmp_path)
    path = sorted(folder(tmp_path).glob("*.bin"))[-1]
    count = path.stat().st_size
    os.truncate(path, count + 1)
    with pytest.raises(DataError, match=rf"{path}: expected {count} bytes, .* found {count + 1}"):
        source.read(smile())
    for make, what in ((os.mkfifo, "a pipe or a device"), (os.mkdir, "this is a folder")):
        path.unlink()
        make(path)
        with pytest.raises(DataError, match=f"{path}: .*{what}"):
            source.read(smile())

"""Takes of Live Link Face as data: trees in the app's formats on a small clone of ICT-FaceKit, and the real ones."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from live_link_files import bumps, write_take

from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.data.module import SequenceDataset
from facegen.data.sources import open_source
from facegen.data.sources.ict_face import MM, NOSE_TIP
from facegen.data.sources.source import Key
from facegen.data.sources.takes import TakesSource
from facegen.errors import DataError, FacegenError
from facegen.mesh.formats.io import write_mesh
from facegen.motion.live_link import ROTATIONS, SHAPES, Take
from facegen.motion.repair import Stretch
from facegen.rigging.weights import ArkitBasis


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two people, two expressions, in several of the app's versions."""
    happy, angry = bumps(30, ("MouthSmile", 0.5, 0.7)), bumps(60, ("NoseSneer", 0.5, 0.6))
    write_take(tmp_path / "ann" / "happy" / "one.csv", happy, 30, first=13 * 3600 * 30)
    write_take(tmp_path / "ann" / "happy" / "two.csv", happy, 30, columns=52)
    write_take(tmp_path / "ann" / "angry" / "20260101_MySlate_1" / "MySlate_1_iPhone_cal.csv", angry)
    for ending in ("_raw", "_neutral", ""):
        write_take(tmp_path / "ann" / "angry" / "20260101_MySlate_1" / f"MySlate_1_iPhone{ending}.csv", angry)
    (tmp_path / "ann" / "angry" / "20260101_MySlate_1" / "frame_log.csv").write_text("V,1\n")
    write_take(tmp_path / "bob" / "happy" / "one.csv", bumps(24, ("MouthSmile", 0.5, 0.7)), 24)
    write_take(tmp_path / "bob" / "angry" / "one.csv", angry)
    return tmp_path


def opened(root: Path, clone: Path, name: str = "live_link", **options: object) -> TakesSource:
    source = open_source(name, {"root": root, "basis": clone, "region": "narrow", "seed": 0} | options)
    assert isinstance(source, TakesSource)
    return source


def names(source: TakesSource) -> list[str]:
    return [f"{key} shows {key.expression}" for key in source.keys]


def test_takes_by_subject_and_expression(root: Path, clone: Path) -> None:
    source = opened(root, clone)
    assert names(source) == [
        "ann/angry/20260101_MySlate_1/MySlate_1_iPhone_cal shows angry",
        "ann/happy/one shows happy",
        "ann/happy/two shows happy",
        "bob/angry/one shows angry",
        "bob/happy/one shows happy",
    ]
    assert (source.expressions, source.refused, source.left_out) == (("happy", "angry"), (), ())
    recording = source.read(source.keys[1])
    assert (recording.fps, recording.phases) == (30, None)
    assert recording.vertices.shape == (90, 6706, 3)
    assert source.read(source.keys[4]).fps == 24
    np.testing.assert_array_equal(source.glance(source.keys[1]).vertices, recording.vertices[:1])
    # A smile is the shape of each side times its weight, on a face of one's own.
    again = pickle.loads(pickle.dumps(source)).read(source.keys[1])
    np.testing.assert_array_equal(again.vertices, recording.vertices)
    other = source.read(source.keys[3]).neutral
    assert np.linalg.norm(other - recording.neutral, axis=1).mean() > 0.5
    assert opened(root, clone, seed=1).read(source.keys[1]).neutral[0] != pytest.approx(recording.neutral[0])


def test_frames_are_the_shapes_times_their_weights(root: Path, clone: Path) -> None:
    """With a neutral that is the generic face, so that shapes are as the files have them."""
    (root / "neutral").mkdir()
    source = opened(root, clone)
    write_mesh(root / "neutral" / "ann.obj", source.template)
    source = opened(root, clone)
    key, face = source.keys[1], source._face.face
    recording, weights = source.read(key), source.weights(key)
    np.testing.assert_allclose(recording.neutral, face.coarse, atol=1e-4)
    files = {"JawOpen": ["jawOpen"], "BrowInnerUp": ["browInnerUp_L", "browInnerUp_R"]}
    files |= {
        f"{name}{side}": [f"{name[0].lower()}{name[1:]}_{side[0]}"]
        for name in ("MouthSmile", "EyeBlink", "NoseSneer")
        for side in ("Left", "Right")
    }
    wanted = sum(weights[45, SHAPES.index(name)] * face.shapes(halves).sum(axis=0) for name, halves in files.items())
    np.testing.assert_allclose(recording.vertices[45] - face.coarse, wanted, atol=1e-3)
    assert np.abs(wanted).max() > 5


def test_neutrals_are_checked(root: Path, clone: Path) -> None:
    (root / "neutral").mkdir()
    template = opened(root, clone).template
    path = root / "neutral" / "ann.ply"
    key = Key("ann", "happy", "happy/one")
    turned = template.vertices[:, [0, 1, 2]] * 1.1 + [30, 0, 5]
    write_mesh(path, template.with_vertices(turned))  # elsewhere, and a little larger
    neutral = opened(root, clone).read(key).neutral
    assert np.ptp(neutral[:, 0]) == pytest.approx(1.1 * np.ptp(template.vertices[:, 0]), rel=1e-3)
    np.testing.assert_allclose(neutral.mean(axis=0), template.vertices.mean(axis=0), atol=1e-2)
    write_mesh(path, template.with_vertices(template.vertices / MM))
    with pytest.raises(DataError, match="0.1 times the size of a face if its units are mm; say with --units"):
        opened(root, clone).read(key)
    assert np.ptp(opened(root, clone, units="cm").read(key).neutral[:, 0]) > 100
    write_mesh(path, template.with_vertices(template.vertices[::-1].copy()))
    with pytest.raises(DataError, match="% of a face's size off the ICT Face Model; it must have its vertices in its"):
        opened(root, clone).read(key)
    from facegen.mesh.tri_mesh import TriMesh

    write_mesh(path, TriMesh(template.vertices[:100], np.array([[0, 1, 2]])))
    with pytest.raises(DataError, match="a face of the ICT Face Model's topology, 6,706 vertices .* found 100"):
        opened(root, clone).read(key)
    path.rename(path.with_stem("eve"))
    with pytest.raises(DataError, match="unknown subject 'eve'"):
        opened(root, clone)


def test_the_head_turns_about_the_neck_where_it_is_kept(tmp_path: Path, clone: Path) -> None:
    write_take(tmp_path / "ann" / "happy" / "one.csv", bumps(30, ("MouthSmile", 0.5, 0.7)), 30)
    write_take(tmp_path / "bob" / "happy" / "one.csv", bumps(30, ("MouthSmile", 0.5, 0.7)), 30)
    kept = opened(tmp_path, clone, head="keep")
    face, who = kept._face, kept._performer("ann")
    still = np.zeros((1, len(SHAPES)), np.float32)
    for column, axis, direction in ((0, 0, -1), (1, 1, -1), (2, 0, -1)):
        turn = np.zeros((1, len(ROTATIONS)), np.float32)
        turn[0, column] = 0.2
        moved = face.perform(who, Stretch(0, still, turn, 30))[0] - who.neutral
        point = NOSE_TIP if column < 2 else int(who.neutral[:, 1].argmax())  # the crown tilts to the right
        assert direction * moved[point, axis] > 5, column
    away = opened(tmp_path, clone)
    pose = away._face.perform(away._performer("ann"), Stretch(0, still, turn, 30))[0]
    np.testing.assert_allclose(pose, who.neutral, atol=1e-4)
    with pytest.raises(DataError, match="unknown way with the head 'off'; known are: away, keep"):
        opened(tmp_path, clone, head="off")


def test_ranges_say_what_parts_show(root: Path, clone: Path) -> None:
    listed = root / "ranges.txt"
    listed.write_text("# subject expression file from to\nann smile ann/happy/one.csv 10 60\nbob smile "
                      "bob/happy/one.csv 1.5s 0.25s\n")  # fmt: skip
    source = opened(root, clone, ranges=listed)
    assert names(source) == ["ann/smile/one.10-60 shows smile", "bob/smile/one.1.5s-0.25s shows smile"]
    whole = opened(root, clone)
    np.testing.assert_array_equal(source.weights(source.keys[0]), whole.weights(whole.keys[1])[10:61])
    np.testing.assert_array_equal(source.weights(source.keys[1]), whole.weights(whole.keys[4])[6:37][::-1])
    for line, reason in (
        ("ann smile ann/happy/one.csv 10", "line 1: expected `subject expression file from to`"),
        ("ann smile ann/happy/one.csv 10 2s", "line 1: expected `subject expression file from to`"),
        ("ann smile ann/none.csv 10 60", "ann/none.csv is not there"),
        ("ann smile ann/happy/one.csv 10 600", "expected frames within 0 to 89 .* found 10 to 600"),
        ("ann smile ann/happy/one.csv 10 12", "expected 1 s or more, found 3 frames"),
        ("", "no ranges in it"),
    ):
        listed.write_text(line)
        with pytest.raises(DataError, match=reason):
            opened(root, clone, ranges=listed)
    with pytest.raises(DataError, match="--ranges says what each part shows, and --by-shape finds it"):
        opened(root, clone, ranges=listed, by_shape=True)


def test_what_cannot_be_used_is_refused_by_name(root: Path, clone: Path) -> None:
    gap = bumps(30, ("MouthSmile", 0.5, 0.7), ("MouthSmile", 6, 0.7))
    path = write_take(root / "ann" / "sad" / "gap.csv", gap, 30)
    rows = path.read_text().splitlines()
    path.write_text("\n".join([*rows[:91], *rows[151:]]))
    (root / "ann" / "sad" / "bad.csv").write_text("a,b\n1,2\n")
    write_take(root / "ann" / "loose.csv", gap, 30)
    (root / "dataset.yaml").write_text("leave_out: [bob/happy/one]\ntest_subjects: [bob]\n")
    source = opened(root, clone)
    assert [key.name for key in source.keys if key.expression == "sad"] == ["sad/gap.0-89", "sad/gap.150-254"]
    refused = {str(key): reason for key, reason in source.refused}
    assert "expected the columns of Live Link Face" in refused["ann/sad/bad"]
    assert "it lies in no expression's folder; put it into ann/<expression>/" in refused["ann/loose"]
    assert [str(key) for key, _ in source.left_out] == ["bob/happy/one"]
    assert source.test_subjects == ("bob",)
    assert opened(root, clone, expressions=["sad", "angry"]).expressions == ("sad", "angry")
    with pytest.raises(DataError, match="unknown expression 'glad'"):
        opened(root, clone, expressions=["glad"])
    (root / "dataset.yaml").write_text("expressions: [happy, sad]\n")
    with pytest.raises(DataError, match="dataset.yaml: unknown expression 'angry'; known are: happy, sad"):
        opened(root, clone)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"basis": None}, "need --basis, a clone of ICT-FaceKit"),
        ({"basis": "nowhere"}, "give the clone as --basis"),
        ({"subjects": 1}, "--subjects draws at least one to train and one to test, got 1"),
        ({"test_takes": ["ann"]}, "--test-takes is for drawn people"),
        ({"test_takes": ["eve"], "subjects": 4}, "unknown recorded subject of a test take 'eve'; known are: ann, bob"),
        ({"test_takes": ["ann", "bob"], "subjects": 4}, "all takes are test takes"),
        ({"mapping": "x"}, "the source live_link takes no --mapping"),
    ],
)
def test_options_that_do_not_fit_are_refused(root: Path, clone: Path, options: dict, reason: str) -> None:
    with pytest.raises(FacegenError, match=reason):
        opened(root, clone, **options)


def test_drawn_people_act_the_takes_split_by_take_and_by_person(root: Path, clone: Path) -> None:
    source = opened(root, clone, subjects=5, test_subjects=["2"], val_subjects=["1"], test_takes=["bob"])
    assert len(source.test_subjects) == 2 and len(source.val_subjects) == 1
    for key in source.keys:
        assert (key.subject in source.test_subjects) == key.name.startswith("bob/")
    assert len(source.keys) == 3 * 3 + 2 * 2
    assert [key.subject for key in source.keys] == sorted(key.subject for key in source.keys)
    first = source.read(Key("000", "happy", next(key.name for key in source.keys if key.expression == "happy")))
    assert first.vertices.shape[1:] == (6706, 3)
    assert len(opened(root, clone, subjects=5).keys) == 5 * 5  # without test takes everybody acts all
    (root / "dataset.yaml").write_text("test_subjects: [bob]\n")
    assert opened(root, clone, subjects=5, test_subjects=["2"], val_subjects=["1"]).keys == source.keys


def test_by_shape_names_evolutions_and_what_is_left(tmp_path: Path, clone: Path) -> None:
    events = [("MouthSmile", 1, 0.7), ("JawOpen", 4, 0.8), ("MouthSmile", 7, 0.6)]
    write_take(tmp_path / "a" / "rom.csv", bumps(30, *events, ("EyeLookUp", 10, 0.8)), 30)
    write_take(tmp_path / "b" / "deeper" / "rom.csv", bumps(30, *events, ("NoseSneer", 10, 0.7)), 30)
    source = opened(tmp_path, clone, by_shape=True, test_subjects=["b"])
    assert [key.expression for key in source.keys] == ["smile", "jaw", "smile"] * 2
    assert source.expressions == ("smile", "jaw")
    reasons = {str(key).rpartition(".")[0]: reason for key, reason in source.left_out}
    assert reasons == {
        "a/rom": "no evolution: rest, gaze, or what no group of shapes leads",
        "b/deeper/rom": "nobody who trains shows nose",
    }
    recording = source.read(source.keys[1])
    assert recording.phases is not None
    middle = (recording.phases.apex_start + recording.phases.apex_end) // 2
    assert source.weights(source.keys[1])[middle, SHAPES.index("JawOpen")] == pytest.approx(0.82, abs=0.02)
    assert {key.expression for key in opened(tmp_path, clone, by_shape=True, test_subjects=["a"]).keys} == {
        "smile",
        "jaw",
        "nose",
    }


def test_the_command_makes_a_corpus_of_takes(root: Path, clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    corpus = root / "corpus"
    arguments = f"prepare live_link --root {root} --basis {clone} --region narrow --test-subjects bob --workers 1"
    assert run([*arguments.split(), "--components", "4", "--depth", "3", "--out", str(corpus)]) == 0
    assert "2 subjects (1 to train, 0 to validate, 1 to test), 5 sequences" in capsys.readouterr().out
    made = Corpus(corpus)
    assert (made.expressions, made.fps) == (("happy", "angry"), 30)
    index = made.find("ann", "happy")
    label = made.motion(index)[:, 0]
    start, end = made.entries[index].phases[1:3]
    assert abs(start - 30) <= 3 and abs(end - 45) <= 3  # rises from 0.5 s, holds from 1 to 1.5 s
    assert label.max() > 0


def test_a_corpus_by_shape_has_the_curve_of_every_group_that_takes_part(
    tmp_path: Path, clone: Path, capsys: pytest.CaptureFixture
) -> None:
    weights = bumps(30, ("MouthSmile", 1, 0.7), ("JawOpen", 1.25, 0.3), ("EyeLookUp", 1, 0.2), ("JawOpen", 4, 0.8))
    write_take(tmp_path / "ann" / "rom.csv", weights, 30)
    weights += bumps(30, ("EyeLookDown", 1, 0.2), ("Jaw", 4, 0))  # while nobody who trains looks down
    write_take(tmp_path / "bob" / "rom.csv", weights, 30)
    corpus = tmp_path / "corpus"
    arguments = f"prepare live_link --root {tmp_path} --basis {clone} --region narrow --by-shape --test-subjects bob"
    more = ["--workers", "1", "--components", "2", "--depth", "3", "--label", "curve", "--out", str(corpus)]
    assert run([*arguments.split(), *more]) == 0
    made = Corpus(corpus)
    assert (made.expressions, made.shown) == (("smile", "jaw", "look-up"), ("smile", "jaw"))
    assert made.facts()["label"] == "curve"
    index = made.find("ann", "smile")
    entry, label = made.entries[index], made.motion(index)
    first = int(entry.recording.rpartition(".")[2].partition("-")[0])
    wanted = np.interp(np.arange(first, first + entry.frames) / 30, [1, 1.5, 2, 2.5], [0, 1, 1, 0])
    np.testing.assert_allclose(label[:, 0] / made.intensity(index), wanted, atol=0.05)
    jaw = 0.3 * np.interp(np.arange(first, first + entry.frames) / 30, [1.25, 1.75, 2.25, 2.75], [0, 1, 1, 0])
    np.testing.assert_allclose(label[:, 1], jaw, atol=0.03)  # it drops a little with the smile
    other = made.find("ann", "jaw")
    assert made.entries[other].others is None and not made.motion(other)[:, 0].any()  # nobody smiles with the jaw
    assert label[:, 0].max() == pytest.approx(made.intensity(index), rel=1e-3)
    assert made.intensity(index) == pytest.approx(0.7, abs=0.01)  # the weight, and not where it is among all smiles
    assert label[:, 2].max() == pytest.approx(0.2, abs=0.01)
    batch = SequenceDataset(made, "train")[0]
    np.testing.assert_array_equal(batch.motion.numpy(), made.motion(made.split("train")[0]))
    np.testing.assert_array_equal(batch.phase.numpy(), made.phases(index).of_frames(entry.frames))
    assert run(["inspect", str(corpus)]) == 0
    assert "label" in capsys.readouterr().out


def test_inspecting_looks_into_takes(root: Path, clone: Path, capsys: pytest.CaptureFixture) -> None:
    def seen(*more: str) -> dict:
        capsys.readouterr()
        assert run(["inspect", str(root), "--json", *more]) == 0
        return json.loads(capsys.readouterr().out)

    plain = seen()
    assert (plain["source"], plain["sound"], plain["recordings"]) == ("live_link", True, 5)
    assert (plain["subjects"], plain["rates"], plain["expressions"]) == (2, [24, 30, 60], ["angry", "happy"])
    whole = seen("--basis", str(clone), "--source", "live_link")  # its small mesh has not the region that is usual
    assert not whole["sound"] and "has not the parts of the ICT Face Model Light" in whole["problems"][0]
    (root / "ann" / "sad").mkdir()
    (root / "ann" / "sad" / "bad.csv").write_text("Timecode,b\n1,2\n")
    bad = seen()
    assert not bad["sound"] and any("ann/sad/bad" in problem for problem in bad["problems"])


def test_weights_come_back_from_the_meshes_of_real_takes(ict_root: Path, live_link_root: Path, tmp_path: Path) -> None:
    for name in ("rom-a", "rom-b", "speech-a", "speech-b"):
        (tmp_path / name / "any").mkdir(parents=True)
        (tmp_path / name / "any" / "take.csv").symlink_to(live_link_root / f"{name}.csv")
    source = opened(tmp_path, ict_root)
    person = source._performer("rom-a")
    basis = ArkitBasis.load(ict_root / "FaceXModel", person.neutral)
    for key in source.keys:
        stretch = source._takes.stretch(source._acted[key])
        few = np.linspace(0, len(stretch) - 1, 12).astype(int)
        frames = source._face.perform(person, Stretch(0, stretch.weights[few], stretch.rotations[few], stretch.fps))
        take = Take.load(tmp_path / key.subject / "any" / "take.csv")
        wanted = np.stack([np.interp(few / stretch.fps, take.times, column) for column in take.weights.T], axis=1)
        assert np.abs(basis.solve(frames - person.neutral) - wanted).mean() < 0.005, key


def test_what_only_bears_the_name_of_a_take_is_named(root: Path, clone: Path) -> None:
    (root / "ann" / "happy" / "three.csv").mkdir()
    os.mkfifo(root / "ann" / "happy" / "two.more.csv")
    (root / "bob" / "angry").rename(root / "bob" / "angry.csv")  # which holds takes
    source = opened(root, clone)
    said = {str(key): reason for key, reason in source.refused}
    assert "this is a folder" in said["ann/happy/three"] and "a pipe" in said["ann/happy/two.more"] and len(said) == 2
    assert "bob/angry.csv/one shows angry.csv" in names(source)

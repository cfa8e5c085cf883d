"""Datasets of a mesh a frame: what all of them promise, and what each has of its own."""

from __future__ import annotations

import json
import pickle
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import mesh_trees
import numpy as np
import pytest
from mesh_trees import HEAD, PHASES, moving, one_peak
from PIL import Image
from shapes import sphere

from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.data.sources import open_source
from facegen.data.sources.fourdfab import LAYOUT, read_layout
from facegen.data.sources.layout import require_no_gap
from facegen.data.sources.source import Key
from facegen.errors import FacegenError
from facegen.mesh import read_mesh, write_mesh


@dataclass(frozen=True)
class Dataset:
    """A source, a tree that it reads, and what should come of it."""

    name: str
    write: Callable[[Path], Path]
    subjects: tuple[str, ...]
    keys: int
    expressions: tuple[str, ...]
    frame: str  # path of frame 31, counted from 0, of the second subject's first recording
    more: dict[str, object] = field(default_factory=dict)


DATASETS = [
    Dataset(
        "coma",
        mesh_trees.write_coma,
        mesh_trees.COMA,
        7,
        ("bareteeth", "mouth_open"),
        "FaceTalk_170728_03272_TA/bareteeth/bareteeth.000032.ply",
    ),
    Dataset(
        "famos",
        mesh_trees.write_famos,
        mesh_trees.FAMOS,
        8,
        ("happy", "angry"),
        "registrations/FaMoS_subject_002/anger/anger.000032.ply",
    ),
    Dataset(
        "d3dfacs",
        mesh_trees.write_d3dfacs,
        mesh_trees.D3DFACS,
        8,
        ("surprise", "happy"),
        "Joe/1+2/1+2_36.ply",
        {"mapping": "{1+2: surprise, 12: happy}"},
    ),
    Dataset("fourdfab", mesh_trees.write_fourdfab, mesh_trees.FOURDFAB, 8, ("happy", "sad"), "2/happy/31.obj"),
    Dataset("folder", mesh_trees.write_folder, ("ann", "bob", "cleo", "dan"), 8, ("happy", "sad"), "bob/happy/31.ply"),
]
UNLABELLED = "--label=amplitude"  # does without finding phases, most of the time, where a test asks nothing about them
FIXED = {"folder": ["--align", "frames", "--fps", "12"]}  # what the others do by themselves


@pytest.fixture(params=DATASETS, ids=[dataset.name for dataset in DATASETS])
def dataset(request: pytest.FixtureRequest) -> Dataset:
    return request.param


@pytest.fixture
def root(dataset: Dataset, tmp_path: Path) -> Path:
    return dataset.write(tmp_path / "data")


def options(dataset: Dataset, root: Path) -> dict[str, object]:
    """What the source needs; files that are options of it are written beside the data."""
    given: dict[str, object] = {"root": root, "seed": 0}
    for name, content in dataset.more.items():
        (root.parent / f"{name}.yaml").write_text(content)
        given[name] = root.parent / f"{name}.yaml"
    return given


def prepare(dataset: Dataset, root: Path, out: Path, *more: str) -> int:
    given = [f"--{name}={value}" for name, value in options(dataset, root).items()]
    wanted = FIXED.get(dataset.name, [])
    return run(
        ["prepare", dataset.name, *given, *wanted, "--depth=2", "--components=4", "--workers=1", f"--out={out}", *more]
    )


def test_what_is_read_is_what_was_recorded(dataset: Dataset, root: Path) -> None:
    source = open_source(dataset.name, options(dataset, root))
    assert source.subjects == dataset.subjects  # natural order
    assert len(source.keys) == dataset.keys
    assert source.expressions == dataset.expressions
    assert len(source.test_subjects) == 1
    extent = np.ptp(source.template.vertices, axis=0)
    np.testing.assert_allclose(extent, np.ptp(HEAD.vertices, axis=0), rtol=0.1)  # mm
    recording = source.read(next(key for key in source.keys if key.subject == dataset.subjects[1]))
    wanted = moving(1, 0, one_peak(0.8))
    np.testing.assert_allclose(recording.vertices, wanted, atol=0.02)
    assert recording.vertices.dtype == np.float32
    assert recording.fps == 60
    again = pickle.loads(pickle.dumps(source))  # to other processes
    assert again.keys == source.keys
    np.testing.assert_array_equal(again.read(source.keys[0]).vertices, source.read(source.keys[0]).vertices)
    assert str(root) not in json.dumps(source.options())


def test_it_becomes_a_corpus_without_further_options(dataset: Dataset, root: Path, tmp_path: Path) -> None:
    assert prepare(dataset, root, tmp_path / "c") == 0
    corpus = Corpus(tmp_path / "c")
    assert (corpus.left_out, len(corpus.entries), corpus.expressions) == ([], dataset.keys, dataset.expressions)
    assert (corpus.fps, corpus.verify()) == (12, [])
    for index, entry in enumerate(corpus.entries):
        assert entry.explained > 0.9 and 0.5 < entry.confidence <= 1
        marks = (PHASES.onset, PHASES.apex_start, PHASES.apex_end, PHASES.offset)
        start = marks[1] / 5 - entry.phases[1]  # the first frame of the apex is one of those that are kept
        assert np.abs(np.array(entry.phases) + start - np.array(marks) / 5).max() < 1
        displacement = corpus.displacement(index)
        still = HEAD.vertices[:, 1] > 0
        assert np.abs(displacement[:, still]).max() < 1.0  # the head's turning, up to 10 mm, is out
        person = dataset.subjects.index(entry.subject)
        peak = np.linalg.norm(displacement[entry.phases[1]], axis=1).max()
        assert peak == pytest.approx((0.7 + 0.1 * person) * 12 * (1 + 0.1 * person) * np.sqrt(1.25), rel=0.1)


def test_a_seed_or_a_list_chooses_who_tests_and_who_validates(dataset: Dataset, root: Path) -> None:
    given = options(dataset, root)
    chosen = open_source(dataset.name, given | {"test_subjects": [dataset.subjects[2]]})
    assert chosen.test_subjects == (dataset.subjects[2],)
    two = open_source(dataset.name, given | {"test_subjects": ["2"], "seed": 3}).test_subjects
    if "2" not in dataset.subjects:
        assert len(two) == 2
        assert two == open_source(dataset.name, given | {"test_subjects": ["2"], "seed": 3}).test_subjects
    other = open_source(dataset.name, given | {"test_subjects": [dataset.subjects[2]], "val_subjects": ["1"]})
    assert other.test_subjects == chosen.test_subjects and chosen.val_subjects == ()
    if "1" not in dataset.subjects:
        assert len(other.val_subjects) == 1
    assert not np.array_equal(other.template.vertices, chosen.template.vertices)  # who validates is not in it
    with pytest.raises(FacegenError, match="unknown test subject 'eve'; known are: .*" + dataset.subjects[0]):
        open_source(dataset.name, given | {"test_subjects": ["eve"]})


def nan(path: Path) -> None:
    data = path.read_bytes()
    if path.suffix == ".obj":
        path.write_text(data.decode().replace("v ", "v nan ", 1))
    else:
        start = data.index(b"end_header\n") + len(b"end_header\n")
        path.write_bytes(data[:start] + np.float32("nan").tobytes() + data[start + 4 :])


def another_count(path: Path) -> None:
    other = sphere(90)
    write_mesh(path, other)


def zeros(path: Path) -> None:
    write_mesh(path, HEAD.with_vertices(np.zeros_like(HEAD.vertices)))


def larger(path: Path) -> None:
    """All frames of the recording are in units of a thousandth."""
    for frame in path.parent.iterdir():
        mesh = read_mesh(frame)
        write_mesh(frame, mesh.with_vertices(mesh.vertices * 1000))


def alone(path: Path) -> None:
    for frame in path.parent.iterdir():
        if frame != path:
            frame.unlink()


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a missing frame": (Path.unlink, r"frame (31|32|36) is missing"),
    "a truncated file": (lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), "{name}"),
    "another vertex count": (another_count, "{name}.*90 vertices.*of another topology"),
    "NaN": (nan, "{name}"),
    "zeros": (zeros, "frame 31: all vertices are at one place"),
    "one frame": (alone, "expected at least two frames, found 1"),
    "other units": (larger, "times the size of the other subjects; all must be in one unit"),
    "an empty folder": (lambda path: [frame.unlink() for frame in path.parent.iterdir()], "its folder is empty"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_cannot_be_used_is_left_out_and_named(
    dataset: Dataset, root: Path, tmp_path: Path, damage: str, capsys: pytest.CaptureFixture
) -> None:
    spoil, message = DAMAGES[damage]
    path = root / dataset.frame
    spoil(path)
    arguments = (UNLABELLED, "--test-subjects", dataset.subjects[0])
    assert prepare(dataset, root, tmp_path / "c", *arguments) == 0
    (left,) = Corpus(tmp_path / "c").left_out_lines()
    printed = capsys.readouterr().out
    assert f"left out: {left}" in printed.splitlines()
    assert left.startswith(f"{dataset.subjects[1]}/")
    assert re.search(message.format(name=path.name.replace("+", r"\+")), left), left
    assert prepare(dataset, root, tmp_path / "d", *arguments, "--strict") == 2
    said = capsys.readouterr().err
    assert left.split(": ")[1][:20] in said
    assert not (tmp_path / "d").exists()


def test_a_subject_spelled_in_two_ways_is_not_in_both_splits(
    dataset: Dataset, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    first = root / dataset.frame
    place = first.relative_to(root).parts.index(dataset.subjects[1])
    folder = root.joinpath(*first.relative_to(root).parts[: place + 1])
    twin = folder.with_name(folder.name.swapcase())
    if twin.name == folder.name:
        pytest.skip("no letters in this name")
    shutil.copytree(folder, twin)
    assert prepare(dataset, root, tmp_path / "c", UNLABELLED) == 0
    corpus = Corpus(tmp_path / "c")
    lines = corpus.left_out_lines()
    assert len(lines) == 2
    assert all("is also there as" in line for line in lines)
    assert len({subject.casefold() for subject in corpus.subjects}) == len(corpus.subjects) == 4


def test_a_dataset_in_other_units_is_refused_until_they_are_named(
    dataset: Dataset, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for path in [*root.rglob("*.ply"), *root.rglob("*.obj")]:
        mesh = read_mesh(path)
        write_mesh(path, mesh.with_vertices(mesh.vertices * (0.001 if path.suffix == ".obj" else 1000)))
    assert prepare(dataset, root, tmp_path / "c", UNLABELLED) == 2
    said = capsys.readouterr().err
    assert re.search(r"the faces are .* mm large if their units are .*; say with --units which they are", said)
    if dataset.name != "folder":
        units = "m" if dataset.name == "fourdfab" else "mm"
        assert prepare(dataset, root, tmp_path / "c", f"--units={units}", UNLABELLED) == 0


def test_inspecting_the_folder_says_what_matched_and_what_is_left(
    dataset: Dataset, root: Path, capsys: pytest.CaptureFixture
) -> None:
    (root / "readme.txt").write_text("not a frame")
    (root / dataset.frame).unlink()
    assert run(["inspect", str(root), "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    # A plain tree of meshes is anybody's own data until a source is named.
    assert (seen["kind"], seen["source"]) == ("dataset", {"fourdfab": "folder"}.get(dataset.name, dataset.name))
    assert (seen["subjects"], seen["vertices"], seen["sound"]) == (4, 150, False)
    assert seen["frames_each"][1:] == [70, 70]
    assert any("readme.txt" in problem for problem in seen["problems"])
    assert any(re.search("frame (31|32|36) is missing", problem) for problem in seen["problems"])
    assert run(["inspect", str(root), "--source", dataset.name]) == 0
    assert "subjects" in capsys.readouterr().out


def test_inspecting_what_is_no_dataset_says_so(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "a.txt").touch()
    assert run(["inspect", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "no file matches the patterns; say with --source or --layout" in said
    assert run(["inspect", str(tmp_path), "--source", "synthetic"]) == 2
    assert "unknown source with a folder 'synthetic'; known are: coma, famos" in capsys.readouterr().err


def test_famos_takes_any_sequence_by_its_name(tmp_path: Path) -> None:
    root = mesh_trees.write_famos(tmp_path)
    source = open_source("famos", {"root": root, "seed": 0, "expressions": ["head_rotation_up_down", "anger"]})
    assert source.expressions == ("head_rotation_up_down", "angry")
    assert len(source.keys) == 8
    inner = open_source("famos", {"root": root / "registrations", "seed": 0})  # the folder below, as well
    assert inner.expressions == ("happy", "angry")
    with pytest.raises(FacegenError, match="unknown expression 'smile'; known are: anger, happiness, head_rotation"):
        open_source("famos", {"root": root, "seed": 0, "expressions": ["smile"]})
    shutil.rmtree(root)
    with pytest.raises(FacegenError, match="no such folder; name the dataset's folder with --root"):
        open_source("famos", {"root": root, "seed": 0})


def test_famos_is_read_while_it_is_being_written(tmp_path: Path) -> None:
    root = mesh_trees.write_famos(tmp_path / "data")
    source = open_source("famos", {"root": root, "seed": 0})
    folder = root / "registrations" / "FaMoS_subject_009" / "anger"
    (folder / ".anger.000071.ply.part").write_bytes(b"half")  # unpackers write aside
    assert len(source.read(Key("FaMoS_subject_009", "angry", "anger")).vertices) == 70
    (folder / "anger.000001.ply").unlink()
    with pytest.raises(FacegenError, match=r"anger.000001.ply: .*(no such file|cannot)"):
        source.read(Key("FaMoS_subject_009", "angry", "anger"))


def test_coma_is_cut_at_rest_or_by_a_list(tmp_path: Path) -> None:
    root = tmp_path / "data"
    twice = np.concatenate([one_peak(0.6), one_peak(1.0)])
    extended = one_peak(1.0)[PHASES.apex_start + 2 :]
    for person, subject in enumerate(mesh_trees.COMA):
        for number, (name, curve) in enumerate((("lips_up", one_peak()), ("bareteeth", twice), ("eyebrow", extended))):
            paths = [root / subject / name / f"{name}.{frame:06d}.ply" for frame in range(1, len(curve) + 1)]
            mesh_trees.write_frames(paths, moving(person, number, curve), mesh_trees.METRE)
    arguments = ["prepare", "coma", f"--root={root}", "--depth=2", "--components=4", "--workers=1"]
    assert run([*arguments, f"--out={tmp_path / 'cut'}"]) == 0
    corpus = Corpus(tmp_path / "cut")
    cuts = [(entry.first > 0, entry.frames) for entry in corpus.entries if entry.expression == "bareteeth"]
    assert [late for late, _ in cuts] == [False, True] * 4
    first, second = (corpus.find(mesh_trees.COMA[0], "bareteeth", take) for take in (0, 1))
    assert corpus.displacement(second).max() > 1.4 * corpus.displacement(first).max()
    with pytest.raises(FacegenError, match="shows bareteeth 2 times, counted from 0; there is no take 2"):
        corpus.find(mesh_trees.COMA[0], "bareteeth", 2)
    begun = corpus.entries[corpus.find(mesh_trees.COMA[0], "eyebrow")]
    assert begun.phases[:2] == (0, 0)  # it is extended when the recording begins
    # Of three first frames two are at rest; their median is the neutral.
    shown = corpus.displacement(corpus.find(mesh_trees.COMA[0], "eyebrow"))
    assert np.linalg.norm(shown[0], axis=1).max() > 10 > 1 > np.linalg.norm(shown[-1], axis=1).max()

    ranges = tmp_path / "ranges.txt"
    lines = [f"{subject} bareteeth 71 140  # the second peak" for subject in mesh_trees.COMA]
    lines += [f"{subject} eyebrow 42 1" for subject in mesh_trees.COMA]
    ranges.write_text("\n".join(lines))
    assert run([*arguments, f"--ranges={ranges}", f"--out={tmp_path / 'listed'}"]) == 0
    listed = Corpus(tmp_path / "listed")
    assert listed.expressions == ("bareteeth", "eyebrow")
    assert [entry.recording for entry in listed.entries[:2]] == ["bareteeth.71-140", "eyebrow.42-1"]
    backwards = listed.displacement(listed.find(mesh_trees.COMA[0], "eyebrow"))
    assert np.linalg.norm(backwards[-1], axis=1).max() > 10 > 1 > np.linalg.norm(backwards[0], axis=1).max()


RANGES = {
    "nobody bareteeth 1 5": "line 1: there is no recording nobody/bareteeth",
    "FaceTalk_170725_00137_TA bareteeth 1": "line 1: expected `subject recording from to`",
    "FaceTalk_170725_00137_TA bareteeth a 5": "line 1: expected `subject recording from to`",
    "# nothing": "no ranges in it",
}


@pytest.mark.parametrize("line", RANGES)
def test_a_list_of_ranges_that_is_wrong_is_refused(tmp_path: Path, line: str, capsys: pytest.CaptureFixture) -> None:
    root = mesh_trees.write_coma(tmp_path / "data")
    (tmp_path / "ranges.txt").write_text(line + "\n")
    arguments = f"prepare coma --root {root} --ranges {tmp_path / 'ranges.txt'} --out {tmp_path / 'c'}"
    assert run(arguments.split()) == 2
    assert RANGES[line] in capsys.readouterr().err


def test_a_range_beyond_the_recording_is_left_out(tmp_path: Path) -> None:
    root = mesh_trees.write_coma(tmp_path / "data")
    (tmp_path / "ranges.txt").write_text("".join(f"{subject} bareteeth 1 71\n" for subject in mesh_trees.COMA))
    source = open_source("coma", {"root": root, "seed": 0, "ranges": tmp_path / "ranges.txt"})
    with pytest.raises(FacegenError, match="line 1: FaceTalk_170725_00137_TA/bareteeth has no frame 71"):
        source.read(source.keys[0])


MAPPINGS = {
    "{1+2: surprise, 99: happy}": "unknown set of action units '99'; known are: 1+2, 12, 4",
    "[1+2]": "expected lines of `what: expression`, such as `1+2: surprise`",
    "{1+2: [a]}": "expected lines of `what: expression`, such as `1+2: surprise`",
    "{1+2: ''}": "of an expression, found ''",
    "{1+2: a/b}": "found 'a/b'",
    "{1+2": "mapping.yaml: line 2 is no YAML; write one `key: value` a line",
}


@pytest.mark.parametrize("text", MAPPINGS)
def test_a_mapping_that_is_wrong_is_refused(tmp_path: Path, text: str) -> None:
    root = mesh_trees.write_d3dfacs(tmp_path / "data")
    (tmp_path / "mapping.yaml").write_text(text)
    with pytest.raises(FacegenError, match=re.escape(MAPPINGS[text])):
        open_source("d3dfacs", {"root": root, "seed": 0, "mapping": tmp_path / "mapping.yaml"})


def test_without_a_mapping_the_sets_are_listed(tmp_path: Path) -> None:
    root = mesh_trees.write_d3dfacs(tmp_path / "data")
    with pytest.raises(FacegenError, match=r"needs --mapping FILE.yaml .* in .*data: 1\+2, 12, 4"):
        open_source("d3dfacs", {"root": root, "seed": 0})


def test_several_sets_may_be_one_expression(tmp_path: Path) -> None:
    root = mesh_trees.write_d3dfacs(tmp_path / "data")
    (tmp_path / "mapping.yaml").write_text("1+2: up\n'4': up\n")
    source = open_source("d3dfacs", {"root": root, "seed": 0, "mapping": tmp_path / "mapping.yaml"})
    assert source.expressions == ("up",)
    assert [key.name for key in source.keys[:2]] == ["1+2", "4"]


def test_the_layout_that_is_shipped_is_the_default() -> None:
    assert read_layout(Path("configs/layouts/fourdfab.yaml")) == LAYOUT


def test_a_layout_of_ones_own_finds_its_frames_neutrals_and_phases(tmp_path: Path) -> None:
    root = tmp_path / "data"
    for person, subject in enumerate(("a", "b", "c", "d")):
        frames = [root / "posed" / f"S_{subject}" / f"smile-{frame}-mesh.ply" for frame in range(70)]
        mesh_trees.write_frames(frames, moving(person, 0, one_peak()), 0.1)
        mesh_trees.write_frames([root / "rest" / f"{subject}.obj"], mesh_trees.neutral(person)[None], 0.1)
    (root / "phases.csv").write_text("subject,expression,onset,apex_start,apex_end,offset\na,smile,1,20,40,60\n")
    (tmp_path / "mine.yaml").write_text(
        "patterns: ['posed/S_{subject}/{expression}-{frame}-mesh.ply']\nexpressions: {smile: happy}\nunits: cm\n"
        "fps: 30\nneutral: ['rest/{subject}.obj']\nannotations: phases.csv\ntest_subjects: [d]\n"
    )
    source = open_source("fourdfab", {"root": root, "seed": 0, "layout": tmp_path / "mine.yaml"})
    assert (source.expressions, source.test_subjects, source.fps) == (("happy",), ("d",), 30)
    recording = source.read(source.keys[0])
    assert recording.phases.apex_start == 20
    np.testing.assert_allclose(recording.neutral, mesh_trees.neutral(0), atol=1e-3)


LAYOUTS = {
    "patterns: ['{subject}/{frame}.ply']": "lacks {expression}; it needs {subject}, {expression} and {frame}",
    "patterns: ['{subject}/{expression}/{frame}.ply', '{who}/{subject}/{expression}/{frame}.ply']": "has {who}",
    "units: mm": "patterns is empty; it needs at least one",
    "patterns: ['{subject}/{expression}/{frame}.ply']\nrest: last": "unknown way to find the neutral 'last'",
    "patterns: ['{subject}/{expression}/{frame}.ply']\nfps: fast": "fast",
    "patterns: ['{subject}/{expression}/{frame}.ply']\nspeed: 3": "speed",
}


@pytest.mark.parametrize("text", LAYOUTS)
def test_a_layout_that_is_wrong_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(FacegenError, match=re.escape(LAYOUTS[text])):
        read_layout(tmp_path / "mine.yaml")


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        ([1, 2, 3, 5, 6, 7, 8], "frame 4 is missing: f3.ply is followed by frame 5"),
        ([0, 5, 10, 15, 30, 35, 40, 45, 50], "frames 20 to 25 are missing"),
        ([0, 5, 10, 15, 20], None),  # every fifth
        ([1, 4, 5, 11, 12, 20], None),  # these count no time
    ],
)
def test_gaps_in_even_numbers_are_missing_frames(numbers: list[int], found: str | None) -> None:
    paths = [Path(f"f{number}.ply") for number in numbers]
    if found is None:
        require_no_gap(paths)
    else:
        with pytest.raises(FacegenError, match=found):
            require_no_gap(paths)


def test_a_sheet_shows_the_phases_beside_the_motion(
    tmp_path: Path, corpus_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facegen.inspection.phase_sheet.PAGE_SEQUENCES", 6)
    root = mesh_trees.write_fourdfab(tmp_path / "data")
    assert run(["prepare", "fourdfab", f"--root={root}", "--depth=2", "--components=4", f"--out={tmp_path / 'c'}"]) == 0
    capsys.readouterr()
    assert run(["inspect", str(tmp_path / "c"), "--json", f"--phases={tmp_path / 'phases.png'}"]) == 0
    said = capsys.readouterr()
    seen = json.loads(said.out)
    assert (seen["phases_found"], 0.5 < seen["least_confidence"] < seen["mean_confidence"]) == (8, True)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["phases-2.png", "phases.png"]
    assert "phases on 2 pages" in said.err
    first, second = (Image.open(tmp_path / f"phases{page}.png").convert("RGB") for page in ("", "-2"))
    assert (first.width, second.width, first.height > second.height) == (1600, 1600, True)  # six and two of them
    assert (np.asarray(second).std(axis=2) > 20).sum() > 1000  # coloured lines
    assert run(["inspect", str(corpus_path), f"--phases={tmp_path / 'given.png'}"]) == 0  # annotated
    assert "least_confidence" not in capsys.readouterr().out
    for arguments, message in (
        ([str(tmp_path / "c"), f"--phases={tmp_path / 'phases.jpg'}"], "the sheet of phases is a .png"),
        ([str(root), f"--phases={tmp_path / 'other.png'}"], "--phases are of a corpus; .* is a dataset"),
    ):
        assert run(["inspect", *arguments]) == 2
        assert re.search(message, capsys.readouterr().err)
    again, first = ["inspect", str(tmp_path / "c"), f"--phases={tmp_path / 'phases.png'}"], tmp_path / "phases.png"
    assert run(again) == 0  # over its own pages
    first.unlink()
    (tmp_path / "phases-2.png").write_bytes(b"somebody's")
    capsys.readouterr()
    assert run(again) == 2 and "phases-2.png is already there" in capsys.readouterr().err
    assert (tmp_path / "phases-2.png").read_bytes() == b"somebody's" and not first.exists()


def test_two_peaks_can_be_refused(tmp_path: Path) -> None:
    root = tmp_path / "data"
    for person, subject in enumerate(("a", "b", "c")):
        for name, curve in (("happy", one_peak()), ("sad", np.tile(one_peak(), 2))):
            paths = [root / subject / name / f"{frame}.ply" for frame in range(len(curve))]
            mesh_trees.write_frames(paths, moving(person, len(name), curve), 1.0)
    arguments = ["prepare", "fourdfab", f"--root={root}", "--depth=2", "--components=4", f"--out={tmp_path / 'c'}"]
    assert run([*arguments, "--peaks=refuse", "--expressions", "happy", "sad"]) == 2  # nobody is left who is sad
    assert run([*arguments, "--peaks=cut"]) == 0
    assert [entry.recording for entry in Corpus(tmp_path / "c").entries][:3] == ["happy", "sad", "sad"]


def test_motion_without_phases_is_left_out_by_its_confidence(tmp_path: Path) -> None:
    root = mesh_trees.write_fourdfab(tmp_path / "data")
    noise = np.random.default_rng(0).uniform(0, 1, 70)
    mesh_trees.write_frames([root / "2" / "sad" / f"{t}.obj" for t in range(70)], moving(1, 1, noise), 1.0)
    arguments = ["prepare", "fourdfab", f"--root={root}", "--depth=2", "--components=4", "--test-subjects=1"]
    assert run([*arguments, f"--out={tmp_path / 'c'}"]) == 0
    (line,) = Corpus(tmp_path / "c").left_out_lines()
    wanted = r"2/sad: frames \d+ to \d+: no phases can be made out; they explain 0\.\d\d of the motion, at least 0.5 is"
    assert re.match(wanted, line)
    kept = Corpus(tmp_path / "c").entries
    assert run([*arguments, "--confidence=0", f"--out={tmp_path / 'd'}"]) == 0
    every = Corpus(tmp_path / "d").entries
    noise = min(every, key=lambda entry: entry.confidence)
    assert len(every) > len(kept) and str(noise).startswith("2/sad") and noise.confidence < 0.3
    assert run([*arguments, "--confidence=1", f"--out={tmp_path / 'e'}"]) == 2


def test_a_label_can_follow_the_amplitude(tmp_path: Path) -> None:
    root = mesh_trees.write_fourdfab(tmp_path / "data")
    arguments = ["prepare", "fourdfab", f"--root={root}", "--depth=2", "--components=4", f"--out={tmp_path / 'c'}"]
    assert run([*arguments, "--label=amplitude"]) == 0
    corpus = Corpus(tmp_path / "c")
    for index, entry in enumerate(corpus.entries):
        activity = np.linalg.norm(corpus.displacement(index), axis=-1).mean(axis=1)
        level = (activity - activity.min()) / np.ptp(activity)
        label = corpus.motion(index)
        column = corpus.expressions.index(entry.expression)
        np.testing.assert_allclose(label[:, column], level * corpus.intensity(index), atol=1e-3)
        assert not np.delete(label, column, axis=1).any()
        assert entry.confidence is None


def test_folders_behind_links_are_read_once(tmp_path: Path) -> None:
    mesh_trees.write_fourdfab(tmp_path / "elsewhere")
    root = tmp_path / "data"
    root.mkdir()
    for subject in mesh_trees.FOURDFAB:
        (root / subject).symlink_to(tmp_path / "elsewhere" / subject)
    (tmp_path / "elsewhere" / "1" / "round").symlink_to(root)  # a loop
    source = open_source("fourdfab", {"root": root, "seed": 0})
    assert len(source.keys) == 8
    assert len(source.read(source.keys[0]).vertices) == 70


def test_an_evolution_too_short_for_the_rate_is_left_out_alone(tmp_path: Path) -> None:
    root = mesh_trees.write_fourdfab(tmp_path / "data")
    for path in (root / "2" / "sad").iterdir():
        if int(path.stem) > 7:
            path.unlink()
    (root / "annotations.csv").write_text("subject,expression,onset,apex_start,apex_end,offset\n2,sad,0,3,4,7\n")
    (tmp_path / "mine.yaml").write_text(
        "patterns: ['{subject}/{expression}/{frame}.obj']\nannotations: annotations.csv\ntest_subjects: ['1']\n"
    )
    arguments = ["prepare", "fourdfab", f"--root={root}", f"--layout={tmp_path / 'mine.yaml'}", "--depth=2"]
    assert run([*arguments, "--components=4", f"--out={tmp_path / 'c'}"]) == 0
    corpus = Corpus(tmp_path / "c")
    assert corpus.left_out_lines() == ["2/sad: frames 0 to 7 are 1 frames at 12 frames a second; at least 3 are needed"]


def test_source_and_layout_are_of_datasets_alone(corpus_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert run(["inspect", str(corpus_path), "--source", "coma"]) == 2
    assert "--source, --layout, --mapping and --basis are of a dataset" in capsys.readouterr().err

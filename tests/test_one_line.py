"""Whatever is broken in what a reader is given, it says so in one line of facegen's own words."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from one_line import require_one_line, words_of_others

from facegen.checkpoint import load
from facegen.data.face_landmarks import load_face_landmarks
from facegen.data.journal import DONE, Kept, continued_folder, line_of
from facegen.data.manifest import MANIFEST, read_manifest
from facegen.data.pca import PCA
from facegen.data.recipe import Recipe
from facegen.data.sources.annotations import HEADER, read_annotations, read_ranges
from facegen.data.sources.folder import folder_layout
from facegen.data.sources.fourdfab import read_layout
from facegen.data.sources.prompted import read_subjects
from facegen.data.sources.settings import read_settings
from facegen.data.sources.source import Key
from facegen.errors import FacegenError
from facegen.mesh.formats.io import read_mesh
from facegen.motion.live_link import Take
from facegen.motion.timeline import Timeline
from facegen.photo.picture import read_picture
from facegen.plain_pickle import read_plain_pickle
from facegen.sequence.sequence import Sequence
from facegen.tables import WRITTEN

NOISE = np.random.default_rng(0).bytes(300)
ROWS = ",".join(HEADER) + "\n"


def phases_in(path: Path) -> object:
    return read_annotations(path, [Key("ann", "happy", "happy")])


def pca(path: Path) -> object:
    return PCA.load(path, "0")


def arrays(**parts: Any) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, **parts)

    return write


def tree(**parts: Any) -> bytes:
    return json.dumps({"asset": {"version": "2.0"}, **parts}).encode()


SEQUENCE = {"vertices": np.zeros((2, 3, 3), np.float32), "faces": np.array([[0, 1, 2]]), "motion": np.zeros((2, 1))}
CASES: list[tuple[str, Callable[[Path], object], list[Any]]] = [
    ("a.obj", read_mesh, [NOISE, b"v 1 2\n", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1/x 2/1 3/1\n", b"v a b c\nf 1 2 3\n"]),
    ("a.ply", read_mesh, [NOISE, b"ply\n", b"ply\nformat ascii 1.0\nelement vertex x\nend_header\n"]),
    ("a.glb", read_mesh, [NOISE, b"glTF" + bytes(16)]),
    (
        "a.gltf",
        read_mesh,
        [NOISE, b"{", b"[]", tree(buffers=[{"uri": "data:a;base64,?", "byteLength": 3}], meshes=7), tree(scenes="a")],
    ),
    (
        "a.csv",
        phases_in,
        [NOISE, ROWS.encode() + b"ann,happy,2026-02-31,1,2,3\n", ROWS.encode() + b"ann,happy,1e3,1,2,3"],
    ),
    (
        "a.csv",
        phases_in,
        [ROWS.encode() + b"ann,happy," + b"9" * 5000 + b",1,2,3\n", ROWS.encode() + b'"' + b"a" * 140_000],
    ),
    ("a.txt", read_ranges, [NOISE, b"a b c d\n", b"a b 1 " + b"9" * 5000, "a b 1 \u0665\u0666".encode()]),
    (
        "dataset.yaml",
        lambda path: read_settings(path.parent),
        [NOISE, b"fps: a", b"a: [", b"fps: [1]", b"7", b"units: {a: 1}"],
    ),
    ("a.yaml", read_layout, [NOISE, b"patterns: 3", b"patterns: ['{x}']", b"fps: 2026-02-31\n"]),
    (
        "a.yaml",
        Timeline.load,
        [NOISE, b"frames: a", b"frames: 10\nfps: 1e300\n", b"frames: 10\nfps: 0", b"frames: .nan"],
    ),
    ("a.csv", Take.load, [NOISE, b"Timecode,BlendshapeCount\n1,2\n", b"\xff\xfe"]),
    ("a.png", read_picture, [NOISE, base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ") + NOISE]),
    (
        "a.pkl",
        read_plain_pickle,
        [NOISE, b"", b"\x80\x04.", b"I12x\n.", b"X\x02\x00\x00\x00\xff\xff.", b"\x80\x04]\x94h\x07."],
    ),
    ("a.npz", Sequence.load, [NOISE, arrays(**SEQUENCE, fps="often", expressions=np.array(["a"])), arrays(**SEQUENCE)]),
    (
        "a.npz",
        pca,
        [NOISE, arrays(owner="0"), arrays(owner="0", mean="x", components=1, variance=1, total="x", error=1)],
    ),
    ("a.npz", lambda path: load_face_landmarks(path, "0"), [NOISE, arrays(owner="0", nose=np.ones(3))]),
    (
        MANIFEST,
        lambda path: read_manifest(path.parent),
        [NOISE, b"{", b"[]", b"{}", b'{"format": 4}', b'{"format": "' + b"4" * 9],
    ),
    (
        "a.ckpt",
        load,
        [NOISE, b"", b"PK\x03\x04" + NOISE, lambda path: torch.save({"state_dict": 1, "facegen": {"format": 3}}, path)],
    ),
]


@pytest.mark.parametrize(
    ("name", "read", "content"), [(name, read, content) for name, read, contents in CASES for content in contents]
)
def test_a_broken_file_gets_one_line(
    name: str, read: Callable[[Path], object], content: Any, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)
    with pytest.raises(FacegenError) as caught:
        read(path)
    require_one_line(str(caught.value).replace(str(tmp_path), "there"))
    assert "Warning" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        "x: [Errno 2] No such file or directory",
        "x: not UTF-8 (UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff)",
        "x: <_io.BytesIO object at 0x7f>",
        "x: invalid literal for int() with base 10: 'a'",
        "x: KeyError('fps')",
    ],
)
def test_words_of_others_are_seen(words: str) -> None:
    assert words_of_others(words) is not None
    with pytest.raises(AssertionError):
        require_one_line(words)
    with pytest.raises(AssertionError):
        require_one_line("one\ntwo")


def link_in_a_circle(path: Path) -> None:
    path.symlink_to(path.with_name("other"))
    path.with_name("other").symlink_to(path)


IN_THE_WAY: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "leads nowhere or in a circle": lambda path: path.symlink_to("nowhere"),
    "which leads nowhere or in a circle": link_in_a_circle,
    "a device or a pipe": os.mkfifo,
}


@pytest.mark.parametrize("found", IN_THE_WAY)
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("dataset.yaml", read_settings),
        ("annotations.csv", folder_layout),
        ("subjects.csv", read_subjects),
        ("landmarks.npz", lambda root: load_face_landmarks(root / "landmarks.npz", "0")),
    ],
)
def test_what_is_in_the_place_of_an_optional_file_is_refused(
    name: str, read: Callable[[Path], object], found: str, tmp_path: Path
) -> None:
    read(tmp_path)  # nothing is there, and need not be
    IN_THE_WAY[found](tmp_path / name)
    with pytest.raises(FacegenError, match=f"{name}: expected a file, found .*{found}"):
        read(tmp_path)


def test_phases_are_read_of_a_file_and_not_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FacegenError, match=r"no\.csv: no such file"):
        phases_in(tmp_path / "no.csv")
    with pytest.raises(FacegenError, match="this is a folder; name a file in it"):
        phases_in(tmp_path)


def test_a_link_in_a_circle_in_place_of_a_texture_is_left_out_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nusemtl m\nf 1/1 2/1 3/1\n")
    (tmp_path / "a.mtl").write_text("newmtl m\nmap_Kd skin.png\n")
    link_in_a_circle(tmp_path / "skin.png")
    from facegen.mesh.formats.io import read_appearance

    appearance = read_appearance(tmp_path / "a.obj", read_mesh(tmp_path / "a.obj"))
    assert appearance is not None
    (line,) = appearance.left_out
    assert "skin.png" in line and words_of_others(line) is None


ENTRY = {"subject": "ann", "expression": "happy", "recording": "happy", "first": 0, "frames": 4}
ENTRY |= {"phases": [0, 1, 2, 3], "confidence": None, "envelope": None, "deformation": 1.0, "intensity": 0.5}
ENTRY |= {"array": "0-0", "scale": 0.01, "sha256": 64 * "0"}
ENTRIES = {"entries": [ENTRY], "dropped": [], "fps": 25.0, "squares": 0.5, "numbers": 3}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"a": 1}', "expected a list of 3 items, each anything, found a table"),
        ('[0, 3, ""]', "expected a table of entries, dropped, fps, squares, numbers, found 3"),
        ('["0", {}, ""]', "place: expected a whole number from 0, found '0'"),
        (json.dumps([0, ENTRIES | {"fps": 0}, ""]), "fps: expected a number from 0.01 to 10000, found 0"),
        (
            json.dumps([0, ENTRIES | {"squares": float("nan")}, ""]),
            "squares: expected a number from 0 to 1e+30",
        ),
        (line_of(0, ENTRIES).replace("1.0", "1.5").strip(), "digest: expected that of what stands"),
        (json.dumps([0, ENTRIES | {"entries": [{}]}, ""]), "entries[0].subject: expected a name of at most 200 signs"),
    ],
)
def test_a_journal_s_line_of_another_kind_is_refused_and_nothing_is_thrown_away(
    line: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt), continued_folder(tmp_path / "c", [1], WRITTEN) as journal:
        journal.add(0, ENTRIES)
        raise KeyboardInterrupt
    (aside,) = tmp_path.glob(".c.*")
    noted = (aside / DONE).read_text() + line + "\n"
    (aside / DONE).write_text(noted)
    with pytest.raises(Kept) as caught, continued_folder(tmp_path / "c", [1], WRITTEN):
        pass
    assert f"line 3: {said}" in str(caught.value).replace("all of it: ", "")
    assert (aside / DONE).read_text() == noted


def test_frames_a_second_that_no_corpus_has_are_refused() -> None:
    for fps in (0, 0.001, 1e300, float("nan"), float("inf")):
        with pytest.raises(FacegenError, match="fps must be a positive number, 0.01 to 10,000, got"):
            Recipe(fps=fps)

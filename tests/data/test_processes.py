"""Preparing by several processes: the same bytes, the same errors, and nothing left behind."""

from __future__ import annotations

import filecmp
import multiprocessing
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from shapes import sphere

from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.data.processes import calls
from facegen.errors import FacegenError
from facegen.mesh import write_mesh

MESH = sphere(60)
LONG = 3600.0  # seconds; a test that waits for a call of this length has failed


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of three subjects whose heads turn while they smile."""
    for number, person in enumerate(("ann", "bob", "cleo")):
        for expression in ("happy", "sad"):
            folder = tmp_path / "faces" / person / expression
            folder.mkdir(parents=True)
            for t, amount in enumerate((0, 0, 0.5, 1, 1, 0.5, 0)):
                turned = MESH.vertices @ np.array([[1, 0, 0.1 * amount], [0, 1, 0], [-0.1 * amount, 0, 1]])
                write_mesh(folder / f"{t}.ply", MESH.with_vertices(turned * (1, 1 + amount / 5, 1 + number / 9)))
    return tmp_path / "faces"


def prepare(root: Path, out: Path, workers: int, *more: str) -> int:
    arguments = f"prepare folder --root {root} --depth 2 --align frames --workers {workers} --out {out}"
    return run([*arguments.split(), *more])


def test_any_number_of_workers_writes_the_same_bytes(root: Path, tmp_path: Path) -> None:
    (root / "ann" / "sad" / "6.ply").write_bytes(b"broken")
    (root / "bob" / "happy" / "3.ply").write_bytes(b"broken")
    for workers in (1, 3):
        assert prepare(root, tmp_path / str(workers), workers) == 0
    trees = [sorted(path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*")) for name in "13"]
    assert trees[0] == trees[1]
    files = [str(path) for path in trees[0] if (tmp_path / "1" / path).is_file()]
    assert filecmp.cmpfiles(tmp_path / "1", tmp_path / "3", files, shallow=False)[1:] == ([], [])
    corpus = Corpus(tmp_path / "3")
    assert [(entry["subject"], entry["expression"]) for entry in corpus.left_out] == [("ann", "sad"), ("bob", "happy")]
    assert [(entry.subject, entry.expression) for entry in corpus.entries][:2] == [("ann", "happy"), ("bob", "sad")]
    assert corpus.verify() == []
    stored = sorted(path.name for path in (tmp_path / "3" / "frames.zarr" / "neutral").iterdir() if path.is_dir())
    assert stored == ["0-0", "3-0", "4-0", "5-0"]


def test_the_first_broken_recording_is_named_whichever_is_read_first(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (root / "ann" / "happy" / "6.ply").write_bytes(b"broken")  # found out after six frames
    (root / "ann" / "sad" / "0.ply").write_bytes(b"broken")  # at once, by the other process
    capsys.readouterr()
    assert prepare(root, tmp_path / "out" / "corpus", 2, "--strict") == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("facegen: error: ")]
    assert len(lines) == 1
    assert "ann/happy: " in lines[0]
    assert "6.ply" in lines[0]
    assert not (tmp_path / "out").exists()
    assert not multiprocessing.active_children()


def test_workers_are_counted_from_one(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert prepare(root, tmp_path / "corpus", 0) == 2
    assert "--workers: must be a whole number from 1 to 256, got '0'" in capsys.readouterr().err


@pytest.mark.parametrize(("cores", "workers"), [(2, 2), (64, 6)])
def test_as_many_workers_as_cores_but_no_more_than_memory_is_promised_for(
    root: Path, cores: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    monkeypatch.undo()  # as many as outside of tests
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    monkeypatch.setattr("facegen.data.prepare.prepare", lambda *arguments: given.append(arguments[4]))
    monkeypatch.setattr("facegen.inspection.inspect.summary", lambda _: "")
    assert run(f"prepare folder --root {root} --out {root / 'corpus'}".split()) == 0
    assert given == [workers]


def test_processes_end_with_the_block_whatever_they_are_at() -> None:
    with pytest.raises(KeyboardInterrupt), calls(time.sleep, [(0,), (LONG,), (LONG,), (LONG,)], 2) as results:
        assert results[0]() is None
        assert len(multiprocessing.active_children()) == 2
        raise KeyboardInterrupt
    assert not multiprocessing.active_children()


def test_an_interruption_is_for_the_first_process_alone() -> None:
    with calls(signal.raise_signal, [(signal.SIGINT,)] * 2, 2) as results:
        assert [result() for result in results] == [None, None]


def test_a_process_that_is_killed_gets_one_line() -> None:
    message = "a worker process ended too early.*fewer workers"
    with pytest.raises(FacegenError, match=message), calls(os._exit, [(9,)] * 2, 2) as results:
        results[0]()


def test_a_process_that_cannot_start_keeps_nobody_waiting() -> None:
    # A program that is not in a file cannot be imported by the processes that it starts.
    code = """
from functools import partial
from facegen.data.processes import calls
with calls(partial(max, bytes(1_000_000)), [(b"",)] * 2, 2) as results:
    results[0]()
"""
    ended = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True, timeout=60)
    assert "FacegenError: a worker process ended too early" in ended.stderr


def test_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    code = f"""
import multiprocessing, time
from facegen.data.processes import calls
with calls(time.sleep, [(0,), ({LONG},), ({LONG},)], 2) as results:
    results[0]()
    print(*(process.pid for process in multiprocessing.active_children()), flush=True)
    results[1]()
"""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}  # Python's own words on a killed process
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], **streams, env=environment, text=True) as first:
        others = [os.pidfd_open(int(pid)) for pid in first.stdout.readline().split()]
        first.kill()
    assert len(others) == 2
    for other in others:
        assert select.select([other], [], [], 60)[0], "a worker outlives its parent"
        os.close(other)

"""Preparing by a Dask cluster or any other executor: the same bytes, also where a worker dies; refusals before work."""

from __future__ import annotations

import filecmp
import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from dying_source import DyingFolder
from mesh_trees import write_folder

from facegen.cli import run
from facegen.data import cluster as dask
from facegen.data.manifest import read_manifest
from facegen.data.prepare import prepare
from facegen.data.recipe import Recipe
from facegen.data.writing import _put
from facegen.errors import FacegenError

ALONE = {"n_workers": 0, "dashboard_address": "127.0.0.1:0", "silence_logs": 50}
"""Of a scheduler without workers."""
SOURCE = "dying_source:DyingFolder"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of meshes of which one recording is left out."""
    root = write_folder(tmp_path_factory.mktemp("cluster") / "data")
    (root / "cleo" / "sad" / "60.ply").write_bytes(b"broken")
    return root


@pytest.fixture(scope="module")
def plain(root: Path) -> Path:
    """What this process alone makes of it."""
    assert run(arguments(root, root.with_name("plain"), "--workers=1")) == 0
    return root.with_name("plain")


class Workers(NamedTuple):
    address: str
    """Of their scheduler."""
    processes: list[subprocess.Popen]


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler that has no workers."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(host="127.0.0.1", **ALONE) as local:
        yield local.scheduler_address


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """Two workers of one thread; nobody starts another where one dies."""
    distributed = pytest.importorskip("distributed")
    tests = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    with distributed.LocalCluster(host="127.0.0.1", **ALONE) as local:
        command = [sys.executable, "-m", "distributed.cli.dask_worker", local.scheduler_address]
        command += [
            "--no-nanny",
            "--no-dashboard",
            "--nthreads=1",
            f"--local-directory={tmp_path_factory.mktemp('dask')}",
        ]
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        started = [subprocess.Popen(command, env=environment, **streams) for _ in range(2)]
        try:
            with distributed.Client(local.scheduler_address, set_as_default=False) as client:
                client.wait_for_workers(2, timeout=600)
            yield Workers(local.scheduler_address, started)
        finally:
            for worker in started:
                worker.kill()
                worker.wait()


def require_same(one: Path, other: Path) -> None:
    trees = [sorted(path.relative_to(folder) for path in folder.rglob("*")) for folder in (one, other)]
    assert trees[0] == trees[1]
    files = [str(path) for path in trees[0] if (one / path).is_file()]
    assert filecmp.cmpfiles(one, other, files, shallow=False)[1:] == ([], [])


def arguments(root: Path, out: Path, *more: str) -> list[str]:
    small = ["--label=amplitude", "--depth=2", "--components=4", "--fps=12"]
    return ["prepare", SOURCE, f"--root={root}", *small, f"--out={out}", *more]


def said(capsys: pytest.CaptureFixture) -> str:
    """The one line of an error."""
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("facegen: error: ")]
    return line


def test_a_worker_that_dies_changes_no_byte(workers: Workers, root: Path, plain: Path, tmp_path: Path) -> None:
    root.with_name("data-deadly").touch()
    assert run(arguments(root, tmp_path / "corpus", f"--dask={workers.address}")) == 0
    assert not root.with_name("data-deadly").exists()
    died, lives = sorted(workers.processes, key=lambda process: process.poll() is None)
    assert (died.wait(), lives.poll()) == (-signal.SIGKILL, None)
    require_same(plain, tmp_path / "corpus")
    assert not list(tmp_path.glob(".*"))


def test_what_workers_do_not_see_is_refused(workers: Workers, tmp_path: Path) -> None:
    lacking = tmp_path / "elsewhere"
    with (
        pytest.raises(FacegenError, match=f"the worker tcp://.* does not see {lacking}"),
        dask.cluster(workers.address, tmp_path, [lacking]),
    ):
        pytest.fail("the work is begun")
    assert not list(tmp_path.iterdir())


def test_a_module_that_workers_lack_is_named(workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "far_away.py").write_text("def work():\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    work = importlib.import_module("far_away").work
    with (
        pytest.raises(FacegenError, match="a worker lacks the Python module 'far_away'; .*what is done is kept"),
        dask.cluster(workers.address, tmp_path, []) as executor,
    ):
        executor.submit(work).result()


def test_what_comes_of_a_cluster_is_no_fault_of_a_recording() -> None:
    distributed = pytest.importorskip("distributed")
    for error in (CancelledError(), TimeoutError(), ConnectionResetError(), distributed.comm.CommClosedError()):
        assert "the scheduler went away" in str(dask._told(error))
    killed = distributed.KilledWorker("work", SimpleNamespace(address="tcp://127.0.0.1:1"), 3)
    assert "several workers died of the same recording" in str(dask._told(killed))
    assert "does not see /shared; " in str(dask._told(FileNotFoundError(2, "not there", "/shared")))
    refused = FacegenError("a mesh is broken")
    assert dask._told(refused) is refused


def test_any_executor_writes_the_same_bytes(root: Path, plain: Path, tmp_path: Path) -> None:
    recipe = Recipe(**read_manifest(plain)["provenance"]["recipe"])
    with ThreadPoolExecutor(1) as executor:
        prepare(DyingFolder(root), SOURCE, tmp_path / "handed", recipe, executor=executor)
    require_same(plain, tmp_path / "handed")


@pytest.mark.parametrize("other", [b"the same", b"other"])
def test_of_two_that_write_an_array_one_may_be_quicker(
    other: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside, place = tmp_path / ".0-0.aside", tmp_path / "0-0"
    for folder, content in ((aside, b"the same"), (place, other)):
        folder.mkdir()
        (folder / "c").write_bytes(content)
    remove = shutil.rmtree  # what is there when it is removed has gone already, and comes right after
    monkeypatch.setattr(shutil, "rmtree", lambda path, **options: None if path == place else remove(path, **options))
    with nullcontext() if other == b"the same" else pytest.raises(OSError, match="not empty"):
        _put(aside, place)
    assert (place / "c").read_bytes() == other
    assert aside.exists() == (other != b"the same")


def test_other_versions_are_named() -> None:
    assert dask._lacking(dask.VERSIONS, []) is None
    assert "has numpy " in str(dask._lacking(dask.VERSIONS | {"numpy": "1.0"}, []))


@pytest.mark.parametrize(
    "address", ["here", "tcp://host", "tcp://host:0", "tcp://host:70000", "http://host:8786", "tcp://"]
)
def test_what_is_no_address_is_refused(address: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    pytest.importorskip("distributed")
    assert run(arguments(root, tmp_path / "corpus", f"--dask={address}")) == 2
    assert f"expected tcp://HOST:PORT, such as tcp://192.168.1.20:8786; got '{address}'" in said(capsys)


def test_a_cluster_without_workers_is_refused(
    scheduler: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run(arguments(root, tmp_path / "corpus", f"--dask={scheduler}")) == 2
    assert f"it has no workers; start some: dask worker {scheduler} --nthreads 1" in said(capsys)
    assert not list(tmp_path.iterdir())


def test_a_scheduler_is_reached_by_tls_too(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    distributed, settings = pytest.importorskip("distributed"), pytest.importorskip("dask.config")
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate")
    pair = ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=here", "-days", "1"]
    subprocess.run(["openssl", "req", "-x509", "-nodes", *curve, *pair], check=True, capture_output=True)
    each = {"cert": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
    tls = {f"{who}.{what}": path for who in ("client", "scheduler") for what, path in each.items()}
    tls = {f"distributed.comm.tls.{name}": path for name, path in (tls | {"ca-file": each["cert"]}).items()}
    with (
        settings.set(tls),
        distributed.LocalCluster(host="tls://127.0.0.1", security=distributed.Security(), **ALONE) as local,
    ):
        assert local.scheduler_address.startswith("tls://")
        assert run(arguments(root, tmp_path / "corpus", f"--dask={local.scheduler_address}")) == 2
    assert f"it has no workers; start some: dask worker {local.scheduler_address} --nthreads 1" in said(capsys)


@pytest.mark.parametrize("listens", [False, True])
def test_where_nobody_answers_is_refused(
    listens: bool, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(dask, "PATIENCE", 0.3)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        if listens:  # but says nothing
            other.listen()
        address = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        assert run(arguments(root, tmp_path / "corpus", f"--dask={address}")) == 2
    assert f"--dask {address}: no scheduler of Dask answers there" in said(capsys)


def test_workers_of_this_machine_are_not_counted_too(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert run(arguments(root, tmp_path / "corpus", "--dask=tcp://127.0.0.1:1", "--workers=2")) == 2
    assert "--workers counts processes of this machine" in said(capsys)


def test_without_dask_the_extra_is_named(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run(arguments(root, tmp_path / "corpus", "--dask=tcp://127.0.0.1:8786")) == 2
    assert "pip install 'facegen[cluster]'" in said(capsys)

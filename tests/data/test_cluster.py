"""Preparing by a Dask cluster, or any other executor: the same bytes, also where a worker dies, and refusals before work."""

from __future__ import annotations

import filecmp
import os
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mesh_trees import write_folder

from facegen.cli import run
from facegen.data import cluster as dask
from facegen.data.prepare import prepare
from facegen.data.recipe import Recipe
from facegen.data.sources.folder import FolderSource
from facegen.errors import FacegenError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "data")


@pytest.fixture(scope="module")
def workers() -> Iterator[str]:
    """Two worker processes, and the address of their scheduler."""
    distributed = pytest.importorskip("distributed")
    tests = Path(__file__).parents[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(tests), str(tests.parent)]))
        options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50}
        with distributed.LocalCluster(**options) as local:
            yield local.scheduler_address


def require_same(one: Path, other: Path) -> None:
    trees = [sorted(path.relative_to(folder) for path in folder.rglob("*")) for folder in (one, other)]
    assert trees[0] == trees[1]
    files = [str(path) for path in trees[0] if (one / path).is_file()]
    assert filecmp.cmpfiles(one, other, files, shallow=False)[1:] == ([], [])


def arguments(root: Path, out: Path, *more: str) -> list[str]:
    small = ["--label=amplitude", "--depth=2", "--components=4", "--fps=12"]
    return ["prepare", "dying_source:DyingFolder", f"--root={root}", *small, f"--out={out}", *more]


def said(capsys: pytest.CaptureFixture) -> str:
    """The one line of an error."""
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("facegen: error: ")]
    return line


def test_a_worker_that_dies_changes_no_byte(workers: str, root: Path, tmp_path: Path) -> None:
    died = tmp_path / "data-died"
    assert run(arguments(root, tmp_path / "cluster", f"--dask={workers}")) == 0
    assert died.exists()  # and with it a worker did; this process has read nothing
    assert run(arguments(root, tmp_path / "plain", "--workers=1")) == 0
    require_same(tmp_path / "plain", tmp_path / "cluster")


def test_what_workers_do_not_see_is_refused(workers: str, tmp_path: Path) -> None:
    lacking = tmp_path / "elsewhere"
    with (
        pytest.raises(FacegenError, match=f"the worker tcp://.* does not see {lacking}"),
        dask.cluster(workers, tmp_path, [lacking]),
    ):
        pytest.fail("the work is begun")
    assert not list(tmp_path.iterdir())


def test_any_executor_writes_the_same_bytes(root: Path, tmp_path: Path) -> None:
    recipe = Recipe(label="amplitude", depth=2, components=4, fps=12)
    prepare(FolderSource(root), "folder", tmp_path / "plain", recipe)
    with ThreadPoolExecutor(1) as executor:
        prepare(FolderSource(root), "folder", tmp_path / "handed", recipe, executor=executor)
    require_same(tmp_path / "plain", tmp_path / "handed")


def test_other_versions_are_named() -> None:
    assert dask._lacking(dask.VERSIONS, []) is None
    assert "has numpy " in str(dask._lacking(dask.VERSIONS | {"numpy": "1.0"}, []))


@pytest.mark.parametrize("address", ["here", "tcp://host", "tcp://host:0", "tcp://host:70000", "http://host:8786", "tcp://"])
def test_what_is_no_address_is_refused(address: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    pytest.importorskip("distributed")
    assert run(arguments(root, tmp_path / "corpus", f"--dask={address}")) == 2
    assert f"expected tcp://HOST:PORT, such as tcp://192.168.1.20:8786; got '{address}'" in said(capsys)


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

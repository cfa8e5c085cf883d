"""Every notebook runs from top to bottom, shows pictures, and has controls that change them."""

from __future__ import annotations

import json
import os
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = ("label_to_face", "performances", "read_a_report")


class Shell(InteractiveShell):
    """A shell without windows."""

    def enable_gui(self, gui: str | None = None) -> None:
        pass


@pytest.fixture(scope="module")
def only_shell() -> Iterator[InteractiveShell]:
    """What runs notebooks' cells, in this process: a kernel for each would import everything anew."""
    settings = Config({"HistoryManager": {"enabled": False}})
    with matplotlib.rc_context():
        made = Shell.instance(config=settings, user_module=types.ModuleType("notebook"))
        made.enable_matplotlib("inline")
        yield made
        Shell.clear_instance()
        matplotlib.use("agg", force=True)


@pytest.fixture
def shell(only_shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    """The shell in the folder of the notebooks, with nothing of the notebook before."""
    monkeypatch.chdir(FOLDER)
    only_shell.reset()
    return only_shell


def run(shell: InteractiveShell, source: str) -> tuple[Any, list[Any]]:
    """The value of a cell and what it displays; an error in it is raised here."""
    with capture_output() as captured:
        done = shell.run_cell(source)
    done.raise_error()
    return done.result, captured.outputs


def pictures(outputs: list[Any]) -> list[tuple[str | None, str]]:
    """By the id under which it can be replaced, each picture that is displayed."""
    shown = [(output.transient or {}, output.data["image/png"]) for output in outputs if "image/png" in output.data]
    return [(transient.get("display_id"), str(picture)) for transient, picture in shown]


def test_these_are_all() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(NOTEBOOKS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_kept_without_outputs(name: str) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)


@pytest.fixture
def moved_report(report_path: Path, checkpoint_path: Path, blendshape_path: Path, tmp_path: Path) -> Path:
    """A report of which one row says where its checkpoint lies as seen from it, and one a path as it was given."""
    report = json.loads((report_path / "report.json").read_text())
    above = tmp_path.parent
    report["checkpoints"]["spiral"] = ["elsewhere/last.ckpt"]
    report["checkpoints"]["blendshape"] = [blendshape_path.relative_to(above).as_posix()]
    report["trained"] = {"spiral": [{"from_report": os.path.relpath(checkpoint_path, tmp_path)}]}
    (tmp_path / "report.json").write_text(json.dumps(report))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "model", "least", "moved"),
    [
        ("label_to_face", "checkpoint_path", 14, False),  # as of the paper's config
        ("label_to_face", "gains_path", 14, True),  # as of the demo and of the other configs
        ("label_to_face", "blendshape_path", 13, False),
        ("performances", "performance_path", 6, True),
        ("read_a_report", "checkpoint_path", 10, True),
    ],
)
def test_a_notebook_shows_pictures_that_its_controls_change(
    name: str,
    model: str,
    least: int,
    moved: bool,
    shell: InteractiveShell,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FACEGEN_MODEL", str(request.getfixturevalue(model)))
    if name == "read_a_report":
        monkeypatch.setenv("FACEGEN_REPORT", str(request.getfixturevalue("moved_report")))
    if name != "label_to_face":
        monkeypatch.setenv("FACEGEN_CORPUS", str(request.getfixturevalue("corpus_path")))
    count, controlled = 0, []
    for cell in nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells:
        if cell.cell_type != "code":
            continue
        value, outputs = run(shell, cell.source)
        shown = pictures(outputs)
        count += len(shown)
        if hasattr(value, "children"):
            ((mark, picture),) = shown
            controlled.append((value, mark, picture))
    assert count >= least
    assert controlled
    for box, mark, picture in controlled if moved else []:  # as a hand would; the same cells draw for every model
        with capture_output() as captured:
            for control in box.children:
                if hasattr(control, "options"):
                    control.index = len(control.options) - 1
                else:
                    control.value = control.min
        updates = [each for place, each in pictures(captured.outputs) if place == mark]
        assert updates and updates[-1] != picture

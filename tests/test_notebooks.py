"""Every notebook runs from top to bottom, shows pictures, and has controls that change them."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat
import pytest
from nbformat import NotebookNode

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = ("label_to_face", "read_a_report")

# As a hand would: what a cell shows last stands in IPython's `Out`, the boxes of controls among it.
MOVE = """
for box in list(Out.values()):
    for control in getattr(box, "children", ()):
        if hasattr(control, "options"):
            control.index = len(control.options) - 1
        else:
            control.value = control.min
"""


def test_these_are_all() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(NOTEBOOKS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_kept_without_outputs(name: str) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)


@pytest.mark.parametrize(
    ("name", "model", "least"),
    [
        ("label_to_face", "checkpoint_path", 14),
        ("label_to_face", "gains_path", 14),
        ("label_to_face", "blendshape_path", 13),
        ("read_a_report", "checkpoint_path", 10),
    ],
)
def test_a_notebook_shows_pictures_that_its_controls_change(
    name: str, model: str, least: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEGEN_MODEL", str(request.getfixturevalue(model)))
    if name == "read_a_report":
        monkeypatch.setenv("FACEGEN_REPORT", str(request.getfixturevalue("report_path")))
        monkeypatch.setenv("FACEGEN_CORPUS", str(request.getfixturevalue("corpus_path")))
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(FOLDER)}})
    with client.setup_kernel():
        # A cell that fails raises here.
        for number, cell in enumerate(notebook.cells):
            client.execute_cell(cell, number)
        shown = [_pictures(cell) for cell in notebook.cells]
        assert sum(map(len, shown)) >= least
        controlled = [number for number, cell in enumerate(notebook.cells) if _has_controls(cell)]
        assert controlled
        notebook.cells.append(nbformat.v4.new_code_cell(MOVE))
        client.execute_cell(notebook.cells[-1], len(notebook.cells) - 1)
    for number in controlled:
        assert len(shown[number]) == 1
        assert shown[number] != _pictures(notebook.cells[number])


def _pictures(cell: NotebookNode) -> list[str]:
    return [output.data["image/png"] for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]


def _has_controls(cell: NotebookNode) -> bool:
    view = "application/vnd.jupyter.widget-view+json"
    return any(view in output.get("data", {}) for output in cell.get("outputs", []))

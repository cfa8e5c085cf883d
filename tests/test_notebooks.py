"""Every notebook runs from top to bottom."""

from __future__ import annotations

from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, checkpoint_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    monkeypatch.setenv("FACEGEN_MODEL", str(checkpoint_path))
    notebook = nbformat.read(path, as_version=4)
    client.NotebookClient(notebook, timeout=120).execute()
    assert not [cell for cell in notebook.cells if cell.get("outputs") and cell.outputs[-1].output_type == "error"]

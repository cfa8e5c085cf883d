"""What of the studio takes minutes, run by `make studio` alone: every format, half a million vertices, a photograph."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from open_studio import WAIT, drop, until

from facegen.exporters import named_suffixes
from facegen.mesh.formats.io import write_mesh
from facegen.mesh.subdivision import subdivide_to
from facegen.pictures.render import Camera, render
from facegen.rigging.shipped_head import shipped_head

DENSE = 500_000
"""Vertices of the dense mesh."""


def saved(page, suffix: str):
    """Press the button, and take what is downloaded."""
    page.keyboard.press("Control+e")
    page.fill("#out-name", "seen")
    page.select_option("#out-format", suffix)
    until(page, f"document.getElementById('out-command').value.endsWith('seen{suffix}')")
    with page.expect_download(timeout=4 * WAIT * 1000) as download:
        page.click("#out-go")
    return download.value


@pytest.mark.parametrize("suffix", [suffix for suffix in named_suffixes() if suffix != ".vrm"])
def test_every_format_is_a_download(page, suffix: str) -> None:
    page.click(".tile[data-expression=happy]")
    found = saved(page, suffix)
    path = Path(found.path())
    assert path.stat().st_size > 100
    if found.suggested_filename.endswith(".zip"):
        assert len(zipfile.ZipFile(path).namelist()) > 1
    else:
        assert found.suggested_filename == f"seen{suffix}"


def test_what_a_face_cannot_become_is_a_sentence(page) -> None:
    page.click(".tile[data-expression=happy]")
    page.keyboard.press("Control+e")
    page.select_option("#out-format", ".vrm")
    page.click("#out-go")
    until(page, "!!document.querySelector('.toast.bad')")
    assert "is no VRM; take .glb" in page.inner_text(".toast.bad")


def test_half_a_million_vertices_are_shown_with_fewer_and_saved_whole(page, tmp_path: Path) -> None:
    mesh, _, _ = shipped_head()
    mesh, _ = subdivide_to(mesh, DENSE)
    write_mesh(tmp_path / "dense.ply", mesh)
    before = page.evaluate("studio.face")
    drop(page, tmp_path / "dense.ply")
    until(page, f"studio.face !== {json.dumps(before)}", 4 * WAIT)
    until(page, "document.getElementById('shown').textContent.includes('exported whole')")
    assert page.evaluate("studio.view.surface.count") < 100_000
    page.click(".tile[data-expression=happy]")
    with np.load(saved(page, ".npz").path()) as made:
        assert made["vertices"].shape[1] == len(mesh.vertices)


def test_a_photograph_becomes_the_face_and_undo_brings_the_other_back(page, tmp_path: Path) -> None:
    from PIL import Image

    head, _, _ = shipped_head()
    picture = render(head.vertices, head.faces, Camera.framing(head.vertices))
    Image.fromarray(picture).save(tmp_path / "me.jpg", quality=95)
    before = page.evaluate("studio.face")
    drop(page, tmp_path / "me.jpg")
    until(page, f"studio.face !== {json.dumps(before)}")
    assert page.inner_text("#face-name") == "neutral.glb"
    page.keyboard.press("Control+z")
    until(page, f"studio.face === {json.dumps(before)}")

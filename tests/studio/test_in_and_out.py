"""What is dropped onto the page by a hand, and what comes out of it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_link_files import smile, write_take
from open_studio import SEEN, WAIT, Opened, drop, state, until, write_other_head

from facegen.cli import run
from facegen.exporters import named_suffixes

GLTF = b'{"asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 4}]}'
BROKEN = {
    "cut.obj": b"v 1 2\nf 1 2 3\n",
    "nothing.ply": b"",
    "cut.glb": b"glTF\2\0\0\0",
    "points.gltf": GLTF,
    "avatar.vrm": struct.pack("<4sIIII", b"glTF", 2, 28, 8, 0x4E4F534A) + b"{}      ",
    "what.txt": b"x",
    "no.yaml": b"frames: [",
    "no.csv": b"1,2",
    "cut.png": b"\x89PNG",
    "text.jpg": b"no picture",
}
"""Files that the command line refuses, of each kind that can be dropped."""


@pytest.fixture
def head_path(tmp_path: Path) -> Path:
    return write_other_head(tmp_path / "other.ply")


def refusal(page: Any) -> str:
    """What is said of what was dropped last, taken away."""
    until(page, "!!document.querySelector('.toast.bad')")
    said = page.inner_text(".toast.bad")
    page.evaluate("document.querySelectorAll('.toast').forEach((each) => each.remove())")
    page.evaluate("document.querySelector('dialog[open]')?.close()")
    return said


def test_every_format_is_offered_and_what_is_saved_is_what_the_command_line_makes(
    page, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.click(".tile[data-expression=fear]")
    page.keyboard.press("Control+e")
    page.fill("#out-name", "scared")
    for suffix in named_suffixes():
        page.select_option("#out-format", suffix)
        until(page, f"document.getElementById('out-command').value.endsWith('scared{suffix}')")
        assert page.is_enabled("#out-go")
    page.select_option("#out-format", ".npz")
    until(page, "document.getElementById('out-command').value.endsWith('scared.npz')")
    (tmp_path / "scared.yaml").write_text(page.input_value("#out-yaml"), encoding="utf-8")
    with page.expect_download(timeout=WAIT * 1000) as download:
        page.click("#out-go")
    assert download.value.suggested_filename == "scared.npz"
    monkeypatch.chdir(tmp_path)
    command = ["animate", str(opened.mesh), "--timeline", "scared.yaml", "--seed", "0"]
    assert run([*command, "--out", "scared.npz"]) == 0
    one, two = (np.load(path) for path in (download.value.path(), tmp_path / "scared.npz"))
    assert Path(download.value.path()).stat().st_size == (tmp_path / "scared.npz").stat().st_size
    for name in two.files:
        np.testing.assert_array_equal(one[name], two[name])


def test_a_timeline_is_dropped_anywhere_and_a_take_onto_a_lane(page, tmp_path: Path) -> None:
    timeline = tmp_path / "scene.yaml"
    timeline.write_text(
        "frames: 30\nfps: 12\nevents:\n  - {expression: happy, onset: 2, apex: [9, 14], offset: 25}\n"
        "  - {expression: sad, onset: 2, apex: [9, 14], offset: 25}\n"
    )
    drop(page, timeline)
    until(page, "studio.history.state.frames === 30")
    assert (state(page)["fps"], state(page)["name"]) == (12, "scene")
    take = write_take(tmp_path / "take.csv", smile(np.sin(np.pi * np.linspace(0, 1, 120)) ** 2))
    drop(page, take, onto=".track[data-expression=sad]")
    until(page, "studio.history.state.events.some((event) => event.keys)")
    happy, sad = state(page)["events"]
    assert (happy["expression"], happy["apex"]) == ("happy", [9, 14])  # other lanes stay
    assert sad["expression"] == "sad" and max(value for _, value in sad["keys"]) == pytest.approx(1, abs=0.02)
    page.keyboard.press("Control+z")
    assert "keys" not in state(page)["events"][1]


def test_whatever_is_broken_is_a_sentence_and_the_session_lives_on(page, tmp_path: Path) -> None:
    page.click(".tile[data-expression=happy]")
    kept = state(page)
    for name, data in BROKEN.items():
        (tmp_path / name).write_bytes(data)
        drop(page, tmp_path / name)
        said = refusal(page)
        assert len(said) > 20 and "/tmp" not in said and "Traceback" not in said and "does not know" not in said, name
    assert state(page) == kept
    until(page, SEEN)


def test_fitting_shows_what_it_sees_and_is_cancelled_by_escape_or_button(page, opened: Opened, head_path: Path) -> None:
    jobs: list[str] = []
    page.on("request", lambda asked: jobs.append(asked.url) if "/jobs/" in asked.url else None)
    face, before = page.evaluate("studio.face"), state(page)
    drop(page, head_path)
    until(page, "document.getElementById('work-picture').naturalWidth > 100")  # the landmarks, on the head
    assert page.is_visible("#work-picture") and page.inner_text("#work-title").lower() == "fitting the template"
    assert page.inner_text("#work-stage") in ("fitting the template", "carrying the expressions over")
    page.keyboard.press("Escape")
    assert not page.is_visible("#work")
    job = f"/jobs/{jobs[0].split('/jobs/')[1].split('/')[0]}"
    until(page, f"fetch('{job}').then((told) => told.json()).then((told) => told.state === 'cancelled')")
    drop(page, head_path)
    page.click("#work-cancel")
    assert not page.is_visible("#work")
    children = Path(f"/proc/{opened.process.pid}/task/{opened.process.pid}/children")
    while children.exists() and children.read_text().strip():
        page.wait_for_timeout(20)  # what worked is gone; a hang would be seen as a test without an end
    assert page.evaluate("studio.face") == face and state(page) == before

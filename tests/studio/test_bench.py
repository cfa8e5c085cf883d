"""What `facegen bench studio` measures is there to be measured."""

from __future__ import annotations

import pytest
from open_studio import Opened

from facegen.benchmark import studio as bench
from facegen.cli import run


def test_a_drag_is_timed_to_the_drawn_pose_and_steps_come_back(tab, opened: Opened, monkeypatch) -> None:
    page = tab()
    monkeypatch.setattr(bench, "DRAGS", 3)
    monkeypatch.setattr(bench, "STEPS", 4)
    monkeypatch.setattr(bench, "FRAMES", 30)
    page.evaluate(bench.PROBE.read_text(encoding="utf-8"))
    times = bench._dragged(page)
    parts = times["server_ms"] + times["page_ms"] + times["browser_draws_ms"]
    assert 0 < times["all_ms"] <= times["all_95_ms"] and parts > 0.3 * times["all_ms"]
    assert bench._undone(page) == {"steps": 4, "same": True}
    memory = bench._memory(opened.process.pid)
    assert memory is None or 50 < memory["now"] <= memory["most"] < 600


def test_a_face_without_its_model_is_refused(capsys: pytest.CaptureFixture) -> None:
    assert run(["bench", "studio", "--mesh", "face.obj"]) == 2
    assert "a face and its model, or neither" in capsys.readouterr().err

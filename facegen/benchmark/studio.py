"""What the studio's page takes in a browser without a screen: a drag, playing, the first picture, memory, undoing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from facegen.benchmark.measure import say
from facegen.errors import FacegenError
from facegen.optional import require

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--enable-unsafe-swiftshader", "--no-sandbox")
"""Of a Chromium that draws by the processor what a page draws in three dimensions, where there is no graphics card; the
page itself it puts together as it always does without one."""
WINDOW = {"width": 1280, "height": 800}
PROBE = Path(__file__).parents[1] / "web" / "studio_probe.js"
"""What is run on the page, and keeps times."""
FPS, FRAMES = 30, 120
"""Of the motion that is played."""
DRAGS, STEPS = 40, 200
"""Moves of the handle, and steps that are undone."""
PLAYED_SECONDS, SCRUB_MS = 8, 60
"""How long it plays, and between two moves of the hand that scrubs meanwhile."""
PATIENCE = 120
"""Seconds that anything may take. Chosen far above what it takes."""


def studio(mesh: Path | None, model: Path | None, vertices: int) -> dict[str, Any]:
    """Open the studio in headless Chromium, and drag, play, scrub and undo there by events of mouse and keys.

    Args:
        mesh, model: a face and its model; None makes built-in faces of `vertices` and trains a model for a moment.

    Returns:
        A dictionary for JSON; see docs/studio.md.

    Raises:
        FacegenError: there is no Chromium or Playwright, or the studio does not open.
    """
    driven = require("playwright.sync_api", "dev")
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        raise FacegenError("bench studio needs Chromium; install it (Debian: apt install chromium)")
    with tempfile.TemporaryDirectory() as folder, driven.sync_playwright() as playwright:
        if mesh is None or model is None:
            mesh, model = _made(Path(folder), vertices)
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(FLAGS))
        page = browser.new_page(viewport=WINDOW)
        page.goto("about:blank")
        say("studio: the first picture")
        began = perf_counter()
        with _served(mesh, model) as (process, address):
            server = perf_counter() - began
            page.goto(address, wait_until="commit")
            _until(page, "!!globalThis.studio?.view.drawn")
            opened = {"address_s": round(server, 2), "face_s": round(perf_counter() - began, 2)}
            _until(page, "studio.player.kept.size > 0")
            opened["moves_s"] = round(perf_counter() - began, 2)
            page.evaluate(PROBE.read_text(encoding="utf-8"))
            found = {"vertices": page.evaluate("studio.view.surface.count"), "first_picture": opened}
            found["drag"] = _dragged(page)
            found["playing"] = _played(page)
            found["undo"] = _undone(page)
            found["memory_mb"] = _memory(process.pid)
        browser.close()
    return found


def _made(folder: Path, vertices: int) -> tuple[Path, Path]:
    """A face, and a model that has learnt for a moment."""
    from facegen.data.corpus import Corpus
    from facegen.mesh.formats.io import write_mesh

    corpus = folder / "corpus"
    words = f"prepare synthetic --subjects 3 --test-subjects 1 --frames 10 12 --vertices {vertices} --out {corpus}"
    fit = (
        f"fit --model=SpiralGenerator --data.corpus={corpus} --data.workers=0 --trainer.max_epochs=2 "
        f"--trainer.logger=CSVLogger --trainer.logger.save_dir={folder} --trainer.logger.name=null "
        "--trainer.logger.version=run --trainer.accelerator=cpu --trainer.enable_progress_bar=false"
    )
    for line in (words, fit):
        say(f"studio: facegen {line.split()[0]}, {vertices} vertices")
        done = subprocess.run([sys.executable, "-m", "facegen", *line.split()], capture_output=True, text=True)
        if done.returncode:
            raise FacegenError(f"no model for the studio could be made: {done.stderr.strip().splitlines()[-1]}")
    kept = Corpus(corpus)
    face = kept.hierarchy.template.with_vertices(kept.neutral(kept.split("test")[0]))
    write_mesh(folder / "face.obj", face)
    return folder / "face.obj", folder / "run" / "checkpoints" / "last.ckpt"


@contextmanager
def _served(mesh: Path, model: Path) -> Iterator[tuple[subprocess.Popen, str]]:
    """A studio in a process of its own, and its address."""
    words = ["studio", str(mesh), "--model", str(model), "--no-browser", "--port", "0"]
    process = subprocess.Popen([sys.executable, "-m", "facegen", *words], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+/", process.stdout.readline())
        if found is None:
            raise FacegenError("the studio did not open; `facegen studio` with the same mesh and model says why")
        yield process, found[0]
    finally:
        process.terminate()
        process.wait()


def _until(page: Any, expression: str) -> None:
    """Wait until an expression is true on the page, whose policy lets it evaluate none itself."""
    end = perf_counter() + PATIENCE
    while not page.evaluate(expression):
        if perf_counter() > end:
            raise FacegenError(f"the studio's page never came to {expression}; open it in a browser to see why")
        page.wait_for_timeout(10)


def _dragged(page: Any) -> dict[str, float]:
    """From a move of the hand to the pose on screen, and where that time goes; medians, and the slowest of twenty."""
    say(f"studio: {DRAGS} moves of a handle")
    _until(page, "studio.player.kept.size > 0 && document.querySelectorAll('.tile img').length > 0")
    page.evaluate(f"probe.timeline({FRAMES}, {FPS})")
    page.click(".tile >> nth=0")
    page.evaluate("studio.player.seek(studio.history.state.events[0].apex[0])")
    _until(page, "studio.player.kept.size === studio.history.state.frames")
    box = page.locator("[data-name='0 1']").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    frame = page.locator("#ruler").bounding_box()["width"] / (FRAMES - 1)  # pixels
    page.mouse.move(x, y)
    page.mouse.down()
    for number in range(DRAGS):
        page.evaluate("probe.arm()")
        page.mouse.move(x + frame * (4 if number % 2 else 2), y)
        _until(page, "probe.seen")
    page.mouse.up()
    rows = page.evaluate("probe.moves")
    shown = {name: [row[name] for row in rows] for name in rows[0]}
    slow = sorted(shown["all"])[int(0.95 * len(rows))]
    return {f"{name}_ms": round(median(times), 1) for name, times in shown.items()} | {"all_95_ms": round(slow, 1)}


def _played(page: Any) -> dict[str, float]:
    """Frames that were left out while it played and a hand scrubbed, and what one took."""
    say(f"studio: {PLAYED_SECONDS} s of playing while scrubbing")
    _until(page, "studio.player.kept.size === studio.history.state.frames")
    page.evaluate("probe.frames.length = 0")
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(" ")
    ruler = page.locator("#ruler").bounding_box()
    end, number = perf_counter() + PLAYED_SECONDS, 0
    y = ruler["y"] + ruler["height"] / 2
    page.mouse.move(ruler["x"] + 0.2 * ruler["width"], y)
    page.mouse.down()
    while perf_counter() < end:
        number += 1
        page.mouse.move(ruler["x"] + (0.2 + 0.6 * (number % 50) / 50) * ruler["width"], y)
        page.wait_for_timeout(SCRUB_MS)
    triangles = page.evaluate("studio.view.surface.level.triangles")
    page.mouse.up()
    page.keyboard.press(" ")
    stats, frames = page.evaluate("studio.player.stats"), page.evaluate("probe.frames")
    count = stats["shown"] + stats["dropped"]
    return {
        "fps": FPS,
        "triangles": triangles,
        "frames": count,
        "dropped": round(stats["dropped"] / max(count, 1), 4),
        "missing": round(stats["missing"] / max(count, 1), 4),
        "page_ms": round(median(frame["page"] for frame in frames), 1),
        "browser_draws_ms": round(median(frame["browser"] for frame in frames), 1),
    }


def _undone(page: Any) -> dict[str, Any]:
    """Whether the state is what it was after many steps and as many undone, by keys."""
    say(f"studio: {STEPS} steps undone")
    before = page.evaluate("JSON.stringify(studio.history.state)")
    page.focus("[data-name='0 2']")
    for number in range(STEPS):
        page.keyboard.press("ArrowLeft" if number % 2 else "ArrowRight")
    for _ in range(STEPS):
        page.keyboard.press("Control+z")
    return {"steps": STEPS, "same": page.evaluate("JSON.stringify(studio.history.state)") == before}


def _memory(pid: int) -> dict[str, float] | None:
    """MB (10^6 bytes) that the server holds, now and at most; None where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    now, most = (int(re.search(rf"{name}:\s*(\d+) kB", text)[1]) for name in ("VmRSS", "VmHWM"))  # pyright: ignore[reportOptionalSubscript]
    return {"now": round(now * 1.024e-3, 1), "most": round(most * 1.024e-3, 1)}

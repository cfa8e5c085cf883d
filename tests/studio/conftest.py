"""A studio that is open, and a browser that looks at it; each is started once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM

FLAGS = [
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--no-sandbox",
]
WAIT = 60
"""Seconds that anything may take. Chosen far above what it takes; only what hangs comes near it."""


class Opened:
    """A studio in a process of its own, which can be killed and opened again at the same port."""

    def __init__(self, mesh: Path, model: Path) -> None:
        self.words = ["studio", str(mesh), "--model", str(model), "--no-browser"]
        self.mesh, self.model = mesh, model
        self.open(0)

    def open(self, port: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "facegen", *self.words, "--port", str(port)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", self.process.stdout.readline())
        assert found
        self.url, self.port = found[0], int(found[1])

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> int:
        self.process.terminate()
        return self.process.wait(WAIT)


@pytest.fixture(scope="package")
def opened(neutral_path: Path, checkpoint_path: Path) -> Iterator[Opened]:
    found = Opened(neutral_path, checkpoint_path)
    yield found
    found.close()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    driven = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium")
    with driven.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


def until(page: Any, expression: str) -> Any:
    """What an expression is on the page as soon as it is something; the page itself allows no polling of texts."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        if found := page.evaluate(expression):
            return found
        page.wait_for_timeout(20)
    raise AssertionError(f"never so: {expression}; {page.evaluate('document.body.innerText')[:400]}")


READY = "!!(globalThis.studio && studio.face && studio.player.kept.size && document.querySelector('.tile img'))"


@pytest.fixture
def tab(chromium: Any, opened: Opened) -> Iterator[Callable[[], Any]]:
    """Opens tabs of their own, small ones, since a processor draws them; no error may be told in any."""
    contexts, errors = [], []

    def one() -> Any:
        context = chromium.new_context(viewport={"width": 1000, "height": 640}, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(opened.url, wait_until="commit")
        until(page, READY)
        return page

    yield one
    for context in contexts:
        context.close()
    assert errors == []

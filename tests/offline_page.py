"""A page from the disk in headless Chromium, driven by Playwright, with the network off."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import CHROMIUM

FLAGS = (
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"),
    "--no-sandbox",
)
"""Pictures are drawn by the processor, where there is no graphics card."""

DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Is over once all that was asked for is drawn."""

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None or importlib.util.find_spec("playwright") is None, reason="needs Chromium and Playwright"
)


@contextmanager
def opened(path: Path, wait_for: str = "html[data-ready=yes]", **context: Any) -> Iterator[Any]:
    """Open a page and wait for an element; what it asked of a network or said of errors fails the test at the end.

    Args:
        path: of an `.html`.
        wait_for: selector of the element.
        context: as `Browser.new_context` takes it.
    """
    from playwright.sync_api import sync_playwright

    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(**{"offline": True, "reduced_motion": "reduce"} | context).new_page()
        page.set_default_timeout(120_000)  # milliseconds; only a page that hangs comes near it
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(("file:", "blob:")) else wrong.append(asked.url))
        page.goto(path.resolve().as_uri())
        page.wait_for_selector(wait_for)
        yield page
        browser.close()
    # What drivers say of speed is no fault of the page.
    assert not [line for line in wrong if "GPU stall" not in line]


def picture(page: Any, selector: str) -> np.ndarray:
    """(H, W, 3) what an element shows, once all that was asked for is drawn."""
    from PIL import Image

    page.evaluate(DRAWN)
    shot = page.locator(selector).screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)

"""A studio that is open, and a browser that looks at it; each is started once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM
from open_studio import FLAGS, READY, Opened, until


@pytest.fixture(scope="module")
def opened(neutral_path: Path, checkpoint_path: Path) -> Iterator[Opened]:
    found = Opened(neutral_path, checkpoint_path)
    yield found
    found.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    driven = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium")
    with driven.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


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

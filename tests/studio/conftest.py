"""A studio that is open, and a browser that looks at it; each is started once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM
from open_studio import FLAGS, READY, Opened, until

from facegen.checkpoint import Checkpoint
from facegen.studio.asked import Asked
from facegen.studio.clip import Clip
from facegen.studio.studio import Studio

SURPRISE = {"expression": "surprise", "onset": 0, "apex": [4, 6], "offset": 9}


@pytest.fixture(scope="session")
def opened(neutral_path: Path, checkpoint_path: Path) -> Iterator[Opened]:
    found = Opened(neutral_path, checkpoint_path)
    yield found
    found.close()


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def head_studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """What stands behind a page that is opened without a mesh."""
    studio = Studio(None, None, tmp_path_factory.mktemp("studio"), [])
    studio.begin()
    return studio


@pytest.fixture(scope="session")
def surprised(head_studio: Studio) -> tuple[Checkpoint, Clip]:
    """Ten frames of surprise on it."""
    stage = head_studio.stages[head_studio.first]
    asked = Asked.parse({"frames": 10, "fps": 25, "events": [SURPRISE]})
    return head_studio.model, Clip(head_studio.model, stage, asked, 1)

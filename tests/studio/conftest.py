"""A studio that is open, and a browser that looks at it; each is started once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser import CHROMIUM
from open_studio import FLAGS, READY, WAIT, Opened, until

from facegen.checkpoint import Checkpoint
from facegen.mesh.formats.io import write_mesh
from facegen.studio.asked import Asked
from facegen.studio.clip import Clip
from facegen.studio.studio import Studio

SURPRISE = {"expression": "surprise", "onset": 0, "apex": [4, 6], "offset": 9}
BLANK = '{ frames: 40, fps: 12, events: [], alive: false, seed: 0, face: null, name: "timeline", in: null, out: null }'
"""A short timeline: what changes is made and drawn anew as a whole."""
SHORT = f"""if (!sessionStorage.length)
    sessionStorage.setItem("facegen-studio", JSON.stringify({{ past: [], state: {BLANK} }}));"""
"""A page that was left with that."""
EMPTY = f"""(() => {{
    const {{ history, panel, player }} = studio;
    document.querySelectorAll(".toast").forEach((each) => each.remove());
    document.querySelector("dialog[open]")?.close();
    panel.chosen = [];
    history.past = [];
    history.future = [];
    history.replace({{ ...{BLANK}, face: history.state.face }});
    player.seek(0);
}})()"""
"""A page that had something in it has that."""


@pytest.fixture(scope="session")
def opened(head_studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """On the face of the model that comes with facegen, which is there without training one."""
    path = tmp_path_factory.mktemp("face") / "face.obj"
    write_mesh(path, head_studio.model.hierarchy.template)
    found = Opened(path)
    yield found
    found.close()


@pytest.fixture(scope="module")  # while it is open, an event loop runs in this thread
def chromium() -> Iterator[Any]:
    driven = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium")
    with driven.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def tab(chromium: Any, opened: Opened) -> Iterator[Callable[[], Any]]:
    """Opens tabs of their own, small ones, since a processor draws them; no error may be told in any."""
    contexts, errors = [], []

    def one() -> Any:
        context = chromium.new_context(viewport={"width": 920, "height": 520}, accept_downloads=True)
        context.add_init_script(SHORT)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * WAIT)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(opened.url, wait_until="commit")
        until(page, READY)
        return page

    yield one
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="module")
def first_tab(tab: Callable[[], Any]) -> Any:
    return tab()


@pytest.fixture
def page(first_tab: Any) -> Any:
    """A tab that several tests have one after the other, with nothing in it but the face."""
    first_tab.evaluate(EMPTY)
    return first_tab


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

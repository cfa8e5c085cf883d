"""A studio in a process of its own, and what a test asks of a page of it."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from facegen.mesh import TriMesh, write_mesh
from facegen.rigging.shipped_head import shipped_head

FLAGS = ("--enable-unsafe-swiftshader", "--no-sandbox")
"""Of a Chromium that draws without a graphics card."""
LONGEST_PAUSE = 200
"""ms between two looks at a page that something is waited for on. Chosen: looking takes of what is waited for."""
WAIT = 300
"""Seconds that anything may take. Chosen far above what it takes; only what hangs comes near it."""


def write_other_head(path: Path) -> Path:
    """The head that comes with facegen but for a triangle of an eye, so that the template has to be fitted to it."""
    head, _, _ = shipped_head()
    write_mesh(path, TriMesh(head.vertices, head.faces[:-1]))
    return path


class Opened:
    """A studio in a process of its own, which can be killed and opened again at the same port."""

    def __init__(self, mesh: Path | None = None) -> None:
        self.words = ["studio", *([] if mesh is None else [str(mesh)]), "--no-browser"]
        self.mesh = mesh
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


def until(page: Any, expression: str, wait: float = WAIT) -> Any:
    """What an expression is on the page as soon as it is something; the page itself allows no polling of texts."""
    end, pause = time.monotonic() + wait, 10.0
    while time.monotonic() < end:
        if found := page.evaluate(expression):
            return found
        page.wait_for_timeout(pause)
        pause = min(1.1 * pause, LONGEST_PAUSE)
    raise AssertionError(f"never so: {expression}; {page.evaluate('document.body.innerText')[:400]}")


READY = "!!(globalThis.studio && studio.face && studio.player.kept.size)"
STATE = "JSON.stringify(studio.history.state)"
SEEN = (
    "!!studio.player.seen && studio.player.seen.revision === studio.revision"
    " && studio.player.seen.number === Math.round(studio.player.at)"
)
"""A pose that was asked for is on screen."""
DROP = """([kinds, files, x, y]) => {
    const data = new DataTransfer();
    for (const [name, text] of files)
        data.items.add(new File([Uint8Array.from(atob(text), (each) => each.charCodeAt(0))], name));
    const onto = document.elementFromPoint(x, y);
    for (const kind of kinds)
        onto.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def state(page: Any) -> dict[str, Any]:
    return json.loads(page.evaluate(STATE))


def drop(page: Any, *paths: Path, onto: str = "#stage") -> None:
    """Let go of files over something, as a hand does that drags them in from a folder."""
    files = [(path.name, base64.b64encode(path.read_bytes()).decode()) for path in paths]
    box = page.locator(onto).bounding_box()
    at = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    page.evaluate(DROP, [["dragenter", "dragover"], files, *at])
    assert page.is_visible("#drop")
    page.evaluate(DROP, [["drop"], files, *at])
    assert not page.is_visible("#drop")


def drag(page: Any, what: str, by: float) -> None:
    """Press on something, and let go of it so many pixels to the right, by steps."""
    box = page.locator(what).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for part in (0.3, 0.7, 1):
        page.mouse.move(x + part * by, y)
    page.mouse.up()

"""The pictures of docs/studio.md, each of a gesture, by a browser without a screen.

    make studio-pictures

writes docs/pictures/studio-*.webp.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from live_link_files import smile, write_take
from open_studio import SEEN, drag, drop, until
from PIL import Image
from studio.pictured import pictured_page

OUT = Path(__file__).parents[2] / "docs" / "pictures"
QUALITY, LARGEST = 78, 60_000
SETTLED = "studio.player.kept.size === studio.history.state.frames && !studio.view.pace.level"
BLANK = """(() => {
    const { history, panel } = studio;
    document.querySelectorAll(".toast").forEach((each) => each.remove());
    panel.chosen = [];
    history.replace({ ...history.state, frames: 80, fps: 25, events: [], alive: false });
    studio.player.seek(0);
})()"""
SHARP = "Object.assign(studio.view.pace, { ratio: 1, sharp: 1, moves() {}, ticked() {} }).on.changed()"


def seek(page: Any, frame: int) -> None:
    page.evaluate(f"studio.player.seek({frame})")
    until(page, SEEN)


def see(page: Any) -> None:
    """Beside itself at rest, in the colours of strain."""
    page.click(".tile[data-expression=surprise]")
    seek(page, 22)
    page.click("#compare")
    page.click("#strain")


def see_no_more(page: Any) -> None:
    page.click("#compare")
    page.click("#strain")


def choose(page: Any) -> None:
    """Two expressions that share a strength."""
    page.click(".tile[data-expression=happy]")
    page.click(".tile[data-expression=surprise]", modifiers=["Shift"])
    seek(page, 24)
    page.hover("#blend")


def time(page: Any) -> None:
    """A handle is dragged, and another expression follows."""
    page.click(".tile[data-expression=sad]")
    drag(page, "[data-name='0 3']", -160)
    page.evaluate("studio.player.seek(34)")
    page.click(".tile[data-expression=angry]")
    seek(page, 48)
    page.hover("[data-name='1 1']")


def take(page: Any) -> None:
    """A recorded take that was let go over a lane."""
    page.click(".tile[data-expression=happy]")
    with tempfile.TemporaryDirectory() as folder:
        along = np.linspace(0, 1, 180)
        curve = np.sin(np.pi * along) ** 2 * (0.75 + 0.25 * np.sin(19 * along))
        drop(page, write_take(Path(folder) / "take.csv", smile(curve)), onto=".track[data-expression=happy]")
        until(page, "studio.history.state.events.some((event) => event.keys)")
    seek(page, 36)


def export(page: Any) -> None:
    """What is exported, and the command that makes the same."""
    page.click(".tile[data-expression=fear]")
    seek(page, 24)
    page.keyboard.press("Control+e")
    page.fill("#out-name", "scared")
    until(page, "document.getElementById('out-command').value.endsWith('scared.glb')")


PICTURES: dict[str, tuple[Callable[[Any], None], Callable[[Any], None] | None]] = {
    "see": (see, see_no_more),
    "choose": (choose, None),
    "time": (time, None),
    "take": (take, None),
    "export": (export, lambda page: page.keyboard.press("Escape")),
}


def main() -> None:
    with pictured_page() as page:
        page.evaluate(SHARP)
        for name, (make, after) in PICTURES.items():
            page.evaluate(BLANK)
            make(page)
            until(page, SETTLED)
            shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            shot.save(OUT / f"studio-{name}.webp", quality=QUALITY, method=6)
            if after:
                after(page)
    for name in PICTURES:
        size = (OUT / f"studio-{name}.webp").stat().st_size
        print(f"studio-{name}.webp: {size / 1e3:.0f} kB")
        if size > LARGEST:
            raise SystemExit(f"expected at most {LARGEST / 1e3:g} kB; lower QUALITY or HIGH")


if __name__ == "__main__":
    main()

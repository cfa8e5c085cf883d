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
from open_studio import SEEN, Opened, drag, drop, until, write_other_head
from PIL import Image
from studio.pictured import HIGH, WIDE, pictured_page

OUT = Path(__file__).parents[2] / "docs" / "pictures"
QUALITY, LARGEST = 78, 70_000
SETTLED = "studio.player.kept.size === studio.history.state.frames && !studio.view.pace.level"
BLANK = """(() => {
    const { history, panel } = studio;
    document.querySelectorAll(".toast").forEach((each) => each.remove());
    panel.chosen = [];
    history.replace({ ...history.state, frames: 80, fps: 25, seed: 0, events: [], alive: false, in: null, out: null });
    studio.player.seek(0);
})()"""
SHARP = "Object.assign(studio.view.pace, { ratio: 2, sharp: 2, moves() {}, ticked() {} }).on.changed()"
OVER = "dispatchEvent(new DragEvent('dragenter'))"
GONE = "dispatchEvent(new DragEvent('dragleave'))"
NARROW, HIGH_NARROW = 400, 720
"""Pixels of a telephone's page."""


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


def orbit(page: Any) -> None:
    """Turned by dragging, and nearer by the wheel."""
    page.click(".tile[data-expression=surprise]")
    seek(page, 24)
    box = page.locator("#stage").bounding_box()
    x, y = box["x"] + 0.6 * box["width"], box["y"] + 0.6 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y - 25, steps=4)
    page.mouse.up()
    for _ in range(3):
        page.mouse.wheel(0, -120)


def front(page: Any) -> None:
    page.keyboard.press("1")


def another(page: Any) -> None:
    """Another take of the same label."""
    page.click(".tile[data-expression=happy]")
    page.fill("#seed", "7")
    page.keyboard.press("Enter")
    seek(page, 24)
    page.hover("#dice")


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


def wires(page: Any) -> None:
    """From three quarters, in wires."""
    page.click(".tile[data-expression=disgust]")
    seek(page, 24)
    page.click("#looks >> text=3/4")
    page.click("#wire")


def wires_no_more(page: Any) -> None:
    page.click("#wire")
    page.click("#looks >> text=Front")


def stretch(page: Any) -> None:
    """A whole expression is stretched by its end, and the part that plays begins and ends elsewhere."""
    page.click(".tile[data-expression=fear]")
    box = page.locator("[data-name='0 body']").bounding_box()
    y = box["y"] + box["height"] - 4
    page.keyboard.down("Alt")
    page.mouse.move(box["x"] + 0.9 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 1.2 * box["width"], y, steps=3)
    page.mouse.up()
    page.keyboard.up("Alt")
    page.evaluate("document.activeElement.blur()")
    for frame, key in ((9, "i"), (61, "o")):
        page.evaluate(f"studio.player.seek({frame})")
        page.keyboard.press(key)
    seek(page, 30)


def over(page: Any) -> None:
    """A file is held over the page."""
    page.click(".tile[data-expression=happy]")
    seek(page, 24)
    page.evaluate(OVER)


def keys(page: Any) -> None:
    """What each key does."""
    page.keyboard.press("?")


def narrow(page: Any) -> None:
    """In the window of a telephone, in the dark."""
    page.set_viewport_size({"width": NARROW, "height": HIGH_NARROW})
    page.emulate_media(color_scheme="dark")
    page.click(".tile[data-expression=happy]")
    page.evaluate("studio.player.seek(16)")
    page.click(".tile[data-expression=surprise]")
    page.evaluate("scrollTo(0, 0)")
    seek(page, 30)


def narrow_no_more(page: Any) -> None:
    page.set_viewport_size({"width": WIDE, "height": HIGH})
    page.emulate_media(color_scheme="light")


def export(page: Any) -> None:
    """What is exported, and the command that makes the same."""
    page.click(".tile[data-expression=fear]")
    seek(page, 24)
    page.keyboard.press("Control+e")
    page.fill("#out-name", "scared")
    until(page, "document.getElementById('out-command').value.endsWith('scared.glb')")


def fit(page: Any) -> None:
    """The template is fitted to a head of its own triangles, whose landmarks are shown."""
    with tempfile.TemporaryDirectory() as folder:
        drop(page, write_other_head(Path(folder) / "head.ply"))
    until(page, "document.getElementById('work-picture').naturalWidth > 100")


def send(page: Any) -> None:
    """What is shown is sent to a receiver, which is nobody here."""
    page.click(".tile[data-expression=surprise]")
    seek(page, 24)
    page.check("#live")
    page.locator("#live").scroll_into_view_if_needed()


def send_no_more(page: Any) -> None:
    page.uncheck("#live")


def stopped(page: Any, opened: Opened) -> None:
    """The studio was stopped in its terminal, and the timeline is still there."""
    page.click(".tile[data-expression=happy]")
    page.click(".tile[data-expression=sad]", modifiers=["Shift"])
    seek(page, 24)
    opened.kill()
    until(page, "!document.getElementById('banner').hidden")


PICTURES: dict[str, tuple[Callable[[Any], None], Callable[[Any], None] | None]] = {
    "see": (see, see_no_more),
    "wires": (wires, wires_no_more),
    "orbit": (orbit, front),
    "choose": (choose, None),
    "another": (another, None),
    "time": (time, None),
    "take": (take, None),
    "stretch": (stretch, None),
    "over": (over, lambda page: page.evaluate(GONE)),
    "keys": (keys, lambda page: page.keyboard.press("Escape")),
    "narrow": (narrow, narrow_no_more),
    "fit": (fit, lambda page: page.keyboard.press("Escape")),
    "send": (send, send_no_more),
    "export": (export, lambda page: page.keyboard.press("Escape")),
}


def keep(page: Any, name: str) -> None:
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.save(place(name), quality=QUALITY, method=6)


def place(name: str) -> Path:
    return OUT / f"studio-{name}.webp"


def main() -> None:
    with pictured_page() as (page, opened):
        page.evaluate(SHARP)
        for name, (make, after) in PICTURES.items():
            page.evaluate(BLANK)
            make(page)
            until(page, SETTLED)
            keep(page, name)
            if after:
                after(page)
        page.evaluate(BLANK)
        stopped(page, opened)
        keep(page, "stopped")
    for name in (*PICTURES, "stopped"):
        size = place(name).stat().st_size
        print(f"studio-{name}.webp: {size / 1e3:.0f} kB")
        if size > LARGEST:
            raise SystemExit(f"expected at most {LARGEST / 1e3:g} kB; lower QUALITY or HIGH")


if __name__ == "__main__":
    main()

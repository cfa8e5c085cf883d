"""The README's clip of the studio: an expression chosen, scrubbed, retimed by a handle and played, in a browser.

    make studio-clip

writes docs/pictures/studio.webp.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from open_studio import SEEN, until
from PIL import Image
from studio.pictured import pictured_page

OUT = Path(__file__).parents[2] / "docs" / "pictures" / "studio.webp"
FRAME_MS, STILL_MS, END_MS = 90, 500, 1400
QUALITY, LARGEST = 72, 1_500_000
POINTER = """(() => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    made.innerHTML = '<path d="M1 1v17l4-4 3 7 3-1-3-7h6z" fill="#111" stroke="#fff" stroke-width="1.4"/>';
    Object.assign(made.style, { position: "fixed", width: "22px", height: "26px", zIndex: 99, pointerEvents: "none" });
    made.id = "pointer";
    document.body.append(made);
    Object.assign(studio.view.pace, { ratio: 1, sharp: 1, moves() {}, ticked() {} });
})()"""
SETTLED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Film:
    """Pictures of a page, and a hand on it."""

    def __init__(self, page: Any) -> None:
        self.page, self.frames, self.times = page, [], []
        self.at = (520.0, 330.0)

    def shot(self, ms: int = FRAME_MS) -> None:
        until(self.page, SEEN)
        self.page.evaluate(SETTLED)
        picture = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        self.frames.append(picture)
        self.times.append(ms)

    def go(self, x: float, y: float, steps: int) -> None:
        """Move the hand, and take a picture of each step."""
        (x0, y0) = self.at
        for step in range(1, steps + 1):
            part = step / steps
            part = part * part * (3 - 2 * part)
            self.at = (x0 + part * (x - x0), y0 + part * (y - y0))
            self.page.mouse.move(*self.at)
            put = "([x, y]) => Object.assign(document.getElementById('pointer').style, {left: `${x}px`, top: `${y}px`})"
            self.page.evaluate(put, list(self.at))
            self.shot()

    def middle(self, what: str) -> tuple[float, float]:
        box = self.page.locator(what).bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def write(self, path: Path) -> None:
        first, *rest = self.frames
        more = {"quality": QUALITY, "method": 3}
        first.save(path, save_all=True, append_images=rest, duration=self.times, loop=0, **more)


def act(film: Film) -> None:
    """What is shown."""
    page = film.page
    page.evaluate("studio.history.replace({ ...studio.history.state, frames: 80 })")
    film.shot(STILL_MS)
    film.go(*film.middle(".tile[data-expression=surprise]"), 4)
    page.mouse.down()
    page.mouse.up()
    film.shot(STILL_MS)
    ruler = page.locator("#ruler").bounding_box()
    y = ruler["y"] + 14

    def across(frame: int) -> float:
        return ruler["x"] + ruler["width"] * frame / 79

    film.go(across(0) + 2, y, 3)
    page.mouse.down()
    film.go(across(19), y, 8)
    page.mouse.up()
    film.shot(STILL_MS)
    film.go(*film.middle("[data-name='0 1']"), 2)
    page.mouse.down()
    start = film.at
    film.go(across(38), start[1], 7)
    film.go(across(10), start[1], 9)
    page.mouse.up()
    film.shot(STILL_MS)
    film.go(*film.middle(".tile[data-expression=happy]"), 5)
    page.evaluate("studio.player.seek(30)")
    page.mouse.down()
    page.mouse.up()
    film.shot(STILL_MS)
    for frame in range(26, 79, 4):
        page.evaluate(f"studio.player.seek({frame})")
        film.shot()
    film.times[-1] = END_MS


def main() -> None:
    with pictured_page() as (page, _):
        page.evaluate(POINTER)
        film = Film(page)
        act(film)
    film.write(OUT)
    size = OUT.stat().st_size
    print(f"{OUT}: {len(film.frames)} frames, {sum(film.times) / 1000:.1f} s, {size / 1e6:.2f} MB")
    if size > LARGEST:
        raise SystemExit(f"expected at most {LARGEST / 1e6:g} MB; lower QUALITY or HIGH")


if __name__ == "__main__":
    main()

"""Every gesture of docs/studio.md that `test_page.py` does not make on its way, by real events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from open_studio import SEEN, drag, state, until

LOOK = "studio.view.camera.position.toArray()"
UNNAMED = """[...document.querySelectorAll("button, input, select, textarea, canvas, [tabindex], dialog")]
.filter((each) => {
    const by = each.getAttribute("aria-labelledby");
    const name = each.ariaLabel || (by && document.getElementById(by).textContent) || each.title || each.textContent
        || each.labels?.[0]?.textContent;
    return each.id !== "file" && !name?.trim();
}).map((each) => each.outerHTML)"""
"""What a screen reader has no name for; the input behind *Open a face* is not shown."""
OUTSIDE = """[...document.querySelectorAll("button, input, select, canvas")].filter((each) => {
    if (!each.checkVisibility() || each.closest("#tiles")) return false;
    const box = each.getBoundingClientRect();
    return box.right > innerWidth + 1 || box.left < -1;
}).map((each) => each.id || each.textContent)"""
"""What sticks out of the window to a side; tiles are in a strip that is scrolled."""
CONTRAST = """((id) => {
    const style = getComputedStyle(document.querySelector(id)), rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3);
    const light = (text) => rgb(text).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
    const [one, two] = [light(style.color), light(style.backgroundColor)].sort((a, b) => b - a);
    return (one + 0.05) / (two + 0.05);
})"""
"""Of a thing's text and its ground, as WCAG 2 counts it."""


def pressed(page: Any, name: str) -> bool:
    return page.get_attribute(f"#{name}", "aria-pressed") == "true"


def test_a_face_is_turned_neared_and_seen_in_other_ways(page) -> None:
    page.click("#canvas", position={"x": 300, "y": 200})
    seen = {}
    for key in "123":
        page.keyboard.press(key)
        seen[key] = page.evaluate(LOOK)
    assert seen["1"][0] == pytest.approx(0, abs=20) and 0 < seen["2"][0] < seen["3"][0]
    for name, key in (("Front", "1"), ("Side", "3")):
        page.click(f"#looks >> text={name}")
        assert page.evaluate(LOOK) == pytest.approx(seen[key])
    drag(page, "#canvas", 60)
    assert page.evaluate(LOOK) != pytest.approx(seen["3"], abs=1)
    far = "studio.view.camera.position.distanceTo(studio.view.controls.target)"
    before = page.evaluate(far)
    page.mouse.wheel(0, -300)
    until(page, f"{far} < {0.97 * before}")
    for key, name in (("w", "wire"), ("n", "compare"), ("s", "strain")):
        page.keyboard.press(key)
        assert pressed(page, name)
    until(page, "!!studio.player.kept.get(0)?.strain")
    until(page, SEEN)
    for key, name in (("w", "wire"), ("n", "compare"), ("s", "strain")):
        page.keyboard.press(key)
        assert not pressed(page, name)
    page.keyboard.press("1")


def test_an_event_is_stretched_and_put_in_numbers_and_playing_is_scrubbed(page) -> None:
    page.evaluate("studio.player.seek(10)")
    page.click(".tile[data-expression=happy]")
    was = state(page)["events"][0]
    pixel = page.locator("#ruler").bounding_box()["width"] / (state(page)["frames"] - 1)
    box = page.locator("[data-name='0 body']").bounding_box()
    page.keyboard.down("Alt")
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + box["height"] - 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 4 * pixel, box["y"] + 5, steps=3)
    page.mouse.up()
    page.keyboard.up("Alt")
    shorter = state(page)["events"][0]
    assert shorter["onset"] == was["onset"] and shorter["offset"] == was["offset"] - 4
    page.focus("[data-name='0 body']")
    page.keyboard.press("Shift+ArrowRight")
    assert state(page)["events"][0]["offset"] == shorter["offset"] + 1
    page.locator("#intensity").fill("0.4")
    for field, value in (("onset", 2), ("frames", 60), ("fps", 15)):
        page.fill(f"#{field}", str(value))
        page.press(f"#{field}", "Enter")
    page.select_option("#expression", "sad")
    made = state(page)
    assert (made["frames"], made["fps"], made["events"][0]["onset"]) == (60, 15, 2)
    assert (made["events"][0]["intensity"], made["events"][0]["expression"]) == (0.4, "sad")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("End")
    assert page.evaluate("studio.player.at") == 59
    page.keyboard.press("l")
    assert not pressed(page, "loop")
    page.keyboard.press("l")
    page.keyboard.press(" ")
    ruler = page.locator("#ruler").bounding_box()
    page.mouse.move(ruler["x"] + 5, ruler["y"] + 9)
    page.mouse.down()
    page.mouse.move(ruler["x"] + 0.75 * ruler["width"], ruler["y"] + 9, steps=4)
    assert page.evaluate("studio.player.playing && studio.player.at") >= 44
    page.mouse.up()
    page.keyboard.press(" ")


def test_takes_life_and_what_is_saved_beside_an_export(page, tmp_path: Path) -> None:
    page.click(".tile[data-expression=happy]")
    page.click("#dice")
    page.focus("#alive")
    page.keyboard.press(" ")  # which plays elsewhere
    assert not page.evaluate("studio.player.playing")
    assert (state(page)["seed"], state(page)["alive"]) == (1, True)
    until(page, SEEN)
    page.click("#export")
    until(page, "document.getElementById('out-command').value.includes('--alive --seed 1')")
    with page.expect_download() as timeline:
        page.click("#out-yaml-save")
    assert "happy" in Path(timeline.value.path()).read_text(encoding="utf-8")
    with page.expect_download() as neutral:
        page.click("#out-neutral")
    assert neutral.value.suggested_filename == "face.obj"
    page.click("#out-copy")
    until(page, "!!document.querySelector('#out .toast')")  # not in the dark behind it
    page.keyboard.press("Escape")
    until(page, "document.getElementById('toasts').parentElement === document.body")
    (tmp_path / "t.yaml").write_text("frames: 20\nfps: 12\nevents: [{expression: sad, keys: [[1, 0], [9, 1]]}]\n")
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Control+o")
    chosen.value.set_files(tmp_path / "t.yaml")
    until(page, "studio.history.state.frames === 20")


def test_all_has_a_name_and_a_place_in_a_narrow_window_and_can_be_read_in_dark_and_light(page) -> None:
    page.click(".tile[data-expression=happy]")
    assert page.evaluate(UNNAMED) == []
    wide = page.viewport_size
    try:
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate(OUTSIDE) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for tile in page.locator(".tile").all():
            tile.evaluate("(each) => each.click()")
        box = page.locator("#canvas").bounding_box()  # however many lanes there are, the face is seen
        assert page.locator("#time").bounding_box()["y"] > box["y"] + 0.75 * box["height"]
        grounds = set()
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            for what in ("body", "#play", "#help", "#frames"):
                assert page.evaluate(f"{CONTRAST}('{what}')") > 4.5, (scheme, what)
        assert len(grounds) == 2
    finally:
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        page.set_viewport_size(wide)

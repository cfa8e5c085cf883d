"""The page in the real browser: gestures by real events, and what they come to."""

from __future__ import annotations

from open_studio import READY, SEEN, STATE, Opened, drag, state, until

KEYS = """(count) => {
    for (let n = 0; n < count; n++) {
        const key = n % 2 ? "ArrowRight" : "ArrowLeft";
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    }
}"""
"""Arrows to and fro on what has the focus, all at once: that a key of the hand arrives, another test holds."""
LOWERED = """(() => {
    const { surface } = studio.view;
    const lowered = (v) => surface.rest[3 * v + 1] - surface.pose[3 * v + 1];
    let most = 0;
    for (let v = 0; v < surface.count; v++) if (lowered(v) > lowered(most)) most = v;
    const down = lowered(most), [, now] = studio.view.where(most);
    surface.move(null, 0);
    return [down, now - studio.view.where(most)[1]];
})()"""
"""By how many mm the vertex goes down that goes down most, and by how many pixels on screen."""


SLOW = """(() => {
    const { view } = studio, { surface, pace } = view, [whole] = surface.levels;
    const drawn = (cost) => {
        pace.cost = cost;
        view.show(view.pose);
        view.now();
        return { level: pace.level, ratio: pace.ratio, triangles: surface.level.triangles };
    };
    pace.fresh();
    const quick = drawn(25), bright = whole.parts[0].geometry.attributes.normal.array.slice();
    const slow = drawn(1000), { own, geometry: { attributes: { position, normal } } } = surface.level.parts[0];
    let off = 0; // of what few are drawn, from what they are among all
    for (let v = 0; v < own.length; v++)
        for (let k = 0; k < 3; k++) {
            off = Math.max(off, Math.abs(position.array[3 * v + k] - surface.pose[3 * own[v] + k]));
            off = Math.max(off, Math.abs(normal.array[3 * v + k] - bright[3 * own[v] + k]));
        }
    const index = surface.level.parts[0].geometry.index.array;
    const on = surface.meshes[0].geometry.index.array === index && new Set(index).size === own.length;
    pace.cost = 0;
    return { all: whole.triangles, sharp: pace.sharp, quick, slow, off, on };
})()"""
"""How the face is drawn as it moves, where drawing it was quick and where it was slow."""
AT_REST = (
    "studio.view.pace.level === 0 && studio.view.pace.ratio === studio.view.pace.sharp"
    " && studio.view.surface.meshes[0].geometry.index.count === 3 * studio.view.surface.levels[0].triangles"
)
LATE = """(() => {
    const { on } = studio.player, own = on.tick;
    globalThis.late = 0;
    on.tick = (ms) => {
        own(ms);
        late += studio.view.waiting !== undefined;
    };
})()"""
"""Counts the poses that wait for a drawing after the page's own."""


def test_an_expression_is_chosen_timed_undone_and_played(page) -> None:
    until(page, "document.querySelectorAll('.tile img').length === 6")
    page.click(".tile[data-expression=surprise]")
    begun = state(page)
    assert [event["expression"] for event in begun["events"]] == ["surprise"]
    assert page.locator(".handle").count() == 4

    # The handle of the offset, dragged to the right; the apex by a key; the whole event; its easing by the menu.
    pixel = (begun["frames"] - 1) / page.locator("#ruler").bounding_box()["width"]
    drag(page, "[data-name='0 3']", 5 / pixel)
    assert state(page)["events"][0]["offset"] == begun["events"][0]["offset"] + 5
    page.focus("[data-name='0 1']")
    page.keyboard.press("ArrowRight")
    assert state(page)["events"][0]["apex"][0] == begun["events"][0]["apex"][0] + 1
    page.select_option("#ease", "in")
    drag(page, "[data-name='0 body']", 3 / pixel)
    moved = state(page)["events"][0]
    assert (moved["onset"], moved["ease"]) == (begun["events"][0]["onset"] + 3, "in")

    # Four steps back, and on again.
    after = page.evaluate(STATE)
    for _ in range(4):
        page.keyboard.press("Control+z")
    assert state(page) == begun
    for _ in range(4):
        page.keyboard.press("Control+Shift+Z")
    assert page.evaluate(STATE) == after

    # Keys: frames, ends, the part that is played, the list.
    page.click("#canvas", position={"x": 300, "y": 200})
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("i")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("o")
    assert (state(page)["in"], state(page)["out"]) == (1, 11)
    until(page, "studio.player.kept.size === studio.history.state.frames")  # not only what plays
    page.evaluate(LATE)
    page.keyboard.press(" ")
    until(page, "studio.player.playing && studio.player.stats.shown > 2")
    assert page.evaluate("late") == 0
    assert 1 <= page.evaluate("studio.player.at") <= 11
    page.keyboard.press(" ")
    assert not page.evaluate("studio.player.playing")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible() and "play, stop" in page.inner_text("#keys")
    page.keyboard.press("Escape")
    page.keyboard.press("Delete")
    assert state(page)["events"] == []


def test_surprise_moves_the_face_on_screen_and_a_blend_shares_its_strength(page) -> None:
    page.click(".tile[data-expression=surprise]")
    page.evaluate("studio.player.seek(studio.history.state.events[0].apex[0])")
    until(page, SEEN)
    until(page, "studio.player.kept.size === studio.history.state.frames")
    # The chin, lowest vertex of the face, goes down on screen; the skull stays where it is.
    down, pixels = page.evaluate(LOWERED)
    assert down > 0.5 and pixels > 0.3
    page.click(".tile[data-expression=happy]", modifiers=["Shift"])
    events = state(page)["events"]
    assert [(event["expression"], event["intensity"]) for event in events] == [("surprise", 0.5), ("happy", 0.5)]
    page.locator("#blend").fill("0.25")
    assert [event["intensity"] for event in state(page)["events"]] == [0.75, 0.25]
    assert state(page)["events"][0]["apex"] == state(page)["events"][1]["apex"]


def test_a_processor_that_draws_slowly_draws_less_while_the_face_moves_and_all_of_it_at_rest(page) -> None:
    page.click(".tile[data-expression=surprise]")
    until(page, SEEN)
    seen = page.evaluate(SLOW)
    assert seen["quick"] == {"level": 0, "ratio": seen["sharp"], "triangles": seen["all"]}
    assert seen["slow"]["level"] > 2 and 0.4 < seen["slow"]["ratio"] < seen["sharp"]
    assert 2000 < seen["slow"]["triangles"] < 0.25 * seen["all"]
    assert seen["on"] and seen["off"] < 1e-5
    until(page, AT_REST)


def test_while_a_handle_is_dragged_only_the_frame_that_is_seen_is_made(page) -> None:
    page.click(".tile[data-expression=surprise]")
    page.evaluate("studio.player.seek(studio.history.state.events[0].apex[0])")
    until(page, "studio.player.kept.size === studio.history.state.frames")
    box = page.locator("[data-name='0 3']").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 90, y, steps=3)
    until(page, SEEN)
    assert page.evaluate("studio.player.kept.size + studio.player.coming.size") == 1
    page.mouse.up()
    until(page, "studio.player.kept.size === studio.history.state.frames")


def test_two_hundred_steps_of_undo_give_the_same_state(page) -> None:
    page.click(".tile[data-expression=sad]")
    page.focus("[data-name='0 2']")
    before = page.evaluate(STATE)
    page.evaluate(KEYS, 200)
    assert page.evaluate("studio.history.past.length") >= 200
    end = page.evaluate(STATE)
    page.evaluate("for (let n = 0; n < 200; n++) studio.history.undo()")
    assert page.evaluate(STATE) == before
    page.evaluate("for (let n = 0; n < 200; n++) studio.history.redo()")
    assert page.evaluate(STATE) == end


def test_tabs_are_apart_and_a_reload_keeps_what_was_done(tab) -> None:
    one, two = tab(), tab()
    one.click(".tile[data-expression=angry]")
    two.click(".tile[data-expression=disgust]")
    for page, name in ((one, "angry"), (two, "disgust")):
        until(page, SEEN)
        assert [event["expression"] for event in state(page)["events"]] == [name]
    before = state(one)
    one.reload(wait_until="commit")
    until(one, READY)
    assert state(one) == before
    one.keyboard.press("Control+z")
    assert state(one)["events"] == []


def test_a_server_that_is_started_again_finds_the_timeline_unharmed(page, opened: Opened) -> None:
    page.click(".tile[data-expression=sad]")
    before = state(page)
    opened.kill()
    until(page, "!document.getElementById('banner').hidden")
    assert "has stopped" in page.inner_text("#banner")
    page.focus("[data-name='0 3']")
    page.keyboard.press("ArrowLeft")  # it goes on without its server
    opened.open(opened.port)
    until(page, "document.getElementById('banner').hidden")
    until(page, SEEN)
    assert state(page)["events"][0]["offset"] == before["events"][0]["offset"] - 1
    assert state(page)["frames"] == before["frames"]
    assert page.locator(".toast.bad").count() == 0  # nothing of it is lost

"""The page that plays a face: what is in the file, and what a browser makes of it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from offline_page import DRAWN, needs_chromium, opened, picture

from facegen.data.corpus import Corpus
from facegen.errors import FacegenError
from facegen.exporters import export, page
from facegen.exporters.glb import write_glb

WINDOW = {"width": 500, "height": 520}
HOSTILE = "</script><img src=x onerror=alert(1)>"


def inside(path: Path, name: str) -> str:
    return re.search(rf'<script type="[^"]+" id="{name}">(.*?)</script>', path.read_text(), re.S)[1]


@pytest.fixture(scope="module")
def surprise(corpus_path: Path):
    corpus = Corpus(corpus_path)
    subject = corpus.entries[corpus.split("test")[0]].subject
    return corpus.sequence(corpus.find(subject, "surprise", 0))


def test_the_page_holds_the_very_glb_and_little_beside_it(moving, tmp_path: Path) -> None:
    sequence = moving(30, 5, noise=0.02)
    said = export(sequence, tmp_path / "a.html", tolerance=0.2)
    write_glb(sequence, tmp_path / "a.glb", tolerance=0.2)
    asset, whole = inside(tmp_path / "a.html", "asset"), (tmp_path / "a.html").stat().st_size
    assert base64.b64decode(asset, validate=True) == (tmp_path / "a.glb").read_bytes()
    assert whole - len(asset) < 1_000_000
    assert said.startswith("a.html: 30 frames, ") and f"in a page of {whole / 1e6:.1f} MB" in said
    curves = json.loads(inside(tmp_path / "a.html", "about"))["curves"]
    assert [each["name"] for each in curves] == ["smile"]  # nobody frowns
    np.testing.assert_allclose(curves[0]["values"], sequence.motion[:, 0], atol=1e-4)


def test_names_never_become_markup_and_only_our_own_script_may_run(moving, tmp_path: Path) -> None:
    sequence = replace(moving(4), expressions=(HOSTILE, "b"))
    path = tmp_path / "<b>&\"x'.html"
    export(sequence, path)
    text = path.read_text()
    assert HOSTILE not in text and "<b>" not in text
    assert json.loads(inside(path, "about"))["curves"][0]["name"] == HOSTILE
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    for kind, element in (("script", '<script type="module">'), ("style", "<style>")):
        content = text.split(element)[1].split(f"</{kind}>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';") and "http" not in policy


def test_what_no_browser_could_hold_is_refused(moving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LARGEST", 1 << 10)
    with pytest.raises(FacegenError, match="take .glb"):
        export(moving(30, 5), tmp_path / "a.html")
    assert not list(tmp_path.iterdir())


def gap(shown: np.ndarray) -> int:
    """Pixels of background within the face's middle column: a mouth that stands open."""
    middle = shown.shape[1] // 2
    face = (np.abs(shown[:, middle - 2 : middle + 3] - shown[4, 4]).sum(axis=2) > 30).any(axis=1)
    rows = np.flatnonzero(face)
    return int((~face[rows[0] : rows[-1]]).sum())


def drawn_frame(shown) -> int:
    """The number of the frame that is shown, once what was asked for is drawn."""
    shown.evaluate(DRAWN)
    return int(shown.input_value("#frame"))


@needs_chromium
def test_a_browser_plays_it_from_the_disk(surprise, tmp_path: Path) -> None:
    export(surprise, tmp_path / "a.html")
    last = len(surprise.vertices) - 1
    apex = int(surprise.motion.max(axis=1).argmax())
    with opened(tmp_path / "a.html", viewport=WINDOW) as shown:
        assert shown.title() == "a"
        assert shown.inner_text("#legend") == "surprise"
        box = shown.locator("#frame").bounding_box()
        assert box["x"] == 0 and box["width"] == WINDOW["width"]
        shut = picture(shown, "#face")
        assert gap(shut) < 8
        # The moment under the hand is shown while it is still held.
        shown.mouse.move(2, box["y"] + 30)
        shown.mouse.down()
        shown.mouse.move(box["width"] * apex / last, box["y"] + 30, steps=3)
        assert gap(picture(shown, "#face")) > 12
        assert f"frame {apex} of {last}" in shown.inner_text("#now") and "surprise 1.00" in shown.inner_text("#now")
        shown.mouse.up()
        drawn = shown.locator("#curves polyline").get_attribute("points")
        heights = [1 - float(point.split(",")[1]) for point in drawn.split()]
        np.testing.assert_allclose(heights, surprise.motion[:, surprise.expressions.index("surprise")], atol=1e-3)
        for key, frame in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", last)):
            shown.keyboard.press(key)
            assert drawn_frame(shown) == frame
        shown.keyboard.press("Home")
        shown.keyboard.press("Space")
        assert any(drawn_frame(shown) > 1 for _ in range(500))
        shown.keyboard.press("Space")
        still = shown.input_value("#frame")
        assert shown.get_attribute("#play", "aria-label") == "Play"
        shown.keyboard.press("3")
        assert np.abs(picture(shown, "#face") - shut).max() > 60
        assert shown.input_value("#frame") == still
        shown.keyboard.press("1")
        shown.keyboard.press("Home")
        _shapes_stay_where_they_are_put(shown, shut)
        before = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        shown.keyboard.press("d")
        assert shown.evaluate("getComputedStyle(document.body).backgroundColor") != before


def _shapes_stay_where_they_are_put(shown, shut: np.ndarray) -> None:
    shown.click("#shapes summary")
    shown.locator("#sliders input").first.fill("1")
    shown.click("#shapes summary")
    shown.wait_for_selector("#release:enabled", state="attached")
    assert np.abs(picture(shown, "#face") - shut).max() > 60
    shown.click("#shapes summary")
    shown.click("#release")
    shown.click("#shapes summary")
    shown.mouse.move(5, 5)
    assert np.abs(picture(shown, "#face") - shut).max() < 30

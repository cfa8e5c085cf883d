"""The studio's page as pictures for the documentation show it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from browser import CHROMIUM
from open_studio import FLAGS, READY, WAIT, Opened, until
from playwright.sync_api import sync_playwright

WIDE, HIGH = 1040, 660
"""Pixels of the page."""


@contextmanager
def pictured_page() -> Iterator[tuple[Any, Opened]]:
    """A page of a studio with its face and all tiles, and the studio, both gone at the end."""
    opened = Opened()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            page = browser.new_page(viewport={"width": WIDE, "height": HIGH}, color_scheme="light")
            page.set_default_timeout(1000 * WAIT)
            page.goto(opened.url, wait_until="commit")
            until(page, READY)
            until(page, "document.querySelectorAll('.tile img').length === 6")
            yield page, opened
            browser.close()
    finally:
        opened.close()

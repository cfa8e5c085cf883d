"""Requests that are no HTTP, no form or no JSON are told so, and the studio's terminal stays quiet."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from facegen.studio.answers import _said
from facegen.studio.guard import guard
from facegen.studio.server import FOLDER, _log, mistakes
from facegen.studio.uploads import received

JSON, FORM = "application/json", "multipart/form-data; boundary=BB"
PART = b'--BB\r\nContent-Disposition: form-data; name="f"; filename="a.yaml"\r\n'
WHOLE = "expected a whole request of the page; reload it, and try again"
WRONG = {
    "no JSON": ({"Content-Type": JSON}, b'{"a":', WHOLE),
    "deep": ({"Content-Type": JSON}, b"[" * 100_000, WHOLE),
    "digits": ({"Content-Type": JSON}, b'{"a":' + b"9" * 5000 + b"}", WHOLE),
    "a list": ({"Content-Type": JSON}, b"[1]", "expected a message of the page; reload it"),
    "letters": ({"Content-Type": f"{JSON}; charset=zzz"}, b"{}", WHOLE),
    "no text": ({"Content-Type": f"{JSON}; charset=base64"}, b"{}", WHOLE),
    "packed": ({"Content-Type": JSON, "Content-Encoding": "gzip"}, b"zzzz", WHOLE),
    "no boundary": ({"Content-Type": "multipart/form-data"}, PART, WHOLE),
    "another boundary": ({"Content-Type": "multipart/form-data; boundary=CC"}, PART, WHOLE),
    "long boundary": ({"Content-Type": f"multipart/form-data; boundary={90 * 'C'}"}, PART, WHOLE),
    "nothing": ({"Content-Type": FORM}, b"", WHOLE),
    "cut": ({"Content-Type": FORM}, PART + b"\r\nframes: 6", WHOLE),
    "header": ({"Content-Type": FORM}, b"--BB\r\nContent-Disposition form-data\r\n\r\nx\r\n--BB--\r\n", WHOLE),
    "twice": ({"Content-Type": FORM}, 2 * (PART + b"\r\nx\r\n") + b"--BB--\r\n", "two files are called a.yaml; rename"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_malformed_request_is_told_so(name: str, tmp_path: Path) -> None:
    headers, body, words = WRONG[name]

    async def handler(request: web.Request) -> web.Response:
        form = headers["Content-Type"].startswith("multipart")
        await (received(request, tmp_path, 0) if form else _said(request))
        return web.Response()

    async def asked() -> tuple[int, str]:
        app = web.Application(middlewares=[mistakes])
        app[FOLDER] = tmp_path
        app.add_routes([web.post("/", handler)])
        async with TestClient(TestServer(app)) as client:
            answer = await client.post("/", data=body, headers=headers)
            return answer.status, (await answer.json())["error"]

    status, said = asyncio.run(asked())
    assert status == 400 and said.startswith(words)


def test_the_terminal_is_told_of_the_studio_s_own_errors_alone() -> None:
    for error, told in ((BadHttpMessage("x"), False), (web.RequestPayloadError("x"), False), (ValueError("x"), True)):
        record = logging.LogRecord("facegen.studio", logging.ERROR, "", 0, "x", None, (type(error), error, None))
        assert bool(_log().filter(record)) is told


def test_what_is_no_address_is_another_page() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    look = guard(lambda: 80, None, None)
    for origin in ("http://[", "http://\u2100.com", "localhost:80", "ftp://localhost:80", "http://x@localhost:80"):
        asked = make_mocked_request("GET", "/", headers={"Host": "localhost:80", "Origin": origin})
        with pytest.raises(web.HTTPForbidden):
            asyncio.run(look(asked, handler))
    for origin in ("http://localhost:80", "https://localhost:80"):
        asked = make_mocked_request("GET", "/", headers={"Host": "localhost:80", "Origin": origin})
        assert asyncio.run(look(asked, handler)).status == 200

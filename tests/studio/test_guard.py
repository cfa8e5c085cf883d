"""Nobody but the studio's own page may talk to it, and it opens nothing that is named from outside."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from facegen.cli import run
from facegen.errors import FacegenError
from facegen.studio import uploads
from facegen.studio.answers import Answers
from facegen.studio.guard import guard, in_address
from facegen.studio.server import FOLDER, mistakes
from facegen.studio.studio import Studio
from facegen.studio.uploads import main_file, plain


def answer(port: int, method: str, path: str, headers: dict[str, str], body: bytes | None = None):
    there = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    there.request(method, path, body, headers)
    response = there.getresponse()
    return response.status, response.read(), response.headers


def own(opened) -> dict[str, str]:
    return {"Origin": opened.url.rstrip("/"), "Host": f"127.0.0.1:{opened.port}"}


def test_the_page_comes_with_a_strict_policy(opened) -> None:
    status, page, headers = answer(opened.port, "GET", "/", {})
    assert status == 200 and b"facegen studio" in page
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80", "Origin": "http://evil.example:80"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/", "/state", "/page/main.js", "/frames"])
def test_another_page_is_refused(opened, headers: dict[str, str], path: str) -> None:
    assert answer(opened.port, "GET", path, headers)[0] == 403


@pytest.mark.parametrize("path", ["/faces", "/yaml", "/exports", "/takes", "/timelines"])
def test_what_writes_has_to_say_where_it_comes_from(opened, path: str) -> None:
    assert answer(opened.port, "POST", path, {}, b"{}")[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/page/../../cli.py",
        "/page/%2e%2e/%2e%2e/cli.py",
        "/page/three_parts.js",
        "/faces/..%2f..%2fetc/file",
        "/jobs/%2e%2e/file",
        "/etc/passwd",
    ],
)
def test_no_path_from_outside_is_opened(opened, path: str) -> None:
    assert answer(opened.port, "GET", path, {})[0] in (400, 404)


def dropped(opened, name: str, data: bytes, to: str = "/faces") -> tuple[int, dict]:
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n' % name.encode()
    headers = own(opened) | {"Content-Type": "multipart/form-data; boundary=b"}
    status, said, _ = answer(opened.port, "POST", to, headers, form + data + b"\r\n--b--\r\n")
    return status, json.loads(said)


@pytest.mark.parametrize(
    ("name", "data", "to", "why"),
    [
        ("face.exe", b"x", "/faces", "expected one file of"),
        ("..", b"x", "/faces", "rename it"),
        (".obj", b"x", "/faces", "rename it"),
        ("t.yaml", b"frames: [", "/timelines", "t.yaml"),
        ("t.yaml", b"frames: 9\nevents: [{expression: none, keys: [[1, 1]]}]", "/timelines", "none"),
        ("t.csv", b"1,2,3", "/takes?fps=25", "columns of Live Link Face"),
        ("t.csv", b"1,2,3", "/takes?fps=nan", "fps must be"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_a_sentence(opened, name: str, data: bytes, to: str, why: str) -> None:
    status, said = dropped(opened, name, data, to)
    assert status == 400 and why in said["error"]
    assert "/tmp" not in said["error"] and "Error" not in said["error"]


def test_names_lose_their_places() -> None:
    assert plain("..\\..\\head (2).obj") == "head (2).obj" and plain("/etc/head.obj") == "head.obj"
    for name in ("", "...", "a/..", "a\0b.obj", "-rf.obj", "x" * 200 + ".obj"):
        with pytest.raises(FacegenError, match="rename it"):
            plain(name)


def test_one_mesh_at_a_time() -> None:
    assert main_file([Path("skin.png"), Path("head.gltf"), Path("head.bin")]) == Path("head.gltf")
    with pytest.raises(FacegenError, match="2 meshes"):
        main_file([Path("a.obj"), Path("b.ply")])


@pytest.mark.parametrize(("once", "all_of_them"), [(1 << 20, 1 << 40), (1 << 40, 6 << 20)], ids=["once", "together"])
def test_uploads_are_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, once: int, all_of_them: int) -> None:
    monkeypatch.setattr(uploads, "LARGEST_DROP", once)
    monkeypatch.setattr(uploads, "LARGEST_FOLDER", all_of_them)
    studio = Studio(None, None, tmp_path, [])
    monkeypatch.setattr(studio, "fit", lambda files, folder: "job")

    async def send() -> list[int]:
        async def there() -> Studio:
            return studio

        app = web.Application(middlewares=[mistakes])
        app[FOLDER] = tmp_path

        async def unseen() -> None:
            return None

        app.add_routes(Answers(there(), unseen()).routes())
        async with TestClient(TestServer(app)) as client:

            async def one() -> int:
                form = FormData()
                form.add_field("file", bytes(3 << 20), filename="head.obj")
                answer = await client.post("/faces", data=form)
                if answer.status == 400:
                    assert "expected up to" in (await answer.json())["error"]
                return answer.status

            return sorted(await asyncio.gather(*(one() for _ in range(3))))

    # Of three at a time that are 9 MB, those are kept for which there is room, and nothing of the others.
    statuses = asyncio.run(send())
    assert statuses == ([400, 400, 400] if once == 1 << 20 else [200, 200, 400])
    assert studio.held() == (3 << 20) * statuses.count(200)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--host", "0.0.0.0"], "--host ADDRESS and --token SECRET go together"),
        (["--token", "0123456789abcdef"], "go together"),
        (["--host", "0.0.0.0", "--token", "short"], "must have 16"),
        (["--host", "everywhere", "--token", "0123456789abcdef"], "--host must be an address"),
        (["--port", "70000"], "--port: must be a whole number from 0 to 65,535"),
        (["--no-browser", "--host", "192.0.2.1", "--token", "0123456789abcdef"], "--host 192.0.2.1 is not to be had"),
    ],
)
def test_other_machines_are_served_with_a_secret_alone(words, why, capsys) -> None:
    assert run(["studio", *words]) == 2
    assert why in capsys.readouterr().err


def test_an_address_with_colons_stands_in_brackets() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    for host, named in (("fd00::5", "[fd00::5]:80"), ("10.0.0.5", "10.0.0.5:80")):
        asked = make_mocked_request("GET", "/", headers={"Host": named})
        assert asyncio.run(guard(lambda: 80, host, None)(asked, handler)).status == 200
        assert f"{in_address(host)}:80" == named


def test_a_token_is_asked_for_and_the_folder_goes_with_the_process(tmp_path: Path) -> None:
    words = ["studio", "--port", "0", "--no-browser"]
    words += ["--host", "127.0.0.1", "--token", "0123456789abcdef"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "facegen", *words], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    port = int(process.stdout.readline().split(":")[2].split("/")[0])
    assert answer(port, "GET", "/", {})[0] == 403
    assert answer(port, "GET", "/?token=0123456789abcdeX", {})[0] == 403
    status, _, headers = answer(port, "GET", "/?token=0123456789abcdef", {})
    assert status == 303 and "HttpOnly" in headers["Set-Cookie"] and "SameSite=Strict" in headers["Set-Cookie"]
    cookie = headers["Set-Cookie"].split(";")[0]
    assert answer(port, "GET", "/state", {"Cookie": cookie})[0] == 200
    assert list(tmp_path.glob("facegen-studio-*"))
    process.terminate()
    assert process.wait(60) == 0
    assert not list(tmp_path.glob("facegen-studio-*"))

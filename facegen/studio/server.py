"""The server of the page: its files, its faces, its jobs, over HTTP on loopback."""

from __future__ import annotations

import asyncio
import tempfile
import webbrowser
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from aiohttp import web

from facegen.errors import FacegenError
from facegen.motion.live_link import Take
from facegen.motion.timeline import Timeline
from facegen.studio import staging
from facegen.studio.asked import FPS, Asked, as_said
from facegen.studio.feed import LARGEST_MESSAGE, Feed
from facegen.studio.guard import guard
from facegen.studio.studio import Studio
from facegen.studio.take_keys import keys_of
from facegen.studio.uploads import received

KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""Media types of the page's files."""
LARGEST_FORM = 8 << 20
"""Bytes of a request that is no upload, at most. Chosen: a timeline has room."""


def page_files() -> dict[str, Any]:
    """The page's own files by name: nothing else is ever served from the package."""
    web_folder = files("facegen") / "web"
    found = {path.name: path for path in (web_folder / "studio").iterdir() if Path(path.name).suffix in KINDS}
    return found | {"three.min.js": web_folder / "three.min.js"}


class Server:
    """Answers requests.

    Args:
        studio: what it serves.
        ready: done once the model is there.
    """

    def __init__(self, studio: Studio, ready: asyncio.Future) -> None:
        self.studio, self.ready, self.page = studio, ready, page_files()

    def routes(self) -> list[web.RouteDef]:
        """All that can be asked for."""
        return [
            web.get("/", self.index),
            web.get("/page/{name}", self.asset),
            web.get("/state", self.state),
            web.get("/faces/{face}", self.face),
            web.get("/faces/{face}/{part}", self.face_part),
            web.post("/faces", self.drop),
            web.post("/takes", self.take),
            web.post("/timelines", self.timeline),
            web.post("/yaml", self.yaml),
            web.post("/exports", self.export),
            web.get("/jobs/{job}", self.job),
            web.get("/jobs/{job}/{part}", self.job_part),
            web.delete("/jobs/{job}", self.cancel),
            web.get("/frames", self.frames),
        ]

    async def index(self, request: web.Request) -> web.Response:
        return self._file(self.page["index.html"])

    async def asset(self, request: web.Request) -> web.Response:
        found = self.page.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        return self._file(found)

    def _file(self, path: Any) -> web.Response:
        return web.Response(body=path.read_bytes(), content_type=KINDS[Path(path.name).suffix], charset="utf-8")

    async def state(self, request: web.Request) -> web.Response:
        await asyncio.shield(self.ready)
        return web.json_response(self.studio.told())

    async def face(self, request: web.Request) -> web.Response:
        return web.json_response(self.studio.face_told(request.match_info["face"]))

    async def face_part(self, request: web.Request) -> web.StreamResponse:
        face, part = request.match_info["face"], request.match_info["part"]
        self.studio.face_told(face)
        folder = self.studio.folders[face]
        if part in (staging.SHOWN, staging.CORNERS):
            return web.FileResponse(folder / part)
        if part == "file":
            return _download(self.studio.files[face])
        raise web.HTTPNotFound

    async def drop(self, request: web.Request) -> web.Response:
        await asyncio.shield(self.ready)
        folder = self.studio.new_folder()
        found = await received(request, folder, self.studio.held())
        return web.json_response({"job": self.studio.fit(found, folder)})

    async def take(self, request: web.Request) -> web.Response:
        fps = request.query.get("fps", "")
        folder = self.studio.new_folder()
        found = await received(request, folder, self.studio.held())
        try:
            rate = float(fps)
        except ValueError:
            rate = 0.0
        if not FPS[0] <= rate <= FPS[1]:
            raise FacegenError(f"fps must be a number from {FPS[0]:g} to {FPS[1]:g}, got {fps[:20]}")
        keys = await asyncio.to_thread(lambda: keys_of(Take.load(found[0]).amplitude(rate)))
        return web.json_response({"keys": keys})

    async def timeline(self, request: web.Request) -> web.Response:
        await asyncio.shield(self.ready)
        folder = self.studio.new_folder()
        found = await received(request, folder, self.studio.held())
        timeline = await asyncio.to_thread(Timeline.load, found[0])
        timeline.fps = timeline.fps or self.studio.model.fps
        timeline.motion(self.studio.model.expressions)
        return web.json_response(as_said(timeline))

    async def yaml(self, request: web.Request) -> web.Response:
        said = await _said(request)
        text = Asked.parse(said.get("state")).yaml()
        command = self.studio.command(said.get("state"), *_names(said))
        return web.json_response({"yaml": text, "command": command})

    async def export(self, request: web.Request) -> web.Response:
        said = await _said(request)
        return web.json_response({"job": self.studio.export(said.get("state"), *_names(said))})

    def _job(self, request: web.Request) -> Any:
        job = self.studio.jobs.get(request.match_info["job"])
        if job is None:
            raise web.HTTPNotFound
        return job

    async def job(self, request: web.Request) -> web.Response:
        return web.json_response(self._job(request).told())

    async def job_part(self, request: web.Request) -> web.StreamResponse:
        job, part = self._job(request), request.match_info["part"]
        picture = job.picture()
        if part == "picture.png" and picture is not None:
            return web.FileResponse(picture)
        if part == "file" and job.state == "done" and (job.folder / job.result).is_file():
            return _download(job.folder / job.result)
        raise web.HTTPNotFound

    async def cancel(self, request: web.Request) -> web.Response:
        self._job(request).cancel()
        return web.json_response({})

    async def frames(self, request: web.Request) -> web.StreamResponse:
        await asyncio.shield(self.ready)
        socket = web.WebSocketResponse(max_msg_size=LARGEST_MESSAGE, compress=False, heartbeat=20)
        await socket.prepare(request)
        await Feed(self.studio, socket, self.studio.worker).run()
        return socket


def _download(path: Path) -> web.FileResponse:
    name = "".join(each if each.isascii() and each not in '"\\' else "_" for each in path.name)
    return web.FileResponse(path, headers={"Content-Disposition": f'attachment; filename="{name}"'})


async def _said(request: web.Request) -> dict[str, Any]:
    try:
        said = await request.json()
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise FacegenError("expected a message of the page; reload it")
    return said


def _names(said: dict[str, Any]) -> tuple[str, str, str]:
    return str(said.get("face")), str(said.get("suffix")), str(said.get("name") or "timeline")


@web.middleware
async def mistakes(request: web.Request, handler: Callable[..., Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """A mistake is a sentence, and nothing else of it goes out."""
    try:
        return await handler(request)
    except FacegenError as error:
        words = " ".join(str(error).split()).replace(f"{request.app[STUDIO].folder}/", "")
        for folder in request.app[STUDIO].folder.iterdir():
            words = words.replace(f"{folder.name}/", "")
        return web.json_response({"error": words}, status=400)
    except OSError as error:
        return web.json_response({"error": f"{error.strerror or 'the disk could not be read or written'}"}, status=500)


STUDIO: web.AppKey[Studio] = web.AppKey("studio", Studio)


def serve(
    studio: Studio, port: int, host: str | None, token: str | None, browser: bool, told: Callable[[str], object] = print
) -> None:
    """Serve until it is stopped.

    Raises:
        FacegenError: the port is taken, or the model or the face cannot be read.
    """
    asyncio.run(_served(studio, port, host, token, browser, told))


async def _served(
    studio: Studio, port: int, host: str | None, token: str | None, browser: bool, told: Callable[[str], object]
) -> None:
    loop, bound, stopped = asyncio.get_running_loop(), [port], asyncio.Event()
    ready: asyncio.Future = loop.run_in_executor(studio.worker, studio.begin)
    app = web.Application(middlewares=[guard(lambda: bound[0], host, token), mistakes], client_max_size=LARGEST_FORM)
    app[STUDIO] = studio
    app.add_routes(Server(studio, ready).routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host or "127.0.0.1", port)
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise FacegenError(f"port {port} is not to be had: {error.strerror}; give --port another, 0 is any") from error
    bound[0] = runner.addresses[0][1]
    shown = "127.0.0.1" if host in (None, "0.0.0.0", "::") else host
    address = f"http://{shown}:{bound[0]}/" + (f"?token={token}" if token else "")
    told(f"the studio is open at {address}; Ctrl+C closes it")
    if browser:
        webbrowser.open(address)
    _stop_on_signals(loop, stopped)
    try:
        await ready
        if not studio.first and studio.mesh is not None:
            studio.fitting = studio.fit([studio.mesh.resolve()], studio.new_folder(), str(studio.mesh))
        await stopped.wait()
    finally:
        studio.close()
        await runner.cleanup()


def _stop_on_signals(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    import signal

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)


def run(
    model: Path | None,
    mesh: Path | None,
    port: int,
    host: str | None,
    token: str | None,
    browser: bool,
    trust: list[str],
) -> None:
    """Open the studio, in a temporary folder that goes with it; see `serve`."""
    with tempfile.TemporaryDirectory(prefix="facegen-studio-", ignore_cleanup_errors=True) as folder:
        studio = Studio(model, mesh, Path(folder).resolve(), trust)
        serve(studio, port, host, token, browser, lambda text: print(text, flush=True))

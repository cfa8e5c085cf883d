"""What the page asks for over HTTP: its files, its faces, its jobs.

What computes is imported where it is used: the page is there before it.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from facegen.errors import FacegenError
from facegen.studio.names import CORNERS, SHOWN
from facegen.studio.uploads import readable, received

if TYPE_CHECKING:
    from facegen.studio.first_look import Look
    from facegen.studio.jobs import Job
    from facegen.studio.studio import Studio

KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""Media types of the page's files."""


def page_files() -> dict[str, Any]:
    """The page's own files by name: nothing else is ever served from the package."""
    web_folder = files("facegen") / "web"
    found = {path.name: path for path in (web_folder / "studio").iterdir() if Path(path.name).suffix in KINDS}
    return found | {"three.min.js": web_folder / "three.min.js"}


class Answers:
    """What is answered to each request.

    Args:
        ready: is what is served once the model is there.
        look: is what of it can be shown before, if anything.
    """

    def __init__(self, ready: Awaitable[Studio], look: Awaitable[Look | None]) -> None:
        self.ready, self.page, self.receiving = asyncio.ensure_future(ready), page_files(), asyncio.Lock()
        self.seen = asyncio.ensure_future(look)

    async def studio(self) -> Studio:
        """What is served, as soon as it is there."""
        return await asyncio.shield(self.ready)

    def routes(self) -> list[web.RouteDef]:
        """All that can be asked for."""
        return [
            web.get("/", self.index),
            web.get("/page/{name}", self.asset),
            web.get("/look", self.look),
            web.get("/look/{part}", self.look),
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

    async def look(self, request: web.Request) -> web.StreamResponse:
        look, part = await asyncio.shield(self.seen), request.match_info.get("part")
        if part is None:
            return web.json_response(None if look is None else look.told())
        if look is None or part not in (SHOWN, CORNERS):
            raise web.HTTPNotFound
        return web.FileResponse(look.folder / part)

    async def state(self, request: web.Request) -> web.Response:
        return web.json_response((await self.studio()).told())

    async def face(self, request: web.Request) -> web.Response:
        return web.json_response((await self.studio()).face_told(request.match_info["face"]))

    async def face_part(self, request: web.Request) -> web.StreamResponse:
        studio, face, part = await self.studio(), request.match_info["face"], request.match_info["part"]
        studio.face_told(face)
        if part in (SHOWN, CORNERS):
            return web.FileResponse(studio.folders[face] / part)
        if part == "file":
            return _download(studio.files[face])
        raise web.HTTPNotFound

    async def drop(self, request: web.Request) -> web.Response:
        studio = await self.studio()
        found, folder = await self._received(request)
        return web.json_response({"job": studio.fit(found, folder)})

    async def take(self, request: web.Request) -> web.Response:
        from facegen.motion.live_link import Take
        from facegen.studio.asked import FPS
        from facegen.studio.take_keys import keys_of

        fps = request.query.get("fps", "")
        try:
            rate = float(fps)
        except ValueError:
            rate = 0.0
        if not FPS[0] <= rate <= FPS[1]:
            raise FacegenError(f"fps must be a number from {FPS[0]:g} to {FPS[1]:g}, got {fps[:20]}")
        async with self._read(request) as path:
            keys = await asyncio.to_thread(lambda: keys_of(Take.load(path).amplitude(rate)))
        return web.json_response({"keys": keys})

    async def timeline(self, request: web.Request) -> web.Response:
        from facegen.motion.timeline import Timeline
        from facegen.studio.asked import as_said

        model = (await self.studio()).model
        async with self._read(request) as path:
            timeline = await asyncio.to_thread(Timeline.load, path)
        timeline.fps = timeline.fps or model.fps
        timeline.motion(model.expressions)
        return web.json_response(as_said(timeline))

    async def yaml(self, request: web.Request) -> web.Response:
        from facegen.studio.asked import Asked

        studio, said = await self.studio(), await _said(request)
        text = Asked.parse(said.get("state")).yaml()
        command = studio.command(said.get("state"), *_names(said))
        return web.json_response({"yaml": text, "command": command})

    async def export(self, request: web.Request) -> web.Response:
        studio, said = await self.studio(), await _said(request)
        return web.json_response({"job": studio.export(said.get("state"), *_names(said))})

    async def _received(self, request: web.Request) -> tuple[list[Path], Path]:
        """The files of a request, and the folder of their own that they are in; nothing is left of what is refused."""
        studio = await self.studio()
        folder = studio.new_folder()
        try:
            async with self.receiving:  # one after the other, or all together could be more than is let in
                return await received(request, folder, studio.held()), folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    @asynccontextmanager
    async def _read(self, request: web.Request) -> AsyncIterator[Path]:
        """The first file of a request, which goes once it is read."""
        found, folder = await self._received(request)
        try:
            yield found[0]
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _job(self, request: web.Request) -> Job:
        job = (await self.studio()).jobs.get(request.match_info["job"])
        if job is None:
            raise web.HTTPNotFound
        return job

    async def job(self, request: web.Request) -> web.Response:
        return web.json_response((await self._job(request)).told())

    async def job_part(self, request: web.Request) -> web.StreamResponse:
        job, part = await self._job(request), request.match_info["part"]
        picture = job.picture()
        if part == "picture.png" and picture is not None:
            return web.FileResponse(picture)
        if part == "file" and job.state == "done" and (job.folder / job.result).is_file():
            return _download(job.folder / job.result)
        raise web.HTTPNotFound

    async def cancel(self, request: web.Request) -> web.Response:
        (await self._job(request)).cancel()
        return web.json_response({})

    async def frames(self, request: web.Request) -> web.StreamResponse:
        from facegen.studio.feed import LARGEST_MESSAGE, Feed

        studio = await self.studio()
        socket = web.WebSocketResponse(max_msg_size=LARGEST_MESSAGE, compress=False, heartbeat=20)
        await socket.prepare(request)
        await Feed(studio, socket, studio.worker).run()
        return socket


def _download(path: Path) -> web.FileResponse:
    name = "".join(each if each.isascii() and each not in '"\\' else "_" for each in path.name)
    return web.FileResponse(path, headers={"Content-Disposition": f'attachment; filename="{name}"'})


async def _said(request: web.Request) -> dict[str, Any]:
    with readable():
        said = await request.json()
    if not isinstance(said, dict):
        raise FacegenError("expected a message of the page; reload it")
    return said


def _names(said: dict[str, Any]) -> tuple[str, str, str]:
    return str(said.get("face")), str(said.get("suffix")), str(said.get("name") or "timeline")

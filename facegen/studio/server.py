"""The server of the page: where it listens, whom it answers, and its end."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import secrets
import signal
import tempfile
import webbrowser
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from facegen.errors import FacegenError
from facegen.standard_streams import say_notes
from facegen.studio.answers import Answers
from facegen.studio.guard import guard, in_address

if TYPE_CHECKING:
    from facegen.studio.first_look import Look
    from facegen.studio.studio import Studio

LARGEST_FORM = 8 << 20
"""Bytes of a request that is no upload, at most. Chosen: a timeline has room."""


@web.middleware
async def mistakes(request: web.Request, handler: Callable[..., Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """A mistake is a sentence, and nothing else of it goes out."""
    try:
        return await handler(request)
    except FacegenError as error:
        words = " ".join(str(error).split()).replace(f"{request.app[FOLDER]}/", "")
        for folder in request.app[FOLDER].iterdir():
            words = words.replace(f"{folder.name}/", "")
        return web.json_response({"error": words}, status=400)
    except OSError as error:
        return web.json_response({"error": f"{error.strerror or 'the disk could not be read or written'}"}, status=500)


FOLDER: web.AppKey[Path] = web.AppKey("folder", Path)


@dataclass(frozen=True)
class Place:
    """Where and to whom it is served.

    Args:
        port: 0 is any.
        host, token: of other machines' way here; None for this one alone.
        browser: whether to open one.
    """

    port: int
    host: str | None
    token: str | None
    browser: bool


async def _served(
    place: Place, folder: Path, looked: Callable[[], Look | None], opened: Callable[[Look | None], Studio]
) -> None:
    """Serve what `looked` sees, and what `opened` makes of it, until it is stopped.

    Raises:
        FacegenError: the port is taken, or the model or the face cannot be read.
    """
    loop, bound, stopped = asyncio.get_running_loop(), [place.port], asyncio.Event()
    host, token = place.host, place.token
    look = loop.run_in_executor(None, looked)

    async def ready() -> Studio:
        return await loop.run_in_executor(None, opened, await asyncio.shield(look))

    answers = Answers(ready(), look)
    app = web.Application(middlewares=[guard(lambda: bound[0], host, token), mistakes], client_max_size=LARGEST_FORM)
    app[FOLDER] = folder
    app.add_routes(answers.routes())
    runner = web.AppRunner(app, access_log=None, logger=_log(), shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host or "127.0.0.1", place.port)
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise FacegenError(_not_had(place, error)) from error
    bound[0] = runner.addresses[0][1]
    shown = "127.0.0.1" if host in (None, "0.0.0.0", "::") else in_address(host)
    address = f"http://{shown}:{bound[0]}/" + (f"?token={token}" if token else "")
    say_notes()
    print(f"the studio is open at {address}; Ctrl+C closes it", flush=True)
    if place.browser:
        webbrowser.open(address)
    _stop_on_signals(loop, stopped)
    studio: Studio | None = None
    try:
        studio = await answers.studio()
        if not studio.first and studio.mesh is not None:
            studio.fitting = studio.fit([studio.mesh.resolve()], studio.new_folder(), str(studio.mesh))
        await stopped.wait()
    finally:
        if studio is not None:
            studio.close()
        await runner.cleanup()


def _log() -> logging.Logger:
    """Where the server tells of its own errors; of requests that are no HTTP only whoever sent them is told."""
    log = logging.getLogger("facegen.studio")
    log.addFilter(_is_our_own)
    return log


def _is_our_own(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError | web.RequestPayloadError))


def _not_had(place: Place, error: OSError) -> str:
    """Why a place cannot be served at, in the system's words; asyncio adds its own to them."""
    number = error.errno or 0
    why = os.strerror(number).lower() if number in errno.errorcode else "the system does not say why"
    if place.host is not None and number not in (errno.EADDRINUSE, errno.EACCES):
        return f"--host {place.host} is not to be had: {why}; give an address of this machine, or 0.0.0.0 for all"
    return f"port {place.port} is not to be had: {why}; give --port another, 0 is any"


def _stop_on_signals(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)


def run(model: Path | None, mesh: Path | None, place: Place, trust: list[str]) -> None:
    """Open the studio, in a temporary folder that goes with it; see `_served`."""
    with tempfile.TemporaryDirectory(prefix="facegen-studio-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()

        def looked() -> Look | None:
            from facegen.studio.first_look import first_look

            at = folder / secrets.token_hex(8)
            at.mkdir()
            return first_look(mesh, at) if mesh is not None or model is None else None

        def opened(look: Look | None) -> Studio:
            from facegen.studio.studio import Studio

            made = Studio(model, mesh, folder, trust)
            made.begin(look)
            return made

        asyncio.run(_served(place, folder, looked, opened))

"""The frames that one tab is shown: what it asked for last, as fast as they are made."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from concurrent.futures import Executor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from facegen.errors import FacegenError
from facegen.studio.asked import MOST_FRAMES, Asked
from facegen.studio.clip import Clip, apexes
from facegen.studio.live import Live, track_of

if TYPE_CHECKING:
    from facegen.studio.studio import Studio

MOST_WANTED = 20_000
"""Frames that a tab waits for at most; it asks for those of one clip."""
LARGEST_MESSAGE = 1 << 20
"""Bytes of a message of the page at most. Chosen: a timeline of 10,000 keys has room."""


class Feed:
    """A tab's own.

    Args:
        studio: whose faces it shows.
        socket: to the tab.
        worker: computes, one thing after the other, for all tabs.
    """

    def __init__(self, studio: Studio, socket: web.WebSocketResponse, worker: Executor) -> None:
        self.studio, self.socket, self.worker = studio, socket, worker
        self.next: dict[str, Any] | None = None
        self.apexes_of: str | None = None
        self.wanted: deque[int] = deque()
        self.strain = False
        self.clip: Clip | None = None
        self.own: tuple[str, ...] = ()
        self.unsettled = False
        self.live: Live | None = None
        self.untold = False
        self.awake = asyncio.Event()

    async def run(self) -> None:
        """Serve the tab until it goes."""
        sender = asyncio.create_task(self._send())
        try:
            async for message in self.socket:
                if message.type == WSMsgType.TEXT:
                    await self._hear(message.data)
        finally:
            await self._hang_up()
            sender.cancel()
            with suppress(asyncio.CancelledError, ConnectionError, RuntimeError):
                await sender

    async def _hear(self, text: str) -> None:
        try:
            said = json.loads(text)
            kind = said["type"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return await self._refuse(0, "expected a message of the page; reload it")
        if kind == "clip":
            self.next = said  # whatever came before and is not made yet is out of date
            self.wanted.clear()
        elif kind == "frames" and isinstance(said.get("frames"), list):
            frames = [one for one in said["frames"][:MOST_WANTED] if isinstance(one, int) and one >= 0]
            self.wanted = deque(frames)
            self.strain = said.get("strain") is True
        elif kind == "apexes":
            self.apexes_of = str(said.get("face"))
        elif kind == "live":
            await self._live(said.get("to"))
        elif kind == "shown" and self.live is not None:
            await self._shown(said)
        self.awake.set()

    async def _send(self) -> None:
        while True:
            await self.awake.wait()
            self.awake.clear()
            while await self._step():
                pass

    async def _step(self) -> bool:
        """Do what is most urgent; whether there was anything."""
        if self.next is not None:
            said, self.next = self.next, None
            await self._begin(said)
        elif self.wanted and self.clip is not None:
            await self._frame(self.clip, self.wanted.popleft())
        elif self.apexes_of is not None:
            face, self.apexes_of = self.apexes_of, None
            stage = self.studio.stages.get(face)
            if stage is not None:
                for data in await self._compute(apexes, self.studio.model, stage):
                    await self.socket.send_bytes(data)
        elif self.untold and self.clip is not None and self.live is not None:
            self.untold = False
            await self._tell(self.clip, self.live)
        elif self.unsettled and self.clip is not None:
            self.unsettled = False
            own = await self._compute(self.clip.settled)
            if own != self.own:
                self.own = own
                await self.socket.send_str(json.dumps({"type": "again"}))
        else:
            return False
        return True

    async def _begin(self, said: dict[str, Any]) -> None:
        revision = said.get("revision") if isinstance(said.get("revision"), int) else 0
        assert isinstance(revision, int)
        stage = self.studio.stages.get(str(said.get("face")))
        if stage is None:
            return await self._refuse(revision, "this face is no longer held; drop its file again")
        try:
            asked = Asked.parse(said.get("state"))
            clip = self.clip = await self._compute(Clip, self.studio.model, stage, asked, revision, self.own)
        except FacegenError as error:
            self.clip = None
            return await self._refuse(revision, str(error))
        self.strain = said.get("strain") is True
        await self.socket.send_bytes(clip.curves())
        at = said.get("at")
        if isinstance(at, int) and 0 <= at < len(clip.label):
            await self._frame(clip, at)
        self.unsettled = asked.alive and said.get("settled") is True
        self.untold = True

    async def _frame(self, clip: Clip, number: int) -> None:
        if number < len(clip.label):
            await self.socket.send_bytes(await self._compute(clip.packed, number, self.strain))

    async def _live(self, to: Any) -> None:
        """Begin to send out what is shown, or end it."""
        await self._hang_up()
        if not isinstance(to, str):
            return
        try:
            self.live = await asyncio.to_thread(Live, to)
        except FacegenError as error:
            return await self._not_live(str(error).removeprefix("--to: ").removeprefix("--to "))
        self.live.start()
        self.untold = True

    async def _tell(self, clip: Clip, live: Live) -> None:
        try:
            live.track = await self._compute(track_of, clip, self.studio.model)
        except FacegenError as error:
            await self._hang_up()
            await self._not_live(str(error))

    async def _not_live(self, why: str) -> None:
        await self.socket.send_str(json.dumps({"type": "live", "why": why}))

    async def _hang_up(self) -> None:
        live, self.live = self.live, None
        if live is not None:
            await asyncio.to_thread(live.stop)

    async def _shown(self, said: dict[str, Any]) -> None:
        if self.live is not None and self.live.failed is not None:
            why = self.live.failed
            await self._hang_up()
            return await self._not_live(why.removeprefix("--to: "))
        at, low, high = (said.get(name) for name in ("at", "low", "high"))
        if self.live is None or not (isinstance(at, int) and isinstance(low, int) and isinstance(high, int)):
            return
        if min(at, low, high) >= 0 and max(at, low, high) < MOST_FRAMES:
            self.live.show(at, said.get("playing") is True, low, high)

    async def _refuse(self, revision: int, why: str) -> None:
        await self.socket.send_str(json.dumps({"type": "refused", "revision": revision, "why": why}))

    async def _compute(self, call: Any, *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.worker, call, *given)

"""Long work in processes of their own: its lines are read as they come, and it can be stopped at any time."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from facegen.studio.names import MISTAKE, STAGE

MOST_LINES = 400
"""Lines of a job that are kept, the last ones."""
UNKNOWN = "it failed in a way that facegen does not know; the terminal that the studio runs in has the details"


@dataclass
class Job:
    """A process that works in a folder.

    Args:
        words: what stands behind `python`.
        folder: where it works.
        hidden: folders whose names are left out of what it says.
    """

    words: list[str]
    folder: Path
    hidden: tuple[str, ...] = ()
    state: str = "running"
    stage: str = ""
    error: str = ""
    lines: list[str] = field(default_factory=list)
    result: str = ""
    process: asyncio.subprocess.Process | None = None

    async def run(self) -> bool:
        """Work to the end; whether it was done."""
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", *self.words),
            cwd=self.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=1 << 20,
        )
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self._hear(line.decode(errors="replace").rstrip())
        code = await self.process.wait()
        if self.state == "running":
            self.state = "failed" if code else "done"
        if self.state == "failed" and not self.error:
            self.error = UNKNOWN
            print(*self.lines, sep="\n", file=sys.stderr)
        return self.state == "done"

    def _hear(self, line: str) -> None:
        for folder in self.hidden:
            line = line.replace(folder, "")
        if line.startswith(MISTAKE):
            self.error = line.removeprefix(MISTAKE)
        elif line.startswith(STAGE):
            self.stage = line.removeprefix(STAGE)
        elif line and not line.startswith(("W0000", "I0000", "WARNING: All log", "INFO:")):
            self.lines = [*self.lines, line][-MOST_LINES:]

    def cancel(self) -> None:
        """Stop it."""
        if self.state == "running":
            self.state = "cancelled"
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def picture(self) -> Path | None:
        """The newest picture that it has left."""
        found = [path for path in self.folder.glob("*.png") if not path.name.startswith(".")]
        found = [path for path in found if self.folder / self.result != path]
        return max(found, key=lambda path: path.stat().st_mtime, default=None)

    def told(self) -> dict[str, object]:
        """How it is, for the page."""
        picture = self.picture()
        when = 0.0 if picture is None else picture.stat().st_mtime
        return {
            "state": self.state,
            "stage": self.stage,
            "error": self.error,
            "lines": self.lines,
            "picture": when,
            "result": self.result,
        }

"""A folder of meshes of which one recording kills the process that reads it, once, where a test asks for it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from facegen.data.sources.folder import FolderSource
from facegen.data.sources.source import Key, Recording


class DyingFolder(FolderSource):
    def __init__(self, root: Path, seed: int = 0) -> None:
        super().__init__(root, seed=seed)
        self.deadly = Path(f"{root}-deadly")

    def read(self, key: Key) -> Recording:
        if str(key) == "cleo/happy" and self.deadly.exists():
            self.deadly.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read(key)

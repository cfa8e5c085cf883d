"""The demo's first look where little is installed: `python tests/little_installed.py FRAMES FOLDER DISTRIBUTION...`.

No other distribution is found, whatever the environment has; expressions are FRAMES long.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from importlib.machinery import ModuleSpec
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any


class Little:
    """A finder of modules that does not find some."""

    def __init__(self, finder: Any, lacking: Collection[str]) -> None:
        self.finder, self.lacking = finder, lacking

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return None if name.split(".")[0] in self.lacking else self.finder.find_spec(name, path, target)


if __name__ == "__main__":
    frames, folder, *named = sys.argv[1:]
    brings = packages_distributions()
    lacking = {top for top, names in brings.items() if not {"facegen", *named} & {name.lower() for name in names}}
    sys.meta_path[:] = [Little(finder, lacking) for finder in sys.meta_path]
    from facegen import first_look

    first_look.CLIP_FRAMES = first_look.SHEET_FRAMES = int(frames)
    first_look.first_look(Path(folder))

"""Khronos' validator and three.js, which run in node; `make` installs them where npm is."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "exporters" / "elsewhere"
MODULES = Path(sys.prefix) / "elsewhere"

needs_node = pytest.mark.skipif(
    not (shutil.which("node") and (MODULES / "node_modules").is_dir()), reason="needs node, and npm when `make` ran"
)


def run_node(script: str, *arguments: object):
    done = subprocess.run(
        ["node", HERE / script, MODULES, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

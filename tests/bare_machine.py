"""Command lines in one start of Python, as on a machine without OpenMesh: `python tests/bare_machine.py FILE`.

The file has a command line a row. For each its exit code and the processor time that it took are printed.
"""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

sys.modules["openmesh"] = None  # type: ignore[assignment]  # an import of it fails as where it is not installed

if __name__ == "__main__":
    from facegen.cli import run

    for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        start = time.process_time()
        code = run(shlex.split(line))
        print(f"exit {code} after {time.process_time() - start:.1f} s: {line}", flush=True)

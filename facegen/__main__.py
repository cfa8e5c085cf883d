"""`python -m facegen` and the console script."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    # Has to be set before torch is loaded: threads that spin while they wait slow each other down on few cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from facegen.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

"""`python -m facegen` and the console script."""

from __future__ import annotations

import os
import sys

from facegen.endings import end_at_once


def main() -> None:
    """Run the command line and exit with its code."""
    # Has to be set before torch is loaded: threads that spin while they wait slow each other down on few cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    end_at_once()
    from facegen.cli import run

    code = run(sys.argv[1:])
    end_at_once()  # all is done; what else there is, is the way out
    sys.exit(code)


if __name__ == "__main__":
    main()

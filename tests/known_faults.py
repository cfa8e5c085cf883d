"""Ask pip-audit for known faults of what facegen depends on: `make audit`. One line where it cannot reach its data."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from licences import dependencies


def main(program: str) -> int:
    """Its table, and its code; 0 and a line where its data cannot be reached."""
    wanted = "".join(f"{name}=={held.version.partition('+')[0]}\n" for name, held in sorted(dependencies().items()))
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "installed.txt")
        listed.write_text(wanted)
        command = [program, "--requirement", str(listed), "--no-deps", "--disable-pip", "--progress-spinner=off"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    unreached = ("ConnectionError", "ServiceError", "Max retries", "Failed to connect", "Connection")
    # A mirror may have the packages and not what is known of them.
    unknown = done.stdout.count("Dependency not found on PyPI") >= wanted.count("\n")
    if unknown or (done.returncode and any(word in done.stderr for word in unreached)):
        print("pip-audit cannot reach its data: known faults were not looked for", file=sys.stderr)
        return 0
    print(done.stdout or done.stderr, end="")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

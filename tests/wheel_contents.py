"""Whether a wheel holds the package, all of it, and nothing else: `python tests/wheel_contents.py WHEEL SDIST`."""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

SOURCES = (".cpp", ".h")
"""Suffixes of what is compiled: in the sdist, and not in the wheel."""

COMPILED = {True: {"_base", "_v3", "_v4"}, False: {"_base"}}
"""The compiled files of a wheel, on x86-64 and elsewhere; setuptools leaves out in silence what it could not build."""


def wrong_with(wheel: Path, sdist: Path) -> list[str]:
    """What is missing from a wheel or does not belong in it, a line each; none if it is sound.

    Args:
        wheel: a built wheel.
        sdist: the sdist that it was built from; everything in its package but the C++ has to be in the wheel.
    """
    with ZipFile(wheel) as archive:
        held = set(archive.namelist())
    with tarfile.open(sdist) as archive:
        files = {entry.name.partition("/")[2] for entry in archive if entry.isfile()}
    wanted = {name for name in files if name.startswith("facegen/") and not name.endswith(SOURCES)}
    compiled = {name for name in held if name.startswith("facegen/nn/native/_") and name.endswith((".so", ".pyd"))}
    compiled -= wanted
    about = {name for name in held if name.split("/")[0].endswith(".dist-info")}
    wrong = [f"{name} is missing" for name in sorted(wanted - held)]
    wrong += [f"{name} does not belong in it" for name in sorted(held - wanted - compiled - about)]
    built = {Path(name).name.split(".")[0] for name in compiled}
    lacking = COMPILED["x86_64" in wheel.name] - built
    return wrong + [f"the compiled {name} is missing" for name in sorted(lacking)]


if __name__ == "__main__":
    sys.exit("\n".join(wrong_with(*map(Path, sys.argv[1:]))) or 0)

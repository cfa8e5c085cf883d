"""Parts of the benchmark, timed by turns with another revision of facegen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import facegen
from facegen.benchmark.animate import checkouts
from facegen.benchmark.measure import say
from facegen.errors import FacegenError

BUILD = "from setuptools import setup; setup()"
"""Builds what pyproject.toml names as compiled."""
SMALLER = ("fused_ms", "seconds", "seconds_a_sequence", "extra_mb")
"""What the names of numbers end in that are the better, the smaller they are."""
LARGER = ("frames_per_second",)
"""And of those that are the better, the larger they are."""


@contextmanager
def checkout(against: str) -> Iterator[Path]:
    """The folder of another facegen: as it is, or made of a revision of this checkout and built, and gone afterwards.

    Args:
        against: a folder, or what git takes for a revision, such as HEAD~3.

    Raises:
        FacegenError: it is neither.
    """
    if Path(against).is_dir():
        yield checkouts(Path(against))["against"]
        return
    root = Path(facegen.__file__).parents[1]
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{against}^{{commit}}")
    if not (root / ".git").exists() or commit is None:
        raise FacegenError(
            f"--against {against}: expected the folder of a checkout, or a revision that git knows in {root}; "
            "it is neither"
        )
    with tempfile.TemporaryDirectory(prefix="facegen-revision-") as folder:
        packed, tree = Path(folder) / "revision.tar", Path(folder) / "tree"
        say(f"building {against}")
        _git(root, "archive", "-o", str(packed), commit)
        with tarfile.open(packed) as archive:
            archive.extractall(tree, filter="data")
        packed.unlink()
        command = [sys.executable, "-c", BUILD, "build_ext", "--inplace"]
        built = subprocess.run(command, cwd=tree, capture_output=True, check=False)
        if built.returncode or not list(tree.rglob("facegen/**/_*.so")):
            say(f"{against} could not be compiled here and is timed without its compiled forms")
        yield checkouts(tree)["against"]


def _git(root: Path, *arguments: str) -> str | None:
    """What git says of the checkout; None where it fails, or there is no git."""
    try:
        found = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def by_revision(parts: list[str], arguments: list[str], tree: Path, rounds: int) -> dict[str, Any]:
    """Time parts by turns, each turn in a process of its own, so that whatever else the machine does meets both.

    Args:
        parts: some of `facegen.benchmark.PARTS`.
        arguments: of `facegen bench`, the sizes.
        tree: the other checkout.
        rounds: turns of each; in every second one the other goes first.

    Returns:
        For each part and number ("100 fused_ms"): `this` and `against`, medians, and `times`, how many times better
        this is, the median of the rounds' own ratios.

    Raises:
        FacegenError: a checkout's `bench` fails.
    """
    trees = {"this": checkouts(None)["this"], "against": tree}
    found: dict[str, dict[str, list[float]]] = {}
    for turn in range(rounds):
        for name in sorted(trees, reverse=turn % 2 == 0):
            for part in parts:
                say(f"{part}: {name}, {turn + 1} of {rounds}")
                for what, value in _numbers(_bench(trees[name], part, arguments)[part], part).items():
                    found.setdefault(what, {"this": [], "against": []})[name].append(value)
    return {what: _beside(what, **values) for what, values in found.items() if all(values.values())}


def _bench(tree: Path, part: str, arguments: list[str]) -> dict[str, Any]:
    path = os.pathsep.join([str(tree), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "facegen", "bench", part, *arguments]
    ended = subprocess.run(
        command, cwd=tree, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        said = ended.stderr.strip().splitlines() or ["nothing"]
        raise FacegenError(f"`facegen bench {part}` of {tree} ends with {ended.returncode}: {said[-1]}")
    return json.loads(ended.stdout)


def _numbers(found: dict[str, Any], name: str) -> dict[str, float]:
    """What can be compared, by where it stands."""
    numbers: dict[str, float] = {}
    for key, value in found.items():
        if isinstance(value, dict):
            numbers |= _numbers(value, f"{name} {key}")
        elif key.endswith((*SMALLER, *LARGER)) and not key.startswith("min_"):
            numbers[f"{name} {key}"] = float(value)
    return numbers


def _beside(what: str, this: list[float], against: list[float]) -> dict[str, float]:
    ratios = [other / own if what.endswith(SMALLER) else own / other for own, other in zip(this, against, strict=True)]
    return {"this": round(median(this), 3), "against": round(median(against), 3), "times": round(median(ratios), 2)}

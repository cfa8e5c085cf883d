"""What `facegen animate` costs from the start of its process to the file, beside another checkout of facegen."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, BinaryIO

import facegen
from facegen.benchmark.measure import say
from facegen.errors import FacegenError

if TYPE_CHECKING:
    import resource  # which not every system has

SAID = 300
"""Characters of what a process that failed said last, which are passed on. Chosen: one line."""
TOLD = "import time:"
"""What each line begins with that Python says of an import."""
LEAST_MS = 2.0
"""ms from which a package is named. Chosen: a hundredth of what importing takes in all."""


def animate(meshes: list[Path], model: Path, expression: str, against: Path | None, repeats: int) -> dict[str, Any]:
    """Time the command on each mesh, by turns with the other checkout, each in a process of its own.

    Processor time is counted, user's and system's: whatever else the machine does hardly changes it.

    Args:
        meshes: faces at rest, as `facegen animate` takes them.
        model: a checkpoint.
        expression: one of its names.
        against: the folder of another checkout, in which `facegen/` lies; None times this one alone.
        repeats: rounds, of which medians are given.

    Returns:
        For each mesh's name and each checkout ("this", "against"): `cpu_s`, `wall_s`, `peak_mb`, `targets`, `file_mb`;
        and the ratios `cpu_against_this` and `peak_against_this`.

    Raises:
        FacegenError: no such checkout, or the command fails in one.
    """
    trees = checkouts(against)
    result: dict[str, Any] = {}
    for mesh in meshes:
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in trees}
        for turn in range(repeats):
            for name, tree in trees.items():
                say(f"{mesh.name}: {name}, {turn + 1} of {repeats}")
                runs[name].append(_once(tree, mesh.resolve(), model.resolve(), expression))
        found: dict[str, Any] = {
            name: {key: round(median(run[key] for run in rounds), 3) for key in rounds[0]}
            for name, rounds in runs.items()
        }
        if against is not None:
            for key, short in (("cpu_s", "cpu"), ("peak_mb", "peak")):
                found[f"{short}_against_this"] = round(found["against"][key] / found["this"][key], 2)
        result[mesh.name] = found
    return result


def checkouts(against: Path | None) -> dict[str, Path]:
    """The folders that facegen is run from, "this" and, where there is another, "against".

    Raises:
        FacegenError: the other is no checkout.
    """
    trees = {"this": Path(facegen.__file__).parents[1]}
    if against is not None:
        if not (against / "facegen" / "__main__.py").is_file():
            raise FacegenError(f"--against {against}: expected the folder of a checkout, in which facegen/ lies")
        trees["against"] = against.resolve()
    return trees


def imports(tree: Path, mesh: Path, model: Path, expression: str) -> dict[str, float]:
    """ms that `facegen animate` spends on importing each package of which it imports anything, the longest first.

    A package's time is that of its own files, wherever they are imported from; asking for it takes some time itself.
    Python's own packages are `python`, and those below `LEAST_MS` are added up as `others`.

    Raises:
        FacegenError: the command fails.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as words:
        _run(tree, mesh.resolve(), model.resolve(), expression, Path(folder) / "out.glb", words, "-X", "importtime")
        words.seek(0)
        lines = words.read().decode(errors="replace").splitlines()
    found: dict[str, float] = {}
    for line in lines:
        own, _, name = line.removeprefix(TOLD).split("|") if line.count("|") == 2 else ("", "", "")
        if line.startswith(TOLD) and own.strip().isdecimal():  # not the heading
            package = name.strip().partition(".")[0]
            package = "python" if package in sys.stdlib_module_names else package
            found[package] = found.get(package, 0.0) + int(own) / 1e3
    large = {name: round(took, 1) for name, took in found.items() if took >= LEAST_MS}
    others = sum(found.values()) - sum(large.values())
    return dict(sorted(large.items(), key=lambda item: -item[1])) | {"others": round(others, 1)}


def _once(tree: Path, mesh: Path, model: Path, expression: str) -> dict[str, float]:
    """One process from its start to its file."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as words:
        out = Path(folder) / "out.glb"
        start = perf_counter()
        usage = _run(tree, mesh, model, expression, out, words)
        wall = perf_counter() - start
        per_mb = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
        return {
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "wall_s": wall,
            "peak_mb": usage.ru_maxrss / per_mb,
            "targets": _targets(out),
            "file_mb": out.stat().st_size / 1e6,
        }


def _run(
    tree: Path, mesh: Path, model: Path, expression: str, out: Path, words: BinaryIO, *python: str
) -> resource.struct_rusage:
    """Run the command, what it says goes to `words`; give what it used."""
    command = [sys.executable, *python, "-m", "facegen", "animate", str(mesh), "--model", str(model)]
    command += ["--expression", expression, "--out", str(out)]
    path = os.pathsep.join([str(tree), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": path}
    process = subprocess.Popen(command, cwd=out.parent, env=environment, stdout=words, stderr=words)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        words.seek(0)
        said = " ".join(words.read().decode(errors="replace").split())[-SAID:]
        raise FacegenError(f"{mesh}: `facegen animate` of {tree} ends with {process.returncode}: {said}")
    return usage


def _targets(path: Path) -> int:
    """How many morph targets the first mesh of a .glb has."""
    with path.open("rb") as file:
        length = struct.unpack("<12xI4x", file.read(20))[0]
        document = json.loads(file.read(length))
    return len(document["meshes"][0]["primitives"][0].get("targets", []))

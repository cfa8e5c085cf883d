"""Faults while a verb writes: each in a child that begins where the place is about to be written to.

What comes before, which may take long, is done once for all of them.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facegen import files, folders, places
from facegen.cli import run
from facegen.data import journal

VERBS = {
    "animate .npz": "animate head.obj --model m.ckpt --expression happy --frames 4 --out out/a.npz",
    "animate .glb": "animate head.glb --model m.ckpt --expression happy --frames 4 --out out/a.glb",
    "animate .gltf": "animate head.obj --model m.ckpt --expression happy --frames 4 --out out/a.gltf",
    "animate .obj": "animate head.obj --model m.ckpt --expression happy --frames 4 --out out/a.obj",
    "animate .html": "animate head.obj --model m.ckpt --expression happy --frames 4 --out out/a.html",
    "interpolate": "interpolate --neutral head.obj --model m.ckpt --from sad --to happy --out out/a.png",
    "export .pc2": "export corpus --expression happy --out out/a.pc2",
    "export .csv": "export moving.npz --arkit-basis basis --out out/a.csv",
    "export .vrma": "export take.csv --out out/a.vrma",
    "export .onnx": "export m.ckpt --out out/a.onnx",
    "inspect": "inspect corpus --people out/a.png",
    "rig": "rig head.obj --out out/a.glb",
    "prepare": "prepare folder --root data --depth 1 --components 2 --workers 1 --out out/c",
}
"""By what is told apart, what is typed; the file or folder comes last."""
SMALL = 1000
"""Bytes of a file after which the disk is full: more than a message, and less than any file that is made."""
WRITTEN_BY = ((files, "onto_disk"), (folders, "onto_disk"), (journal, "onto_disk"))
"""Who puts on the disk what was written aside, right before it gets its name."""


def _at_the_end(act: Callable[[], None]) -> None:
    """Do something once, when all is written and nothing has its name yet."""
    real, done = places.onto_disk, []

    def put(path: Path) -> None:
        if not done:
            done.append(path)
            act()
        real(path)

    for module, name in WRITTEN_BY:
        setattr(module, name, put)


def _killed() -> None:
    _at_the_end(lambda: os.kill(os.getpid(), signal.SIGKILL))


def _terminated() -> None:
    _at_the_end(lambda: os.kill(os.getpid(), signal.SIGTERM))


def _full() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, resource.RLIM_INFINITY))


def _read_only() -> None:
    os.chmod("out", 0o555)
    if not os.geteuid():
        os.setgroups([])
        os.setuid(65534)


def _vanished() -> None:
    _at_the_end(lambda: os.rename("out", "gone"))


FAULTS: dict[str, tuple[Callable[[], None], int]] = {
    "killed": (_killed, -signal.SIGKILL),
    "terminated": (_terminated, 128 + signal.SIGTERM),
    "full disk": (_full, 2),
    "read-only": (_read_only, 2),
    "vanished": (_vanished, 2),
}
"""What is done, and how the command then has to end."""


SUFFERING: list[str] = []
"""The fault of this process, where it is a child that suffers one."""


def tried_writing(name: str, folder: Path) -> list[str]:
    """What is wrong with how a verb ends under each fault; empty where nothing is. The folder holds all inputs."""
    told, answer = os.pipe()
    child = os.fork()
    if not child:
        os.close(told)
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        _run(name, answer)
    os.close(answer)
    with os.fdopen(told, "r") as file:
        text = file.read()
    os.waitpid(child, 0)
    return [line for line in text.splitlines() if line != TRIED]


def _run(name: str, answer: int) -> None:
    """Run a verb in a process that goes on with nothing else, and whose children do not either."""
    said: list[str] = []
    code = 70
    try:
        _hooked(said)
        code = run(VERBS[name].split())
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    if SUFFERING:
        os._exit(code)
    wanted = 1 + len(OTHERS.get(name, ()))
    if code or len(os.listdir("out")) != wanted:
        said.append(f"without a fault it ends with {code}, and makes {os.listdir('out')}")
    os.write(answer, "\n".join(said or ["no fault was tried"]).encode()[:60_000])
    os._exit(0)


KEPT = (".c.unfinished", ".a.facegen-new.obj")
"""What `prepare` goes on from, and what the next one who makes that very folder empties first."""
TRIED = "all were tried"
OTHERS = {"animate .gltf": ("bin",)}
"""What is written beside the file that was asked for."""


def _hooked(said: list[str]) -> None:
    """Try all faults when a place is first asked for, and then go on."""
    real = places.aside_of

    def aside_of(*arguments: Any) -> Path:
        files.aside_of = folders.aside_of = real
        for fault in FAULTS:
            wrong = _suffered(fault)
            if wrong is None:  # a child, which goes on from here
                break
            if wrong:
                said.append(f"{fault}: {wrong}")
        else:
            said.append(TRIED)
        return real(*arguments)

    files.aside_of = folders.aside_of = aside_of


def _suffered(fault: str) -> str | None:
    """What is wrong with how a child ends that goes on under a fault; None in that child."""
    arm, expected = FAULTS[fault]
    before = Path("stderr")
    child = os.fork()
    if not child:
        os.dup2(os.open(before, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), 2)
        sys.stderr = os.fdopen(2, "w", 1, closefd=False)
        SUFFERING.append(fault)
        arm()
        return None
    _, status = os.waitpid(child, 0)
    try:
        return _wrong(fault, os.waitstatus_to_exitcode(status), expected, before.read_text(errors="replace"))
    finally:
        before.unlink()
        if Path("gone").exists():
            shutil.rmtree("out", ignore_errors=True)
            Path("gone").rename("out")
        os.chmod("out", 0o755)
        for entry in Path("out").iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _wrong(fault: str, code: int, expected: int, stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if not line.startswith("facegen: left out")]
    if code != expected:
        return f"ends with {code}: {' | '.join(lines)[-500:]}"
    if code == 2 and (len(lines) != 1 or not lines[0].startswith("facegen: error: ")):
        return f"{len(lines)} lines: {' | '.join(lines)[:300]}"
    if code == 2 and "[Errno" in stderr:
        return f"words of a library: {lines[0]}"
    place = Path("gone" if Path("gone").exists() else "out")
    if fault in ("killed", "vanished"):
        if shown := [path.name for path in place.iterdir() if not path.name.startswith(".")]:
            return f"half written under its name: {', '.join(shown)}"
        places.sweep(place)  # as the next one that writes there does
    left = [path.name for path in place.iterdir() if path.name not in KEPT]
    return f"left: {', '.join(left)}" if left else ""

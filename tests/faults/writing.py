"""Faults while a verb writes: each in a child that begins where the place is about to be written to.

What comes before, which may take long, is done once for all of them.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from faults.verbs import VERBS, Verb, found

from facegen import files, folders, places
from facegen.cli import run
from facegen.data import journal
from facegen.folders import RECORD
from facegen.mesh.formats import gltf_pair
from facegen.pictures import sheets

SMALL = 1000
"""Bytes of a file after which the disk is full: more than a message, and less than any file that is made."""
WRITTEN_BY = tuple((module, "onto_disk") for module in (files, folders, journal, gltf_pair, sheets))
"""Who puts on the disk what was written aside, right before it gets its name."""


def _at_the_end(act: Callable[[], None]) -> None:
    """Do something once, when all is written and nothing has its name yet."""
    real, done = places.onto_disk, []

    def put(path: Path) -> None:
        if not done and path.suffix != ".yaml":  # a run's config comes before all else
            done.append(path)
            act()
        real(path)

    for module, name in WRITTEN_BY:
        setattr(module, name, put)


def _killed(verb: Verb) -> None:
    _at_the_end(lambda: os.kill(os.getpid(), signal.SIGKILL))


def _terminated(verb: Verb) -> None:
    _at_the_end(lambda: os.kill(os.getpid(), signal.SIGTERM))


def _full(verb: Verb) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, resource.RLIM_INFINITY))


def _fills(verb: Verb) -> None:
    _at_the_end(lambda: _full(verb))


def _read_only(verb: Verb) -> None:
    os.chmod("out", 0o555)
    if not os.geteuid():
        os.setgroups([])
        os.setuid(65534)


def _vanished(verb: Verb) -> None:
    _at_the_end(lambda: os.rename("out", "gone"))


def _second(verb: Verb) -> None:
    """Have a second process make the same once this one has written all."""
    told, answer = os.pipe()
    second = os.fork()
    if not second:
        SUFFERING.append("the second process")
        os.close(answer)
        os.read(told, 1)
        return
    os.close(told)

    def run_second() -> None:
        os.close(answer)
        _, status = os.waitpid(second, 0)
        if (code := os.waitstatus_to_exitcode(status)) != (2 if verb.alone else 0):
            os.write(2, f"the second process ends with {code}\n".encode())
            os._exit(71)

    _at_the_end(run_second)


FAULTS: dict[str, tuple[Callable[[Verb], None], int]] = {
    "killed": (_killed, -signal.SIGKILL),
    "terminated": (_terminated, 128 + signal.SIGTERM),
    "full disk": (_full, 2),
    "a disk that fills": (_fills, 2),
    "read-only": (_read_only, 2),
    "vanished": (_vanished, 2),
    "a second process": (_second, 0),
}
"""What is done, and how the command then has to end."""
OF_SEVERAL = "a disk that fills"
"""Of what makes several files, when one of them is whole; where all are by then, it ends well."""


SUFFERING: list[str] = []
"""The fault of this process, where it is a child that suffers one."""
KEPT = re.compile(r"\..*\.(unfinished|facegen-new)(\.[^.]*)?")
"""What `prepare` goes on from, and what the next one who makes that very folder empties first."""
TRIED = "all were tried"


def tried_writing(name: str, folder: Path) -> list[str]:
    """What is wrong with how a verb ends under each fault; empty where nothing is. The folder holds all inputs."""
    told, answer = os.pipe()
    child = os.fork()
    if not child:
        os.close(told)
        os.chdir(folder)
        _unheard()
        _run(VERBS[name], answer)
    os.close(answer)
    with os.fdopen(told, "r") as file:
        text = file.read()
    os.waitpid(child, 0)
    return [line for line in text.splitlines() if line != TRIED]


def _unheard() -> None:
    """Have whoever reads standard output be gone."""
    read, write = os.pipe()
    os.close(read)
    os.dup2(write, 1)
    os.close(write)
    sys.stdout = os.fdopen(1, "w", 1, closefd=False)


def _run(verb: Verb, answer: int) -> None:
    """Run a verb in a process that goes on with nothing else, and whose children do not either."""
    said: list[str] = []
    code = 70
    try:
        if verb.stub is not None:
            verb.stub()
        _hook(verb, said)
        code = run(verb.line.split())
    except BaseException:
        traceback.print_exc()
    sys.stderr.flush()
    if SUFFERING:
        os._exit(code)
    if wrong := f"ends with {code}" if code else _unlike(verb):
        said.append(f"without a fault, and heard by nobody: {wrong}")
    os.write(answer, "\n".join(said or ["no fault was tried"]).encode()[:60_000])
    os._exit(0)


def _unlike(verb: Verb) -> str:
    """What is not as a verb leaves it that has done its work."""
    if (found := len(os.listdir("out"))) != 1 + len(verb.beside):
        return f"it makes {found} things: {', '.join(os.listdir('out'))}"
    left = [str(path) for path in Path("out").rglob(".*") if path.name != RECORD]
    return verb.halves(Path("out")) if verb.in_runs else ", ".join(left)


def _hook(verb: Verb, said: list[str]) -> None:
    """Try all faults when one of the functions is first called at which they begin, and then go on."""
    reals = [getattr(*found(name)) for name in verb.begins]

    def begun(real: Callable) -> Callable:
        @wraps(real)  # Lightning makes options of what it takes
        def begin(*arguments: Any, **named: Any) -> Any:
            for name, each in zip(verb.begins, reals, strict=True):
                setattr(*found(name), each)
            for fault in FAULTS:
                if fault == OF_SEVERAL and not verb.beside:
                    continue
                wrong = _suffered(verb, fault)
                if wrong is None:  # a child, which goes on from here
                    break
                if wrong:
                    said.append(f"{fault}: {wrong}")
            else:
                said.append(TRIED)
            return real(*arguments, **named)

        return begin

    for name, real in zip(verb.begins, reals, strict=True):
        setattr(*found(name), begun(real))


def _suffered(verb: Verb, fault: str) -> str | None:
    """What is wrong with how a child ends that goes on under a fault; None in that child."""
    arm, expected = FAULTS[fault]
    before = Path("stderr")
    child = os.fork()
    if not child:
        os.dup2(os.open(before, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), 2)
        sys.stderr = os.fdopen(2, "w", 1, closefd=False)
        SUFFERING.append(fault)
        arm(verb)
        return None
    _, status = os.waitpid(child, 0)
    try:
        return _wrong(verb, fault, os.waitstatus_to_exitcode(status), expected, before.read_text(errors="replace"))
    finally:
        before.unlink()
        if Path("gone").exists():
            shutil.rmtree("out", ignore_errors=True)
            Path("gone").rename("out")
        os.chmod("out", 0o755)
        for entry in Path("out").iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _wrong(verb: Verb, fault: str, code: int, expected: int, stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if not line.startswith("facegen: left out")]
    if verb.talks and "Traceback" not in stderr:
        lines = [line for line in lines if line.startswith("facegen: error: ")]
    if code != expected and (fault, code) != (OF_SEVERAL, 0):
        return f"ends with {code}: {' | '.join(lines)[-500:]}"
    if code == 2 and (len(lines) != 1 or not lines[0].startswith("facegen: error: ")):
        return f"{len(lines)} lines: {' | '.join(lines)[:300]}"
    if code == 2 and "[Errno" in stderr:
        return f"words of a library: {lines[0]}"
    if code == 0:
        return _unlike(verb)
    place = Path("gone" if Path("gone").exists() else "out")
    if verb.in_runs:
        for folder in place.rglob("*/"):
            places.sweep(folder)
        left = [path.name for path in place.rglob(".*.*")]
        return verb.halves(place) or (f"left: {', '.join(left)}" if left else "")
    if fault in ("killed", "vanished"):
        if shown := verb.halves(place):
            return f"half written under its name: {shown}"
        places.sweep(place)  # as the next one that writes there does
    left = [path.name for path in place.iterdir() if not KEPT.fullmatch(path.name)]
    return f"left: {', '.join(left)}" if left else ""

"""A process in which everything is loaded, and which forks for each case: the child runs one command and is judged.

The parent of it writes a line of JSON for each case, and reads one.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from faults.cases import Case, write_case
from faults.judging import MEMORY, Outcome, judge, speed

NOBODY = 65534
"""The user who may read nothing that is not for all."""
LONGEST, MOST = 20.0, 1 << 30
"""Seconds of work, or of waiting for nothing, after which a case is ended, and bytes that it may
take beyond what is loaded."""


def main(inputs: Path) -> None:
    """Serve cases until there are no more lines."""
    asked, answers = sys.stdin, os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    slow, loaded = speed(), set()
    print(json.dumps({"slow": slow}), file=answers, flush=True)
    for line in asked:
        if line.startswith("write "):
            print(json.dumps(written(line.strip().removeprefix("write "), inputs)), file=answers, flush=True)
            continue
        kind = line.partition("-")[0]
        if kind not in loaded:
            loaded.add(kind)
            load(kind, inputs)
            gc.freeze()  # no case copies what is loaded, looking through it for garbage
        print(json.dumps(vars(tried(line.strip(), inputs, slow))), file=answers, flush=True)


def load(kind: str, inputs: Path) -> None:
    """Import what the valid inputs of a kind need, so that no case is charged with it.

    They run in a child, so that nothing of what they start or keep, such as threads, is there when cases are forked.
    """
    from faults.valid import INPUTS

    kinds = ("obj", "timeline", "npz", "take", "config", "checkpoint") if kind == "settings" else (kind,)
    commands = list(dict.fromkeys(each for given in INPUTS if given.kind in kinds for each in given.commands))
    told, answer = os.pipe()
    child = os.fork()
    if not child:
        try:
            _run_valid(commands, inputs)
            os.write(answer, "\n".join(sys.modules).encode())
        finally:
            os._exit(0)
    os.close(answer)
    with os.fdopen(told) as file:
        names = file.read().splitlines()
    os.waitpid(child, 0)
    for name in names:
        if name not in sys.modules:
            with suppress(Exception):  # names that their own packages made up
                importlib.import_module(name)


def _run_valid(commands: list[str], inputs: Path) -> None:
    from facegen.cli import run

    with tempfile.TemporaryDirectory() as top:
        for number, command in enumerate(commands):
            folder = Path(top, str(number))
            shutil.copytree(inputs, folder, copy_function=os.link)
            (folder / "out").mkdir()
            os.chdir(folder)
            before = time.process_time()
            code = run(command.split())
            print(f"{command}: {code}, {time.process_time() - before:.2f} s", file=sys.stderr, flush=True)
        os.chdir("/")


def written(name: str, inputs: Path) -> list[str]:
    """What is wrong with how a verb that writes ends under faults."""
    from faults.verbs import VERBS, WHOLE
    from faults.writing import tried_writing

    for module in VERBS[name].loads:
        importlib.import_module(module)
    top = Path(tempfile.mkdtemp(prefix="facegen-faults-"))
    top.chmod(0o755)
    try:
        shutil.copytree(inputs, top / "case", copy_function=os.link)
        (top / "case" / "out").mkdir()
        (top / WHOLE).symlink_to(inputs.parent / WHOLE)
        return tried_writing(name, top / "case")
    finally:
        shutil.rmtree(top, ignore_errors=True)


def tried(name: str, inputs: Path, slow: float) -> Outcome:
    """What became of a case, in a child of its own."""
    top = Path(tempfile.mkdtemp(prefix="facegen-faults-"))
    top.chmod(0o755)
    folder = top / "case"
    try:
        case = write_case(name, inputs, folder)
        told = [top / each for each in ("stdout", "stderr", "said.json")]
        began, child = time.monotonic(), os.fork()
        if not child:
            _child(case, folder, told)
        end = _ended(child, LONGEST * slow)
        try:
            said: dict[str, Any] = json.loads(told[2].read_text())
        except (OSError, ValueError):
            said = {}
        said |= {"status": end, "clock": time.monotonic() - began}
        texts = [path.read_text(errors="replace") if path.exists() else "" for path in told[:2]]
        return judge(case, folder, said, texts, slow)
    finally:
        shutil.rmtree(top, ignore_errors=True)


def _child(case: Case, folder: Path, told: list[Path]) -> None:
    """Run the command; nothing of this process goes on after it."""
    code = 70
    try:
        for number, path in enumerate(told[:2], 1):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
        # By lines, as they are in a process of its own: what is said while a library is kept quiet is gone.
        sys.stdout, sys.stderr = (os.fdopen(number, "w", 1, encoding="utf-8", closefd=False) for number in (1, 2))
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(folder)
        said = os.open(told[2], os.O_WRONLY | os.O_CREAT, 0o644)
        text = Path("/proc/self/status").read_text().splitlines()
        size = next(int(line.split()[1]) for line in text if line.startswith("VmSize"))
        resource.setrlimit(resource.RLIMIT_AS, (size * 1024 + MOST, -1))
        if case.unreadable and not os.geteuid():
            os.chmod(folder / "out", 0o777)
            os.setgroups([])
            os.setuid(NOBODY)
        code = _measured(case, said)
    except BaseException:  # a traceback is what no case may end with, and is told as such
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _measured(case: Case, said: int) -> int:
    from faults.soundness import unsound

    from facegen import progress
    from facegen.cli import run

    progress.LINE_PERIOD = 1e9  # seconds; what is said must not depend on how busy the machine is
    before, used = resource.getrusage(resource.RUSAGE_SELF), os.times()
    code = -1
    try:
        code = run(case.command)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 70
    finally:
        after, now = resource.getrusage(resource.RUSAGE_SELF), os.times()
        told = {
            "seconds": sum(now[:4]) - sum(used[:4]),
            "memory": max(after.ru_maxrss - before.ru_maxrss, 0) * 1024,
            "code": code,
        }
        sys.stderr.flush()
        if code == 0:
            told["unsound"] = unsound(Path("out"))
        os.write(said, json.dumps(told).encode())
    return code


def _ended(child: int, longest: float) -> int:
    """The status of a child; one that takes too long, or for long does nothing at all, is killed."""
    used, since, pause = 0.0, time.monotonic(), 0.001
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause)
        pause = min(2 * pause, 0.02)
        if (now := _used(child)) > used + 0.02:
            used, since = now, time.monotonic()
        if used > longest or time.monotonic() - since > longest:
            os.kill(child, signal.SIGKILL)


def _used(child: int) -> float:
    """Seconds of processor time of a process so far."""
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    assert MEMORY < MOST
    main(Path(sys.argv[1]))

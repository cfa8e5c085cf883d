"""What a case has to end with: a sound result, or one line; quickly, in little memory, with nothing half written."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.cases import Case
from one_line import LONGEST, words_of_others

SECONDS, MEMORY = 2.0, 300 << 20
"""Processor time of a quick core, and bytes beyond what was loaded and the file's own size, for a refusal."""
NOISE = 3.0
"""How many times as long a case may take among other tests, which slow memory and processor by turns; `python -m
faults.campaign`, with nothing beside it, tells of those that take longer than they may."""
LONG, WORK = 10.0, 600 << 20
"""The same of what is taken, and does its work."""
REFERENCE = 0.075
"""Seconds that a quick core takes for the work of `speed`."""
FORBIDDEN = ("zlib", "numpy", "np.", "must be str", "NoneType", "site-packages", "cannot reshape", "base 10")
FORBIDDEN += ("Parser key", "Union subtypes", "NestedArg", "Trainer(")
"""More words of libraries than `one_line` has, which its expressions would not tell from facegen's elsewhere."""


_SETTING = re.compile(r"error: (?:model|data|trainer|seed_everything|ckpt_path)\b")
"""How a message begins that names a setting of a training, in whichever file it stands."""
OLD = "it has no digest"
"""What is said of a checkpoint of an earlier version, whatever comes after it."""


def strange_words(text: str) -> str | None:
    """What of a text is in nobody's words but a library's; None where nothing is."""
    return words_of_others(text) or next((word for word in FORBIDDEN if word in text), None)


@dataclass
class Outcome:
    """What became of a case.

    Args:
        name, line, what: of the case.
        wrong: what is wrong with how it ended; empty where nothing is.
        told: the first line on standard error.
        code: what it ended with.
        seen: whether the damage was noticed: refused, left out, or told of by `inspect`.
        seconds, memory: what it took.
    """

    name: str
    line: str
    what: str
    wrong: str
    told: str
    code: int
    seen: bool
    seconds: float
    memory: int


def speed() -> float:
    """How many times slower this machine is than a quick core, and never less than 1."""
    best = 1e9
    for _ in range(3):
        began = time.process_time()
        total = 0
        for number in range(1_000_000):
            total += number * number
        best = min(best, time.process_time() - began)
    return max(best / REFERENCE, 1.0)


def judge(case: Case, folder: Path, said: dict[str, Any], texts: list[str], slow: float) -> Outcome:
    """Judge how a case ended.

    Args:
        case: it.
        folder: where it ran; what it wrote is in `out`.
        said: of the child: status, clock, and, where it came so far, code, seconds, memory and unsound.
        texts: its standard output and error.
        slow: how many times slower the machine is than a quick core.
    """
    size = sum(path.lstat().st_size for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    return Outcome(
        case.name,
        case.line()[:300],
        case.what,
        _wrong(case, folder, said, texts, slow, size),
        next((line for line in texts[1].splitlines() if line.startswith("facegen: error")), texts[1].strip()[-300:])[
            :400
        ],
        said["status"],
        said["status"] == 2 or bool(re.search(r"^sound +no$|left out", "".join(texts), re.M)),
        round(said.get("seconds", said["clock"]), 2),
        said.get("memory", 0),
    )


def _wrong(case: Case, folder: Path, said: dict[str, Any], texts: list[str], slow: float, size: int) -> str:
    code, lines = said["status"], [line for line in texts[1].splitlines() if OLD not in line]
    if code < 0:
        return f"ended by signal {-code} after {said['clock']:.0f} s"
    if code not in (0, 2):
        return f"exit code {code}"
    if "Traceback" in texts[1]:
        return "a traceback"
    refused = code == 2
    strange = [line for line in lines if not line.startswith("facegen: ")]
    if refused and (len(lines) != 1 or not lines[0].startswith("facegen: error: ")):
        return f"{len(lines)} lines on standard error where one was expected: {' | '.join(strange or lines)[:200]}"
    if not refused and case.line().startswith("facegen fit "):
        return ""  # Lightning tells how training goes
    if strange:
        return f"a line on standard error that is not facegen's: {strange[0][:200]}"
    if found := strange_words(texts[1]):
        return f"words of a library: {found!r}"
    if refused and not (any(name in lines[0] for name in case.names) or _SETTING.search(lines[0])):
        return f"the message names none of {', '.join(case.names)}"
    if refused and len(lines[0]) > LONGEST:
        return f"a message of {len(lines[0])} characters"
    if refused and "not enough memory" in lines[0]:
        return "memory ran out"
    if refused and (left := sorted(path.name for path in (folder / "out").iterdir() if path.name not in lines[0])):
        return f"left in the output folder: {', '.join(left)[:100]}"
    if left := [path.name for place in (folder, folder / "out") for path in place.iterdir() if path.name[0] == "."]:
        return f"hidden files are left: {', '.join(left)[:100]}"
    if said["seconds"] > (SECONDS if refused else LONG) * slow * NOISE:
        return f"it took {said['seconds']:.1f} s"
    if said["memory"] > (MEMORY if refused else WORK) + size:
        return f"{said['memory'] >> 20} MB"
    return said.get("unsound") or ""

"""A thousand broken inputs, each by its name, which is all that it is made of."""

from __future__ import annotations

import os
import random
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from faults.damage import damaged
from faults.settings import setting
from faults.trees import spoil
from faults.valid import INPUTS, Input

COUNTS = {
    **{"obj": 70, "ply": 110, "glb": 80, "gltf": 70, "vrm": 60, "npz": 90, "manifest": 45, "chunks": 40},
    **{"timeline": 60, "take": 60, "dataset": 25, "annotations": 20, "frame": 10, "layout": 25, "mapping": 15},
    **{"material": 15, "picture": 15, "landmarks": 20, "basis": 20, "checkpoint": 85, "config": 15, "settings": 80},
}
"""How many cases there are of each kind; together over a thousand. What loads
torch comes last, since a process that has it takes longer to fork."""
PLACE = ("suffix", "already there", "cannot write")
"""What a message says of a place that cannot be written to."""
TREE_SHARE = 0.2
"""Share of the cases in which the file is whole, and what lies on the disk is something else."""


@dataclass(frozen=True)
class Case:
    """A broken input in a folder.

    Args:
        name: kind and number; the same name is the same case.
        command: what is typed there.
        what: the damage, in words.
        names: of these one has to stand in the message.
        unreadable: nobody may read the file, so that a superuser has to become another one first.
    """

    name: str
    command: list[str]
    what: str
    names: tuple[str, ...]
    unreadable: bool = False

    def line(self) -> str:
        """To type."""
        return f"facegen {shlex.join(self.command)}"


def names(kind: str) -> list[str]:
    """The names of all cases of a kind."""
    return [f"{kind}-{number}" for number in range(COUNTS[kind])]


def write_case(name: str, inputs: Path, folder: Path) -> Case:
    """Make a case in a new folder.

    Args:
        name: of the case, such as `obj-17`.
        inputs: what `write_inputs` made; its files are linked, and the one that is damaged is written anew.
        folder: does not exist yet.
    """
    kind, _, number = name.partition("-")
    rng = random.Random(name)
    if kind not in COUNTS or not number.isdecimal():
        raise ValueError(f"unknown case {name!r}; a case is KIND-NUMBER, kinds are {', '.join(COUNTS)}")
    if kind == "settings":
        command, option = setting(rng)
        _link(inputs, folder, command)
        typed = " ".join(command[-1].split())[:20]
        named = (option, option.strip("-").replace("-", " "), typed or option, repr(command[-1])[1:-1][:20] or option)
        return Case(name, command, command[-1][:40], (*named, *(PLACE if option == "--out" else ())))
    chosen = rng.choice([each for each in INPUTS if each.kind == kind])
    command = rng.choice(chosen.commands).split()
    _link(inputs, folder, command)
    path = folder / chosen.path
    if rng.random() < TREE_SHARE:
        what = spoil(path, rng)
    else:
        data, what = damaged(path.read_bytes(), path.suffix, rng)
        path.unlink()
        path.write_bytes(data)
    return Case(name, command, f"{chosen.path}: {what}", _named(chosen, command), what == "unreadable")


def _named(chosen: Input, command: list[str]) -> tuple[str, ...]:
    """What a message may call the file: its name, the folder it is in, or what was typed."""
    path = Path(chosen.path)
    return (path.name, path.stem, *chosen.other, *(word for word in command[1:2] if not word.startswith("-")))


def _link(inputs: Path, folder: Path, command: list[str]) -> None:
    """The inputs again, without a copy of what they hold; of folders only those that the command names."""
    folder.mkdir()
    (folder / "out").mkdir()
    words = {word.partition("/")[0] for word in command}
    if "fit.yaml" in words:
        words.add("corpus")
    for entry in inputs.iterdir():
        if not entry.is_dir():
            os.link(entry, folder / entry.name)
        elif entry.name in words:
            shutil.copytree(entry, folder / entry.name, copy_function=os.link)

"""The command: its verbs, and how their errors are told."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, NoReturn

from facegen import __version__
from facegen.endings import told
from facegen.errors import FacegenError, showable
from facegen.inputs import kept_apart
from facegen.places import FULL, at_home
from facegen.remote import place_of
from facegen.standard_streams import notes_last, outlets
from facegen.verbs.benching import add_bench
from facegen.verbs.corpora import add_prepare
from facegen.verbs.demo import add_demo
from facegen.verbs.faces import add_animate, add_interpolate
from facegen.verbs.looking import add_inspect
from facegen.verbs.photos import add_photo
from facegen.verbs.registering import add_register
from facegen.verbs.reports import add_evaluate, add_export
from facegen.verbs.rigs import add_rig
from facegen.verbs.streaming import add_stream
from facegen.verbs.studio import add_studio

TRAINING = {
    "fit": "train a model",
    "validate": "measure a checkpoint's errors on the validation subjects, as training reports them",
    "test": "measure a checkpoint's errors on the test subjects",
    "predict": "write what a checkpoint generates for the test subjects",
}
"""Verbs that Lightning parses, and what they do."""
SYSTEM = "a file could not be read or written, and the system does not say why; is the disk full, or gone?"
"""What is said where neither the system nor facegen knows more."""
ADVICE = {
    FULL: "make room, or name another place",
    (errno.EACCES, errno.EPERM, errno.EROFS): "look at who may read and write there, or name another place",
    (errno.ENOENT, errno.ENOTDIR, errno.ESTALE): "look whether it and its folder are still there",
}
"""What to do about what the system says, by its numbers."""
OUTPUTS = ("out", "sheet", "phases", "people")
"""Options that name what is made, if they name a path."""
LONGEST = 900
"""Signs of a message at most. Chosen: a path and what is to be done have room."""
NO_MEMORY = "not enough memory; take fewer frames, smaller batches or a smaller mesh"
"""What is said where memory ran out, whatever asked for it."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line and whose help keeps the example's lines."""

    def __init__(self, *args: Any, example: str = "", **kwargs: Any) -> None:
        epilog = f"example:\n  {example}" if example else None
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)
        self.register("type", Path, at_home)
        self.register("type", place_of, lambda text: place_of(text) if "://" in text else at_home(text))

    def error(self, message: str) -> NoReturn:
        raise FacegenError(f"{message}; see `{self.prog} --help`")


def run(arguments: list[str]) -> int:
    """The whole command; a signal that asks it to end leaves nothing half written.

    Args:
        arguments: what stands behind `facegen`.

    Returns:
        0, or 2 after a user's mistake, or 130 after an interruption, or 128 and the number of the signal that ended it.
    """
    try:
        with outlets(plain=not TRAINING.keys() & {*arguments[:1]}):  # whose bars steer the terminal
            return told(lambda: _run(arguments), left=arguments[:1] == ["fit"])
    except FacegenError as error:  # about what was printed last
        return _fail(str(error))


def _run(arguments: list[str]) -> int:
    """The whole command.

    Args:
        arguments: what stands behind `facegen`.

    Returns:
        0, or 2 after a user's mistake.
    """
    try:
        if arguments and arguments[0] in TRAINING:
            from facegen.training.run import run as train

            with kept_apart({}):
                train(arguments)
            return 0
        options = build_parser().parse_args(arguments)
        _require_apart(options)
        with _kept_apart(options), notes_last():
            options.call(options)
        return 0
    except FacegenError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(_of_the_system(error, arguments[0]))
    except MemoryError:
        return _fail(NO_MEMORY)
    except RuntimeError as error:
        if "can't allocate memory" in str(error) or "out of memory" in str(error):
            return _fail(NO_MEMORY)
        raise


def _require_apart(options: argparse.Namespace) -> None:
    """Refuse to write over what is read: it would be gone, and perhaps before all of it was read.

    A report is made anew where it was, also beside its former self, of which only numbers are read, and at once.
    """
    outs = _outs(options)
    given = [value for name, value in vars(options).items() if name not in (*OUTPUTS, "beside")]
    paths = [path for value in given for path in (value if isinstance(value, list) else [value])]
    seen: dict[str, str] = {}
    for option, out in outs.items():
        _require_way(option, out)
        with suppress(OSError, ValueError):  # of names that none can have others tell
            if out.exists():
                same = [path for path in paths if isinstance(path, Path) and path.exists() and path.samefile(out)]
                if same:
                    raise FacegenError(f"{option} {out} is what is read; name another place for what is made of it")
                holding = [path for path in paths if isinstance(path, Path) and path.is_dir() and _within(out, path)]
                if holding and out.is_file():
                    raise FacegenError(
                        f"{option} {out} is a part of {holding[0]}, which is read; name another place for it"
                    )
            if (other := seen.setdefault(os.path.realpath(out), option)) != option:
                raise FacegenError(f"{other} and {option} are both {out}; name another place for one of them")


def _outs(options: argparse.Namespace) -> dict[str, Path]:
    """What a command makes, by option."""
    named = {name: getattr(options, name, None) for name in OUTPUTS}
    return {f"--{name}": path for name, path in named.items() if isinstance(path, Path)}


def _kept_apart(options: argparse.Namespace) -> AbstractContextManager[None]:
    """The same for what is read through others, such as the pictures of a mesh, while the verb goes on."""
    outs, beside = _outs(options), getattr(options, "beside", None)
    if not outs or options.verb == "demo":  # which reads nothing but what it has made
        return nullcontext()
    return kept_apart(outs, (beside,) if isinstance(beside, Path) else ())


def _within(file: Path, folder: Path) -> bool:
    return folder.resolve() in file.resolve().parents


def _require_way(option: str, out: Path) -> None:
    """A way to an output that goes into a folder and out again goes nowhere where that folder is not."""
    for place, part in enumerate(out.parts):
        if part == ".." and not (before := Path(*out.parts[:place])).is_dir():
            raise FacegenError(f"{option} {out}: expected {before} to be there, it is not; name the place without it")


def _of_the_system(error: OSError, verb: str) -> str:
    """A full disk, a folder that may not be written, a file that vanished: the system's own words, and what to do."""
    if not error.strerror:
        return SYSTEM
    name = f": {error.filename}" if error.filename else ""
    advice = next((text for numbers, text in ADVICE.items() if error.errno in numbers), "look at that place")
    return f"{error.strerror}{name}; `facegen {verb}` was reading or writing there: {advice}"


def _fail(message: str) -> int:
    # Names of an untrusted file stand in it, and must not steer a terminal.
    line = showable(" ".join(message.split()))
    if len(line) > LONGEST:  # of a name that is as long
        line = f"{line[: LONGEST * 2 // 3]} ... {line[-LONGEST // 4 :]}"
    print(f"facegen: error: {line}", file=sys.stderr)
    return 2


def build_parser() -> Parser:
    """The parser of all verbs; those of `TRAINING` are listed here and parsed by Lightning."""
    parser = Parser(
        prog="facegen",
        description="4D facial expressions from one neutral mesh and a motion label.",
        example="facegen demo --out demo",
    )
    parser.add_argument("--version", action="version", version=f"facegen {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True, parser_class=Parser)
    for add in (
        add_demo,
        add_prepare,
        _training,
        add_animate,
        add_rig,
        add_evaluate,
        add_interpolate,
        add_register,
        add_photo,
        add_export,
        add_stream,
        add_studio,
        add_inspect,
        add_bench,
    ):
        add(verbs)
    return parser


def _training(verbs: argparse._SubParsersAction) -> None:
    for name, text in TRAINING.items():
        verbs.add_parser(name, help=text, add_help=False)

"""Standard output and error, which may go to somebody who has stopped listening: work goes on all the same."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from facegen.errors import FacegenError, said, showable


class Outlet:
    """A stream of text to which nobody has to listen: once its reader is gone, what is written goes nowhere.

    Args:
        stream: that it stands for; what is not about writing is asked of it.
        name: what a message calls it.
        plain: signs that would steer a terminal are written as `?`: names out of a stranger's file may have some.
    """

    def __init__(self, stream: TextIO, name: str, plain: bool = False) -> None:
        self.stream, self.name, self.plain = stream, name, plain

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """As a file's.

        Raises:
            FacegenError: it is a file on a disk that is full, or gone.
        """
        if self.plain:
            text = showable(text, "\n\t")
        try:
            return self.stream.write(text)
        except UnicodeEncodeError:  # letters that the terminal has not
            coding = self.stream.encoding or "ascii"
            return self.stream.write(text.encode(coding, "backslashreplace").decode(coding))
        except OSError as error:
            self._close(error)
            return len(text)

    def flush(self) -> None:
        """As a file's; raises what `write` does."""
        try:
            self.stream.flush()
        except OSError as error:
            self._close(error)

    def _close(self, error: OSError) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.stream.fileno())  # where what is still held goes too
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError):
            raise FacegenError(
                f"{self.name} cannot be written ({said(error)}); make room there, or send it elsewhere"
            ) from error


@contextmanager
def outlets(plain: bool = False) -> Iterator[None]:
    """In here what is printed goes through an `Outlet`, and nowhere where a stream was closed before.

    Args:
        plain: of standard output, see `Outlet`.

    Raises:
        FacegenError: at the end, what was printed and still held cannot be written.
    """
    before = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        out = Outlet(before[0] or nowhere, "standard output", plain)
        error = Outlet(before[1] or nowhere, "standard error")
        sys.stdout, sys.stderr = out, error  # pyright: ignore[reportAttributeAccessIssue]  # all that text is asked for
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
            out.flush()


_waiting: list[str] | None = None
"""Lines of `note` that wait, see `notes_last`; None where none does."""


@contextmanager
def notes_last() -> Iterator[None]:
    """In here lines of `note` wait for the end, or for `say_notes`; where that is an error, none is said: a refusal is
    one line."""
    global _waiting
    before, _waiting = _waiting, []
    try:
        yield
        say_notes()
    finally:
        _waiting = before


def say_notes() -> None:
    """Say what waits now: the input is taken, and work begins that goes on until somebody stops it."""
    global _waiting
    said, _waiting = _waiting, None
    for line in said or ():
        note(line)


def note(line: str) -> None:
    """A line on standard error beside what is made; names out of a stranger's file in it steer no terminal."""
    if _waiting is None:
        print(f"facegen: {showable(line)}", file=sys.stderr)
    else:
        _waiting.append(line)


def say_left_out(reason: str) -> None:
    """A `note` about what is not kept."""
    note(f"left out: {reason}")

"""How a command ends that is asked to by a signal or Ctrl+C: in a line, whatever it was about."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from facegen.errors import Terminated

ASKING = (signal.SIGTERM, signal.SIGHUP)
"""Signals that ask to end, beside that of Ctrl+C."""
INTERRUPTED, ENDED = "facegen: interrupted", "facegen: ended by a signal"
"""What is said of Ctrl+C, and of the others."""


def end_at_once() -> None:
    """From here a signal that asks to end does so where it comes: for moments in which nothing is half made.

    Nothing is raised, since code of others runs then, which is being loaded or closed, and may turn it into anything.
    """
    for each in (signal.SIGINT, *ASKING):
        if signal.getsignal(each) is not signal.SIG_IGN:  # as with nohup
            signal.signal(each, _end)


def _end(number: int, _frame: object) -> None:
    line = INTERRUPTED if number == signal.SIGINT else ENDED
    os.write(2, f"{line}\n".encode())
    os._exit(128 + number)


def told(call: Callable[[], int], left: bool = False) -> int:
    """What a call returns; a signal that asks it to end leaves nothing half written.

    Args:
        call: the work.
        left: whether a signal is left to others while they listen for it, such as Lightning, which ends a training
            after the batch at hand.

    Returns:
        Its code, or 130 after Ctrl+C, or 128 and the number of the signal that ended it.
    """
    try:
        with _tidy_end(left):
            return call()
    except Terminated as error:
        print(ENDED, file=sys.stderr)
        return 128 + int(error.args[0])
    except KeyboardInterrupt:
        print(INTERRUPTED, file=sys.stderr)
        return 130


@contextmanager
def _tidy_end(left: bool) -> Iterator[None]:
    """In here signals that ask to end raise `Terminated`, and Ctrl+C `KeyboardInterrupt`, where nobody else sees to
    them."""
    handlers: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, *ASKING)}
    before = {each: handler for each, handler in handlers.items() if handler in (signal.SIG_DFL, _end)}

    def end(number: int, _frame: object) -> None:
        if left and signal.getsignal(number) is not end:  # who listens now calls this too
            return
        for each in before:
            signal.signal(each, signal.SIG_IGN)  # once is enough, and cleaning up is not to be cut short
        raise Terminated(number)

    for each in before:
        signal.signal(each, signal.default_int_handler if each == signal.SIGINT else end)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)

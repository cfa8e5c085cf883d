"""Work spread over processes: results in order, and no process outlives the work."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from tempfile import NamedTemporaryFile
from typing import Any

from facegen.errors import FacegenError

THREADS: dict[str, str] = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Variables of the environment by which a worker process computes with one thread: workers share the cores already."""

MOST_PROCESSES = 256
"""Processes that may be asked for. Chosen: no machine with more cores has been met, and each takes memory."""


def usable_cores() -> int:
    """Processor cores that this process may use."""
    # macOS does not tell which of them a process may use.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def calls(
    work: Callable[..., Any], tasks: Iterable[tuple], processes: int, executor: Executor | None = None
) -> Iterator[list[Callable[[], Any]]]:
    """For every task a function that gives the result of `work(*task)`, or raises what it raised.

    Whichever process finishes first, the functions give results and errors in the order of the tasks. The processes are
    gone at the end of the block, also after an error or Ctrl-C, and when this process is killed.

    Args:
        work: called in every process, on a copy that may keep things between calls; has to be picklable.
        tasks: arguments of the calls; small, as all wait at once.
        processes: how many; 1 makes the calls in this process, each when it is asked for.
        executor: makes the calls instead of processes of this machine's own; those that it has not begun at the end of
            the block it need not make.

    Raises:
        FacegenError: a process ended by itself or was killed.
    """
    tasks = list(tasks)
    if executor is not None:
        handed = [executor.submit(work, *task) for task in tasks]
        try:
            yield [future.result for future in handed]
        finally:
            wait([future for future in handed if not future.cancel()])
        return
    processes = min(processes, len(tasks))
    if processes <= 1:
        yield [partial(work, *task) for task in tasks]
        return
    context = get_context("spawn")  # a fork of a process that has threads may hang
    watched, held = context.Pipe(duplex=False)
    # In a file, because a process that ends before it has read a large argument leaves its parent waiting for ever.
    with NamedTemporaryFile() as file:
        pickle.dump(work, file)
        file.flush()
        pool = ProcessPoolExecutor(processes, context, _begin, (file.name, watched))
        try:
            with _starting():
                futures = [pool.submit(_call, *task) for task in tasks]
            yield [future.result for future in futures]
        except BrokenProcessPool as error:
            raise FacegenError(
                "a worker process ended too early; if nothing above says why, memory ran out: take fewer workers"
            ) from error
        finally:
            held.close()
            pool.shutdown(cancel_futures=True)
            watched.close()


@contextmanager
def _starting() -> Iterator[None]:
    """Processes started in here compute with one thread each, and only this process is interrupted by Ctrl-C."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(THREADS)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


_work: Callable[..., Any]


def _begin(path: str, watched: Connection) -> None:
    global _work
    with open(path, "rb") as file:
        _work = pickle.load(file)  # from this process's own parent, in a file that nobody else may write
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()


def _end_with(watched: Connection) -> None:
    # Nothing is ever sent: this waits for the other end to be closed, which also happens when its process ends.
    watched.poll(None)
    os._exit(1)


def _call(*task: Any) -> Any:
    return _work(*task)

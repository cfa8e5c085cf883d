"""Work handed to the workers of a Dask cluster, by the same calls as to processes of this machine."""

from __future__ import annotations

import asyncio
import logging
import pickle
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from secrets import token_hex
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import scipy

from facegen import __version__
from facegen.errors import FacegenError
from facegen.optional import require

ADDRESS = re.compile(r"(?:tcp|tls)://[^\s/:@]+:\d{1,5}")
"""Where a scheduler listens; IPv6 needs a name."""
PATIENCE = 5
"""Seconds until nobody is taken to answer. Chosen: a scheduler in the same network answers in a hundredth of one."""
VERSIONS = {"facegen": __version__, "numpy": np.__version__, "scipy": scipy.__version__}
"""What has to be the same everywhere, so that the same bytes come of it."""
KEPT = "what is done is kept, and the same command goes on from there"

_one_at_a_time = threading.Lock()
_at_work_for: str | None = None
"""In a worker: whose call it is at."""


class UnfitError(Exception):
    """The cluster cannot do the work; not about a recording, which would be left out for it."""


@contextmanager
def cluster(address: str, folder: Path, places: Sequence[Path]) -> Iterator[Executor]:
    """An executor whose calls the workers of a Dask cluster make, each process one at a time.

    A call whose worker died is made again by another one; while there is none, it waits. Whoever reaches a scheduler
    can run code on its workers, and they on this machine: it belongs into a network of one's own.

    Args:
        address: of the scheduler, `tcp://HOST:PORT`, or `tls://HOST:PORT` with certificates in Dask's configuration.
        folder: that results are written into; all machines have to share it.
        places: files and folders that the work reads, by their whole paths.

    Raises:
        FacegenError: Dask is not installed, the address is none, nobody answers, there is no worker, one of them has
            other versions or does not see a place; or, within the block, the cluster went away.
    """
    distributed = require("distributed", "cluster")
    if not ADDRESS.fullmatch(address) or int(address.rpartition(":")[2]) not in range(1, 1 << 16):
        raise FacegenError(f"--dask: expected tcp://HOST:PORT, such as tcp://192.168.1.20:8786; got {address[:80]!r}")
    with _quiet(), _client(distributed, address) as client:
        _require_fit(client, address, folder, places)
        try:
            with _Cluster(client, places) as executor:
                yield executor
        except UnfitError as error:
            raise FacegenError(f"--dask {address}: {error}; {KEPT}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask's own lines are not shown in here: what matters of them is said in facegen's words."""
    levels = {logger: logger.level for logger in map(logging.getLogger, ("distributed", "distributed.client"))}
    for logger in levels:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)


def _client(distributed: Any, address: str) -> Any:
    # Dask's client waits for ever where somebody takes its call and says nothing.
    async def asked() -> None:
        settings = distributed.Security().get_connection_args("client")
        async with distributed.rpc(address, timeout=PATIENCE, connection_args=settings) as there:
            if (await there.identity())["type"] != "Scheduler":
                raise ConnectionError(f"{address} is no scheduler's")

    try:
        with ThreadPoolExecutor(1) as other:  # this thread may have a loop of its own, as in a notebook
            other.submit(lambda: asyncio.run(asyncio.wait_for(asked(), PATIENCE))).result()
        return distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except Exception as error:  # whatever comes of what speaks there
        needs = ", with the certificates in Dask's configuration (distributed.comm.tls)" if address[:3] == "tls" else ""
        raise FacegenError(
            f"--dask {address}: no scheduler of Dask answers there; start one: dask scheduler --port 8786{needs}"
        ) from error


class _Cluster(Executor):
    """What is called goes once to each worker, and not with every call."""

    def __init__(self, client: Any, places: Sequence[Path]) -> None:
        self._client, self._places, self._mark = client, [str(place) for place in places], token_hex(8)
        self._work: Callable[..., Any] | None = None
        self._handed: Any = None
        self._waited_for: set[Any] = set()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        if fn is not self._work:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that it is large, for which it goes there but once
                # The result of a call and not data put there: it can be had again when the worker that has it dies.
                # Pickled, since the scheduler unpickles what calls are given, and has nobody's own sources.
                self._work, self._handed = fn, self._client.submit(pickle.loads, pickle.dumps(fn), pure=False)
        there = self._client.submit(_call, self._mark, self._handed, self._places, *args, **kwargs, pure=False)
        here: Future = Future()
        self._waited_for.add(there)
        there.add_done_callback(partial(self._hand_over, here))
        return here

    def _hand_over(self, here: Future, there: Any) -> None:
        """Give a result or an error of a worker on to who waits for it."""
        self._waited_for.discard(there)
        if here.set_running_or_notify_cancel():
            try:
                result = there.result()
            except BaseException as error:  # it belongs to who waits
                here.set_exception(_told(error))
            else:
                here.set_result(result)
        there.release()  # or it would be made again when the worker dies that made it

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Give up what is not done, and wait until no worker is at anything of it."""
        with suppress(Exception):  # workers that are gone write nothing either
            self._client.cancel(list(self._waited_for))
            self._client.run(_at_rest, self._mark)


def _told(error: BaseException) -> BaseException:
    """An error of a worker, or what it says of the cluster."""
    distributed = require("distributed", "cluster")
    if isinstance(error, FileNotFoundError):
        told = UnfitError(f"a worker does not see {error.filename}; all machines have to share that folder")
    elif isinstance(error, ImportError):
        told = UnfitError(f"a worker lacks the Python module {error.name!r}; install it there")
    elif isinstance(error, distributed.KilledWorker):
        told = UnfitError(
            "several workers died of the same recording, it may be for want of memory; start fewer of them on a machine"
        )
    elif isinstance(error, (CancelledError, ConnectionError, TimeoutError, distributed.comm.CommClosedError)):
        told = UnfitError("the scheduler went away")
    else:
        return error
    told.__cause__ = error
    return told


def _require_fit(client: Any, address: str, folder: Path, places: Sequence[Path]) -> None:
    with NamedTemporaryFile(dir=folder, prefix=".facegen-shared-") as mark:
        wanted = [mark.name, *map(str, places)]
        try:
            client.run_on_scheduler(_lacking, VERSIONS, [])
            found = client.run(_lacking, VERSIONS, wanted, on_error="return")
        except Exception as error:  # whatever is said where there is no facegen
            raise FacegenError(
                f"--dask {address}: the scheduler has no facegen; install facegen[cluster] {__version__} there"
            ) from error
    if not found:
        raise FacegenError(f"--dask {address}: it has no workers; start some: dask worker {address} --nthreads 1")
    for worker, lacks in sorted(found.items()):
        if isinstance(lacks, BaseException):
            raise FacegenError(
                f"--dask {address}: facegen is not to be had on {worker}; install facegen[cluster] there"
            )
        if lacks == f"does not see {mark.name}":
            lacks = f"does not see what is in {folder}; --out has to be in a folder that all machines share"
        if lacks:
            raise FacegenError(f"--dask {address}: the worker {worker} {lacks}")


def _lacking(versions: dict[str, str], places: Sequence[str]) -> str | None:
    """What this process lacks of what the work needs."""
    for name, version in versions.items():
        if version != VERSIONS[name]:
            return f"has {name} {VERSIONS[name]}, here is {version}; install the same there"
    return next((f"does not see {place}" for place in places if not Path(place).exists()), None)


def _call(mark: str, work: Callable[..., Any], places: Sequence[str], *task: Any) -> Any:
    global _at_work_for
    # Workers may have come since the first were asked.
    if lacks := _lacking(VERSIONS, places):
        raise UnfitError(f"a worker {lacks}")
    with _one_at_a_time:  # a worker may have several threads, sources are not made for that
        _at_work_for = mark
        try:
            return work(*task)
        finally:
            _at_work_for = None


async def _at_rest(mark: str) -> None:
    """Wait for the call that this process is at: what it writes is not to come after all is tidied up."""
    while _at_work_for == mark:
        await asyncio.sleep(0.01)

"""Work handed to the workers of a Dask cluster, by the same calls as to processes of this machine."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import scipy

from facegen import __version__
from facegen.errors import FacegenError
from facegen.optional import require

ADDRESS = re.compile(r"tcp://[^\s/:@]+:\d{1,5}")
"""Where a scheduler listens; IPv6 needs a name."""
PATIENCE = 5
"""Seconds until nobody is taken to answer. Chosen: a scheduler in the same network answers in a hundredth of one."""
VERSIONS = {"facegen": __version__, "numpy": np.__version__, "scipy": scipy.__version__}
"""What has to be the same everywhere, so that the same bytes come of it."""
KEPT = "what is done is kept, and the same command goes on from there"

_one_at_a_time = threading.Lock()


class UnfitError(Exception):
    """A worker lacks what the work needs; not about a recording, which would be left out for it."""


@contextmanager
def cluster(address: str, folder: Path, places: Sequence[Path]) -> Iterator[Executor]:
    """An executor whose calls the workers of a Dask cluster make, each process one at a time.

    A call whose worker died is made again by another one. Whoever can reach a scheduler can run code on its workers,
    and they on this machine: it belongs into a network of one's own.

    Args:
        address: of the scheduler, `tcp://HOST:PORT`.
        folder: that results are written into; all machines have to share it.
        places: files and folders that the work reads, by their whole paths.

    Raises:
        FacegenError: Dask is not installed, the address is none, nobody answers, there is no worker, one of them has
            other versions or does not see a place; or, within the block, the cluster went away.
    """
    distributed = require("distributed", "cluster")
    if not ADDRESS.fullmatch(address) or int(address.rpartition(":")[2]) not in range(1, 1 << 16):
        raise FacegenError(f"--dask: expected tcp://HOST:PORT, such as tcp://192.168.1.20:8786; got {address[:80]!r}")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters of it is said here
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        raise FacegenError(
            f"--dask {address}: no scheduler of Dask answers there; start one: dask scheduler --port 8786"
        ) from error
    with client:
        _require_fit(client, address, folder, places)
        try:
            yield _Cluster(client, places)
        except UnfitError as error:
            raise FacegenError(f"--dask {address}: {error}; {KEPT}") from error
        except FileNotFoundError as error:
            raise FacegenError(
                f"--dask {address}: a worker does not see {error.filename}; all machines have to share that folder"
            ) from error
        except ImportError as error:
            raise FacegenError(
                f"--dask {address}: a worker lacks the Python module {error.name!r}; install it there; {KEPT}"
            ) from error
        except distributed.KilledWorker as error:
            raise FacegenError(
                f"--dask {address}: several workers died of the same recording, of too little memory it may be; start "
                f"fewer of them on a machine; {KEPT}"
            ) from error
        except (CancelledError, ConnectionError, TimeoutError, distributed.CommClosedError) as error:
            raise FacegenError(f"--dask {address}: the scheduler went away; {KEPT}") from error


class _Cluster(Executor):
    """Dask's own executor, to which what is called goes once for each worker and not with every call."""

    def __init__(self, client: Any, places: Sequence[Path]) -> None:
        self._client, self._places = client, [str(place) for place in places]
        self._executor = client.get_executor(pure=False)  # the same call may have to be made again
        self._work: Callable[..., Any] | None = None
        self._handed: Any = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        if fn is not self._work:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that it is large, for which it goes there but once
                # The result of a call and not data put there: it can be had again when the worker that has it dies.
                self._work, self._handed = fn, self._client.submit(_itself, fn, pure=False)
        return self._executor.submit(_call, self._handed, self._places, *args, **kwargs)


def _require_fit(client: Any, address: str, folder: Path, places: Sequence[Path]) -> None:
    with NamedTemporaryFile(dir=folder, prefix=".facegen-shared-") as mark:
        wanted = [mark.name, *map(str, places)]
        try:
            found = client.run(_lacking, VERSIONS, wanted, on_error="return")
        except Exception as error:  # whatever a worker says that has no facegen
            raise FacegenError(f"--dask {address}: the workers cannot be asked; is facegen there?") from error
    if not found:
        raise FacegenError(f"--dask {address}: it has no workers; start some: dask worker {address} --nthreads 1")
    for worker, lacks in sorted(found.items()):
        if isinstance(lacks, BaseException):
            raise FacegenError(f"--dask {address}: facegen is not to be had on {worker}; install facegen[cluster] there")
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


def _itself(work: Callable[..., Any]) -> Callable[..., Any]:
    return work


def _call(work: Callable[..., Any], places: Sequence[str], *task: Any) -> Any:
    # Workers may have come since the first were asked.
    if lacks := _lacking(VERSIONS, places):
        raise UnfitError(f"a worker {lacks}")
    with _one_at_a_time:  # a worker may have several threads, sources are not made for that
        return work(*task)

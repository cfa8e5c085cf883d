"""What a run changes in its process, put back when it ends."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.utilities.seed import isolate_rng

NEEDLESS_WARNINGS = (
    ".*does not have many workers.*",
    ".*The dirpath has changed.*",
    ".*LeafSpec.*",
    ".*Total length of `list` across ranks is zero.*",  # nobody to validate on, which is said once
)
"""Lightning's warnings on every run, whose advice does not help here."""
UNTRUE_WARNINGS = (
    ".*your dataloader is not resumable.*",
    ".*inject `drop_last=False`.*",
    ".*sync_dist=True.*",
    ".*args parameter is intended to run from within Python.*",
)
"""Warnings that are untrue, or not needed, with this package's sampler, loss and metrics."""
VARIABLES = ("WANDB_MODE", "WANDB_SILENT", "PL_GLOBAL_SEED", "PL_SEED_WORKERS", "CUBLAS_WORKSPACE_CONFIG")
"""Variables of the environment that a run sets. Those by which processes of one run find each other (LOCAL_RANK,
MASTER_PORT and so on) stay: a second run in the same process goes on with the processes that the first one started."""


@contextmanager
def run_state() -> Iterator[None]:
    """Set warnings, log level, environment and torch's flags as a run wants them; put back these, random states, what
    Ctrl+C does and the places where modules are looked for."""
    seed_logger = logging.getLogger("lightning_fabric.utilities.seed")
    deterministic: Any = torch.utils.deterministic  # it becomes a class of its own at import, which no checker follows
    before = (
        seed_logger.level,
        deterministic.fill_uninitialized_memory,
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
    )
    places, interrupt = list(sys.path), signal.getsignal(signal.SIGINT)
    environment = {name: os.environ.get(name) for name in VARIABLES}
    with warnings.catch_warnings(), isolate_rng():
        try:
            _wandb_offline_unless_logged_in()
            seed_logger.setLevel(logging.WARNING)
            # Determinism without this costs a pass over every new tensor, and finds only reads of memory nobody wrote.
            deterministic.fill_uninitialized_memory = False
            for message in NEEDLESS_WARNINGS + UNTRUE_WARNINGS:
                warnings.filterwarnings("ignore", message=message)
            yield
        finally:
            seed_logger.setLevel(before[0])
            deterministic.fill_uninitialized_memory = before[1]
            torch.use_deterministic_algorithms(before[2], warn_only=before[3])
            torch.backends.cudnn.benchmark = before[4]
            sys.path[:] = places
            if threading.current_thread() is threading.main_thread() and interrupt is not None:
                signal.signal(signal.SIGINT, interrupt)  # which Lightning ignores for good once it came
            for name, value in environment.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def _wandb_offline_unless_logged_in() -> None:
    """Nothing is sent anywhere, nor asked for, unless the user has logged in to Weights & Biases or set a mode."""
    if "WANDB_MODE" not in os.environ and "WANDB_API_KEY" not in os.environ:
        netrc = Path(os.environ.get("NETRC", Path.home() / ".netrc"))
        logged_in = netrc.is_file() and "wandb" in netrc.read_text(encoding="utf-8", errors="replace")
        if not logged_in:
            os.environ["WANDB_MODE"] = "offline"
            os.environ.setdefault("WANDB_SILENT", "true")

"""Times in turns, memory, and what the machine can do at most."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

import torch
from torch.profiler import ProfilerActivity, profile

Work = Callable[[], object]

CEILING_SIZES = {"cpu": (2048, 50_000_000), "cuda": (8192, 500_000_000)}
"""By device, the side of the square matrices whose product is timed, and the count of the numbers whose copy is timed,
for the device's own rates. Chosen: the copy is far larger than a cache, and the product so long that its start does not
count. Smaller ones would measure caches and starts; larger ones only take longer."""
CEILING_REPEATS = 7
"""Rounds in which these are timed; the quickest one counts. Chosen; more rounds can only bring the rate nearer to the
machine's limit."""


def say(text: str) -> None:
    """A line of progress on standard error."""
    print(text, file=sys.stderr, flush=True)


def by_turns(works: dict[str, Work], repeats: int, device: torch.device) -> dict[str, list[float]]:
    """Milliseconds of every run; each round runs all works once, and a first round does not count.

    Whatever else the machine does slows all of them alike, so that ratios hold where times do not.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(repeats + 1):
        for name, work in works.items():
            _finish(device)
            start = perf_counter()
            work()
            _finish(device)
            if turn:
                times[name].append(1e3 * (perf_counter() - start))
    return times


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def compared(times: dict[str, list[float]]) -> dict[str, float]:
    """Medians and minima of every work in ms, and the ratios of gather to fused if both were run."""
    result = {}
    for name, values in times.items():
        result |= {f"{name}_ms": median(values), f"{name}_min_ms": min(values)}
    if "gather" in times:
        result["ratio"] = result["gather_ms"] / result["fused_ms"]
        result["ratio_of_minima"] = result["gather_min_ms"] / result["fused_min_ms"]
    return result


def extra_memory(work: Work, device: torch.device) -> float:
    """The peak of what a work's tensors take beyond what was there before, MB (10^6 bytes).

    Counted where torch allocates, so that it does not depend on what the system had kept free.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        return (torch.cuda.max_memory_allocated(device) - before) / 1e6
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")  # else the profiler says on standard error when it starts and stops
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        work()
    # Allocations and, negative, releases in the order of time.
    results = None if record.profiler is None else record.profiler.kineto_results
    assert results is not None  # the profiler has run
    events = [event for event in results.events() if event.name() == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()  # pyright: ignore[reportAttributeAccessIssue]  # the stub has not all methods
        peak = max(peak, held)
    return peak / 1e6


def ceilings(device: torch.device, dtype: torch.dtype) -> dict[str, float]:
    """This machine's own rates: a large matrix product in GFLOP/s, a large copy in GB/s read and written."""
    side, count = CEILING_SIZES[device.type]
    a = torch.randn(side, side, device=device, dtype=dtype)
    source = torch.randn(count, device=device).to(dtype)
    target = torch.empty_like(source)
    times = by_turns({"product": lambda: a @ a, "copy": lambda: target.copy_(source)}, CEILING_REPEATS, device)
    return {
        "matrix_product_gflops": 2e-6 * side**3 / min(times["product"]),
        "copy_gb_per_s": 2e-6 * source.numel() * source.element_size() / min(times["copy"]),
    }

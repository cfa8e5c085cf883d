"""Memory, descriptors and threads of one process over 1,000 animations and 100,000 frames sent: `make long-runs`.

Each is compared with what it was after the tenth call; it fails where memory grew by more than `MOST`, or where
anything is open that was not. What a long clip takes in each format is printed.
"""

from __future__ import annotations

import contextlib
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CALLS, FRAMES, CLIP = 1000, 100_000, 10_000
MOST = 20.0
"""MB."""


def held() -> tuple[float, int, int]:
    """MB in memory, open descriptors, threads."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "Threads"))}
    return int(found["VmRSS"]) / 1024, len(os.listdir("/proc/self/fd")), int(found["Threads"])


def repeated(name: str, call: Callable[[], object], times: int) -> bool:
    """Whether a call leaves nothing behind, however often it is made."""
    began = time.monotonic()
    for number in range(times):
        call()
        if number == 9:
            before = held()
    after = held()
    print(
        f"{name}: {times:,} calls in {time.monotonic() - began:.0f} s; {before[0]:.1f} MB after the tenth, "
        f"{after[0]:.1f} MB after the last; descriptors {before[1]} and {after[1]}, threads {before[2]} and {after[2]}",
        flush=True,
    )
    return after[0] - before[0] <= MOST and after[1:] == before[1:]


def animations(folder: Path) -> list[bool]:
    """By the door for Python, and by the verb."""
    import facegen
    from facegen.cli import run
    from facegen.mesh import write_mesh

    model = facegen.load()
    write_mesh(folder / "face.obj", model.hierarchy.template)
    motion = facegen.motion_label(10, "happy", facegen.Phases(1, 4, 6, 9), 0.8, model.expressions)

    def by_door() -> None:
        made = facegen.animate(model, facegen.read_mesh(folder / "face.obj"), motion, fps=30)
        facegen.export(made, folder / "a.glb")

    def by_verb() -> None:
        line = f"animate {folder / 'face.obj'} --expression happy --frames 10 --alive --out {folder / 'b.glb'}"
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            assert run(line.split()) == 0

    return [repeated("facegen.animate", by_door, CALLS), repeated("facegen animate", by_verb, CALLS)]


def streamed() -> bool:
    """Frames through the sender, with a clock that need not be waited for."""
    import numpy as np

    from facegen.live.address import Address
    from facegen.live.sender import Line, stream, words_for
    from facegen.rigging.track import Track

    rng = np.random.default_rng(0)
    track = Track(rng.random((100, 52)), rng.random((100, 9)), 60.0)
    now = [0.0]
    kept: list[tuple[float, int, int]] = []
    began = time.monotonic()
    with Line(Address.parse("vmc://127.0.0.1:9")) as line:

        def stopped() -> bool:  # is asked twice a frame
            if len(kept) == 0 and now[0] > 10:
                kept.append(held())
            return now[0] >= FRAMES / track.fps

        pace = stream(
            track,
            words_for("vmc", "facegen", 60.0),
            line.send,
            loop=True,
            stopped=stopped,
            clock=lambda: now[0],
            sleep=lambda wait: now.__setitem__(0, now[0] + wait),
        )
    before, after = kept[0], held()
    print(
        f"stream: {pace}; {time.monotonic() - began:.0f} s; {before[0]:.1f} MB at first, {after[0]:.1f} MB at the end; "
        f"descriptors {before[1]} and {after[1]}, threads {before[2]} and {after[2]}"
    )
    return after[0] - before[0] <= MOST


def clips(folder: Path) -> None:
    """Seconds of processor time for a clip in each format, start included, in turns: the least of three."""
    formats = ("pc2", "usdc", "glb")
    took: dict[str, list[float]] = {name: [] for name in formats}
    for name in formats * 3:
        line = f"animate {folder / 'face.obj'} --expression happy --frames {CLIP} --out {folder / 'clip'}.{name}"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "facegen", *line.split()], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took[name].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        (folder / f"clip.{name}").unlink()
    least = min(took["pc2"])
    for name, seconds in took.items():
        print(f"{CLIP:,} frames to .{name}: {min(seconds):.1f} s, {min(seconds) / least:.2f} times .pc2's", flush=True)


def main() -> int:
    """Run them all; 1 where one grew."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        steady = [*animations(folder), streamed()]
        clips(folder)
    return int(not all(steady))


if __name__ == "__main__":
    sys.exit(main())

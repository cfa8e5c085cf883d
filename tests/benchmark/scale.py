"""What a frame costs to prepare and to store at the paper's size: `python tests/benchmark/scale.py ICT-FaceKit`.

Slices of a large corpus, prepared by one process: takes that are acted, and the same as trees of `.ply` and of `.obj`,
each in two lengths, so that what a frame costs is told from what comes once. `docs/scale.md` has what it printed.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from facegen.data.corpus import Corpus
from facegen.mesh import write_mesh

VERTICES, FPS, TAKES = 28431, 60, (60, 120)
EXPRESSIONS = ("happy", "surprise")


def prepared(out: Path, *arguments: object) -> float:
    """Seconds of the processor that it takes to prepare a corpus."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "facegen", "prepare", *map(str, arguments), "--workers", "1", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def tree(corpus: Corpus, root: Path, suffix: str, frames: int) -> int:
    """Some takes as a folder of meshes; how many frames they are."""
    template, count = corpus.hierarchy.template, 0
    for subject in corpus.subjects:
        for expression in EXPRESSIONS:
            folder, index = root / subject / expression, corpus.find(subject, expression)
            folder.mkdir(parents=True)
            for number, moved in enumerate((corpus.displacement(index) + corpus.neutral(index))[:frames]):
                write_mesh(folder / f"{number:04d}{suffix}", template.with_vertices(moved))
                count += 1
    (root / "dataset.yaml").write_text(f"units: mm\nfps: {FPS}\n")
    return count


def main(clone: str) -> None:
    """Measure, and print a line for each slice."""
    with tempfile.TemporaryDirectory() as name:
        folder, split = Path(name), ("--test-subjects", 1, "--val-subjects", 1)
        made = ("ict_facekit", "--root", clone, "--region", "head", "--vertices", VERTICES, "--fps", FPS, *split)
        cost = []
        for takes in (1, 2):
            out = folder / f"made-{takes}"
            seconds = prepared(out, *made, "--subjects", 3, "--acting", "recorded", "--takes-per-expression", takes)
            cost.append((sum(entry.frames for entry in Corpus(out).entries), seconds))
        report("acted", cost)
        size = sum(path.stat().st_size for path in (out / "frames.zarr").rglob("*") if path.is_file())
        print(f"stored: {size / cost[-1][0] / 1000:.0f} kB a frame")
        for suffix in (".ply", ".obj"):
            cost = []
            for frames in TAKES:
                root = folder / f"tree{suffix}-{frames}"
                count = tree(Corpus(out), root, suffix, frames)
                cost.append((count, prepared(folder / f"of{suffix}-{frames}", "folder", "--root", root, *split,
                                             "--confidence", 0)))  # fmt: skip
            report(suffix, cost)


def report(name: str, cost: list[tuple[int, float]]) -> None:
    """Print what a frame costs, and what comes once, of two slices of (frames, seconds)."""
    (few, short), (many, long) = cost
    each = (long - short) / (many - few)
    print(f"{name}: {1000 * each:.1f} ms of a core a frame, {short - few * each:.0f} s once", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

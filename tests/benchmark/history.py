"""Speed over time: `make bench` adds a line to `benchmarks/history.jsonl` and draws all of them for docs/speed.md.

Ratios alone are kept, and how fast the machine copies, which they hang on: times of unlike machines say nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

ROOT = Path(__file__).parents[2]
HISTORY, PICTURE = ROOT / "benchmarks/history.jsonl", ROOT / "docs/pictures/speed.png"
FRAMES = ("1", "20", "100")
TRAIN = "training step"


def line(result: dict[str, Any], commit: str, date: str) -> dict[str, Any]:
    """What is kept of `facegen bench decoder` and `facegen bench train`."""
    ratios = {f"{frames} frames": round(result["decoder"][frames]["ratio"], 2) for frames in FRAMES}
    shares = {f"{frames} frames": round(result["decoder"][frames]["share_of_ceiling"], 3) for frames in FRAMES}
    machine = {name: result["machine"][name] for name in ("device", "capability", "threads", "vertices", "dtype")}
    return {
        "date": date,
        "commit": commit,
        "machine": machine,
        "copy_gb_per_s": round(result["ceilings"]["copy_gb_per_s"], 1),
        "ratios": ratios | {TRAIN: round(result["train"]["ratio"], 2)},
        "shares_of_ceiling": shares,
    }


def draw(lines: list[dict[str, Any]], path: Path) -> None:
    """Ratios of every run, in order, with the machine's copying rate below it."""
    made = Figure(figsize=(7.0, 3.2), layout="constrained")
    axes = made.subplots()
    for name in lines[-1]["ratios"]:
        axes.plot([each["ratios"].get(name) for each in lines], marker="o", label=name)
    under = [f"{each['date']}\n{each['commit']}\ncopies {each['copy_gb_per_s']:.0f} GB/s" for each in lines]
    axes.set_xticks(range(len(lines)), under, fontsize=7)
    axes.set_ylabel("times as fast as the published form")
    axes.set_ylim(0)
    axes.legend(frameon=False, fontsize=8)
    made.savefig(path, dpi=130)


def main() -> None:
    """Measure, add a line, draw."""
    result = {}
    for part in ("train", "decoder"):
        command = [sys.executable, "-m", "facegen", "bench", part]
        result |= json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    commit = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    made = line(result, commit, datetime.now(UTC).date().isoformat())
    HISTORY.parent.mkdir(exist_ok=True)
    with HISTORY.open("a", encoding="utf-8") as file:
        file.write(json.dumps(made) + "\n")
    draw([json.loads(each) for each in HISTORY.read_text(encoding="utf-8").splitlines()], PICTURE)
    print(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()

"""What is kept of speed over time."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
from benchmark import history

ROW = {"ratio": 4.234, "share_of_ceiling": 0.1234, "fused_ms": 1.0}
RESULT = {
    "machine": {
        "device": "x86_64",
        "capability": "AVX2",
        "threads": 2,
        "vertices": 600,
        "dtype": "float32",
        "torch": "2",
    },
    "ceilings": {"copy_gb_per_s": 8.26, "matrix_product_gflops": 100.0},
    "decoder": {"levels": [600], "1": ROW, "20": ROW, "100": ROW},
    "train": ROW | {"ratio": 28.06},
}


def test_ratios_and_the_machines_copying_are_kept_and_no_times(tmp_path: Path) -> None:
    made = history.line(RESULT, "abc1234", "2026-01-31")
    assert made["ratios"] == {"1 frames": 4.23, "20 frames": 4.23, "100 frames": 4.23, "training step": 28.06}
    assert (made["copy_gb_per_s"], made["shares_of_ceiling"]["100 frames"]) == (8.3, 0.123)
    assert not any("_ms" in str(each) for each in made.values())
    history.draw([made, made | {"copy_gb_per_s": 40.0}], tmp_path / "speed.png")
    assert (tmp_path / "speed.png").read_bytes()[:4] == b"\x89PNG"

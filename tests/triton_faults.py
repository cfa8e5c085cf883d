"""Self-tests of the Triton kernels that find this or that, without Triton."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from facegen.nn import triton


def faulty(difference: float) -> Any:
    """A self-test that finds this."""
    return SimpleNamespace(
        differences=lambda device: {torch.float32: 0.0, torch.bfloat16: difference},
        ALLOWED={torch.float32: 1e-5, torch.bfloat16: 3e-2},
    )


def broken(device: torch.device) -> Any:
    raise RuntimeError("PassManager::run failed")


def replace(monkeypatch: pytest.MonkeyPatch, self_test: Any) -> None:
    monkeypatch.setattr(triton, "self_test", self_test, raising=False)
    monkeypatch.setattr(triton, "find_spec", lambda name: True)

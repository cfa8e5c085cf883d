"""When training uses the Triton kernels, and what is said where it does not."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from spiral_layers import make_layer
from triton_faults import faulty, replace

from facegen.nn import triton
from facegen.training.triton_form import TritonForm


class Process:
    """As much of a trainer as the callback asks, of one of two processes."""

    def __init__(self, first: bool, other_passes: bool = True, device: str = "cuda") -> None:
        self.is_global_zero, self.other_passes = first, other_passes
        self.strategy = self
        self.root_device = torch.device(device)

    def reduce_boolean_decision(self, decision: bool, all: bool) -> bool:
        return decision and self.other_passes


@pytest.mark.parametrize(
    ("difference", "other_passes", "begins"),
    [(0.0, True, None), (0.5, True, "the kernels for this card differ"), (0.0, False, "the kernels fail on another")],
)
def test_training_on_a_card_has_its_self_test_first_and_says_once_what_it_found(
    difference: float, other_passes: bool, begins: str | None, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    replace(monkeypatch, faulty(difference))
    module: Any = torch.nn.Sequential(make_layer(5, 3))
    for first in (True, False):
        trainer: Any = Process(first, other_passes)
        TritonForm().on_fit_start(trainer, module)
        assert triton._passed == (begins is None)
        said = capsys.readouterr().err.splitlines()
        assert len(said) == (first and begins is not None)
        assert not said or said[0].startswith(str(begins))
        TritonForm().teardown(trainer, module, "fit")
        assert not triton._passed


@pytest.mark.parametrize(("device", "layers"), [("cpu", [make_layer(5, 3)]), ("cuda", [torch.nn.Linear(2, 3)])])
def test_without_a_card_or_such_layers_nothing_is_tested(
    device: str, layers: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    replace(monkeypatch, faulty(0.5))
    trainer: Any = Process(True, device=device)
    module: Any = torch.nn.Sequential(*layers)
    TritonForm().on_fit_start(trainer, module)
    assert capsys.readouterr().err == ""

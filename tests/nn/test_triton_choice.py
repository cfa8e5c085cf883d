"""When the Triton kernels are used, which needs no Triton."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch
from spiral_layers import make_layer
from triton_faults import broken, faulty, replace

from facegen.nn import triton

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def on_processor(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tensors on a processor are taken for ones on a card."""
    monkeypatch.setattr(triton, "DEVICE", "cpu")
    yield
    triton.switch_off()


@pytest.mark.parametrize("difference", [0.04, float("nan")])
def test_kernels_that_differ_are_not_used_and_one_line_says_so(
    difference: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(monkeypatch, faulty(0.01))
    assert triton.switch_on(CPU) is None
    layer = make_layer(5, 3)
    x = torch.randn(layer.coarse, 5, 4)
    assert triton.takes(layer, x)
    replace(monkeypatch, faulty(difference))
    said = triton.switch_on(CPU)
    assert said == (
        f"the kernels for this card differ from the plain form by {difference:.1e} in bfloat16, expected at most 3e-02"
        "; the plain form is used, which is slower"
    )
    assert not triton.takes(layer, x)
    assert torch.isfinite(layer(x)).all()


def test_kernels_that_cannot_be_compiled_are_not_used_and_no_compiler_is_quoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replace(monkeypatch, SimpleNamespace(differences=broken))
    said = triton.switch_on(CPU)
    assert said is not None and "cannot be compiled or run here" in said and "PassManager" not in said
    assert not triton.takes(make_layer(5, 3), torch.empty(0))


def test_without_triton_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton, "find_spec", lambda name: None)
    said = triton.switch_on(torch.device("cuda"))
    assert said is not None and said.startswith("the kernels for this card need the package 'triton'")


def test_only_what_the_kernels_know_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, wide = make_layer(5, 3), make_layer(129, 3)
    assert not triton.takes(layer, torch.empty(0))  # before it was switched on
    replace(monkeypatch, faulty(0.0))
    triton.switch_on(CPU)
    kinds = (torch.float32, torch.bfloat16, torch.float64, torch.float16)
    assert [triton.takes(layer, torch.empty(0, dtype=kind)) for kind in kinds] == [True, True, False, False]
    assert not triton.takes(layer, torch.empty(0), torch.empty(0, dtype=torch.bfloat16))
    assert not triton.takes(layer, torch.empty(0), torch.empty(0, device="meta"))
    assert not triton.takes(wide, torch.empty(0))
    triton.switch_off()
    assert not triton.takes(layer, torch.empty(0))

"""The Triton kernels against the naive layers, by Triton's interpreter, and what its compiler makes of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch
from shapes import plate_with_hole
from spiral_layers import make_layer, naive

from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn import triton
from facegen.nn.after_conv import AfterConv
from facegen.nn.spiral_decoder import BLOCK_FRAMES, SpiralDecoder
from facegen.nn.unpool_conv import UnpoolConv

THERE, INTERPRETED = find_spec("triton") is not None, os.environ.get("TRITON_INTERPRET") == "1"
interpreted = pytest.mark.skipif(not (THERE and INTERPRETED), reason="Triton interprets nothing here; see make triton")
compiled = pytest.mark.skipif(not THERE or INTERPRETED, reason="Triton compiles nothing here; see make triton")
EXACT = {torch.float32: {"rtol": 2e-5, "atol": 2e-5}, torch.bfloat16: {"rtol": 2e-2, "atol": 1e-1}}
SHARE = {torch.float32: 1e-5, torch.bfloat16: 3e-2}
"""Of the largest gradient, how far one may be off."""
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _off_again() -> Iterator[None]:
    yield
    triton.switch_off()


@pytest.fixture
def on_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors on a processor are taken for ones on a card, and the interpreter multiplies their bfloat16 as numbers."""
    monkeypatch.setattr(triton, "DEVICE", "cpu")
    if not INTERPRETED:
        return
    from triton.runtime import interpreter

    dot = interpreter.InterpreterBuilder.create_dot

    def widened(self: Any, a: Any, b: Any, *others: Any) -> Any:
        """Triton 3.9 multiplies the bits of bfloat16 as if they were integers."""
        return dot(self, *(_wide(interpreter, each) for each in (a, b)), *others)

    monkeypatch.setattr(interpreter.InterpreterBuilder, "create_dot", widened)


def _wide(interpreter: Any, part: Any) -> Any:
    tl = interpreter.tl
    if part.dtype.scalar != tl.bfloat16:
        return part
    return interpreter.TensorHandle((part.data.astype(np.uint32) << 16).view(np.float32), tl.float32)


@interpreted
def test_the_self_test_passes_and_leaves_the_run_s_random_numbers(on_processor: None) -> None:
    before = torch.get_rng_state()
    assert triton.switch_on(CPU) is None
    assert torch.equal(torch.get_rng_state(), before)


@interpreted
def test_the_self_test_finds_a_wrong_activation(on_processor: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from facegen.nn.triton import launches

    monkeypatch.setitem(launches.CODES, "elu", launches.CODES["relu"])
    said = triton.switch_on(CPU)
    assert said is not None and "differ from the plain form" in said


def both(layer: UnpoolConv, kind: torch.dtype, after: AfterConv, frames: tuple[int, ...]) -> Iterator[tuple]:
    """Result and gradients by the kernels and by the naive layers, of the same rounded numbers."""
    from facegen.nn.triton.layer import apply

    blocks = [torch.randn(layer.coarse, layer.in_channels, count) for count in frames]
    given = [each.detach().to(kind) for each in (layer.weight, layer.bias, *blocks)]
    pull = torch.randn(layer.fine, layer.out_channels, sum(frames)).to(kind)
    results = []
    for form, number in ((apply, kind), (None, torch.float64)):
        inputs = [each.to(number).requires_grad_() for each in given]
        own = [None if each is None else each.to(torch.promote_types(number, each.dtype)) for each in after[1:]]
        own = [None if each is None else each.detach().requires_grad_() for each in own]
        follows = AfterConv(after.activation, *own)
        if form is None:
            layer.double().weight, layer.bias = map(torch.nn.Parameter, inputs[:2])
            inputs[:2] = layer.weight, layer.bias
            made = follows(naive(layer, torch.cat(inputs[2:], dim=2)))
        else:
            made = form(layer, *inputs[:2], follows, *inputs[2:])
        wanted = [*inputs, *(each for each in own if each is not None)]
        results.append([made, *torch.autograd.grad(made, wanted, pull.to(number))])
    return zip(*results, strict=True)


@interpreted
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("channels", "out_channels", "frames", "activation", "own"),
    [
        (8, 3, (33,), None, "gain"),  # the finest step; a frame more than a program has
        (1, 1, (1, 2), "relu", ""),
        (5, 11, (7,), "elu", "shift gain"),
        (40, 24, (3,), "elu", "shift gain"),  # more rows of taps than a program has at once
        (3, 8, (1,), None, ""),
    ],
)
def test_the_kernels_are_the_naive_layers_gradients_too(
    kind: torch.dtype,
    channels: int,
    out_channels: int,
    frames: tuple[int, ...],
    activation: str | None,
    own: str,
    on_processor: None,
) -> None:
    layer = make_layer(channels, out_channels, fine=40, coarse=19)
    shift, gain = torch.randn(2, layer.fine, out_channels, 1)
    gain[5] = 0  # behind which nothing can be told from the result
    if activation == "relu" and kind == torch.bfloat16:
        activation = "elu"  # the ReLU's gradient jumps where a number near zero is rounded to the other side
    after = AfterConv(activation, shift if "shift" in own else None, gain if "gain" in own else None)
    for number, (one, other) in enumerate(both(layer, kind, after, frames)):
        if number:
            difference = float((one.double() - other).abs().max() / other.abs().max().clamp(min=1e-12))
            assert difference <= SHARE[kind], number
        else:
            torch.testing.assert_close(one.double(), other, **EXACT[kind])


@interpreted
@pytest.mark.parametrize("per_vertex", [False, True])
def test_the_decoder_by_the_kernels_gives_the_same(
    per_vertex: bool, on_processor: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hierarchy = MeshHierarchy.build(plate_with_hole(9), depth=2, factor=4)
    decoder = SpiralDecoder(hierarchy, latent=8, channels=(6, 5), activation="elu", scale=2.0, per_vertex=per_vertex)
    for each in (*decoder.gains, *decoder.shifts):
        torch.nn.init.normal_(each)
    z = torch.randn(BLOCK_FRAMES + 3, 8)
    results = []
    for on in (True, False):
        monkeypatch.setattr(triton, "_passed", on)
        made = decoder(z)
        with torch.no_grad():
            assert torch.equal(decoder(z), made) or not on
        results.append([made, *torch.autograd.grad(made.square().sum(), list(decoder.parameters()))])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=float(1e-5 * other.abs().max()))


@interpreted
def test_the_decoder_in_mixed_precision_keeps_float32_where_it_writes(
    on_processor: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hierarchy = MeshHierarchy.build(plate_with_hole(9), depth=2, factor=4)
    decoder, z = SpiralDecoder(hierarchy, latent=8, channels=(6, 5), activation="elu"), torch.randn(3, 8)
    with torch.no_grad():
        wanted = decoder(z)
    monkeypatch.setattr(triton, "_passed", True)
    with torch.autocast("cpu", torch.bfloat16):
        made = decoder(z)
        made.float().square().sum().backward()
        with torch.no_grad():
            written = decoder(z)
    assert (made.dtype, written.dtype) == (torch.bfloat16, torch.float32)
    assert {each.grad.dtype for each in decoder.parameters()} == {torch.float32}
    for one in (made, written):
        torch.testing.assert_close(one.float(), wanted, **EXACT[torch.bfloat16])
    torch.testing.assert_close(written.bfloat16(), made, rtol=1e-2, atol=0)


@interpreted
def test_a_frame_that_is_not_a_number_spoils_no_other(on_processor: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton, "_passed", True)
    layer, frames = make_layer(8, 3, fine=40), 5
    x = torch.randn(layer.coarse, 8, frames)
    with torch.no_grad():
        clean = layer(x, after=AfterConv("relu"))
        x[..., 2] = torch.nan
        spoilt = layer(x, after=AfterConv("relu"))
    others = torch.arange(frames) != 2
    assert torch.equal(spoilt[..., others], clean[..., others])
    read = torch.from_numpy(np.diff(layer.plan.rows) > 0)[layer.rank]
    assert torch.equal(spoilt[..., 2].isnan().all(1), read)


@interpreted
def test_no_frames_give_no_frames(on_processor: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton, "_passed", True)
    layer = make_layer(5, 3)
    x = torch.randn(layer.coarse, 5, 0, requires_grad=True)
    made = layer(x)
    made.sum().backward()
    assert made.shape == (layer.fine, 3, 0) and not layer.weight.grad.any()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no card")
def test_the_self_test_passes_on_a_card() -> None:
    assert triton.switch_on(torch.device("cuda")) is None


class Compiled:
    """A kernel that is compiled for a card at each launch, and not run."""

    def __init__(self, kernel: Any, made: list[Any]) -> None:
        self.kernel, self.made = kernel, made

    def __getitem__(self, grid: tuple[int, ...]) -> Any:
        assert all(0 < size < 1 << (31 if axis == 0 else 16) for axis, size in enumerate(grid))
        return self.compile

    def compile(self, *arguments: Any, enable_fp_fusion: bool, **constants: Any) -> None:
        from triton import compile
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource
        from triton.runtime.jit import mangle_type

        names = self.kernel.arg_names
        kinds = [mangle_type(each) for each in arguments] + ["constexpr"] * len(constants)
        places = {(names.index(name),): value for name, value in constants.items()}
        source = ASTSource(self.kernel, dict(zip(names, kinds, strict=True)), places)
        options = {"enable_fp_fusion": enable_fp_fusion}
        self.made.append(compile(source, target=GPUTarget("cuda", 90, 32), options=options))


@compiled
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_triton_compiles_every_launch_for_a_card(kind: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    from facegen.nn.triton import kernels
    from facegen.nn.triton.layer import apply

    made: list[Any] = []
    for name in ("spread_kernel", "bags_kernel", "after_backward_kernel", "backward_kernel"):
        monkeypatch.setattr(kernels, name, Compiled(getattr(kernels, name), made))
    layer = make_layer(64, 32)
    own = torch.randn(2, layer.fine, 32, 1).requires_grad_()
    x = torch.randn(layer.coarse, 64, 40, dtype=kind, requires_grad=True)
    weight, bias = (each.detach().to(kind).requires_grad_() for each in (layer.weight, layer.bias))
    apply(layer, weight, bias, AfterConv("elu", *own), x).sum().backward()
    assert len(made) == 4 and all(each.asm["cubin"] for each in made)
    assert all(each.metadata.shared <= 48 << 10 for each in made)  # bytes that every such card has for a program

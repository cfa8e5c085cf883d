"""The compiled form of unpooling and convolution against the same in torch and against the naive layers."""

from __future__ import annotations

import copy
import pickle
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from shapes import plate_with_hole
from spiral_layers import make_layer, naive
from torch import Tensor

from facegen.mesh.hierarchy import MeshHierarchy
from facegen.nn import bags, native, unpool_conv
from facegen.nn.after_conv import ACTIVATIONS, NOTHING, AfterConv
from facegen.nn.native import one_frame
from facegen.nn.native import unpool_conv as compiled_form
from facegen.nn.spiral_decoder import BLOCK_FRAMES, SpiralDecoder
from facegen.nn.unpool_conv import UnpoolConv

pytestmark = pytest.mark.skipif(native.library is None, reason="facegen was installed without a C++ compiler")

CHANNELS = (1, 3, 5, 8, 11, 16, 24)
FRAMES = (1, 2, 3, 4, 6, 15, 16, 17, 40)
EXACT = {torch.float32: {"rtol": 2e-5, "atol": 2e-5}, torch.float64: {"rtol": 1e-12, "atol": 1e-12}}
LEVELS = {  # of x86-64, by the names that Linux gives to what a processor can do
    "_v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx2", "fma"},
    "_v3": {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"},
    "_base": set(),
}


def compiled(layer: UnpoolConv, x: Tensor, out: Tensor, after: AfterConv = NOTHING) -> Tensor:
    """What the compiled form writes to `out`."""
    unpool_conv._write(layer, layer.weight.detach(), layer.bias.detach(), x, out, after)
    return out


def compiled_back(layer: UnpoolConv, x: Tensor, grad: Tensor) -> tuple[Tensor, Tensor]:
    """The compiled gradients by the features and by the weights."""
    by_x = torch.full_like(x, torch.nan)
    return by_x, unpool_conv._compiled_backward(layer, bags.taps_of(layer.weight.detach()), x, grad, by_x)


def in_torch(layer: UnpoolConv, x: Tensor) -> Tensor:
    """The same without the compiled form."""
    taps = bags.taps_of(layer.weight.detach())
    return bags.forward(layer, taps, layer.bias.detach(), x).index_select(0, layer.rank)


def empty(layer: UnpoolConv, x: Tensor, frames: int | None = None) -> Tensor:
    return x.new_full((layer.fine, layer.out_channels, frames or x.shape[2]), torch.nan)


@pytest.mark.parametrize("tile", [1, 1500, compiled_form.TILE_NUMBERS])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_computes_what_torch_does(tile: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_form, "TILE_NUMBERS", tile)  # a vertex each, several, one for all
    monkeypatch.setattr(one_frame, "TABLE_NUMBERS", tile)
    monkeypatch.setattr(one_frame, "FEATURE_NUMBERS", tile)
    for channels, out_channels in product(CHANNELS, CHANNELS):
        layer = make_layer(channels, out_channels).to(dtype)
        for frames in FRAMES:
            x = torch.randn(layer.coarse, channels, frames, dtype=dtype)
            torch.testing.assert_close(compiled(layer, x, empty(layer, x)), in_torch(layer, x), **EXACT[dtype])


@pytest.mark.parametrize("frames", [*range(28, 33), 100])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_written_past_the_caches_is_the_same_and_ends_with_its_rows(
    dtype: torch.dtype, frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for channels in CHANNELS:
        layer = make_layer(8, channels).to(dtype)
        x = torch.randn(layer.coarse, 8, frames, dtype=dtype)
        wanted = compiled(layer, x, empty(layer, x))
        row = -(-frames // 16) * 16
        room = empty(layer, x, row + 16).flatten()
        start = -room.data_ptr() % 64 // x.element_size()
        whole = room[start : start + layer.fine * channels * row].view(layer.fine, channels, row)
        monkeypatch.setattr(compiled_form, "PAST_CACHES_FROM", whole.nbytes + 1)
        assert not compiled_form._past_caches(whole.numpy())
        monkeypatch.setattr(compiled_form, "PAST_CACHES_FROM", whole.nbytes)
        assert compiled_form._past_caches(whole[..., :frames].numpy())
        assert not compiled_form._past_caches(whole[..., 1:frames].numpy())
        assert torch.equal(compiled(layer, x, whole[..., :frames]), wanted)
        assert whole[..., frames:].isnan().all()
    monkeypatch.setattr(compiled_form, "PAST_CACHES_FROM", 0)
    assert not compiled_form._past_caches(np.empty((9, 3, 17), np.float32))  # not whole lines


def test_a_table_for_one_frame_has_no_more_rows_than_16_bits_can_name() -> None:
    layer = make_layer(1, 1, fine=40_000, coarse=30_000, length=1)  # one tile, by the numbers in its table
    plan = layer.one_frame_plan
    assert plan.tile < 40_000
    assert plan.spiral.max() > 10_000
    x = torch.randn(layer.coarse, 1, 1)
    torch.testing.assert_close(compiled(layer, x, empty(layer, x)), in_torch(layer, x), **EXACT[x.dtype])


@pytest.mark.parametrize("frames", FRAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_is_the_naive_layers_gradients_too(dtype: torch.dtype, frames: int) -> None:
    for channels, out_channels in zip(CHANNELS, reversed(CHANNELS), strict=True):
        layer = make_layer(channels, out_channels).to(dtype)
        x = torch.randn(layer.coarse, channels, frames, dtype=dtype, requires_grad=True)
        fast, slow = layer(x), naive(layer, x)
        torch.testing.assert_close(fast, slow, **EXACT[dtype])
        pull, inputs = torch.randn_like(slow), [x, layer.weight, layer.bias]
        for one, other in zip(
            torch.autograd.grad(fast, inputs, pull), torch.autograd.grad(slow, inputs, pull), strict=True
        ):
            # Sums over frames and vertices of numbers of order one.
            torch.testing.assert_close(one, other, rtol=EXACT[dtype]["rtol"], atol=50 * EXACT[dtype]["atol"])


@pytest.mark.parametrize("tile", [3000, 10**9])  # tiles for all threads, or one for all, so that they share out frames
@pytest.mark.parametrize(("frames", "channels"), [(1, 24), (1, 3), (70, 24), (90, 24)])
def test_any_number_of_threads_gives_the_same_bits(
    tile: int, frames: int, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_form, "TILE_NUMBERS", tile)
    monkeypatch.setattr(one_frame, "TABLE_NUMBERS", tile)
    monkeypatch.setattr(one_frame, "FEATURE_NUMBERS", tile)
    layer = make_layer(4, channels, fine=72_000 // channels if frames == 1 else 300, coarse=70)
    # Below, one thread does it all.
    if frames > one_frame.FRAMES_ONE_BY_ONE:
        assert layer.plan.rows[-1] * layer.out_channels * frames > 1 << 20
    else:
        assert layer.fine * layer.length * layer.out_channels > 1 << 18
    x = torch.randn(layer.coarse, 4, frames)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 8):
            torch.set_num_threads(threads)
            results.append(compiled(layer, x, empty(layer, x)))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(result, results[0]) for result in results[1:])
    torch.testing.assert_close(results[0], in_torch(layer, x), **EXACT[torch.float32])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_its_gradients_are_those_of_torch_and_the_same_on_any_number_of_threads(dtype: torch.dtype) -> None:
    before = torch.get_num_threads()
    for (channels, out_channels), frames in zip(product(CHANNELS, CHANNELS), 6 * FRAMES, strict=False):
        layer = make_layer(channels, out_channels, coarse=29).to(dtype)
        x = torch.randn(layer.coarse, channels, frames, dtype=dtype)
        whole = torch.randn(layer.fine, out_channels, frames + 5, dtype=dtype)
        grad = whole[..., 2 : 2 + frames]  # of more frames, as where several blocks are written side by side
        taps = bags.taps_of(layer.weight.detach())
        slow = bags.backward(layer, taps, x, grad.index_select(0, layer.order))
        results = []
        try:
            for threads in (1, 3):
                torch.set_num_threads(threads)
                results.append(compiled_back(layer, x, grad))
        finally:
            torch.set_num_threads(before)
        for one, other, wanted in zip(*results, slow, strict=True):
            assert torch.equal(one, other)
            torch.testing.assert_close(one, wanted, rtol=EXACT[dtype]["rtol"], atol=50 * EXACT[dtype]["atol"])


@pytest.mark.parametrize("frames", FRAMES)
@pytest.mark.parametrize("channels", [11, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_writes_the_frames_it_was_given_and_no_others(dtype: torch.dtype, channels: int, frames: int) -> None:
    layer = make_layer(5, channels).to(dtype)
    x = torch.randn(layer.coarse, 5, frames, dtype=dtype)
    memory = torch.full((layer.fine * channels * (frames + 9) + 128,), 7.0, dtype=dtype)
    whole = memory[64:-64].view(layer.fine, channels, frames + 9)
    compiled(layer, x, whole[..., 4 : 4 + frames])
    torch.testing.assert_close(whole[..., 4 : 4 + frames], in_torch(layer, x), **EXACT[dtype])
    whole[..., 4 : 4 + frames] = 7
    assert (memory == 7).all()


@pytest.mark.parametrize("frames", FRAMES)
def test_a_frame_that_is_not_a_number_spoils_no_other(frames: int) -> None:
    layer = make_layer(8, 3)
    x = torch.randn(layer.coarse, 8, frames)
    clean = compiled(layer, x, empty(layer, x))
    for bad in {0, frames // 2, frames - 1}:
        spoilt = x.clone()
        spoilt[..., bad] = torch.nan
        result = compiled(layer, spoilt, empty(layer, x))
        others = torch.arange(frames) != bad
        assert torch.equal(result[..., others], clean[..., others])
        read = torch.from_numpy(np.diff(layer.plan.rows) > 0)[layer.rank]
        assert torch.equal(result[..., bad].isnan().all(1), read)


@pytest.mark.parametrize("activation", [None, "relu", "elu"])
@pytest.mark.parametrize(("shifted", "gained"), [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_follows_is_what_torch_does(
    dtype: torch.dtype, shifted: bool, gained: bool, activation: str | None
) -> None:
    for channels, frames in product((1, 3, 8, 11, 24), (1, 3, 4, 17)):
        layer = make_layer(8, channels).to(dtype)
        # Which lie across, in numbers of another kind.
        shift, gain = (
            torch.randn(channels, layer.fine, 1, dtype=torch.float64).transpose(0, 1).requires_grad_()
            if there
            else None
            for there in (shifted, gained)
        )
        after, x = AfterConv(activation, shift, gain), torch.randn(layer.coarse, 8, frames, dtype=dtype)
        wanted = after(naive(layer, x.requires_grad_()))
        with torch.no_grad():
            torch.testing.assert_close(compiled(layer, x, empty(layer, x), after), wanted.to(dtype), **EXACT[dtype])
            torch.testing.assert_close(layer(x, after=after), wanted.to(dtype), **EXACT[dtype])
        made = layer(x, after=after)
        torch.testing.assert_close(made.to(dtype), wanted.to(dtype), **EXACT[dtype])
        pull = torch.randn_like(wanted)
        inputs = [each for each in (x, layer.weight, layer.bias, shift, gain) if each is not None]
        gradients = (torch.autograd.grad(each, inputs, pull.to(each.dtype)) for each in (made, wanted))
        for one, other in zip(*gradients, strict=True):
            torch.testing.assert_close(one, other, rtol=EXACT[dtype]["rtol"], atol=50 * EXACT[dtype]["atol"])


@pytest.mark.parametrize("frames", [1, 20])
@pytest.mark.parametrize("channels", [3, 16])
@pytest.mark.parametrize("activation", ["relu", "elu"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_activations_are_torchs_where_numbers_are_small_and_large(
    dtype: torch.dtype, activation: str, channels: int, frames: int
) -> None:
    values = [-1e30, -200, -89, -88, -87, -20, -1, -0.35, -1e-4, -1e-30, -0.0, 0.0, 1e-30, 1e-4, 1, 20, 1e30]
    values += [torch.inf, -torch.inf, torch.nan, *torch.linspace(-90, 0, 37).tolist()]
    layer = make_layer(8, channels, fine=len(values)).to(dtype)
    layer.weight.data.zero_(), layer.bias.data.zero_()
    shift = torch.tensor(values, dtype=dtype)[:, None, None].expand(-1, channels, -1).contiguous()
    x = torch.zeros(layer.coarse, 8, frames, dtype=dtype)
    made = compiled(layer, x, empty(layer, x), AfterConv(activation, shift))
    wanted = ACTIVATIONS[activation](shift.clone()).expand(made.shape)
    torch.testing.assert_close(made, wanted, rtol=2e-7 if dtype == torch.float32 else 1e-15, atol=0, equal_nan=True)


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_several_steps_at_once_are_one_after_the_other(threads: int, frames: int) -> None:
    sizes, channels = (400, 4000, 12_000, 40_000), (16, 11, 8, 3)
    layers = [
        make_layer(*pair, fine=fine, coarse=coarse)
        for *pair, coarse, fine in zip(channels, channels[1:], sizes, sizes[1:], strict=False)
    ]
    after = AfterConv("elu")
    x = torch.randn(sizes[0], channels[0], frames)
    wanted = x
    for layer in layers:
        wanted = compiled(layer, wanted, empty(layer, wanted), after)
    made, before = empty(layers[-1], x), torch.get_num_threads()
    steps = one_frame.OneFrame([layer.of_one_frame(after) for layer in layers])
    try:
        torch.set_num_threads(threads)
        for _ in range(20):
            steps(x.numpy(), made.fill_(torch.nan).numpy())
            assert torch.equal(made, wanted)
    finally:
        torch.set_num_threads(before)


def test_one_frame_follows_whatever_becomes_of_the_weights() -> None:
    torch.manual_seed(0)
    hierarchy = MeshHierarchy.build(plate_with_hole(21), depth=2, factor=4)
    decoder, other = (SpiralDecoder(hierarchy, latent=8, channels=(6, 5), per_vertex=True) for _ in range(2))
    one = torch.randn(1, 8)

    def is_the_first_of_many(decoder: SpiralDecoder) -> None:
        with torch.no_grad():
            wanted = decoder(one.expand(20, -1))[0]
            torch.testing.assert_close(decoder(one)[0], wanted, rtol=0, atol=float(1e-5 * wanted.abs().max()))

    is_the_first_of_many(decoder)
    torch.optim.SGD(decoder.parameters(), lr=0.5).step(lambda: decoder(one).square().sum().backward())
    is_the_first_of_many(decoder)
    decoder.scale.fill_(3.0)
    is_the_first_of_many(decoder)
    for kept in (copy.deepcopy(decoder), pickle.loads(pickle.dumps(decoder))):
        kept.convs[1].weight.data.mul_(2)
        is_the_first_of_many(kept)
    decoder.load_state_dict(other.state_dict(), assign=True)
    is_the_first_of_many(decoder)
    straight = decoder.shifts[0].data
    decoder.shifts[0].data = torch.randn(*straight.shape[1::-1], 1).transpose(0, 1)  # which lies across
    is_the_first_of_many(decoder)
    decoder.shifts[0].data.mul_(2)
    is_the_first_of_many(decoder)
    is_the_first_of_many(decoder.double().float())


def test_a_coarse_vertex_that_nobody_reads_reaches_nobody() -> None:
    layer = make_layer(8, 8)
    x = torch.randn(layer.coarse, 8, 20)
    clean = compiled(layer, x, empty(layer, x))
    x[[0, layer.coarse // 2, layer.coarse - 1]] = torch.nan
    assert torch.equal(compiled(layer, x, empty(layer, x)), clean)


@pytest.mark.parametrize("frames", [1, 20])
def test_a_copy_reads_its_own_tables(frames: int) -> None:
    layer = make_layer(8, 5)
    x = torch.randn(layer.coarse, 8, frames)
    wanted = compiled(layer, x, empty(layer, x))
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        for one, two in ((layer.plan, other.plan), (layer.one_frame_plan, other.one_frame_plan)):
            assert set(one.addresses.values()).isdisjoint(two.addresses.values())
        assert torch.equal(compiled(other, x, empty(layer, x)), wanted)


def test_inputs_may_lie_in_memory_in_any_order() -> None:
    layer = make_layer(8, 5)
    x = torch.randn(20, layer.coarse, 8).permute(1, 2, 0)
    straight = compiled(layer, x.contiguous(), empty(layer, x))
    assert torch.equal(compiled(layer, x, empty(layer, x)), straight)


def test_the_decoder_without_it_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    hierarchy = MeshHierarchy.build(plate_with_hole(21), depth=2, factor=4)
    decoder = SpiralDecoder(hierarchy, latent=8, channels=(6, 5), scale=2.0).double()
    for frames in (1, BLOCK_FRAMES + 3):
        z = torch.randn(frames, 8, dtype=torch.float64)
        results = []
        for library in (native.library, None):
            with monkeypatch.context() as patch:
                patch.setattr(native, "library", library)
                out = decoder(z)
                results.append([out, *torch.autograd.grad(out.square().sum(), list(decoder.parameters()))])
        for one, other in zip(*results, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-11)


def test_two_types_of_numbers_on_a_processor_are_taken() -> None:
    taken = [native.takes(torch.empty(0, dtype=dtype)) for dtype in (torch.float32, torch.float64, torch.bfloat16)]
    assert taken == [True, True, False]
    assert not native.takes(torch.empty(0, device="meta"))


def test_the_processor_can_run_what_was_chosen() -> None:
    name = Path(native.library._name).name.split(".")[0]
    info = Path("/proc/cpuinfo")
    flags = [line.split(":")[1].split() for line in info.read_text().splitlines() if line.startswith("flags")]
    if not flags:
        pytest.skip("the system does not say what its processor can do")
    assert LEVELS[name] <= set(flags[0])


def test_numpy_and_torch_see_the_same_processor() -> None:
    torch_sees = torch.backends.cpu.get_cpu_capability()
    assert native.capability() == (torch_sees if torch_sees in native.VARIANTS else "DEFAULT")


@pytest.mark.parametrize(("capability", "level"), [("AVX512", 4), ("AVX2", 3), ("DEFAULT", 1), ("something new", 1)])
def test_the_best_file_that_fits_is_chosen(
    capability: str, level: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(native, "capability", lambda: capability)
    monkeypatch.setattr(native, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(native.ctypes, "CDLL", opened.append)
    assert native._load() is None
    files = {1: "_base", 3: "_v3", 4: "_v4"}
    for number, name in files.items():  # of those that are there
        (tmp_path / f"{name}{native.EXTENSION_SUFFIXES[0]}").touch()
        native._load()
        assert Path(opened[-1]).name.split(".")[0] == files[min(number, level)]

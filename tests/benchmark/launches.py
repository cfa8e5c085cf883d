"""What each launch of the Triton kernels has to do at the paper's size, counted: `docs/speed.md` has the first table.

A multiplication and the addition after it are two operations. Bytes are those that have to be read or written even if
all caches were endless, in float32. The second table is why the weights are applied to a whole level and not tile by
tile, see `facegen/nn/triton/__init__.py`.
"""

from __future__ import annotations

import torch
from scipy.sparse import csr_matrix

from facegen.benchmark.parts import Setting, build, make_source
from facegen.nn.native.unpool_conv import Plan
from facegen.nn.spiral_decoder import SpiralDecoder
from facegen.nn.spiral_steps import BLOCK_FRAMES
from facegen.nn.unpool_conv import UnpoolConv

VERTICES, LINE, NUMBER, ENTRY, ROW = 28_431, 32, 4, 8, 4
"""The paper's size, frames of a program, and bytes of a number, of an entry of a matrix and of where a row begins."""


def counted(conv: UnpoolConv, frames: int) -> list[float]:
    """GFLOP and MB of the two launches forward, MB of the first one back, and GFLOP and MB of the second.

    The second forward is counted without a gain, with which it writes twice as much; the first one back with one.
    """
    taps, entries = conv.weight.numel(), conv.back_values.numel()
    weights, sums = 2.0 * conv.coarse * taps * frames, 2.0 * entries * conv.out_channels * frames
    x, spread = conv.coarse * conv.in_channels * frames, conv.coarse * conv.length * conv.out_channels * frames
    out, table = conv.fine * conv.out_channels * frames, ENTRY * entries + ROW * conv.fine
    first, second, third = NUMBER * (x + taps + spread), NUMBER * (spread + out) + table, 3 * NUMBER * out
    fourth = NUMBER * (out + 2 * x + 2 * taps) + ENTRY * entries + ROW * conv.coarse * conv.length
    return [weights / 1e9, first / 1e6, sums / 1e9, second / 1e6, third / 1e6, (2 * weights + sums) / 1e9, fourth / 1e6]


def tiled(conv: UnpoolConv, tile: int) -> tuple[float, float]:
    """Of tiles of fine vertices: how often each coarse vertex is read, and kB of the largest one's spread features."""
    shape = conv.fine, conv.coarse * conv.length
    parts = conv.back_values.numpy(), conv.back_columns.numpy(), conv.back_rows.numpy()
    matrix = csr_matrix(parts, shape=shape[::-1]).T.tocsr()
    matrix.sort_indices()
    start = Plan._of(matrix, tile, 1, conv.length).start
    longest = int((start[1:] - start[:-1]).max())
    return start[-1] / conv.coarse, longest * conv.length * conv.out_channels * LINE * NUMBER / 1e3


def main() -> None:
    setting = Setting(VERTICES, [BLOCK_FRAMES], 1, False, torch.device("cpu"), torch.float32)
    decoder = SpiralDecoder(build(make_source(setting)))
    for conv in decoder.convs:
        cells = " | ".join(f"{value:.2f}" if value < 10 else f"{value:.0f}" for value in counted(conv, BLOCK_FRAMES))
        sizes = f"{conv.coarse:,} to {conv.fine:,}, {conv.in_channels} to {conv.out_channels}"
        print(f"| {sizes} | {cells} |")
    for conv in decoder.convs:
        for tile in (8, 64):
            often, kilobytes = tiled(conv, tile)
            print(f"{conv.fine:,} vertices, tiles of {tile}: weights applied {often:.1f} times, {kilobytes:.0f} kB")


if __name__ == "__main__":
    main()

# type: ignore
# What stands in these functions is Triton's language, which a checker of Python's types does not know.
"""Unpooling and spiral convolution as Triton kernels: what runs on the card, and in what shares.

All tensors are contiguous with the frames innermost, but `out`, `kept` and `grad`, which may be slices of more frames:
their rows begin `stride` numbers apart. Sums are in float32 whatever the tensors hold. No kernel adds to what another
program has written, so every sum has one order and results are the same bits each time.
"""

from __future__ import annotations

import triton
import triton.language as tl

RELU: tl.constexpr = tl.constexpr(1)
ELU: tl.constexpr = tl.constexpr(2)


@triton.jit
def spread_kernel(
    x,  # (V_coarse, C, T)
    taps,  # (L C', C)
    spread,  # (V_coarse, L C', T), written: W_j f(u), before it is known who reads it
    coarse,
    frames,
    CHANNELS: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK_VERTICES: tl.constexpr,
    BLOCK_ROWS: tl.constexpr,
    BLOCK_CHANNELS: tl.constexpr,
    BLOCK_FRAMES: tl.constexpr,
):
    """The weights, applied at the coarse level: a program has some vertices, rows of taps and frames."""
    place = tl.arange(0, BLOCK_VERTICES * BLOCK_FRAMES)
    vertex = (tl.program_id(0) * BLOCK_VERTICES + place // BLOCK_FRAMES).to(tl.int64)
    frame = tl.program_id(2) * BLOCK_FRAMES + place % BLOCK_FRAMES
    row = tl.program_id(1) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    channel = tl.arange(0, BLOCK_CHANNELS)
    inside = (vertex < coarse) & (frame < frames)
    known = channel < CHANNELS
    at = vertex[None, :] * CHANNELS * frames + channel[:, None] * frames + frame[None, :]
    features = tl.load(x + at, known[:, None] & inside[None, :], 0.0)
    some = row < ROWS
    weight = tl.load(taps + row[:, None] * CHANNELS + channel[None, :], some[:, None] & known[None, :], 0.0)
    made = tl.dot(weight, features, input_precision="ieee")
    to = vertex[None, :] * ROWS * frames + row[:, None] * frames + frame[None, :]
    tl.store(spread + to, made.to(spread.dtype.element_ty), some[:, None] & inside[None, :])


@triton.jit
def bags_kernel(
    spread,  # (V_coarse, L C', T)
    bias,  # (C')
    shift,  # (V_fine, C'), by rows of `out`; without SHIFT not read, and so on
    gain,  # (V_fine, C')
    columns,  # (entries) which place of `spread` an entry reads, u L + j
    rows,  # (V_fine + 1) where each row's entries begin; the last of each stands for the bias and is passed over
    values,  # (entries)
    order,  # (V_fine) the row of `out` that each fine vertex goes to
    kept,  # (V_fine, C', T) what there is before the gain, written with KEPT
    out,  # (V_fine, C', T), written
    fine,
    frames,
    stride,
    CHANNELS: tl.constexpr,
    ACTIVATION: tl.constexpr,
    SHIFT: tl.constexpr,
    GAIN: tl.constexpr,
    KEPT: tl.constexpr,
    BLOCK_VERTICES: tl.constexpr,
    BLOCK_CHANNELS: tl.constexpr,
    BLOCK_FRAMES: tl.constexpr,
):
    """The sums over the fine vertices' entries, and all that follows them: a program has some vertices and frames."""
    vertex = tl.program_id(0) * BLOCK_VERTICES + tl.arange(0, BLOCK_VERTICES)
    place = tl.arange(0, BLOCK_CHANNELS * BLOCK_FRAMES)
    channel = place // BLOCK_FRAMES
    frame = tl.program_id(1) * BLOCK_FRAMES + place % BLOCK_FRAMES
    inside = (channel < CHANNELS) & (frame < frames)
    real = vertex < fine
    first = tl.load(rows + vertex, real, 0)
    count = tl.load(rows + vertex + 1, real, 1) - first - 1
    count = tl.where(real, count, 0)
    total = tl.zeros((BLOCK_VERTICES, BLOCK_CHANNELS * BLOCK_FRAMES), tl.float32)
    for entry in range(tl.max(count)):
        there = entry < count
        column = tl.load(columns + first + entry, there, 0).to(tl.int64)
        value = tl.load(values + first + entry, there, 0.0).to(tl.float32)
        at = column[:, None] * CHANNELS * frames + channel[None, :] * frames + frame[None, :]
        total += value[:, None] * tl.load(spread + at, there[:, None] & inside[None, :], 0.0).to(tl.float32)
    total += tl.load(bias + channel, inside, 0.0).to(tl.float32)[None, :]
    row = tl.load(order + vertex, real, 0)
    mine = real[:, None] & inside[None, :]
    own = row[:, None] * CHANNELS + channel[None, :]
    if SHIFT:
        total += tl.load(shift + own, mine, 0.0).to(tl.float32)
    if ACTIVATION == RELU:
        # Not the larger of it and zero, which on a card is zero where it is not a number.
        total = tl.where(total <= 0.0, 0.0, total)
    elif ACTIVATION == ELU:
        total = tl.where(total <= 0.0, tl.exp(total) - 1.0, total)
    to = own * stride + frame[None, :]
    if KEPT:
        tl.store(kept + to, total.to(kept.dtype.element_ty), mine)
    if GAIN:
        total *= tl.load(gain + own, mine, 0.0).to(tl.float32)
    tl.store(out + to, total.to(out.dtype.element_ty), mine)


@triton.jit
def after_backward_kernel(
    grad,  # (V_fine C', T), the gradient by what was given
    kept,  # (V_fine C', T), what there was before the gain; without ACTIVATION and GAIN not read
    gain,  # (V_fine C')
    inner,  # (V_fine C', T), written where it differs from `grad`: the gradient by the sums over the entries
    by_shift,  # (V_fine C'), written: the sum of `inner` over the frames
    by_gain,  # (V_fine C'), written with GAIN
    rows,
    frames,
    ACTIVATION: tl.constexpr,
    GAIN: tl.constexpr,
    BLOCK_ROWS: tl.constexpr,
    BLOCK_FRAMES: tl.constexpr,
):
    """The way back through gain, activation and shift: a program has some rows and all frames, block after block."""
    row = tl.program_id(0) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    real = row < rows
    shifts = tl.zeros((BLOCK_ROWS,), tl.float32)
    gains = tl.zeros((BLOCK_ROWS,), tl.float32)
    if GAIN:
        factor = tl.load(gain + row, real, 0.0).to(tl.float32)[:, None]
    for first in range(0, frames, BLOCK_FRAMES):
        frame = first + tl.arange(0, BLOCK_FRAMES)
        mine = real[:, None] & (frame < frames)[None, :]
        at = row.to(tl.int64)[:, None] * frames + frame[None, :]
        pull = tl.load(grad + at, mine, 0.0).to(tl.float32)
        if ACTIVATION or GAIN:
            value = tl.load(kept + at, mine, 0.0).to(tl.float32)
        if GAIN:
            gains += tl.sum(pull * value, 1)
            pull *= factor
        if ACTIVATION == RELU:
            pull = tl.where(value <= 0.0, 0.0, pull)
        elif ACTIVATION == ELU:
            pull *= tl.where(value <= 0.0, value + 1.0, 1.0)
        if ACTIVATION or GAIN:
            tl.store(inner + at, pull.to(inner.dtype.element_ty), mine)
        shifts += tl.sum(pull, 1)
    tl.store(by_shift + row, shifts, real)
    if GAIN:
        tl.store(by_gain + row, gains, real)


@triton.jit
def backward_kernel(
    x,  # (V_coarse, C, T)
    taps,  # (L C', C)
    grad,  # (V_fine, C', T)
    columns,  # (entries) of the transposed matrix: which fine vertex an entry reads
    rows,  # (V_coarse L + 1) where each row's entries begin
    values,  # (entries)
    order,  # (V_fine) the row of `grad` that belongs to a fine vertex
    by_x,  # (V_coarse, C, T) float32, written
    by_taps,  # (tiles, blocks of frames, L C', C) float32, written: each program's part, to be summed
    coarse,
    frames,
    stride,
    CHANNELS: tl.constexpr,
    OUT: tl.constexpr,
    LENGTH: tl.constexpr,
    TILE: tl.constexpr,
    BLOCK_ROWS: tl.constexpr,
    BLOCK_CHANNELS: tl.constexpr,
    BLOCK_FRAMES: tl.constexpr,
):
    """The way back to features and weights: a program has a tile of coarse vertices and some frames.

    The gradients of a vertex's spread features are summed in registers and used at once for both.
    """
    rows_of_taps: tl.constexpr = LENGTH * OUT
    channel = tl.arange(0, BLOCK_CHANNELS)
    known = channel < CHANNELS
    frame = tl.program_id(1) * BLOCK_FRAMES + tl.arange(0, BLOCK_FRAMES)
    inside = frame < frames
    begin = tl.program_id(0) * TILE
    part = (tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)).to(tl.int64) * rows_of_taps * CHANNELS
    for block in range(0, rows_of_taps, BLOCK_ROWS):
        row = block + tl.arange(0, BLOCK_ROWS)
        some = row < rows_of_taps
        from_taps = row[None, :] * CHANNELS + channel[:, None]
        weight = tl.load(taps + from_taps, known[:, None] & some[None, :], 0.0)  # (C, rows)
        total = tl.zeros((BLOCK_ROWS, BLOCK_CHANNELS), tl.float32)
        for vertex in range(begin, tl.minimum(begin + TILE, coarse)):
            bag = vertex * LENGTH + row // OUT
            start = tl.load(rows + bag, some, 0)
            count = tl.where(some, tl.load(rows + bag + 1, some, 0) - start, 0)
            pull = tl.zeros((BLOCK_ROWS, BLOCK_FRAMES), tl.float32)
            for entry in range(tl.max(count)):
                there = entry < count
                column = tl.load(columns + start + entry, there, 0)
                value = tl.load(values + start + entry, there, 0.0).to(tl.float32)
                given = tl.load(order + column, there, 0) * OUT + row % OUT
                at = given[:, None] * stride + frame[None, :]
                pull += value[:, None] * tl.load(grad + at, there[:, None] & inside[None, :], 0.0).to(tl.float32)
            pull = pull.to(x.dtype.element_ty)
            own = tl.cast(vertex, tl.int64) * CHANNELS * frames
            features = tl.load(
                x + own + channel[None, :] * frames + frame[:, None], known[None, :] & inside[:, None], 0.0
            )  # (frames, C)
            total = tl.dot(pull, features, total, input_precision="ieee")
            back = tl.dot(weight, pull, input_precision="ieee")  # (C, frames)
            at_x = by_x + own + channel[:, None] * frames + frame[None, :]
            mine = known[:, None] & inside[None, :]
            if block > 0:
                back += tl.load(at_x, mine, 0.0)
            tl.store(at_x, back, mine)
        to = by_taps + part + row[:, None] * CHANNELS + channel[None, :]
        tl.store(to, total, some[:, None] & known[None, :])
        tl.debug_barrier()  # the next rows add to gradients that another thread of this program may have written

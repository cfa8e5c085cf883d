"""What the network must do at least, counted from its layers."""

from __future__ import annotations

from torch import Tensor

from facegen.nn.spiral_decoder import SpiralDecoder


def decoder_work(decoder: SpiralDecoder, frames: int) -> tuple[float, float]:
    """Operations, and bytes that have to be read or written even with caches without end, of decoding `frames`.

    A multiplication and the addition after it count as two operations. Of bytes count the weights and the sparse
    matrices once, each level's features once written and once read, and the displacements once.
    """
    full = decoder.full
    operations = 2.0 * full.weight.numel() * frames
    features = float(full.out_features)
    constants: list[Tensor] = [full.weight, full.bias]
    for conv in decoder.convs:
        per_channel = conv.coarse * conv.length * conv.in_channels + conv.values.numel()
        operations += 2.0 * per_channel * conv.out_channels * frames
        features += conv.fine * conv.out_channels
        constants += [conv.weight, conv.columns, conv.rows, conv.values]
    # What lies between two levels is written and read, what comes out is only written.
    last = decoder.convs[-1]
    moved = (2 * features - last.fine * last.out_channels) * frames * full.weight.element_size()
    return operations, moved + sum(part.numel() * part.element_size() for part in constants)


def share_of_ceiling(work: tuple[float, float], milliseconds: float, ceilings: dict[str, float]) -> float:
    """The time that the machine's own rates would take, for operations or for bytes, whichever is more, over ours."""
    operations, moved = work
    least = max(operations / ceilings["matrix_product_gflops"], moved / ceilings["copy_gb_per_s"]) * 1e-6
    return least / milliseconds

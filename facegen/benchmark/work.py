"""The least work that the network has to do, counted from its layers."""

from __future__ import annotations

from torch import Tensor

from facegen.nn.spiral_decoder import SpiralDecoder


def decoder_work(decoder: SpiralDecoder, frames: int) -> tuple[float, float]:
    """Operations of decoding `frames`, and the bytes that have to be read or written even if all caches were endless.

    A multiplication and the addition after it count as two operations. The bytes are those of the weights and the
    sparse matrices once, of each level's features once written and once read, and of the displacements once.
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
    # Features between two levels are written and read; the displacements are only written.
    last = decoder.convs[-1]
    moved = (2 * features - last.fine * last.out_channels) * frames * full.weight.element_size()
    return operations, moved + sum(part.numel() * part.element_size() for part in constants)


def share_of_ceiling(work: tuple[float, float], milliseconds: float, ceilings: dict[str, float]) -> float:
    """The shortest time that the machine's own rates allow, as a share of the measured time.

    Args:
        work: operations and bytes, see `decoder_work`; the slower of the two sets the shortest time.
        milliseconds: measured.
        ceilings: see `facegen.benchmark.measure.ceilings`.
    """
    operations, moved = work
    shortest = max(operations / ceilings["matrix_product_gflops"], moved / ceilings["copy_gb_per_s"]) * 1e-6  # ms
    return shortest / milliseconds

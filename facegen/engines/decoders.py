"""The decoders as nodes of an ONNX graph, which adds the neutral to what they give (Eq. 4)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix

from facegen.engines.encoder import numbers
from facegen.engines.graph import Graph
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.mesh.ordering import reorder_step, space_filling_order
from facegen.nn.blendshape_decoder import BlendshapeDecoder
from facegen.nn.spiral_decoder import SpiralDecoder


@dataclass(frozen=True, eq=False)
class Table:
    """A step up as rows of a table: the coarse vertices, then those fine ones that are mixed from several, then zeros.

    Unpooling copies the vertices that a coarser level keeps, and mixes each of the others from three. Engines have no
    sparse product that is fast; they do gather rows of a table fast.

    Args:
        rows: (M, K) coarse vertices that each of M fine ones is mixed from; 0 where there are fewer than K.
        weights: (M, K) of these; 0 where there are fewer.
        spiral: (V_fine, L) rows of the table.
        padded: whether the table ends in a row of zeros, which is read where a spiral has nothing.
    """

    rows: np.ndarray
    weights: np.ndarray
    spiral: np.ndarray
    padded: bool

    @classmethod
    def of(cls, upsample: csr_matrix, spiral: np.ndarray) -> Table:
        """The table of a step, from its unpooling (V_fine, V_coarse) and spirals (V_fine, L)."""
        upsample = upsample.tocsr()
        counts, coarse = np.diff(upsample.indptr), upsample.get_shape()[1]
        copied = (counts == 1) & (np.asarray(upsample.sum(axis=1)).ravel() == 1)
        place, mixed = np.empty(len(counts), np.int64), upsample[~copied]
        place[copied] = upsample[copied].indices
        place[~copied] = coarse + np.arange(mixed.get_shape()[0])
        rows, weights = padded_rows(mixed)
        nothing = coarse + mixed.get_shape()[0]
        places = np.where(spiral >= 0, place[spiral], nothing)
        return cls(rows, weights, places.astype(np.int32), bool((spiral < 0).any()))


def padded_rows(matrix: csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """The columns, int32, and values, float32, of each row, side by side; 0 where it has fewer than the fullest."""
    counts = np.diff(matrix.indptr)
    there = np.arange(counts.max(initial=0)) < counts[:, None]
    columns, values = np.zeros(there.shape, np.int32), np.zeros(there.shape, np.float32)
    columns[there], values[there] = matrix.indices, matrix.data
    return columns, values


def spirals(graph: Graph, decoder: SpiralDecoder, hierarchy: MeshHierarchy, latent: str, all_frames: bool) -> None:
    """From latents to the output `vertices`, (T, V, 3), or (V, 3) of one latent.

    Frames are decoded one after the other (`Scan`), so that memory beyond the result is that of one frame, and a graph
    of one frame is as quick as any.
    """
    if not all_frames:
        _one_frame(graph, decoder, hierarchy, latent, "vertices")
        return
    inner = Graph(graph)
    row = inner.add("Unsqueeze", "row", np.array([0]))
    _one_frame(inner, decoder, hierarchy, row, "moved")
    body = inner.inner_graph(("row", [decoder.full.in_features]), ("moved", [hierarchy.sizes[0], 3]))
    graph.add("Scan", latent, output="vertices", body=body, num_scan_inputs=1)


def _one_frame(graph: Graph, decoder: SpiralDecoder, hierarchy: MeshHierarchy, latent: str, output: str) -> None:
    """From a latent (1, Z) to `output`, (V, 3)."""
    full, steps = decoder.full, _steps(hierarchy)
    x = graph.add("Gemm", latent, numbers(full.weight).T, numbers(full.bias))
    x = graph.add("Reshape", x, np.array([decoder.coarsest, -1]))
    for number, (step, conv) in enumerate(zip(steps, decoder.convs, strict=True)):
        last = number == len(steps) - 1
        scale = numbers(decoder.scale) if last else np.float32(1)
        weight, bias = numbers(conv.weight) * scale, numbers(conv.bias) * scale
        if decoder.gains and not last:
            bias = bias + numbers(decoder.shifts[number])[..., 0]  # added in the same place
        rows = _gathered(graph, x, step, weight.shape[1])
        x = graph.add("Gemm", rows, weight.reshape(-1, weight.shape[2]), bias)  # Eq. 3
        if not last:
            x = graph.add({"relu": "Relu", "elu": "Elu"}[decoder.activation], x)
        if decoder.gains:
            x = graph.add("Mul", x, numbers(decoder.gains[number])[..., 0])
    graph.add("Add", x, "neutral", output=output)  # Eq. 4


def _steps(hierarchy: MeshHierarchy) -> list[Table]:
    """The steps up, from the coarsest level, of vertices in the orders that `SpiralDecoder` has them in."""
    orders = [space_filling_order(level.vertices) for level in hierarchy.levels]
    orders[-1] = np.arange(hierarchy.sizes[-1])
    tables = []
    for level in reversed(range(len(hierarchy.upsample))):
        upsample, spiral = hierarchy.upsample[level], hierarchy.spirals[level]
        upsample, spiral = reorder_step(upsample, spiral, orders[level], orders[level + 1])
        table = Table.of(upsample, spiral)
        # What comes out at the finest level is in the template's own order.
        tables.append(table if level else replace(table, spiral=table.spiral[np.argsort(orders[0])]))
    return tables


def _gathered(graph: Graph, x: str, step: Table, channels: int) -> str:
    """From features (V_coarse, C) to those along the spirals of the finer level, (V_fine, L C)."""
    parts = [x]
    if len(step.rows):
        terms = [
            graph.add("Mul", graph.add("Gather", x, rows), weights[:, None])
            for rows, weights in zip(step.rows.T, step.weights.T, strict=True)
        ]
        mixed = terms[0]
        for term in terms[1:]:
            mixed = graph.add("Add", mixed, term)
        parts.append(mixed)
    if step.padded:
        parts.append(graph.constant(np.zeros((1, channels), np.float32)))
    table = graph.add("Concat", *parts, axis=0) if len(parts) > 1 else x
    fine, length = step.spiral.shape
    return graph.add("Reshape", graph.add("Gather", table, step.spiral), np.array([fine, length * channels]))


def blendshapes(graph: Graph, decoder: BlendshapeDecoder, latent: str, all_frames: bool) -> None:
    """From latents to the output `vertices`, (T, V, 3), or (V, 3) of one latent."""
    moved = graph.add("Gemm", latent, numbers(decoder.rows), numbers(decoder.mean)[:, 0], transB=1)
    moved = graph.add("Reshape", moved, np.array([-1, len(decoder.mean) // 3, 3] if all_frames else [-1, 3]))
    graph.add("Add", moved, "neutral", output="vertices")  # Eq. 4

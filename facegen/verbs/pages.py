"""What a page says of a recorded take that a face's own shapes play."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from facegen.exporters.page import About
    from facegen.scene.asset import Asset

CURVES = 8
"""Shapes of a take whose weights a page draws, those that move most. Chosen: a page has so many colours."""


def about_take(
    asset: Asset, places: dict[tuple[int, int], str], times: np.ndarray, weights: dict[str, np.ndarray], fps: float
) -> About:
    """Of a take that an asset's own shapes play; it has no title and names no animation yet.

    Args:
        asset: what is played.
        places: its targets that are shapes of ARKit, see `facegen.scene.drawn.arkit_targets`.
        times: (T,) seconds of the weights.
        weights: by Apple's names, (T,) each.
        fps: frames a second of the page's scrubber.
    """
    from facegen.exporters.page import About, moved_points
    from facegen.mesh.formats.io import read_mesh
    from facegen.scene.drawn import drawn_targets

    at = np.arange(int(np.floor(times[-1] * fps + 1e-6)) + 1) / fps
    most = sorted(set(places.values()), key=lambda name: -float(np.ptp(weights[name])))[:CURVES]
    curves = {name: np.clip(np.interp(at, times, weights[name]), 0, 1) for name in most if weights[name].any()}
    moved = np.max([np.linalg.norm(shape, axis=1) for shape in drawn_targets(asset, places).values()], axis=0)
    # A VRM of version 0 looks to -z (VRM 0.0, coordinate system).
    turn = np.diag([-1.0, 1.0, -1.0]) if "VRM" in asset.tree.get("extensions", {}) else np.eye(3)
    points = moved_points(read_mesh(asset.path, asset.document).vertices, moved)
    return About("", points, fps, len(at), curves, turn=turn)

"""The model that comes with facegen; `docs/model-card.md` says what it is, and `make pretrained` makes it."""

from __future__ import annotations

from pathlib import Path

MODEL = Path(__file__).with_name("face.ckpt")
"""A `PerformanceGenerator` on a face of 9,409 vertices, with landmarks and the identity components of its people."""
BASIS = Path(__file__).with_name("shapes.npz")
"""ARKit's shapes of the same head, see `facegen.rigging.packed_shapes`."""

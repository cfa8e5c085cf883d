"""The head that comes with facegen around a person in photographs: their skin, and eyes of their colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from facegen.mesh.appearance import Appearance
from facegen.mesh.tri_mesh import TriMesh
from facegen.photo.blend import WHITE_PLACE, Blend
from facegen.photo.eye_color import eye_color
from facegen.photo.fit import PhotoFit
from facegen.photo.surface_color import Shot
from facegen.rigging.shipped_head import INSIDE, IRIS, SKIN_END
from facegen.rigging.whole_head import WholeHead

WHITE = 255
"""What leaves a texture as it is."""


def whole(head: WholeHead, fits: Sequence[PhotoFit], shots: Sequence[Shot]) -> tuple[TriMesh, Appearance]:
    """A person's head (V, 3) mm, and what it looks like: the pictures are its skin's texture.

    Args:
        head: whose face the fits are of.
        fits: of the person in each picture.
        shots: the pictures.
    """
    made = head.fitted(fits[0].neutral)
    skin = TriMesh(made[:SKIN_END], head.mesh.faces[(head.mesh.faces < SKIN_END).all(axis=1)])
    wider = [
        replace(fit, neutral=skin.vertices, expression=head.led(fit.expression[None])[0, :SKIN_END]) for fit in fits
    ]
    assert head.look.colors is not None
    colors = head.look.colors.copy()
    inside = (colors == INSIDE).all(axis=1)
    dress = Blend(wider, shots, skin).appearance(within=inside[:SKIN_END])
    if (seen := eye_color(shots)) is not None:
        colors[(colors == IRIS).all(axis=1)] = seen.round()
    colors[head.skin & ~inside] = WHITE  # colours multiply the texture
    # One material with a white place in its texture: with two, vertices between them would stand twice in a file.
    uv = np.tile(np.array(WHITE_PLACE, np.float32), (len(made), 1))
    uv[:SKIN_END] = dress.uv
    return head.mesh.with_vertices(made), Appearance(uv, head.mesh.faces, dress.materials, colors=colors)

"""Without a mesh the studio opens on a head with eyes and teeth, whose face moves as the model says."""

from __future__ import annotations

import numpy as np

from facegen.mesh.formats.io import read_mesh
from facegen.pretrained import BASIS
from facegen.rigging.packed_shapes import PackedShapes
from facegen.rigging.shipped_head import shown_rows


def test_the_face_is_the_models_and_teeth_go_with_the_jaw(surprised, head_studio) -> None:
    model, clip = surprised
    stage = clip.stage
    moved = clip.frames.read(4, 6)[1] - stage.rest
    face = len(model.hierarchy.template.vertices)
    assert not stage.face.carry(np.zeros((1, face, 3), np.float32)).any()  # rest is rest
    chin = moved[:face, 1].min()
    teeth = part(range(17039, 21451))
    low = teeth & (stage.rest[:, 1] < np.median(stage.rest[teeth, 1]))
    assert chin < -8 and -0.2 > moved[low, 1].mean() / -chin > -1.0
    assert np.abs(moved[teeth & ~low]).mean() < 1  # the upper teeth are the skull's
    assert len(stage.body.eyes) == 2
    assert len(read_mesh(head_studio.files[head_studio.first]).faces) == len(stage.face.mesh.faces)


def part(rows: range) -> np.ndarray:
    """Which vertices of the head are those of its file's."""
    shown = shown_rows(len(PackedShapes.load(BASIS).mesh.vertices))
    return np.isin(np.arange(len(shown)), rows)[shown]

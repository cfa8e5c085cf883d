"""A basis made of the built-in face, and a rig of a mesh of other topology, made once by the command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from one_face import fields, remeshed, template

from facegen.cli import run
from facegen.exporters import export
from facegen.mesh import TriMesh, write_mesh
from facegen.sequence.sequence import Sequence

HERE = ("browInnerUp", "browDownLeft", "noseSneerLeft", "mouthSmileLeft", "mouthFrownLeft", "jawOpen")
"""What the built-in face's six motions are called here."""


@pytest.fixture(scope="session")
def basis_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as users have it: a neutral and a mesh a shape, in cm."""
    folder = tmp_path_factory.mktemp("rig") / "basis"
    folder.mkdir()
    rest = template()
    write_mesh(folder / "neutral.obj", rest.with_vertices(rest.vertices / 10))
    for name, field in zip(HERE, fields(), strict=True):
        write_mesh(folder / f"{name}.obj", rest.with_vertices((rest.vertices + field) / 10))
    return folder


def still(path: Path, mesh: TriMesh) -> Path:
    """Write a mesh as glTF."""
    export(Sequence(mesh.vertices[None], mesh.faces, 25, np.zeros((1, 0)), ()), path)
    return path


@dataclass(frozen=True)
class Rigged:
    """What `facegen rig` made of a face.

    Args:
        path: the .glb.
        said: what was printed.
        truth: by name, (U, 3) mm, how its vertices would move by themselves.
    """

    path: Path
    said: str
    truth: dict[str, np.ndarray]


@pytest.fixture(scope="session")
def rigged(basis_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Rigged:
    """The built-in face in other triangles, rigged by the command."""
    pytest.importorskip("mediapipe")
    folder = tmp_path_factory.mktemp("rigged")
    mesh, matrix = remeshed()
    neutral = still(folder / "face.glb", mesh)
    from contextlib import redirect_stdout
    from io import StringIO

    with redirect_stdout(StringIO()) as said:
        done = run(["rig", str(neutral), "--arkit-basis", str(basis_folder), "--out", str(folder / "rigged.glb")])
    assert done == 0
    truth = {name: matrix @ field for name, field in zip(HERE, fields(), strict=True)}
    return Rigged(folder / "rigged.glb", said.getvalue(), truth)

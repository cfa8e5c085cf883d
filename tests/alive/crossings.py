"""How deep lids cross eyeballs in random states: `python tests/alive/crossings.py [STATES] [ICT-FaceKit] [MakeHuman]`.

The built-in head with eyeballs, and, by the folders of their data, ICT-FaceKit's head and MakeHuman's body with its
eyes. It fails where any lid crosses by more than 0.1 mm.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from seeing_head import body, deepest, done, head

from facegen.alive.body import Body
from facegen.data.sources.ict_face import MM
from facegen.detection.search import find_landmarks
from facegen.mesh import TriMesh, read_mesh
from facegen.mesh.formats.io import read_portion

MOST = 0.1
"""mm."""
GROUPS = "body,helper-l-eye,helper-r-eye"
DECIMETRE = 100.0


def heads(roots: list[Path]) -> Iterator[tuple[str, Body, TriMesh]]:
    yield "built-in", body(), head()[0]
    for root in roots:
        if (root / "base.obj").is_file():
            mesh, factor = read_portion(root / "base.obj", GROUPS).mesh, DECIMETRE
        else:
            mesh, factor = read_mesh(root / "FaceXModel" / "generic_neutral_mesh.obj"), MM
        mesh = TriMesh(mesh.vertices * factor, mesh.faces)
        yield root.name, Body.of(mesh, find_landmarks(mesh, root.name).points), mesh


def main(states: int, roots: list[Path]) -> int:
    worst = 0.0
    for name, found, mesh in heads(roots):
        generator, deep = np.random.default_rng(0), 0.0
        for _ in range(states):
            shut = tuple(np.clip(generator.uniform(-0.3, 1.3, 2), 0, 1))
            moved = mesh.vertices[None].astype(np.float32)
            found.move(moved, done(shut, tuple(generator.uniform([-20, -14], [20, 14]))))
            deep = max(deep, deepest(found, mesh, moved[0]))
        print(f"{name}: {len(mesh.vertices)} vertices, {deep:.3f} mm in {states} states", flush=True)
        worst = max(worst, deep)
    return int(worst > MOST)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    sys.exit(main(count, [Path(each) for each in sys.argv[2:]]))

"""A clone of ICT-FaceKit in small: its files' form, with a bulge for a face and a few of its shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.data.sources.ict_face import MM, REGIONS

WIDTH = 82
"""Vertices of a row of the bulge."""
SHAPES = {
    "jawOpen": (0, -60, 0, -2),
    "mouthSmile_L": (25, -25, 1, 1),
    "mouthSmile_R": (-25, -25, 1, 1),
    "browInnerUp_L": (15, 50, 0, 1),
    "browInnerUp_R": (-15, 50, 0, 1),
    "eyeBlink_L": (30, 30, 0, -1),
    "eyeBlink_R": (-30, 30, 0, -1),
    "noseSneer_L": (10, 0, 0, 1),
    "noseSneer_R": (-10, 0, 0, 1),
}
"""By the model's names: x and y in mm of where each shape moves most, and how far it moves in x and y, cm."""


def write_ict_clone(root: Path) -> Path:
    """Write the folder, with vertices and polygons of the region `narrow`."""
    count, polygons = REGIONS["narrow"]
    x, y = np.arange(count) % WIDTH, np.arange(count) // WIDTH
    rest = np.column_stack([(x - WIDTH / 2) * 1.8, (y - WIDTH / 2) * 2.4, np.zeros(count)])
    rest[:, 2] = 130 - 0.008 * (rest[:, :2] ** 2).sum(axis=1)
    quads = [[v, v + 1, v + 1 + WIDTH, v + WIDTH] for v in range(count) if x[v] < WIDTH - 1 and v + 1 + WIDTH < count]
    halved = polygons - len(quads)
    faces = [tri for a, b, c, d in quads[:halved] for tri in ([a, b, c], [a, c, d])] + quads[halved:]
    ends = "".join("f " + " ".join(str(v + 1) for v in face) + "\n" for face in faces)
    folder = root / "FaceXModel"
    folder.mkdir(parents=True)

    def write(name: str, vertices: np.ndarray) -> None:
        rows = "".join(f"v {a:.6f} {b:.6f} {c:.6f}\n" for a, b, c in (vertices / MM).tolist())
        (folder / f"{name}.obj").write_text(rows + ends)

    write("generic_neutral_mesh", rest)
    write("identity000", rest + [[0, 0, 0.05]] * rest[:, :1] + rest * 0.03)
    write("identity001", rest + np.outer(np.cos(rest[:, 1] / 40), [0, 0, 4.0]))
    for name, (u, v, right, up) in SHAPES.items():
        near = np.exp(-((rest[:, 0] - u) ** 2 + (rest[:, 1] - v) ** 2) / (2 * 15.0**2))
        write(name, rest + near[:, None] * [right * MM, up * MM, 2.0])
    return root

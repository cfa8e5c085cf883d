"""Datasets that keep a mesh for every frame, small, in their real layouts, with nobody's face in them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation
from shapes import sphere

from facegen.mesh import TriMesh, write_mesh
from facegen.motion.label import Phases

BALL = sphere(150)
HEAD = BALL.with_vertices(2 * BALL.vertices)
"""150 vertices, radius 100 mm."""

FRAMES, PHASES = 70, Phases(12, 26, 41, 58)
"""Of every recording, at 60 frames a second."""

METRE = 0.001  # of a mm
COMA = ("FaceTalk_170725_00137_TA", "FaceTalk_170728_03272_TA", "FaceTalk_170731_00024_TA", "FaceTalk_170809_00138_TA")
FAMOS = tuple(f"FaMoS_subject_{number:03d}" for number in (1, 2, 9, 10))
D3DFACS = ("Adrian", "Joe", "Kelly", "Mel")
FOURDFAB = ("1", "2", "3", "10")


def neutral(person: int) -> np.ndarray:
    """(V, 3) mm: heads of several sizes, at several places."""
    return HEAD.vertices * (1 + 0.04 * person) + (0, 3.0 * person, 0)


def moving(person: int, expression: int, curve: np.ndarray, seed: int = 0) -> np.ndarray:
    """(T, V, 3) mm: the lower half moves by up to 12 mm, in a direction of the expression's, and the head turns."""
    rest = neutral(person)
    weight = np.clip(-HEAD.vertices[:, 1] / 100, 0, 1) ** 2
    way = np.array([np.cos(expression), np.sin(expression), 0.5]) * 12 * (1 + 0.1 * person)
    noise = np.random.default_rng([seed, person, expression]).normal(0, 0.02, (len(curve), *rest.shape))
    posed = rest + curve[:, None, None] * weight[:, None] * way + noise
    turns = Rotation.from_euler("y", 6 * np.sin(np.arange(len(curve)) / 15)[:, None], degrees=True)
    return np.stack([turn.apply(pose) for turn, pose in zip(turns, posed, strict=True)])


def one_peak(strength: float = 1.0) -> np.ndarray:
    """A smooth rise, a peak and a fall, as `PHASES` says."""
    return strength * PHASES.envelope(FRAMES, "smooth")


def write_frames(paths: Iterable[Path], vertices: np.ndarray, scale: float) -> None:
    """A mesh a frame, in units of `scale` for a mm."""
    for path, pose in zip(paths, vertices, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_mesh(path, TriMesh(pose * scale, HEAD.faces))


def write_coma(root: Path, expressions: tuple[str, ...] = ("bareteeth", "mouth_open")) -> Path:
    """`FaceTalk_..._TA/bareteeth/bareteeth.000001.ply`; the last subject lacks the last expression."""
    for person, subject in enumerate(COMA):
        for number, name in enumerate(expressions):
            if (subject, name) != (COMA[-1], expressions[-1]):
                paths = [root / subject / name / f"{name}.{frame:06d}.ply" for frame in range(1, FRAMES + 1)]
                write_frames(paths, moving(person, number, one_peak(0.7 + 0.1 * person)), METRE)
    return root


def write_famos(root: Path) -> Path:
    """`registrations/FaMoS_subject_001/anger/anger.000001.ply`, a sequence that is no emotion among them."""
    for person, subject in enumerate(FAMOS):
        for number, name in enumerate(("anger", "happiness", "head_rotation_up_down")):
            folder = root / "registrations" / subject / name
            paths = [folder / f"{name}.{frame:06d}.ply" for frame in range(1, FRAMES + 1)]
            write_frames(paths, moving(person, number, one_peak(0.7 + 0.1 * person)), METRE)
    return root


def write_d3dfacs(root: Path) -> Path:
    """`Joe/1+2/1+2_175.ply`: frames are numbered from anywhere, without leading zeros."""
    for person, subject in enumerate(D3DFACS):
        for number, name in enumerate(("1+2", "12", "4")):
            start = 5 + 61 * number
            paths = [root / subject / name / f"{name}_{start + frame}.ply" for frame in range(FRAMES)]
            write_frames(paths, moving(person, number, one_peak(0.7 + 0.1 * person)), METRE)
    return root


def write_fourdfab(root: Path) -> Path:
    """`1/happy/1.obj`, in mm, without leading zeros, with a folder of something else beside."""
    for person, subject in enumerate(FOURDFAB):
        for number, name in enumerate(("happy", "sad")):
            paths = [root / subject / name / f"{frame}.obj" for frame in range(FRAMES)]
            write_frames(paths, moving(person, number, one_peak(0.7 + 0.1 * person)), 1.0)
    (root / "1" / "notes.txt").write_text("nothing of ours")
    return root


def write_folder(root: Path) -> Path:
    """`ann/happy/0.ply` with neutrals and settings."""
    for person, subject in enumerate(("ann", "bob", "cleo", "dan")):
        for number, name in enumerate(("happy", "sad")):
            paths = [root / subject / name / f"{frame}.ply" for frame in range(FRAMES)]
            write_frames(paths, moving(person, number, one_peak(0.7 + 0.1 * person)), 0.1)
        write_frames([root / "neutral" / f"{subject}.ply"], neutral(person)[None], 0.1)
    (root / "dataset.yaml").write_text("units: cm\nfps: 60\n")
    return root

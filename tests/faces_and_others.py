"""Heads of many kinds, and things that are none, by formulas and by the data that is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation
from shapes import grid, sphere

from facegen.data.sources.built_in.skull import EYE
from facegen.data.sources.casting import Casting
from facegen.data.sources.synthetic import SyntheticSource
from facegen.mesh import TriMesh
from facegen.mesh.decimation import decimate
from facegen.mesh.formats.obj import read_obj, read_obj_vertices
from facegen.mesh.subdivision import subdivide_to

Case = tuple[str, TriMesh]
"""A name, and a mesh in any units."""
ICT_SKIN, ICT_EYES = 11248, (21451, 23021)
"""Vertices of face, back of the head and neck, the first ones of ICT's head; where each eyeball's 770 begin (README of
ICT-FaceKit)."""


def joined(*meshes: TriMesh) -> TriMesh:
    """Several meshes as one of several pieces."""
    first = np.cumsum([0, *(len(each.vertices) for each in meshes)])
    faces = [each.faces + start for each, start in zip(meshes, first, strict=False)]
    return TriMesh(np.concatenate([each.vertices for each in meshes]), np.concatenate(faces))


def cut(mesh: TriMesh, kept: np.ndarray) -> TriMesh:
    """The triangles whose corners are all in `kept`, (V,) bool."""
    used, faces = np.unique(mesh.faces[kept[mesh.faces].all(axis=1)], return_inverse=True)
    return TriMesh(mesh.vertices[used], faces.reshape(-1, 3))


def moved(mesh: TriMesh, change: Callable[[np.ndarray], np.ndarray]) -> TriMesh:
    return TriMesh(change(mesh.vertices), mesh.faces)


def ball(middle: tuple[float, float, float], radii: tuple[float, float, float], count: int = 1500) -> TriMesh:
    return moved(sphere(count), lambda points: points / 50 * radii + middle)


def waves(points: np.ndarray, generator: np.random.Generator, length: float, height: float) -> np.ndarray:
    """(V,) smooth noise of a wavelength, in the units of `points` (V, 3)."""
    turns = generator.normal(size=(40, 3)) / length
    phase = generator.uniform(0, 2 * np.pi, 40)
    return height * np.sqrt(2 / 40) * np.cos(2 * np.pi * points @ turns.T + phase).sum(axis=1)


class BuiltIn:
    """Heads made by formulas, in mm."""

    eyes = np.array([[EYE[0], EYE[1], 80.0], [-EYE[0], EYE[1], 80.0]])
    shut, opened = ("AU45_L", "AU45_R"), ("AU27",)

    def __init__(self, vertices: int = 2500) -> None:
        self.source = SyntheticSource(Casting(2), vertices)
        self.faces = self.source.template.faces

    def draw(self, generator: np.random.Generator, units: tuple[str, ...] = ()) -> TriMesh:
        person = self.source.person(generator)
        pose = person.pose({unit: np.ones(1) for unit in units})[0] if units else person.neutral
        return TriMesh(pose, self.faces)


class Ict:
    """ICT's head with eyes and teeth, in cm."""

    shut, opened = ("eyeBlink_L", "eyeBlink_R"), ("jawOpen",)

    def __init__(self, root: Path) -> None:
        self.folder = root / "FaceXModel"
        whole = read_obj(self.folder / "generic_neutral_mesh.obj")
        self.mean, self.faces = whole.vertices, whole.faces
        self.modes = [read_obj_vertices(path) - self.mean for path in sorted(self.folder.glob("identity0*.obj"))]
        self.eyes = np.stack([self.mean[first : first + 770].mean(axis=0) for first in ICT_EYES])

    def draw(self, generator: np.random.Generator, units: tuple[str, ...] = (), spread: float = 1.0) -> TriMesh:
        weights = spread * generator.normal(size=len(self.modes))
        shape = self.mean + sum(weight * mode for weight, mode in zip(weights, self.modes, strict=True))
        for unit in units:
            shape = shape + read_obj_vertices(self.folder / f"{unit}.obj") - self.mean
        return TriMesh(shape, self.faces)


def makehuman(root: Path) -> TriMesh:
    """The person of MakeHuman's base mesh, a whole body, in dm; all that is drawn beside it is left out."""
    lines, group, corners = (root / "base.obj").read_text().splitlines(), "", []
    points = np.array([line.split()[1:4] for line in lines if line.startswith("v ")], dtype=float)
    for line in lines:
        if line.startswith("g "):
            group = line[2:].strip()
        elif line.startswith("f ") and group == "body":
            corners.append([int(corner.split("/")[0]) - 1 for corner in line.split()[1:]])
    mesh = TriMesh.from_polygons(points, np.array([row + [-1] * (4 - len(row)) for row in corners]))
    used = np.zeros(len(points), bool)
    used[mesh.faces] = True
    return cut(mesh, used)


def _large_eyes(mesh: TriMesh, eyes: np.ndarray, by: float) -> TriMesh:
    """Everything around each eye made larger, as drawn characters have it."""
    reach = 0.32 * np.linalg.norm(eyes[0] - eyes[1]) * 2

    def change(points: np.ndarray) -> np.ndarray:
        for eye in eyes:
            off = points - eye
            points = points + (by - 1) * np.exp(-np.square(np.linalg.norm(off, axis=1) / reach))[:, None] * off
        return points

    return moved(mesh, change)


def _snout(mesh: TriMesh, eyes: np.ndarray, by: float) -> TriMesh:
    """Nose and mouth drawn out, as animals have it; `by` in distances of the eyes."""
    apart = np.linalg.norm(eyes[0] - eyes[1])
    middle = eyes.mean(axis=0) - [0, 0.8 * apart, 0]

    def change(points: np.ndarray) -> np.ndarray:
        off = (points - middle)[:, :2] / (0.75 * apart)
        front = points[:, 2] > eyes[:, 2].mean() - 0.5 * apart
        bump = np.exp(-(off**2).sum(axis=1)) * front
        return points + by * apart * bump[:, None] * [0, -0.2, 1]

    return moved(mesh, change)


def _hair(mesh: TriMesh, eyes: np.ndarray, generator: np.random.Generator) -> TriMesh:
    """A cap of hair around skull and neck that leaves the face free."""
    apart = np.linalg.norm(eyes[0] - eyes[1])
    middle = eyes.mean(axis=0) + [0, 0.5 * apart, -1.0 * apart]
    shell = ball((0, 0, 0), (1.75, 2.1, 2.0), 3000)
    points = shell.vertices * apart
    points *= 1 + waves(points, generator, 0.5 * apart, 0.04)[:, None]
    face = (points[:, 2] > 0.5 * apart) & (points[:, 1] < 1.1 * apart)
    return joined(mesh, cut(TriMesh(points + middle, shell.faces), ~face & (points[:, 1] > -1.5 * apart)))


def without_features(mesh: TriMesh, eyes: np.ndarray, share: float) -> TriMesh:
    """The face's features taken off: what is in front is drawn towards an ellipsoid; `share` 1 takes all."""
    apart = np.linalg.norm(eyes[0] - eyes[1])
    middle = eyes.mean(axis=0) + [0, -0.5 * apart, -1.4 * apart]
    radii = np.array([1.15, 1.9, 1.55]) * apart

    def change(points: np.ndarray) -> np.ndarray:
        off = (points - middle) / radii
        length = np.linalg.norm(off, axis=1, keepdims=True)
        front = np.clip(off[:, 2:] / np.maximum(length, 1e-9) * 3, 0, 1)
        return points + share * front * (middle + off / np.maximum(length, 1e-9) * radii - points)

    return moved(mesh, change)


def _animal(generator: np.random.Generator) -> TriMesh:
    """A drawn animal's head: balls for skull, snout, nose, cheeks, eyes and ears."""
    wide, long = generator.uniform(0.8, 1.3), generator.uniform(20, 60)
    parts = [ball((0, 0, 0), (80 * wide, 75, 75))]
    parts += [ball((0, -25, 60 + long / 2), (32, 25, 25 + long / 2)), ball((0, -12, 85 + long), (12, 8, 8), 300)]
    high = generator.uniform(60, 130)
    for side in (-1, 1):
        parts += [ball((side * 33, 18, 64), (13, 16, 10), 300), ball((side * 55, high, -5), (20, 45, 10), 300)]
        parts += [ball((side * 35, -30, 50), (28, 22, 22), 300)]
    return joined(*parts)


def _hand(generator: np.random.Generator) -> TriMesh:
    parts = [ball((0, 0, 0), (45, 50, 15))]
    for finger, lean in enumerate(np.linspace(-0.5, 0.35, 5)):
        long = (30, 42, 46, 43, 34)[finger] * generator.uniform(0.9, 1.1)
        turn = Rotation.from_euler("z", -lean).as_matrix()
        parts.append(moved(ball((0, 45 + long, 0), (9, long, 9), 400), lambda points, turn=turn: points @ turn.T))
    return joined(*parts)


def _body(generator: np.random.Generator) -> TriMesh:
    limbs = [ball((0, -300, 0), (150, 300, 100)), ball((0, -90, 0), (550, 45, 45), 600), ball((0, 10, 0), (55, 60, 55))]
    return joined(*limbs, *(ball((side * 90, -1000, 0), (70, 460, 70), 600) for side in (-1, 1)))


def _blob(generator: np.random.Generator, length: float, height: float) -> TriMesh:
    radii = generator.uniform(0.8, 1.25, 3) * (75, 100, 85)
    shape = ball((0, 0, 0), tuple(radii), 5000)
    return moved(shape, lambda points: points * (1 + waves(points, generator, length, height)[:, None]))


def _torus(inner: float) -> TriMesh:
    sheet = grid(61, 61)
    one, two = (2 * np.pi * sheet.vertices[:, :2] / 60).T
    ring = 80 + inner * np.cos(two)
    return TriMesh(np.stack([ring * np.cos(one), ring * np.sin(one), inner * np.sin(two)], axis=1), sheet.faces)


def _cube(edge: float) -> TriMesh:
    return moved(sphere(3000), lambda points: edge * np.clip(points / 28, -1, 1))


def _turned(mesh: TriMesh, generator: np.random.Generator) -> TriMesh:
    turn = Rotation.from_quat(generator.normal(size=4)).as_matrix()
    return moved(mesh, lambda points: points @ turn.T)


@cache
def _kinds(ict: Path | None) -> tuple[BuiltIn | Ict, ...]:
    return (BuiltIn(),) if ict is None else (BuiltIn(), Ict(ict))


def heads(ict: Path | None, human: Path | None) -> Iterator[Case]:
    """Heads that are to be accepted."""
    for kind in _kinds(ict):
        name, g = type(kind).__name__, np.random.default_rng(1)
        for number in range(8):
            yield f"{name} {number}", kind.draw(g)
        for number in range(3):
            yield f"{name} turned {number}", _turned(kind.draw(g), g)
        for number in range(3):
            yield f"{name} hair {number}", _hair(kind.draw(g), kind.eyes, g)
        for number in range(2):
            yield f"{name} 1200 vertices {number}", decimate(_skin(kind, kind.draw(g)), 1200)[1]
        yield f"{name} subdivided", subdivide_to(_skin(kind, kind.draw(g)), 30_000)[0]
        for by in (1.3, 1.6, 2.0):
            yield f"{name} eyes {by}", _large_eyes(kind.draw(g), kind.eyes, by)
        for number in range(6):
            scale = g.uniform(0.8, 1.25, 3)
            yield f"{name} stretched {number}", moved(kind.draw(g), lambda points, scale=scale: points * scale)
        for share in (0.002, 0.004, 0.008):
            mesh = _skin(kind, kind.draw(g))
            noise = g.normal(size=mesh.vertices.shape) * share * np.ptp(mesh.vertices[:, 0])
            yield f"{name} noise {share}", TriMesh(mesh.vertices + noise, mesh.faces)
        for number in range(2):
            mesh = kind.draw(g)
            low = mesh.vertices[:, 1] < kind.eyes[0, 1] - 1.7 * np.linalg.norm(kind.eyes[0] - kind.eyes[1])
            yield f"{name} no neck {number}", cut(mesh, ~low)
            yield f"{name} eyes shut {number}", kind.draw(g, kind.shut)
            yield f"{name} mouth open {number}", kind.draw(g, kind.opened)
    if ict is not None:
        kind, g = _kinds(ict)[1], np.random.default_rng(2)
        for number, spread in enumerate((1.5, 1.5, 2.0, 2.0, 2.5)):
            yield f"Ict drawn by {spread} {number}", kind.draw(g, (), spread)  # type: ignore[union-attr]
    if human is not None:
        body = makehuman(human)
        yield "MakeHuman body", body
        yield "MakeHuman head", cut(body, body.vertices[:, 1] > 6.0)


def _skin(kind: BuiltIn | Ict, mesh: TriMesh) -> TriMesh:
    """Without eyes and teeth."""
    return cut(mesh, np.arange(len(mesh.vertices)) < ICT_SKIN) if isinstance(kind, Ict) else mesh


def others(ict: Path | None) -> Iterator[Case]:
    """What is to be refused."""
    g = np.random.default_rng(3)
    for count in (300, 2000, 8000):
        yield f"ball {count}", sphere(count)
    for number in range(4):
        yield f"ellipsoid {number}", ball((0, 0, 0), tuple(g.uniform(0.6, 1.4, 3) * 80))
    yield "cube", _cube(60)
    yield "torus", _torus(25)
    yield "thick torus", _torus(55)
    for number in range(12):
        yield f"blob {number}", _blob(g, (60, 90, 140)[number % 3], (0.03, 0.06, 0.1, 0.15)[number % 4])
    for number in range(2):
        yield f"hand {number}", _hand(g)
    for number in range(5):
        yield f"animal {number}", _animal(g)
    yield "animal on its side", moved(_animal(g), lambda points: points[:, [1, 0, 2]] * [1, -1, 1])
    yield "body without head", _body(g)
    for kind in _kinds(ict):
        name = type(kind).__name__
        apart = float(np.linalg.norm(kind.eyes[0] - kind.eyes[1]))
        for share in (0.85, 1.0):
            yield f"{name} masked {share}", without_features(_skin(kind, kind.draw(g)), kind.eyes, share)
        mesh = _skin(kind, kind.draw(g))
        front = mesh.vertices[:, 2] > kind.eyes[0, 2] - 0.9 * apart
        yield f"{name} without its front", cut(mesh, ~front)
        yield f"{name} back of the head", cut(mesh, mesh.vertices[:, 2] < kind.eyes[0, 2] - 1.2 * apart)
        for by in (1.5, 2.5):
            yield f"{name} snout {by}", _snout(_skin(kind, kind.draw(g)), kind.eyes, by)
        yield f"{name} flattened", moved(mesh, lambda points: points * [1, 1, 0.06])
        yield f"{name} crumpled", _crumpled(mesh, kind.eyes, g)
        yield f"{name} half a face", cut(mesh, mesh.vertices[:, 0] > -0.1 * apart)


def _crumpled(mesh: TriMesh, eyes: np.ndarray, generator: np.random.Generator) -> TriMesh:
    """A head whose face is pushed in and out at random."""
    apart = float(np.linalg.norm(eyes[0] - eyes[1]))
    flat = without_features(mesh, eyes, 0.8)
    return moved(flat, lambda points: points + [0, 0, 1] * waves(points, generator, 0.7 * apart, 0.12 * apart)[:, None])

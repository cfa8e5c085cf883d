"""Rendered people of ICT-FaceKit's modes from three sides each, and where the detector sees their landmarks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from benchmark.photo_people import People, pixels
from benchmark.photos import Measure
from PIL import Image

from facegen.detection.detector import CUT_EDGE, cut_out, detect, look_closely
from facegen.files import new_file
from facegen.mesh.alignment import similarity
from facegen.photo.leaning import stand
from facegen.pictures.render import Camera, render
from facegen.progress import following

STREAM, SIZE = 77, 448
"""Of the seeds, another than that of `benchmark.photos`, so that nobody is one of those on whom photographs are
measured; pixels of a picture's edge, of which a face takes more than the detector looks at."""
SIDES = ((-15, 15), (15, 48), (-48, -15))
"""Degrees between which each picture's turn is drawn. Chosen: what several photographs of a person show."""
PAINTED = 0.8
"""Share of the people with painted brows, lips and eyes; the others are clay. Chosen: photographs show such, but not
these colours alone."""
STRAY = 40
"""Pixels from the true landmarks, on average, beyond which something else was taken for the face. Chosen."""


@dataclass(frozen=True, eq=False)
class Looks:
    """What was seen in N pictures.

    Args:
        person: (N,) number of who is in it.
        found: (N, 468, 2) pixels, landmarks.
        position: (N, 3) mm, of the camera.
        axes: (N, 3, 3) of the camera.
        field: (N,) of view, degrees.
    """

    person: np.ndarray
    found: np.ndarray
    position: np.ndarray
    axes: np.ndarray
    field: np.ndarray

    @classmethod
    def at(cls, people: People, count: int) -> Looks:
        """Look at so many people from all sides."""
        rows = []
        for number in following(range(count), "looking", "person"):
            generator = np.random.default_rng([STREAM, number])
            person = people.drawn(generator)
            colors = person.colors if generator.random() < PAINTED else None
            for side in SIDES:
                camera = people.camera(person, generator.uniform(*side), generator)
                picture = render(person.vertices, people.faces, camera, size=SIZE, colors=colors)
                found = _seen(picture, pixels(camera, person.marks[people.known], SIZE), np.asarray(people.known))
                if found is not None:
                    rows.append((number, found.astype(np.float32), camera.position, camera.axes, camera.field_of_view))
        return cls(*(np.array(each) for each in zip(*rows, strict=True)))

    @classmethod
    def read(cls, file: Path) -> Looks:
        """What `write` wrote."""
        with np.load(file) as arrays:
            return cls(**{each.name: arrays[each.name] for each in fields(cls)})

    def write(self, file: Path) -> None:
        """Keep it."""
        with new_file(file) as aside, aside.open("wb") as opened:
            np.savez_compressed(opened, **vars(self))


@dataclass(frozen=True, eq=False)
class Views:
    """The same by the faces that are seen: everybody as large as the mean face, since no picture tells a size.

    Args:
        person: (N,) number of who is in it.
        shape: (N, P) their coefficients.
        stood: (N, 4) where the camera stood, see `facegen.photo.leaning.stand`.
        off: (N, K, 2) mm by which landmarks were found beside the true ones.
        slopes: (N, K, 2, 3) how a landmark's motion, mm, moves it in the picture, mm.
    """

    person: np.ndarray
    shape: np.ndarray
    stood: np.ndarray
    off: np.ndarray
    slopes: np.ndarray

    @classmethod
    def of(cls, looks: Looks, people: People, measure: Measure) -> Views:
        """Of those who were seen; they must lie in the order of their numbers."""
        mean, marks = measure.mean, measure.marks
        modes = measure.identity.modes.astype(np.float64)
        known = np.linalg.pinv(modes.reshape(len(modes), -1).T)
        rows = []
        for number in following(np.unique(looks.person), "measuring", "person"):
            true = people.vertices(np.random.default_rng([STREAM, number]))[: people.count]
            placed = similarity(true, mean)
            shape = known @ (placed(true) - mean).ravel()
            points = placed.inverse(marks.matrix @ (mean + np.tensordot(shape, modes, 1)))
            for at in np.flatnonzero(looks.person == number):
                camera = Camera(looks.position[at], looks.axes[at], float(looks.field[at]))
                local = (points - camera.position) @ camera.axes.T
                focal, away = SIZE / 2 / np.tan(np.radians(camera.field_of_view) / 2), -local[:, 2]
                slope = np.zeros((len(points), 2, 3))
                slope[:, 0, 0], slope[:, 1, 1] = 1 / away, -1 / away
                slope[:, :, 2] = local[:, :2] * [1, -1] / away[:, None] ** 2
                scale, axes = focal / away.mean() / placed.scale, camera.axes @ placed.rotation.T
                off = (looks.found[at][marks.numbers] - pixels(camera, points, SIZE)) / scale
                rows.append((number, shape, stand(axes), off, away.mean() * slope @ axes))
        return cls(*(np.array(each) for each in zip(*rows, strict=True)))


def _seen(picture: np.ndarray, exact: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """(468, 2) landmarks, looked for where the face is, which takes half as long as to search the whole picture."""
    extent = float(np.ptp(exact, axis=0).max())
    corner, step = (exact.max(axis=0) + exact.min(axis=0)) / 2 - extent, 2 * extent / CUT_EDGE
    for face in detect(cut_out(Image.fromarray(picture), step * np.eye(2), corner))[:1]:
        found = look_closely(picture, face * step + corner)
        if np.linalg.norm(found[known] - exact, axis=1).mean() < STRAY:
            return found
    return None

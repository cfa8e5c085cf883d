"""What FaceMesh errs by on rendered people, `facegen/photo/leaning.npz`: `make leaning`.

    python tests/benchmark/learn_leaning.py ICT-FaceKit [--people N] [--out FILE]

Half an hour. People are drawn from all of ICT-FaceKit's identity modes, others than `make photos` draws, in
paint and in clay, and rendered from four sides each; what `facegen.photo.leaning` says of the landmarks that are found
is then what explains their distances from the true ones best.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmark.photo_people import People, pixels
from benchmark.photos import Measure

from facegen.checkpoint import load
from facegen.errors import FacegenError
from facegen.files import new_file
from facegen.mesh.alignment import rigid_transform
from facegen.photo.leaning import FILE, stand
from facegen.photo.picture import find_face
from facegen.pictures.render import render
from facegen.pretrained import MODEL
from facegen.progress import following

STREAM, PEOPLE, SIZE = 77, 260, 448
SIDES = ((-8, 8), (-20, 20), (20, 48), (-48, -20))
"""Degrees between which each picture's turn is drawn."""
PAINTED = 0.6
"""Share of the people with painted brows, lips and eyes."""
MODES, TOGETHER, ROUNDS = 50, 60, 3
"""Modes of people that are known, directions of errors that are found, and rounds of finding them."""
HELD, FREE, SHARED = 150.0, 0.5, 4.0
"""Ridges: of what modes do beyond a common share of their own motion, of biases, and of shared errors. Chosen on people
left out."""
NOISE = 0.8
"""mm by which each landmark is off alone. Chosen by the error of fits; what is left over is less, since landmarks near
each other are not independent."""
STRAY = 40
"""Pixels from the true landmarks, beyond which something else was taken for the face."""


@dataclass(frozen=True, eq=False)
class Views:
    """What was seen in N pictures.

    Args:
        people: (N, C) coefficients of who is in it.
        stood: (N, 4) where the camera stood, see `facegen.photo.leaning.stand`.
        off: (N, K, 2) mm by which landmarks were found beside the true ones.
        slopes: (N, K, 2, 3) how a landmark's motion, mm, moves it in the picture, mm.
    """

    people: np.ndarray
    stood: np.ndarray
    off: np.ndarray
    slopes: np.ndarray


def seen(people: People, measure: Measure, count: int) -> Views:
    """Look at people from all sides."""
    mean, marks = measure.mean, measure.marks
    modes = measure.identity.modes[:MODES].astype(np.float64)
    known = np.linalg.pinv(modes.reshape(len(modes), -1).T)
    rows = []
    for number in following(range(count), "looking", "person"):
        generator = np.random.default_rng([STREAM, number])
        person = people.drawn(generator)
        true = person.vertices[: people.count]
        turn, shift = rigid_transform(true, mean)
        share = known @ (true @ turn.T + shift - mean).ravel()
        points = (marks.matrix @ (mean + np.tensordot(share, modes, 1)) - shift) @ turn
        colors = person.colors if generator.random() < PAINTED else None
        for side in SIDES:
            camera = people.camera(person, generator.uniform(*side), generator)
            picture = render(person.vertices, people.faces, camera, size=SIZE, colors=colors)
            try:
                found = find_face(picture, None, "a render")[marks.numbers]
            except FacegenError:
                continue
            exact = pixels(camera, points, SIZE)
            if np.linalg.norm(found - exact, axis=1).mean() > STRAY:
                continue
            local = (points - camera.position) @ camera.axes.T
            focal, away = SIZE / 2 / np.tan(np.radians(camera.field_of_view) / 2), -local[:, 2]
            slope = np.zeros((len(points), 2, 3))
            slope[:, 0, 0], slope[:, 1, 1] = focal / away, -focal / away
            slope[:, :, 2] = focal * local[:, :2] * [1, -1] / away[:, None] ** 2
            scale = focal / away.mean()
            axes = camera.axes @ turn.T
            rows.append((share, stand(axes), (found - exact) / scale, slope @ axes / scale))
    return Views(*(np.array(each) for each in zip(*rows, strict=True)))


def regressed(views: Views, told: np.ndarray, off: np.ndarray, ridge: np.ndarray) -> np.ndarray:
    """(F, K, 3) motions of landmarks that explain what they are off by (N, K, 2), of what is told (N, F)."""
    count, width = told.shape
    slopes = views.slopes.transpose(1, 0, 2, 3)
    squares = np.einsum("knpc,knpd->nkcd", slopes, slopes).reshape(count, -1)
    pairs = (told[:, :, None] * told[:, None, :]).reshape(count, -1)
    points = len(slopes)
    matrix = (pairs.T @ squares).reshape(width, width, points, 3, 3).transpose(2, 0, 3, 1, 4)
    matrix = matrix.reshape(points, 3 * width, 3 * width)
    wanted = (told.T @ np.einsum("knpc,nkp->nkc", slopes, off).reshape(count, -1)).reshape(width, points, 3)
    diagonal = np.arange(3 * width)
    matrix[:, diagonal, diagonal] += np.repeat(ridge, 3)
    right = wanted.transpose(1, 0, 2).reshape(points, 3 * width, 1)
    return np.linalg.solve(matrix, right)[..., 0].reshape(points, width, 3).transpose(1, 0, 2)


def shared(views: Views, left: np.ndarray) -> np.ndarray:
    """(R, K, 3) directions of what is left (N, K, 2), by which landmarks are off together, one standard deviation each.

    Factor analysis by expectation and maximisation (Rubin and Thayer, "EM algorithms for ML factor analysis",
    Psychometrika 1982).
    """
    count = len(left)
    lifted = np.einsum("nkpc,nkp->nkc", views.slopes, left).reshape(count, -1)
    rank = min(TOGETHER, count)
    factors = np.linalg.eigh(lifted @ lifted.T)[1][:, ::-1][:, :rank] * np.sqrt(count)
    found, variance = np.zeros((rank, left.shape[1], 3)), 0.05
    for _ in range(ROUNDS):
        found = regressed(views, factors, left, np.full(rank, SHARED))
        spread, rest, values = np.zeros((rank, rank)), 0.0, 0
        for number, (slope, row) in enumerate(zip(views.slopes, left, strict=True)):
            shown = np.einsum("kpc,rkc->kpr", slope, found).reshape(-1, rank)
            square = shown.T @ shown
            doubt = np.linalg.inv(square / variance + np.eye(rank))
            factors[number] = doubt @ (shown.T @ row.ravel()) / variance
            spread += doubt
            rest += np.sum((row.ravel() - shown @ factors[number]) ** 2) + np.sum(doubt * square)
            values += row.size
        variance = rest / values
        root = np.linalg.cholesky((factors.T @ factors + spread) / count)
        found = np.einsum("sr,skc->rkc", root, found)
        factors = np.linalg.solve(root, factors.T).T
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path, help="a clone of ICT-FaceKit with all its modes")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    model = load(MODEL)
    measure = Measure(model)
    views = seen(People(options.root, model), measure, options.people)
    modes = measure.marks.at(measure.identity.modes[:MODES].astype(np.float64))
    own = np.einsum("nkpc,nkc->nkp", views.slopes, np.tensordot(views.people, modes, 1))
    centred = views.off - views.off.mean(axis=0)
    common = float((centred * own).sum() / (own * own).sum())  # the same share of all that makes somebody unlike
    told = np.concatenate([views.stood, views.people], axis=1)
    ridge = np.concatenate([np.full(4, FREE), np.full(MODES, HELD)])
    solved = regressed(views, told, views.off - common * own, ridge)
    biases, response = solved[:4], solved[4:] + common * modes
    explained = np.einsum("nf,fkc,nkpc->nkp", told, np.concatenate([biases, response]), views.slopes, optimize=True)
    errors = shared(views, views.off - explained)
    half = {"modes": modes, "biases": biases, "response": response, "errors": errors}
    size = {
        name: float(np.sqrt(np.square(each).sum(axis=2).mean()))
        for name, each in (("off", views.off), ("left", views.off - explained))
    }
    with new_file(options.out) as aside, aside.open("wb") as file:
        arrays = {name: np.asarray(value, np.float16) for name, value in half.items()}
        np.savez_compressed(
            file, mean=(measure.marks.matrix @ measure.mean).astype(np.float32), noise=np.float32(NOISE), **arrays
        )
    print(f"{len(views.off)} pictures: landmarks are off by {size['off']:.2f} mm, {size['left']:.2f} unexplained")


if __name__ == "__main__":
    main()

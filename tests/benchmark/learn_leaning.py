"""What FaceMesh errs by on rendered people, `facegen/photo/leaning.npz`: `make leaning`.

    python tests/benchmark/learn_leaning.py ICT-FaceKit [--people N] [--seen FILE] [--out FILE]

Half an hour of one core, and 4 GB of memory. People are drawn from all of ICT-FaceKit's identity modes, others than
`make photos` draws, in paint and in clay, and rendered from three sides each; what `facegen.photo.leaning` says of the
landmarks that are found is then what explains their distances from the true ones best. With `--seen` what was seen is
kept in a file, and read from it the next time.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from benchmark.photo_people import People
from benchmark.photos import Measure
from benchmark.seen_people import Looks, Views

from facegen.checkpoint import load
from facegen.files import new_file
from facegen.photo.leaning import FILE
from facegen.pretrained import MODEL
from facegen.progress import following

PEOPLE = 1500
"""Chosen: where cameras are about known, 0.65, 0.58 and 0.55 of the mean face's error remained in one, two and three
pictures of 40 people left out with 480 people, and 0.64, 0.56 and 0.52 of 60 others with 1,040."""
ALIKE, TOGETHER, ROUNDS = 60, 60, 4
"""Directions of errors that are found, of a person in all pictures and of one picture, and rounds of finding them.
Chosen: more gave nothing on people left out."""
HELD, FREE, SHARED = 50.0, 0.5, 4.0
"""Ridges: of what modes do, of biases, and of errors. Chosen on people left out."""
NOISE = 0.4
"""mm by which each landmark is off alone. Chosen by fits to people left out, of whom as much remains with 0.2; what is
left over is less, since landmarks near each other are not independent."""


def regressed(slopes: np.ndarray, told: np.ndarray, off: np.ndarray, ridge: np.ndarray) -> np.ndarray:
    """(F, K, 3) motions of landmarks that explain what they are off by (N, K, 2), of what is told (N, F)."""
    count, width = told.shape
    slopes = slopes.transpose(1, 0, 2, 3)
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


def shared(views: Views, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is left (N, K, 2): directions by which landmarks are off together, one standard deviation each.

    Factor analysis by expectation and maximisation (Rubin and Thayer, "EM algorithms for ML factor analysis",
    Psychometrika 1982), with factors of a person and factors of a picture.

    Returns:
        alike: (H, K, 3) in all pictures of a person; errors: (R, K, 3) in one picture.
    """
    count, (_, start) = len(left), np.unique(views.person, return_index=True)
    alike, together = min(ALIKE, len(start)), min(TOGETHER, count)
    factors, variance = _first_factors(views, left, start, alike, together), 0.05
    found = np.zeros((alike + together, left.shape[1], 3))
    for _ in following(range(ROUNDS), "explaining", "round"):
        found = regressed(views.slopes, factors, left, np.full(len(found), SHARED))
        doubt, rest = np.zeros((alike + together, alike + together)), 0.0
        for rows in np.split(np.arange(count), start[1:]):
            shown = np.einsum("nkpc,rkc->nkpr", views.slopes[rows], found, optimize=True)
            values, unsure, error = _expected(shown.reshape(len(rows), -1, len(found)), left[rows], variance, alike)
            factors[rows] = values
            doubt += unsure
            rest += error
        variance = rest / left.size
        for part, of in ((slice(alike), factors[start]), (slice(alike, None), factors)):
            root = np.linalg.cholesky((of[:, part].T @ of[:, part] + doubt[part, part]) / len(of))
            found[part] = np.einsum("sr,skc->rkc", root, found[part])
            factors[:, part] = np.linalg.solve(root, factors[:, part].T).T
    return found[:alike], found[alike:]


def _first_factors(views: Views, left: np.ndarray, start: np.ndarray, alike: int, together: int) -> np.ndarray:
    """(N, H + R) principal components of people's means, and of what pictures differ from these by."""
    lifted = np.einsum("nkpc,nkp->nkc", views.slopes, left).reshape(len(left), -1)
    pictures = np.diff(np.append(start, len(left)))
    means = np.add.reduceat(lifted, start) / pictures[:, None]
    found = []
    for rows, number in ((means, alike), (lifted - np.repeat(means, pictures, axis=0), together)):
        found.append(np.linalg.eigh(rows @ rows.T)[1][:, ::-1][:, :number] * np.sqrt(len(rows)))
    return np.concatenate([np.repeat(found[0], pictures, axis=0), found[1]], axis=1)


def _expected(shown: np.ndarray, left: np.ndarray, variance: float, alike: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Factors (n, H + R) of a person's pictures, their summed covariance, and the error that they leave.

    Args:
        shown: (n, 2 K, H + R) what each factor does in each picture.
        left: (n, K, 2) mm.
        variance: mm^2, of each landmark alone.
        alike: H.
    """
    pictures, _, width = shown.shape
    own = width - alike
    blocks = [np.r_[:alike, alike + own * at : alike + own * (at + 1)] for at in range(pictures)]
    squares = [each.T @ each for each in shown]
    precision, goal = np.eye(alike + own * pictures), np.zeros(alike + own * pictures)
    for block, square, each, row in zip(blocks, squares, shown, left, strict=True):
        precision[np.ix_(block, block)] += square / variance
        goal[block] += each.T @ row.ravel() / variance
    covariance = np.linalg.inv(precision)
    values = (covariance @ goal)[np.array(blocks)]
    doubt, rest = np.zeros((width, width)), 0.0
    for block, square, each, row, value in zip(blocks, squares, shown, left, values, strict=True):
        unsure = covariance[np.ix_(block, block)]
        doubt[alike:, alike:] += unsure[alike:, alike:]
        rest += float(np.sum((row.ravel() - each @ value) ** 2) + np.sum(unsure * square))
    doubt[:alike, :alike] = covariance[:alike, :alike]
    return values, doubt, rest


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path, help="a clone of ICT-FaceKit with all its modes")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--seen", type=Path, help="where what was seen is kept")
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    model = load(MODEL)
    people, measure = People(options.root, model), Measure(model)
    looks = Looks.read(options.seen) if options.seen and options.seen.exists() else Looks.at(people, options.people)
    if options.seen and not options.seen.exists():
        looks.write(options.seen)
    views = Views.of(looks, people, measure)
    told = np.concatenate([views.stood, views.shape], axis=1)
    free = views.stood.shape[1]
    ridge = np.where(np.arange(told.shape[1]) < free, FREE, HELD)
    solved = regressed(views.slopes, told, views.off, ridge)
    left = views.off - np.einsum("nf,fkc,nkpc->nkp", told, solved, views.slopes, optimize=True)
    alike, errors = shared(views, left)
    modes = measure.marks.at(measure.identity.modes.astype(np.float64))
    half = {"modes": modes, "biases": solved[:free], "response": solved[free:], "alike": alike, "errors": errors}
    with new_file(options.out) as aside, aside.open("wb") as file:
        arrays: dict[str, Any] = {name: np.asarray(value, np.float16) for name, value in half.items()}
        arrays |= {"mean": np.float32(measure.marks.matrix @ measure.mean), "noise": np.float32(NOISE)}
        np.savez_compressed(file, **arrays)
    off, unexplained = (float(np.sqrt(np.square(each).sum(axis=2).mean())) for each in (views.off, left))
    print(f"{len(left)} pictures: landmarks are off by {off:.2f} mm, {unexplained:.2f} unexplained")


if __name__ == "__main__":
    main()

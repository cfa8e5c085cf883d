"""How much of how somebody acts do takes of other expressions tell? `python tests/data/sources/told.py ICT-FaceKit`

Before any network is trained: takes of made people as activations of units, each scaled to the same height and brought
to the same phases, in a space where distance is that of ICT's face in mm. Ridge regression learns on four fifths of the
people what the mean take of an expression owes to one, three and five takes of others, and is measured on the rest.
"""

from __future__ import annotations

import sys

import numpy as np

from facegen.data.sources.acting import ActedSource
from facegen.data.sources.casting import Casting
from facegen.data.sources.ict_facekit import ICTFaceKitSource
from facegen.evaluation.oracles import EVEN
from facegen.evaluation.scores import evolution
from facegen.motion.label import EXPRESSIONS

PEOPLE, TAKES, PLACES, RIDGES = 160, 4, np.linspace(0, 1, 11), (0.3, 1.0, 3.0, 10.0)


def shown(source: ICTFaceKitSource, units: list[str], root: np.ndarray) -> np.ndarray:
    """(P, E, K, places, D): each take, of height 1, in a space where length is root mean square displacement."""
    takes = np.zeros((PEOPLE, len(EXPRESSIONS), TAKES, len(PLACES), len(root)))
    for key in source.keys:
        curves, frames, phases = source.act(key.subject, key.expression, source.draws(key))
        along = evolution(phases, frames, EVEN)
        at = np.interp(PLACES, np.linspace(0, 1, len(along)), along)
        acted = np.array([np.interp(at, np.arange(frames), curves.get(unit, np.zeros(frames))) for unit in units])
        take = acted.T @ root.T
        number = int(key.name.removeprefix(key.expression).removeprefix("-") or 1) - 1
        takes[int(key.subject), EXPRESSIONS.index(key.expression), number] = take / height(take)
    return takes


def height(take: np.ndarray) -> float:
    return max(float(np.linalg.norm(take, axis=-1).mean()), 1e-9)


def error(made: np.ndarray, take: np.ndarray) -> float:
    return float(np.linalg.norm(made / height(made) - take, axis=-1).mean())


def told(takes: np.ndarray, wanted: int, by: list[int]) -> float:
    """The error for an expression by takes of others, over that of the mean of everybody's."""
    learnt = PEOPLE * 4 // 5
    mean = takes[:learnt, wanted].mean((0, 1))
    others = takes[:, by] - takes[:learnt, by].mean((0, 2))[None, :, None]
    given = others.swapaxes(1, 2).reshape(PEOPLE, TAKES, -1)
    aims = np.repeat((takes[:learnt, wanted].mean(1) - mean).reshape(learnt, 1, -1), TAKES, 1).reshape(
        learnt * TAKES, -1
    )
    known = given[:learnt].reshape(learnt * TAKES, -1)
    products = known @ known.T
    folds = np.repeat(np.arange(learnt), TAKES) % 5
    missed = []
    for ridge in RIDGES:  # chosen among those that learn
        held = ridge * np.trace(products) / len(products)
        away = np.zeros_like(aims)
        for fold in range(5):
            one, other = folds != fold, folds == fold
            inner = np.linalg.solve(products[np.ix_(one, one)] + held * np.eye(one.sum()), aims[one])
            away[other] = aims[other] - products[np.ix_(other, one)] @ inner
        missed.append(float(np.square(away).sum()))
    held = RIDGES[int(np.argmin(missed))] * np.trace(products) / len(products)
    weights = np.linalg.solve(products + held * np.eye(len(products)), aims)
    here = there = 0.0
    for person in range(learnt, PEOPLE):
        for take in range(TAKES):
            made = mean + (given[person, take] @ known.T @ weights).reshape(mean.shape)
            here += error(made, takes[person, wanted, take])
            there += error(mean, takes[person, wanted, take])
    return here / there


def agreement(takes: np.ndarray) -> float:
    """The intraclass correlation of takes (P, K, ...) of one person."""
    within = np.square(takes - takes.mean(1, keepdims=True)).sum() / (PEOPLE * (TAKES - 1))
    return 1 - within / (np.square(takes - takes.mean((0, 1))).sum() / (PEOPLE * TAKES))


def main(clone: str) -> None:
    """Print both ways to act."""
    for acting in ("recorded", "habitual"):
        casting = Casting(PEOPLE, frames=(60, 120), acting=acting, takes_per_expression=TAKES)
        source: ActedSource = ICTFaceKitSource(casting, clone, "narrow")
        units = list(source.units)
        shapes = np.array([source.units[unit] for unit in units])
        values, vectors = np.linalg.eigh(np.einsum("uvc,wvc->uw", shapes, shapes) / shapes.shape[1])
        takes = shown(source, units, (vectors * np.sqrt(values.clip(0))).T)
        alike = [agreement(takes[:, number]) for number in range(len(EXPRESSIONS))]
        print(f"{acting}: agreement {min(alike):.2f} to {max(alike):.2f}, {np.mean(alike):.2f} in the mean", flush=True)
        for count in (1, 3, 5):
            less = []
            for wanted in range(len(EXPRESSIONS)):
                others = [number for number in range(len(EXPRESSIONS)) if number != wanted]
                turned = [*others, *others]
                less += [told(takes, wanted, turned[start : start + count]) for start in range(1 if count == 5 else 5)]
            print(f"  error by {count} of other expressions: {np.mean(less):.3f} of the mean's", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

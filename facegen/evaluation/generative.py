"""How near a set of things that were made is to a set of real ones: coverage, density, Frechet distance, spread."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

NEIGHBOURS = 5
"""The nearest real neighbour that bounds a real thing's surroundings: Naeem et al.'s choice."""


def density_and_coverage(real: np.ndarray, made: np.ndarray, k: int = NEIGHBOURS) -> tuple[float, float] | None:
    r"""How densely real surroundings are filled with what was made, and the share of them in which there is some.

    .. math:: \frac{1}{k M} \sum_{j=1}^{M} \sum_{i=1}^{N} 1[y_j \in B_i], \qquad
        \frac{1}{N} \sum_{i=1}^{N} 1[\exists j: y_j \in B_i]

    where the ball :math:`B_i` around a real thing reaches to its k-th nearest real neighbour (Naeem et al., "Reliable
    fidelity and diversity metrics for generative models", ICML 2020). Of one distribution with itself, density is 1 in
    expectation, and coverage of as many things 1 - 2^-k, about.

    Args:
        real: (N, F).
        made: (M, F).
        k: which neighbour.

    Returns:
        Density, from 0, and coverage, 0 to 1; None where there are not more than k real ones.
    """
    if len(real) <= k or not len(made):
        return None
    reach = np.sort(cdist(real, real), axis=1)[:, k]  # place 0 is the thing itself
    inside = cdist(real, made) <= reach[:, None]
    return float(inside.sum() / (k * len(made))), float(inside.any(axis=1).mean())


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float | None:
    r"""The Frechet distance of the normal distributions of two sets (Dowson and Landau, 1982), in the sets' unit.

    .. math:: d^2 = \|\mu_1 - \mu_2\|^2 + \mathrm{tr}(\Sigma_1 + \Sigma_2 - 2 (\Sigma_1 \Sigma_2)^{1/2})

    The trace of the root is the sum of the singular values of :math:`X_1 X_2^T`, of sets with their means taken off and
    divided by the root of their numbers less one, so that no covariance is built.

    Args:
        first: (N, F).
        second: (M, F).

    Returns:
        d; None where a set has fewer than two members.
    """
    if min(len(first), len(second)) < 2:
        return None
    centred = [(each - each.mean(axis=0)) / np.sqrt(len(each) - 1) for each in (first, second)]
    spread = sum(float(np.square(each).sum()) for each in centred)
    root = float(np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum())
    apart = float(np.square(first.mean(axis=0) - second.mean(axis=0)).sum())
    return float(np.sqrt(max(apart + spread - 2 * root, 0.0)))


def distance(first: np.ndarray, second: np.ndarray) -> float:
    """mm: the mean distance of vertices between two courses (P, V, 3) that are at the same places of the evolution."""
    return float(np.linalg.norm(first - second, axis=-1).mean(dtype=np.float64))


def spread(courses: list[np.ndarray], people: list[str]) -> tuple[float | None, float | None]:
    """mm: the mean distance of two takes of one person, each person counting the same, and of two takes of two people.

    Args:
        courses: (P, V, 3) each.
        people: who shows each.

    Returns:
        Within and between; None where nobody has two takes, and where there is one person.
    """
    within: dict[str, list[float]] = {}
    between: list[float] = []
    for i, course in enumerate(courses):
        for j in range(i):
            apart = distance(course, courses[j])
            if people[i] == people[j]:
                within.setdefault(people[i], []).append(apart)
            else:
                between.append(apart)
    inside = float(np.mean([np.mean(each) for each in within.values()])) if within else None
    return inside, float(np.mean(between)) if between else None

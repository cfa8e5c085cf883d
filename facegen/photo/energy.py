r"""The energy of a person in photographs, its derivatives, and where it is smallest.

.. math:: E = |a|^2 + \sum_v \left(\sum_k w_{vk} \frac{|r_{vk}|^2}{\sigma^2} + \frac{|e_v|^2}{\epsilon^2} + |n_v|^2
          + \left(\frac{k_v - k_0}{\kappa}\right)^2\right), \quad e_v \ge 0
.. math:: r_v = \frac{\pi_v(\mu + b(\pi_v) + \sum_i a_i U_i + \sum_j e_{vj} D_j + \sum_l n_{vl} N_l) - p_v}{s_v}

at the landmarks, for pictures :math:`v` with cameras :math:`\pi_v` of about the scale :math:`s_v` and of nearness
:math:`k_v`; from where a camera stands the detector errs by :math:`b`. The person :math:`a` is the same in all
pictures, so that the normal equations are blocks along the diagonal, one of each picture, bordered by the person's.
Expressions :math:`e_v` and what else the detector errs by, :math:`n_v`, are each picture's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular
from scipy.optimize import lsq_linear

from facegen.photo.camera import STEP_VALUES, PhotoCamera, changed
from facegen.photo.leaning import stand, stand_by_turn

STRENGTH_SIGMA = 1.0
"""epsilon: how strong an expression in a photograph may well be. By trial on built-in faces: 0.6 leaves more of it in
the neutral; with 1 a fifth stays of one at full strength, and strengths at rest stay below 0.3
(`tests/photo/test_fit.py`)."""
NEARNESS, NEARNESS_SPREAD = 1.0, 0.6
"""k_0 and kappa, 1 / m. Chosen: photographs of faces are taken from about a metre."""
SMALLEST_NEARNESS, LARGEST_NEARNESS = 0.05, 3.5
"""1 / m: the nearness lies between these. Chosen, 20 m to 29 cm, as near as an arm holds a phone."""
STEPS, HALVINGS = 12, 4
"""Gauss-Newton steps of one solution, and times that one is halved where the energy would rise, at most. Chosen: from
the mean face six steps are enough."""
SETTLED = 1e-4
"""Share of the energy by which the last step has lowered it, below which it is taken for the smallest. Chosen."""
TINY = 1e-9
"""Added to the diagonal of scaled normal equations and to bounds, against rounding."""


@dataclass(frozen=True, eq=False)
class Sight:
    """A face in one picture.

    Args:
        goals: (K, 2) pixels, where its landmarks are.
        camera: of the picture.
        values: (E + N,) strengths of expressions, then what the detector errs by.
        weights: (K,) of the landmarks, in 1 / mm^2.
        unit: pixels that are taken for a mm: the scale of the camera that was guessed first.
    """

    goals: np.ndarray
    camera: PhotoCamera
    values: np.ndarray
    weights: np.ndarray
    unit: float

    @property
    def nearness(self) -> float:
        """1 / m."""
        return 1000 * self.camera.nearness

    def missing(self, points: np.ndarray) -> np.ndarray:
        """(K, 2) by how much landmarks (K, 3) mm are beside the goals, weighted."""
        return np.sqrt(self.weights)[:, None] * (self.camera.project(points) - self.goals) / self.unit

    def moved(self, step: np.ndarray, expressions: int) -> Sight:
        """After a step (7 + E + N,) of the camera, whose nearness is added to, and of the values."""
        turned, values = step[:STEP_VALUES].copy(), self.values + step[STEP_VALUES:]
        turned[-1] = np.clip(turned[-1] + self.nearness, SMALLEST_NEARNESS, LARGEST_NEARNESS)
        values[:expressions] = np.maximum(values[:expressions], 0)
        return replace(self, camera=changed(self.camera, turned), values=values)


@dataclass(frozen=True, eq=False)
class Energy:
    """What a person, expressions and errors of the detector cost.

    Args:
        own: (K, 3) mm, landmarks of the mean face.
        people: (P, K, 3) mm, of the identity's modes.
        acts: (E, K, 3) mm, of the expressions.
        errors: (N, K, 3) mm, of the detector.
        biases: (4, K, 3) mm, of the detector by where a camera stands, see `facegen.photo.leaning.stand`.
    """

    own: np.ndarray
    people: np.ndarray
    acts: np.ndarray
    errors: np.ndarray
    biases: np.ndarray

    @property
    def ways(self) -> np.ndarray:
        """(E + N, K, 3) mm, how landmarks move by the values of a picture."""
        return np.concatenate([self.acts, self.errors])

    @property
    def costs(self) -> np.ndarray:
        """(1 + E + N,) what the squares of a picture's nearness and values cost."""
        acts, errors = np.full(len(self.acts), STRENGTH_SIGMA**-2), np.ones(len(self.errors))
        return np.concatenate([[NEARNESS_SPREAD**-2], acts, errors])

    def points(self, who: np.ndarray, sight: Sight) -> np.ndarray:
        """(K, 3) mm, landmarks of a person (P,) as a picture shows them."""
        moved = np.tensordot(who, self.people, 1) + np.tensordot(sight.values, self.ways, 1)
        return self.own + np.tensordot(stand(sight.camera.rotation), self.biases, 1) + moved

    def cost(self, who: np.ndarray, sights: Sequence[Sight]) -> float:
        """The energy."""
        total = float(who @ who)
        for sight in sights:
            total += float(np.square(sight.missing(self.points(who, sight))).sum())
            total += float(self.costs @ np.square(np.append(sight.nearness - NEARNESS, sight.values)))
        return total

    def solve(self, who: np.ndarray, sights: list[Sight], *, shape: bool = True) -> tuple[np.ndarray, list[Sight]]:
        """The person and the pictures with the smallest energy; without `shape` cameras alone are changed."""
        cost = self.cost(who, sights)
        for _ in range(STEPS):
            step, part = self._step(who, sights, shape), 1.0
            for _ in range(HALVINGS + 1):
                trial = self._moved(who, sights, part * step)
                found = self.cost(*trial)
                if found <= cost:
                    break
                part /= 2
            else:
                break
            (who, sights), before, cost = trial, cost, found
            if before - cost < SETTLED * cost:
                break
        return who, sights

    def normal(self, who: np.ndarray, sights: Sequence[Sight]) -> tuple[np.ndarray, np.ndarray]:
        """Half the Gauss-Newton Hessian (M, M) and half the gradient (M,), by the person and by each picture's step."""
        people, width = len(who), STEP_VALUES + len(self.ways)
        hessian = np.zeros((people + width * len(sights),) * 2)
        gradient = np.zeros(len(hessian))
        hessian[:people, :people], gradient[:people] = np.eye(people), who
        for number, sight in enumerate(sights):
            block = np.r_[:people, people + width * number : people + width * (number + 1)]
            slopes = self._slopes(who, sight)
            hessian[np.ix_(block, block)] += slopes.T @ slopes
            gradient[block] += slopes.T @ sight.missing(self.points(who, sight)).ravel()
            own = block[people + STEP_VALUES - 1 :]  # nearness, then values
            hessian[own, own] += self.costs
            gradient[own] += self.costs * np.append(sight.nearness - NEARNESS, sight.values)
        return hessian, gradient

    def _slopes(self, who: np.ndarray, sight: Sight) -> np.ndarray:
        """(2 K, P + 7 + E + N) derivatives of what is missing."""
        points = self.points(who, sight)
        by_point = sight.camera.by_point(points)
        by_shape = [np.einsum("kpc,nkc->kpn", by_point, each) for each in (self.people, self.ways)]
        by_step = sight.camera.by_step(points)
        by_turn = np.tensordot(stand_by_turn(sight.camera.rotation), self.biases, 1)
        by_step[:, :, : len(by_turn)] += np.einsum("kpc,nkc->kpn", by_point, by_turn)
        slopes = np.concatenate([by_shape[0], by_step, by_shape[1]], axis=2)
        slopes *= np.sqrt(sight.weights)[:, None, None] / sight.unit
        return slopes.reshape(-1, slopes.shape[2])

    def _step(self, who: np.ndarray, sights: Sequence[Sight], shape: bool) -> np.ndarray:
        """(M,) the step to the smallest energy, were it a parabola, within the bounds."""
        hessian, gradient = self.normal(who, sights)
        low, high = self._bounds(len(who), sights)
        free = np.full(len(gradient), shape)
        free[len(who) :].reshape(len(sights), -1)[:, :STEP_VALUES] = True
        unit = 1 / np.sqrt(np.diag(hessian)[free] + TINY)
        scaled = hessian[np.ix_(free, free)] * unit * unit[:, None] + TINY * np.eye(len(unit))
        goal, bounds = -gradient[free] * unit, (low[free] / unit, high[free] / unit)
        found = cho_solve(cho_factor(scaled), goal)
        if ((found < bounds[0]) | (found > bounds[1])).any():
            root = cholesky(scaled)
            found = lsq_linear(root, solve_triangular(root, goal, trans=1), bounds, method="bvls").x
        step = np.zeros(len(gradient))
        step[free] = found * unit
        return step

    def _bounds(self, people: int, sights: Sequence[Sight]) -> tuple[np.ndarray, np.ndarray]:
        """(M,) the lowest and the highest steps: strengths stay positive, nearness between its bounds."""
        low, high = np.full((2, len(sights), STEP_VALUES + len(self.ways)), np.inf)
        low *= -1
        for number, sight in enumerate(sights):
            low[number, STEP_VALUES - 1] = SMALLEST_NEARNESS - sight.nearness - TINY
            high[number, STEP_VALUES - 1] = LARGEST_NEARNESS - sight.nearness + TINY
            low[number, STEP_VALUES : STEP_VALUES + len(self.acts)] = -sight.values[: len(self.acts)] - TINY
        free = np.full(people, np.inf)
        return np.append(-free, low.ravel()), np.append(free, high.ravel())

    def _moved(self, who: np.ndarray, sights: Sequence[Sight], step: np.ndarray) -> tuple[np.ndarray, list[Sight]]:
        parts = step[len(who) :].reshape(len(sights), -1)
        moved = [sight.moved(part, len(self.acts)) for sight, part in zip(sights, parts, strict=True)]
        return who + step[: len(who)], moved

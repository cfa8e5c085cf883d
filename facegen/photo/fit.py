r"""Camera, person and expression that explain landmarks in a photograph.

.. math:: E = \sum_k w_k \frac{|\pi(L_k (\mu + \sum_i a_i U_i + \sum_j e_j D_j)) - p_k|^2}{\sigma^2}
          + |a|^2 + \frac{|e|^2}{\epsilon^2} + \left(\frac{k - k_0}{\kappa}\right)^2, \quad e \ge 0

with the identity model's mean and modes :math:`\mu, U` (a unit of :math:`a` is a standard deviation, so that its cost
is the Mahalanobis distance), the apexes :math:`D` of the model's own expressions, landmarks :math:`p`, places of
landmarks on the mesh :math:`L`, and the camera :math:`\pi`. The neutral is what remains without :math:`e`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import least_squares

from facegen.data.identity import Identity
from facegen.errors import FacegenError
from facegen.landmarks.points import face_size
from facegen.photo.camera import PhotoCamera, changed, first_camera
from facegen.photo.marks import Marks
from facegen.photo.refine import beyond

NOISE = 0.03
"""sigma in units of the face's size; one landmark is off by a third of it, but neighbours are off together. Chosen with
`refine`, which takes up what a larger sigma leaves (0.02 before it)."""
FACING = 0.15
"""Cosine between a landmark's normal and the view, from which it counts; at the silhouette it slides. Chosen, 81
degrees."""
HALF_WEIGHT_GAP = 0.02
"""In units of the face's size: a landmark that is off by this much counts half. Chosen."""
STRENGTH_SIGMA = 1.0
"""epsilon: how strong an expression in a photograph may well be. By trial on built-in faces: 0.6 leaves more of it in
the neutral; with 1 a fifth stays of one at full strength, and strengths at rest stay below 0.3
(`tests/photo/test_fit.py`)."""
NEARNESS, NEARNESS_SPREAD = 1.0, 0.6
"""k_0 and kappa, 1 / m. Chosen: photographs of faces are taken from about a metre."""
SMALLEST_NEARNESS, LARGEST_NEARNESS = 0.05, 3.5
"""1 / m: the nearness lies between these. Chosen, 20 m to 29 cm, as near as an arm holds a phone."""
WEIGHTINGS, RENDERS = 4, 1
"""Times that landmarks are weighted anew with the shape free, and that the detector is asked about a render of the fit.
By trial: a second render drives people outside the model away."""
LEANING = 0.5
"""Share of the detector's error on the render that it makes on the photograph too, if its person is not the model's.
Chosen: half-way between all, which is right for the model's own people, and nothing."""
FEWEST_FACING = 100
"""Landmarks that must be seen from the front. Chosen, a fifth of all: a face from the side has fewer."""
LARGEST_LANDMARK_OFF = 0.04
"""Share of the face's height: a fit is refused whose landmarks are off by more, by the median. Chosen: built-in people
at rest are off by less than 0.01."""
RENDER_HALF = 0.75
"""Half the edge of such a render, in units of the landmarks' extent, so that the detector sees a whole head. Chosen."""
CAMERA_VALUES = 7
"""Numbers of a step of `changed`, which come first."""
SOLVER_CALLS = 60
"""Calls of the energy in one solution, at most. Chosen."""
SHIFT_SCALE = 0.05
"""Size of a shift that the solver takes for one unit, in units of the landmarks' extent. Chosen."""
NAMED_FROM = 0.1
"""Strength from which an expression is named as taken off. Chosen: less is hardly seen."""


@dataclass(frozen=True, eq=False)
class PhotoFit:
    """What explains a photograph: its camera, a person and an expression.

    Args:
        camera: of the photograph; points are from `middle`.
        middle: (3,) mm, of the mean face's landmarks.
        neutral: (V, 3) mm.
        beyond: (V, 3) mm, what of the neutral the identity model does not span, by `refine`.
        expression: (V, 3) mm that the face in the photograph is displaced by.
        strengths: (E,) of the model's expressions.
        coefficients: (K,) of the identity model, in standard deviations.
        off: (N,) how far landmarks that count are off, as a share of the face's height in the picture.
    """

    camera: PhotoCamera
    middle: np.ndarray
    neutral: np.ndarray
    beyond: np.ndarray
    expression: np.ndarray
    strengths: np.ndarray
    coefficients: np.ndarray
    off: np.ndarray

    def text(self, expressions: tuple[str, ...]) -> str:
        """One line on how well the landmarks fit and on the expression that was taken off."""
        named = zip(expressions, self.strengths, strict=True)
        strong = [f"{100 * strength:.0f} % {name}" for name, strength in named if strength > NAMED_FROM]
        taken = f"; taken off: {', '.join(strong)}" if strong else ""
        return f"landmarks are off by {100 * float(np.median(self.off)):.1f} % of the face's height{taken}"

    def project(self, vertices: np.ndarray) -> np.ndarray:
        """(..., 2) pixels of (..., 3) mm."""
        return self.camera.project(vertices - self.middle)


def fit_photo(identity: Identity, apexes: np.ndarray, marks: Marks, landmarks: np.ndarray) -> PhotoFit:
    """Explain landmarks in a photograph.

    The detector errs in the same way on the photograph and on a render of what was fitted, seen by the same camera;
    so what it errs by on the render is taken off, and the fit is made again.

    Args:
        identity: of V vertices.
        apexes: (E, V, 3) mm, displacements of the expressions at full intensity.
        marks: of the identity's mean.
        landmarks: (468, 2) pixels, x to the right and y down.

    Raises:
        FacegenError: no face of the model looks like that.
    """
    basis = np.concatenate([identity.modes.astype(np.float64), apexes.astype(np.float64)])
    mean, people = identity.mean.astype(np.float64), len(identity.modes)
    goals = landmarks[marks.numbers]
    fit = _explained(mean, basis, people, marks, goals)
    half, error = RENDER_HALF * float(np.ptp(landmarks, axis=0).max()), np.zeros_like(goals)
    for _ in range(RENDERS):
        found = marks.misplaced(fit.camera, fit.neutral + fit.expression - fit.middle, half)
        if found is None:
            break
        error = found
        fit = _explained(mean, basis, people, marks, goals - error)
    _require_alike(fit)
    return _refined(fit, mean, marks, goals - LEANING * error)


def _refined(fit: PhotoFit, mean: np.ndarray, marks: Marks, goals: np.ndarray) -> PhotoFit:
    """The fit with its neutral moved beyond the identity model, towards landmarks (K, 2)."""
    posed = fit.neutral + fit.expression
    points = marks.matrix @ posed - fit.middle
    facing = np.einsum("kc,kc->k", marks.normals(posed), fit.camera.towards(points))
    own = marks.matrix @ mean
    aside = np.array([fit.middle[0], 0, 0])
    left = goals - fit.camera.project(points)
    moved = beyond(fit.camera, mean - aside, own - aside, points, left, facing, face_size(own))
    gap = np.linalg.norm(fit.camera.project(points + marks.matrix @ moved) - goals, axis=1)
    off = gap[facing > FACING] / np.ptp(goals[:, 1])
    return replace(fit, neutral=fit.neutral + moved, beyond=moved, off=off)


def _explained(mean: np.ndarray, basis: np.ndarray, people: int, marks: Marks, goals: np.ndarray) -> PhotoFit:
    """The explanation of landmarks (K, 2) with the smallest energy.

    The first `people` of `basis` (P + E, V, 3) are the identity's modes, the others the expressions.
    """
    own = marks.matrix @ mean
    middle, size = own.mean(axis=0), face_size(own)
    at_marks = np.stack([marks.matrix @ each for each in basis])
    start = first_camera(own - middle, goals, NEARNESS / 1000)
    values = np.zeros(CAMERA_VALUES + len(basis))
    values[CAMERA_VALUES - 1] = NEARNESS
    free = np.arange(CAMERA_VALUES)  # the camera first, with the mean face
    camera, gap, shown = start, np.zeros(len(goals)), np.ones(len(goals), dtype=bool)
    for _ in range(WEIGHTINGS + 1):
        weights = shown / (1 + np.square(gap / (HALF_WEIGHT_GAP * size)))
        problem = _Problem(start, own - middle, at_marks, goals, weights, NOISE * size, people)
        values = problem.solve(values, free)
        free = np.arange(len(values))
        camera, points = changed(start, values), problem.points(values)
        gap = np.linalg.norm(camera.project(points) - goals, axis=1) / camera.scale
        normals = marks.normals(mean + np.tensordot(values[CAMERA_VALUES:], basis, 1))
        shown = np.einsum("kc,kc->k", normals, camera.towards(points)) > FACING
        if shown.sum() < FEWEST_FACING:
            raise FacegenError("the face in the picture is turned too far aside; take one that looks into the camera")
    who, what = np.split(values[CAMERA_VALUES:], [people])
    return PhotoFit(
        camera,
        middle,
        mean + np.tensordot(who, basis[:people], 1),
        np.zeros_like(mean),
        np.tensordot(what, basis[people:], 1),
        what,
        who,
        gap[shown] * camera.scale / np.ptp(goals[:, 1]),
    )


def _require_alike(fit: PhotoFit) -> None:
    off = float(np.median(fit.off))
    if off > LARGEST_LANDMARK_OFF:
        raise FacegenError(
            f"no face of the model looks like the one in the picture: landmarks are off by {100 * off:.0f} % of "
            f"its height, at most {100 * LARGEST_LANDMARK_OFF:.0f} % are accepted; take a picture that looks "
            "into the camera"
        )


class _Problem:
    """The energy with fixed weights, of (7 + P + E,) values: the camera's, the person's, the expressions'."""

    def __init__(
        self,
        start: PhotoCamera,
        own: np.ndarray,
        basis: np.ndarray,
        goals: np.ndarray,
        weights: np.ndarray,
        noise: float,
        people: int,
    ) -> None:
        self.start, self.own, self.basis, self.goals = start, own, basis, goals
        self.weights, self.noise, self.people = np.sqrt(weights)[:, None], noise, people

    def points(self, values: np.ndarray) -> np.ndarray:
        return self.own + np.tensordot(values[CAMERA_VALUES:], self.basis, 1)

    def residuals(self, values: np.ndarray) -> np.ndarray:
        gap = changed(self.start, values).project(self.points(values)) - self.goals
        gap *= self.weights / (self.noise * self.start.scale)
        who, what = np.split(values[CAMERA_VALUES:], [self.people])
        nearness = (values[CAMERA_VALUES - 1] - NEARNESS) / NEARNESS_SPREAD
        return np.concatenate([gap.ravel(), who, what / STRENGTH_SIGMA, [nearness]])

    def solve(self, values: np.ndarray, free: np.ndarray) -> np.ndarray:
        """The values with the smallest energy, of which only the `free` ones are changed."""
        low, high = np.full(len(values), -np.inf), np.full(len(values), np.inf)
        low[CAMERA_VALUES - 1], high[CAMERA_VALUES - 1] = SMALLEST_NEARNESS, LARGEST_NEARNESS
        low[CAMERA_VALUES + self.people :] = 0

        def residuals(some: np.ndarray) -> np.ndarray:
            full = values.copy()
            full[free] = some
            return self.residuals(full)

        scale = np.ones(len(values))
        scale[3:5] = SHIFT_SCALE * np.ptp(self.goals, axis=0).max()
        begin = np.clip(values, low + 1e-6, high)[free]
        done = least_squares(
            residuals, begin, bounds=(low[free], high[free]), x_scale=scale[free], max_nfev=SOLVER_CALLS
        )
        found = values.copy()
        found[free] = done.x
        return found

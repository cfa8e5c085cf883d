r"""Cameras, a person and expressions that explain landmarks in photographs of one person.

The energy is that of `facegen.photo.energy`, with the identity model's mean and modes :math:`\mu, U` at the landmarks
(a unit of :math:`a` is a standard deviation, so that its cost is the Mahalanobis distance) and the apexes :math:`D` of
the model's own expressions. The neutral is what remains without these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from facegen.data.identity import Identity
from facegen.errors import FacegenError
from facegen.photo.camera import PhotoCamera
from facegen.photo.energy import Sight
from facegen.photo.marks import Marks
from facegen.photo.refine import View, beyond
from facegen.photo.search import EXACT, NOISE, Search, named

RENDERS = 1
"""Times that the detector is asked about a render of the fit, where it is not known what it errs by. By trial: a second
one drives people outside the model away."""
AT_REST = 0.8
"""Strength of any expression, from which a face is not at rest, so that what the detector errs by on faces at rest is
not taken to be known. Chosen: people at rest have up to 0.5, a portrait that smiles 1.6."""
LEANING = 0.5
"""Share of the detector's error on the render that it makes on the photograph too, if its person is not the model's.
Chosen: half-way between all, which is right for the model's own people, and nothing."""
LARGEST_LANDMARK_OFF = 0.04
"""Share of the face's height: a fit is refused whose landmarks are off by more, by the median. Chosen: built-in people
at rest are off by less than 0.01."""
RENDER_HALF = 0.75
"""Half the edge of such a render, in units of the landmarks' extent, so that the detector sees a whole head. Chosen."""
WHOLE_VIEWS = 4
"""Pictures whose landmarks all move the person beyond the model; of more, some of each do. Chosen: the time grows with
the cube of the landmarks."""
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

    def project(self, vertices: np.ndarray) -> np.ndarray:
        """(..., 2) pixels of (..., 3) mm."""
        return self.camera.project(vertices - self.middle)


def told(fits: Sequence[PhotoFit], expressions: tuple[str, ...]) -> str:
    """One line on how well the landmarks of all pictures fit and on the expressions that were taken off."""
    strengths = np.max([fit.strengths for fit in fits], axis=0)
    named_ones = zip(expressions, strengths, strict=True)
    strong = [f"{100 * strength:.0f} % {name}" for name, strength in named_ones if strength > NAMED_FROM]
    taken = f"; taken off: {', '.join(strong)}" if strong else ""
    off = float(np.median(np.concatenate([fit.off for fit in fits])))
    where = "" if len(fits) == 1 else f" in {len(fits)} pictures"
    return f"landmarks are off by {100 * off:.1f} % of the face's height{where}{taken}"


def fit_photo(identity: Identity, apexes: np.ndarray, marks: Marks, landmarks: np.ndarray) -> PhotoFit:
    """Explain landmarks (468, 2) in one photograph, see `fit_photos`."""
    return fit_photos(identity, apexes, marks, [landmarks])[0]


def fit_photos(
    identity: Identity, apexes: np.ndarray, marks: Marks, landmarks: Sequence[np.ndarray], *, exact: bool = False
) -> list[PhotoFit]:
    """Explain landmarks in photographs of one person.

    What the detector errs by on people like those of the model that comes with facegen is known, see `Leaning`. On
    others, and on faces that are not at rest, it errs in the same way on the photograph and on a render of what was
    fitted, seen by the same camera: what it errs by on the render is taken off, and the fit is made again.

    Args:
        identity: of V vertices.
        apexes: (E, V, 3) mm, displacements of the expressions at full intensity.
        marks: of the identity's mean.
        landmarks: for each picture (468, 2) pixels, x to the right and y down.
        exact: they are where they should be: no detector found them.

    Returns:
        A fit of each picture; they have the neutral in common.

    Raises:
        FacegenError: no face of the model looks like that.
    """
    goals = [each[marks.numbers] for each in landmarks]
    search = Search.of(identity, apexes, marks, NOISE if not exact else EXACT)
    who, sights = search.explained(goals)
    if not exact and max(search.strengths(sight).max(initial=0) for sight in sights) < AT_REST:
        search = search.leant()
        if search.leaning:
            who, sights = search.explained(goals)
    errors = [np.zeros_like(each) for each in goals]
    for _ in range(0 if exact or search.leaning else RENDERS):
        for number, (sight, points) in enumerate(zip(sights, landmarks, strict=True)):
            half = RENDER_HALF * float(np.ptp(points, axis=0).max())
            found = marks.misplaced(sight.camera, search.posed(who, sight) - search.middle, half)
            errors[number] = errors[number] if found is None else found
        who, sights = search.explained([goal - error for goal, error in zip(goals, errors, strict=True)])
    for number, sight in enumerate(sights):
        _require_alike(float(np.median(search.off(who, sight))), named(number, len(sights)))
    rest = [goal - LEANING * error for goal, error in zip(goals, errors, strict=True)]
    return _refined(search, who, [replace(sight, goals=goal) for sight, goal in zip(sights, rest, strict=True)])


def _refined(search: Search, who: np.ndarray, sights: list[Sight]) -> list[PhotoFit]:
    """The fits of a person (P,) in all pictures, with the neutral moved beyond the identity model."""
    views, every = [], -(-len(sights) // WHOLE_VIEWS)
    for number, sight in enumerate(sights):
        points = search.energy.points(who, sight)
        counts = np.arange(len(points)) % every == number % every
        facing = np.where(counts, search.facing(sight.camera, search.posed(who, sight)), -1.0)
        views.append(View(sight.camera, points, sight.goals - sight.camera.project(points), facing))
    own, aside = search.marks.matrix @ search.mean, np.array([search.middle[0], 0, 0])
    moved = beyond(views, search.mean - aside, own - aside, search.size)
    fits = []
    for sight in sights:
        expression = np.tensordot(search.strengths(sight), search.apexes, 1)
        off = search.off(who, sight, search.marks.matrix @ moved)
        fits.append(
            PhotoFit(
                *(sight.camera, search.middle, search.neutral(who) + moved, moved),
                *(expression, search.strengths(sight), who[: len(search.modes)], off),
            )
        )
    return fits


def _require_alike(off: float, name: str) -> None:
    if off > LARGEST_LANDMARK_OFF:
        raise FacegenError(
            f"no face of the model looks like the one in {name}: landmarks are off by {100 * off:.0f} % of "
            f"its height, at most {100 * LARGEST_LANDMARK_OFF:.0f} % are accepted; take a picture that looks "
            "into the camera"
        )

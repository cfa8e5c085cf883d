"""What is sought among where photographs are explained: people and their expressions, on the mesh and at landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from facegen.data.identity import Identity
from facegen.errors import FacegenError
from facegen.landmarks.points import face_size
from facegen.photo.camera import PhotoCamera, first_camera
from facegen.photo.energy import NEARNESS, Energy, Sight
from facegen.photo.leaning import Leaning, Seen
from facegen.photo.marks import Marks

NOISE = 0.03
"""sigma in units of the face's size, where nothing is known of the detector's errors; one landmark is off by a third
of it, but neighbours are off together. Chosen with `refine`, which takes up what a larger sigma leaves."""
EXACT = 0.002
"""The same, where no detector found the landmarks. Chosen: half a mm."""
FACING = 0.15
"""Cosine between a landmark's normal and the view, from which it counts; at the silhouette it slides. Chosen, 81
degrees."""
HALF_WEIGHT_GAP = 0.02
"""In units of the face's size: a landmark that is off by this much counts half. Chosen."""
WEIGHTINGS = 4
"""Times that landmarks are weighted anew with the shape free. Chosen."""
FEWEST_FACING = 100
"""Landmarks that must be seen from the front. Chosen, a fifth of all: a face from the side has fewer."""


@dataclass(frozen=True, eq=False)
class Search:
    """People with expressions.

    Args:
        mean: (V, 3) mm.
        modes: (P, V, 3) mm, of people.
        apexes: (E, V, 3) mm, of expressions.
        marks: of the mean.
        energy: of landmarks, from `middle`, as the detector sees them.
        middle: (3,) mm, of the mean's landmarks.
        size: of the mean face, mm.
        noise: mm, by which one landmark is off.
        seen: what is known of the detector's errors.
    """

    mean: np.ndarray
    modes: np.ndarray
    apexes: np.ndarray
    marks: Marks
    energy: Energy
    middle: np.ndarray
    size: float
    noise: float
    seen: Seen | None

    @classmethod
    def of(cls, identity: Identity, apexes: np.ndarray, marks: Marks, noise: float = NOISE) -> Search:
        """For an identity model with marks of its mean, apexes (E, V, 3) mm, and `noise` in units of a face's size."""
        mean, modes, apexes = (each.astype(np.float64) for each in (identity.mean, identity.modes, apexes))
        own, people, acts = (marks.at(each) for each in (mean[None], modes, apexes))
        middle, size = own[0].mean(axis=0), face_size(own[0])
        energy = Energy(own[0] - middle, people, acts, np.empty((0, *own[0].shape)), np.zeros((4, *own[0].shape)))
        return cls(mean, modes, apexes, marks, energy, middle, size, noise * size, None)

    def leant(self) -> Search:
        """The same with what the detector errs by; as it is where that is not known."""
        seen = Leaning.known().seen(self.marks.numbers, self.energy.own + self.middle, self.energy.people)
        if seen is None:
            return self
        people = np.concatenate([seen.people, seen.alike])  # what is alike in all pictures is found as the person is
        energy = Energy(seen.own - self.middle, people, self.energy.acts, seen.errors, seen.biases)
        return replace(self, energy=energy, noise=seen.noise, seen=seen)

    @property
    def leaning(self) -> bool:
        """Whether it is known what the detector errs by."""
        return self.seen is not None

    def explained(self, goals: Sequence[np.ndarray]) -> tuple[np.ndarray, list[Sight]]:
        """The person (P,) and the pictures with the smallest energy, for landmarks (K, 2) pixels of each picture.

        Raises:
            FacegenError: a face is turned too far aside.
        """
        cameras = [first_camera(self.energy.own, each, NEARNESS / 1000) for each in goals]
        flat, even = np.zeros(len(self.energy.ways)), np.full(len(self.energy.own), self.noise**-2)
        sights = [Sight(each, camera, flat, even, camera.scale) for each, camera in zip(goals, cameras, strict=True)]
        who = np.zeros(len(self.energy.people))
        for number in range(WEIGHTINGS + 1):  # the cameras first, with the mean face
            who, sights = self.energy.solve(who, sights, shape=number > 0)
            sights = [self._weighted(who, sight, named(at, len(goals))) for at, sight in enumerate(sights)]
        return who, sights

    def neutral(self, who: np.ndarray) -> np.ndarray:
        """(V, 3) mm of a person (P,)."""
        return self.mean + np.tensordot(who[: len(self.modes)], self.modes, 1)

    def strengths(self, sight: Sight) -> np.ndarray:
        """(E,) of the expressions in a picture."""
        return sight.values[: len(self.apexes)]

    def posed(self, who: np.ndarray, sight: Sight) -> np.ndarray:
        """(V, 3) mm of a person (P,) as a picture shows them."""
        return self.neutral(who) + np.tensordot(self.strengths(sight), self.apexes, 1)

    def facing(self, camera: PhotoCamera, posed: np.ndarray) -> np.ndarray:
        """(K,) cosines between the normals at landmarks of vertices (V, 3) mm and the view."""
        points = self.marks.matrix @ posed - self.middle
        return np.einsum("kc,kc->k", self.marks.normals(posed), camera.towards(points))

    def off(self, who: np.ndarray, sight: Sight, moved: float | np.ndarray = 0.0) -> np.ndarray:
        """(S,) how far landmarks that count are off, as a share of the face's height; `moved` (K, 3) mm besides."""
        gap = sight.camera.project(self.energy.points(who, sight) + moved) - sight.goals
        return np.linalg.norm(gap, axis=1)[sight.weights > 0] / np.ptp(sight.goals[:, 1])

    def _weighted(self, who: np.ndarray, sight: Sight, name: str) -> Sight:
        """The picture with weights by how far landmarks are off, none for those that are turned away."""
        shown = self.facing(sight.camera, self.posed(who, sight)) > FACING
        if shown.sum() < FEWEST_FACING:
            raise FacegenError(f"the face in {name} is turned too far aside; take one that looks into the camera")
        gap = sight.camera.project(self.energy.points(who, sight)) - sight.goals
        gap = np.linalg.norm(gap, axis=1) / (sight.camera.scale * HALF_WEIGHT_GAP * self.size)
        weights = shown / (1 + np.square(gap)) / self.noise**2
        return replace(sight, weights=weights)


def named(number: int, count: int) -> str:
    """What messages call a picture, counted from 0, of so many."""
    return "the picture" if count == 1 else f"picture {number + 1}"

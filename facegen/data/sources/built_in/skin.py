"""How the built-in face moves: skin that slides over the skull, lids that turn about the eyeballs, a jaw that turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from facegen.data.sources.acting import Actor
from facegen.data.sources.built_in.face import EYEBALL, LID_RADIUS, lift, ramp
from facegen.data.sources.built_in.face_map import face_map
from facegen.data.sources.built_in.folds import unfold
from facegen.data.sources.built_in.muscles import Pull, above_slit, pulls
from facegen.data.sources.built_in.skull import EYE, EYE_HALF_WIDTH, lid_heights, roll, skull, skull_normal, unroll

JAW_JOINT = np.array([0.0, -14.0, 2.0])
"""A point (mm) of the axis, along x, about which the jaw turns, just before the ear."""
JAW_ANGLE = 0.30
"""Radians that the jaw turns at full contraction. Chosen: 17 degrees open the mouth wide."""
LIDS = {"AU5": (3.2, -0.4), "AU6": (-1.3, 2.6), "AU7": (-1.7, 2.0), "AU9": (-0.7, 1.0)}
"""How far each unit raises the margin of the upper and the lower lid in its middle, mm."""
LID_CLOSURE = 0.98
"""Share of the gap between the lids that they close at most. Chosen just below 1, at which they might cross."""
LEVELLING = 0.5
"""How fast pulls level off with contraction, as tanh of this times it. Chosen; 0 would be a straight line."""
JAW_LIMIT = 1.15
"""Contraction beyond which the jaw opens no further. Chosen; a larger one lets strong takes open the mouth further."""
LEAST_SHARE = 1e-3
"""Share of the lid's rotation below which a vertex is left where it is."""


@dataclass(frozen=True, eq=False)
class Skin:
    """All that is the same for everybody, at a number of vertices.

    Args:
        mean: (V, 3) mm.
        faces: (F, 3).
        along: (2, V, 3) how the skull continues in the two directions of the unrolled plane.
        bend: (3, V, 3) its second derivatives, by the first twice, both, and the second twice.
        normal: (V, 3) of the skull.
        tilt: (2, V, 3) how the normal turns with a slide, times the thickness of the skin.
        pulls: by unit.
        jaw: (V,) share of the jaw's rotation that a vertex takes part in.
        lids: by side, of (upper, lower): the vertices, and the share (N,) of the margin's rotation in its middle.
    """

    mean: np.ndarray
    faces: np.ndarray
    along: np.ndarray
    bend: np.ndarray
    normal: np.ndarray
    tilt: np.ndarray
    pulls: dict[str, Pull]
    jaw: np.ndarray
    lids: dict[str, tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]]


@lru_cache(maxsize=2)
def skin(vertices: int) -> Skin:
    """The skin of the mean face with so many vertices."""
    plan = face_map(vertices)
    frontal = plan.frontal
    flat, step = unroll(frontal), 1.0
    mean = lift(frontal)

    def base(offset: np.ndarray) -> np.ndarray:
        return skull(roll(flat + offset))

    x, y = step * np.eye(2)
    here = base(np.zeros(2))
    right, left, up, down = (base(offset) for offset in (x, -x, y, -y))
    along = np.stack([right - left, up - down]) / (2 * step)
    mixed = (base(x + y) - base(x - y) - base(y - x) + base(-x - y)) / (4 * step**2)
    bend = np.stack([right - 2 * here + left, mixed * step**2, up - 2 * here + down]) / step**2
    normal = skull_normal(frontal)
    thick = ((mean - here) * normal).sum(axis=1)[:, None]
    turned = [skull_normal(roll(flat + offset)) - skull_normal(roll(flat - offset)) for offset in (x, y)]
    tilt = thick * np.stack(turned) / (2 * step)
    # The bone ends before the ear; below it is all that hangs on the chin.
    behind = 1 - ramp(-mean[:, 2], -25, 15) * ramp(frontal[:, 1], -95, -55)
    jaw = ((1 - above_slit(frontal)) * behind).astype(np.float32)
    lids = {side: _lids(frontal * [sign, 1]) for side, sign in (("L", 1), ("R", -1))}
    mean, along, bend, normal, tilt = (
        np.ascontiguousarray(field, dtype=np.float32) for field in (mean, along, bend, normal, tilt)
    )
    return Skin(mean, plan.faces, along, bend, normal, tilt, pulls(frontal), jaw, lids)


def _lids(frontal: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    x, y = frontal.T
    position = (x - EYE[0]) / EYE_HALF_WIDTH
    upper, lower = (EYE[1] + height for height in lid_heights(np.clip(position, -1, 1)))
    gap = (upper - lower) / np.subtract(*lid_heights(np.array(0.0)))

    def lid(share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        part = np.flatnonzero(share > LEAST_SHARE)
        return part, share[part].astype(np.float32)

    above = y > (upper + lower) / 2
    return lid(gap * above * (1 - ramp(y, upper, upper + 9))), lid(gap * ~above * (1 - ramp(lower - y, 0, 8)))


@dataclass(frozen=True, eq=False)
class Head(Actor):
    """One person, who can act.

    Args:
        skin: of the mean face.
        neutral: (V, 3) mm, float32.
        gradient: (3, 3, V) how the person's shape stretches and turns the mean's around each vertex, by which
            displacements are carried over.
    """

    skin: Skin
    neutral: np.ndarray
    gradient: np.ndarray

    def pose(self, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """(T, V, 3) mm, float32: the face with these activations of its units, (T,) each; 1 is full contraction.

        Besides the units of `pulls` there are, by sides, AU5 upper lid up, AU7 lids tight and AU45 blink.
        """
        frames = len(next(iter(weights.values())))
        neutral = self.neutral
        vertices = np.empty((frames, *neutral.shape), np.float32)
        slide, lifted = np.empty((2, len(neutral)), np.float32), np.empty(len(neutral), np.float32)
        carried = self._carriers()
        for frame in range(frames):
            now = {unit: curve[frame] for unit, curve in weights.items() if curve[frame] != 0}
            moved = vertices[frame]
            if not now:
                moved[:] = neutral
                continue
            self._slide(now, slide, lifted)
            moved[:] = neutral + carried(slide, lifted).T
            self._turn_lids(now, moved)
            self._turn_jaw(now.get("AU27", 0.0), moved)
        unfold(vertices, neutral, self.skin.faces, int(np.sum(list(weights.values()), axis=0).argmax()))
        return vertices

    def _slide(self, now: dict[str, float], slide: np.ndarray, lifted: np.ndarray) -> None:
        """What all muscles together do, mm in the unrolled plane (2, V) and off the skull (V,)."""
        slide[:], lifted[:] = 0, 0
        for unit, activation in now.items():
            pull = self.skin.pulls.get(unit)
            if pull is not None:
                level = np.float32(np.tanh(LEVELLING * activation) / np.tanh(LEVELLING))
                slide[0, pull.where] += level * pull.slide[:, 0]
                slide[1, pull.where] += level * pull.slide[:, 1]
                lifted[pull.where] += level * pull.bulge + np.float32(activation**2) * pull.furrow

    def _carriers(self) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """What carries a slide (2, V) and what is lifted (V,) along the mean's skull to second order over to the
        person, (3, V) mm; what of it is the same in all frames is computed once, coordinates apart."""
        skin = self.skin
        fields = (*(skin.along + skin.tilt), 0.5 * skin.bend[0], skin.bend[1], 0.5 * skin.bend[2], skin.normal)
        across, up, first, mixed, second, normal = (
            np.einsum("ijv,vj->iv", self.gradient, field, dtype=np.float32) for field in fields
        )

        def carried(slide: np.ndarray, lifted: np.ndarray) -> np.ndarray:
            a, b = slide
            return a * (across + a * first + b * mixed) + b * (up + b * second) + lifted * normal

        return carried

    def _turn_lids(self, now: dict[str, float], moved: np.ndarray) -> None:
        for side, parts in self.skin.lids.items():
            rises, gap = np.zeros(2), self._gap(side)
            for unit, rise in LIDS.items():
                rises += np.multiply(rise, now.get(f"{unit}_{side}", 0.0))
            blink = min(now.get(f"AU45_{side}", 0.0), 1.0)
            rises += blink * (np.array([-0.85, 0.15]) * gap - rises)
            closing = rises[1] - rises[0]
            if closing > LID_CLOSURE * gap:
                rises *= LID_CLOSURE * gap / closing
            centre = self._eyeball(side)
            for (part, share), rise in zip(parts, rises, strict=True):
                moved[part] = _turned(moved[part], centre, -rise / LID_RADIUS * share)

    def _gap(self, side: str) -> float:
        """Between the person's lids, in their middle, mm along the eyeball."""
        centre = self._eyeball(side)
        upper, lower = (self.neutral[part[share.argmax()]] - centre for part, share in self.skin.lids[side])
        return LID_RADIUS * float(np.arctan2(upper[1], upper[2]) - np.arctan2(lower[1], lower[2]))

    def _eyeball(self, side: str) -> np.ndarray:
        """(3,) mm: where the person's eyeball turns, by where the lids are."""
        around = np.concatenate([part for part, _ in self.skin.lids[side]])
        shift = (self.neutral[around] - self.skin.mean[around]).mean(axis=0)
        return EYEBALL * [1 if side == "L" else -1, 1, 1] + shift

    def _turn_jaw(self, activation: float, moved: np.ndarray) -> None:
        if activation:
            angle = np.float32(JAW_ANGLE * min(activation, JAW_LIMIT)) * self.skin.jaw
            moved[:] = _turned(moved, JAW_JOINT, angle)


def _turned(points: np.ndarray, centre: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Points (N, 3) turned about an axis along x through `centre` by angles (N,): what is in front goes down."""
    y, z = points[:, 1] - np.float32(centre[1]), points[:, 2] - np.float32(centre[2])
    sine, cosine = np.sin(angle), np.cos(angle)
    turned = points.copy()
    turned[:, 1] += (cosine - 1) * y - sine * z
    turned[:, 2] += sine * y + (cosine - 1) * z
    return turned

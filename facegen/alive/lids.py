"""Lids that close over an eye and follow its gaze, from wherever an expression has put them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix

from facegen.alive.contact import Contact
from facegen.alive.eye import Eye
from facegen.alive.hanging import Hanging
from facegen.alive.opening import Margin, Opening
from facegen.alive.sliding import Sliding
from facegen.alive.stations import TAPER_STEPS, between, wedges
from facegen.mesh.tri_mesh import TriMesh

# Lengths are in units of the face's size (230 mm for an adult), see `face_size`.
UPPER_REACH, LOWER_REACH = 0.085, 0.055
"""How far from its margin skin of a lid moves. Chosen, 20 and 13 mm on an adult's face: up to the brow, and down to
where the cheek begins."""
WHOLE = 0.12
"""Share of that within which skin moves as the margin does. Chosen: the lid's plate is stiff."""
SPREAD = 0.6
"""Skin so far from the margin goes with that much of it to both sides, as a share of the distance. Chosen: without it
skin above the corners has a crease."""
MEETING = 0.12
"""Share of the gap between the lids by which the lower one rises when the eye shuts. Chosen: it mostly moves towards
the nose, Doane, "Interactions of eyelids and tears", Am. J. Ophthalmol. 89 (1980)."""
OVERLAP = 0.0016
"""How far the upper lid goes on over the lower one, so that between vertices no gap is left. Chosen, 0.4 mm."""
UPPER_FOLLOWS, LOWER_FOLLOWS = 0.9, 0.35
"""Share of the eye's turn up or down by which lids follow it. The upper one takes nearly the eye's own position: Becker
and Fuchs, "Lid-eye coordination during vertical gaze changes", J. Neurophysiol. 60 (1988); the lower one is chosen."""
LEAST_LEFT = 0.35
"""Share of the gap that gaze alone leaves between the lids. Chosen: one who looks down still sees."""
RIM_STEPS = 2
"""Stations from the ends of the opening to where lids go over one another. Chosen: in the corners skin goes on from one
lid to the other, and what went over would be turned inside out."""
AGAIN, MOST_MISSING = 2, 0.1
"""Times that margins which do not meet in a shut eye are moved on, and radians by which at most at a time. Chosen:
brows that are raised open a corner by 0.5 mm, and little of it is left after twice."""
FRONT = 1.4
"""Radians up and down, within which skin may touch the eyeball. Chosen, 80 degrees: behind that is the socket."""


@dataclass(frozen=True, eq=False)
class Lids:
    """The skin around one eye.

    Args:
        eye: whose lids.
        opening: between them, at rest.
        edges: the same by the numbers of `near`.
        near: (N,) vertices that are moved or pushed.
        to: sparse (N, K) from the stations of the opening, and of the wedges beyond it, to the vertices.
        upper, lower: (N,) how far a vertex goes with each margin.
        halfway: (N,) how far a vertex lies between the margins, as the lining in the corners does: 1 half-way.
        level: (N,) by how much less it turns, since it is farther from the axis.
        sliding: how high they lie where they slide to.
        contact: what keeps them off the ball; None without one.
        rest_gap: (K,) radians between the margins.
        size: of the face, mm.
    """

    eye: Eye
    opening: Opening
    edges: Opening
    near: np.ndarray
    to: csr_matrix
    upper: np.ndarray
    lower: np.ndarray
    halfway: np.ndarray
    level: np.ndarray
    sliding: Sliding
    contact: Contact | None
    rest_gap: np.ndarray
    size: float

    @classmethod
    def of(cls, mesh: TriMesh, skin: np.ndarray, hanging: Hanging, eye: Eye, opening: Opening, size: float) -> Lids:
        """Find the skin of the lids.

        Args:
            mesh: (V, 3) mm, joined at its seams, at rest.
            skin: (V,) bool.
            hanging: on them.
            eye: whose lids.
            opening: see `find_opening`.
            size: of the face, mm.
        """
        x, angle, far = eye.cylinder(mesh.vertices)
        out = np.linalg.norm(mesh.vertices - eye.centre, axis=1)
        skin = skin | hanging.film
        margins = wedges(eye, opening, mesh.vertices[None], size)
        along, top, bottom, middle = (each[0] if each.ndim == 2 else each for each in margins)
        up, down, margin = (np.interp(x, along, curve) for curve in (top, bottom, middle))
        # The farther from the margin, the more of its neighbours skin goes with.
        above, below = (angle - up) * far, (down - angle) * far
        spread = SPREAD * np.clip(np.maximum(above, below), 0, UPPER_REACH * size)
        inside = (x > along[0] - spread) & (x < along[-1] + spread) & skin
        # The socket behind the lids is not the lids.
        shallow = 1 - _step((np.hypot(margin, x) - out) / (0.01 * size) - 0.5)
        # In the corners skin goes on from one lid to the other, and tears do everywhere.
        share = np.clip((angle - down) / np.maximum(up - down, 1e-6), 0, 1)
        upper = inside * share * shallow * _fade(above / (UPPER_REACH * size))
        lower = inside * (1 - share) * shallow * _fade(below / (LOWER_REACH * size))
        level = np.minimum(1, margin / np.maximum(far, 1e-6))
        # Lashes go stiffly with the margin where they are, as far as the skin does that they are rooted in.
        for weight in (upper, lower):
            weight[hanging.members] = hanging.roots @ weight
        level[hanging.members] = 1
        x[hanging.members], spread[hanging.members] = hanging.roots @ x, 0
        part = upper / np.maximum(upper + lower, 1e-6)
        outer = inside & (shallow > 0.5) & (angle > up - 1e-6) & (above < UPPER_REACH * size) & (angle < FRONT)
        outer[hanging.members] = False
        sliding = Sliding.of(eye, mesh.vertices, outer, up, part, size)
        sliding.rise[hanging.members] = hanging.roots @ sliding.rise
        clear = eye.clearance(mesh.vertices[None])[0]
        touching = skin & (np.abs(clear) < 0.03 * size) & (np.abs(angle) < FRONT)
        touching[np.concatenate([opening.upper.corners, opening.lower.corners])] = True
        near = np.flatnonzero((upper > 1e-3) | (lower > 1e-3) | touching)
        seen = np.clip(np.minimum(x - along[0], along[-1] - x) / (along[TAPER_STEPS] - along[0]) * 2 - 1, 0, 1)
        halfway = 4 * seen * upper * lower / np.maximum(upper + lower, 1e-6)
        weights = (upper[near], lower[near], halfway[near], level[near], Sliding(sliding.rise[near]))
        rest_gap = np.maximum(top - bottom, 1e-6)
        edges = opening.renumbered(np.searchsorted(near, np.arange(len(skin))))
        free = cls(eye, opening, edges, near, between(x[near], spread[near], along), *weights, None, rest_gap, size)
        if eye.reach is None:
            return free
        still, soft = np.eye(3)[None], ~np.isin(near, hanging.members) & (np.abs(angle[near]) < FRONT)
        shut = free(mesh.vertices[None], mesh.vertices[near][None], np.ones(1), np.zeros(1), still)[0]
        return replace(free, contact=Contact.of(mesh, near, soft, shut, eye, size))

    def __call__(
        self, vertices: np.ndarray, near: np.ndarray, closure: np.ndarray, up: np.ndarray, rotation: np.ndarray
    ) -> np.ndarray:
        """Where the skin around the eye goes, and what hangs on it.

        Args:
            vertices: (T, V, 3) mm, of the mesh that `opening` numbers, as an expression has put them.
            near: (T, N, 3) the same of `near`.
            closure: (T,) how far the eye is shut.
            up: (T,) radians by which it looks up.
            rotation: (T, 3, 3) by which the ball turns.

        Returns:
            (T, N, 3) the vertices of `near`.
        """
        (top, bottom), ways = self._margins(vertices, closure, up)
        near = self._in_order(near, top, bottom, closure)
        moved = self._turned(near, ways, rotation)
        shut = np.flatnonzero(closure > 0)  # few frames of many
        ways = tuple(way[shut] for way in ways)
        for _ in range(AGAIN if len(shut) else 0):
            more = self._missing(moved[shut], closure[shut])
            ways = tuple(way + each for way, each in zip(ways, more, strict=True))
            moved[shut] = self._turned(near[shut], ways, rotation[shut])
        return moved if self.contact is None else self.contact.push(moved, rotation)

    def _in_order(self, near: np.ndarray, top: np.ndarray, bottom: np.ndarray, closure: np.ndarray) -> np.ndarray:
        """(T, N, 3) mm: skin between margins (T, K) radians, as far between them as at rest where the eye shuts.

        Beyond the opening nothing is done: what is taken for margins there says little of an expression's skin.
        """
        part = self.upper / np.maximum(self.upper + self.lower, 1e-6)
        line = part * (self.to @ top.T).T + (1 - part) * (self.to @ bottom.T).T
        off = np.clip(line - self.eye.cylinder(near)[1], -MOST_MISSING, MOST_MISSING)
        return self.eye.raised(near, np.clip(closure, 0, 1)[:, None] * self.halfway * off)

    def _turned(self, near: np.ndarray, ways: tuple[np.ndarray, ...], rotation: np.ndarray) -> np.ndarray:
        """(T, N, 3) mm where vertices go as margins go by `ways`, see `_margins`; not yet kept off the ball."""
        turn_up, turn_low, out_up, out_low = ways
        angle = self.level * (self.upper * (self.to @ turn_up.T).T + self.lower * (self.to @ turn_low.T).T)
        outward = self.upper * (self.to @ out_up.T).T + self.lower * (self.to @ out_low.T).T
        grow = 1 + outward / np.maximum(self.eye.cylinder(near)[2], 1e-6)
        moved = self.eye.raised(near, angle, grow)
        # Lids slide on the ball: where it is higher below them, as on the cornea, all of their thickness is.
        way = moved - self.eye.centre
        higher = self.eye.radius(moved, rotation) - self.eye.radius(near)
        higher = (self.upper + self.lower) * higher + self.sliding(angle)
        return moved + way * (higher / np.linalg.norm(way, axis=-1))[..., None]

    def _missing(self, moved: np.ndarray, closure: np.ndarray) -> tuple[np.ndarray | float, ...]:
        """By how much margins have to go further, as `_margins`, where vertices (T, N, 3) that should be shut by (T,)
        are not: beside the corners skin goes with both margins, and with neither wholly."""
        _, top, _ = self.eye.cylinder(self.edges.upper.points(moved))
        _, bottom, bottom_far = self.eye.cylinder(self.edges.lower.points(moved))
        shut = np.clip(closure, 0, 1)[:, None] ** 4
        over = OVERLAP / 2 * self.size / np.maximum(bottom_far, 1e-6) * self._rims()[TAPER_STEPS:-TAPER_STEPS]
        lacking = shut * np.clip(top - bottom + over, 0, MOST_MISSING)
        lacking = np.pad(lacking, ((0, 0), (TAPER_STEPS, TAPER_STEPS)), mode="linear_ramp")
        return -(1 - MEETING) * lacking, MEETING * lacking, 0.0, 0.0

    def numbered(self, corners: np.ndarray) -> Lids:
        """The same on a mesh in which the corners of the upper margin's triangles, and then of the lower's, are
        these."""
        half = len(corners) // 2
        lids = (Margin(corners[:half], self.opening.upper.shares), Margin(corners[half:], self.opening.lower.shares))
        return replace(self, opening=replace(self.opening, upper=lids[0], lower=lids[1]))

    def share_open(self, vertices: np.ndarray) -> np.ndarray:
        """(T,) how far the eye is open in frames (T, V, 3), as a share of rest: 0 is shut."""
        _, top, bottom, _ = wedges(self.eye, self.opening, vertices, self.size)
        return np.maximum(top - bottom, 0).sum(axis=1) / self.rest_gap.sum()

    def _margins(self, vertices: np.ndarray, closure: np.ndarray, up: np.ndarray) -> tuple[tuple[np.ndarray, ...], ...]:
        """(T, K) radians of both margins, the upper one first; by which each turns upwards, and mm outwards."""
        _, top, bottom, _, top_far, bottom_far = wedges(self.eye, self.opening, vertices, self.size, apart=True)
        gap = np.maximum(top - bottom, 0)
        open_ = np.clip(gap / self.rest_gap, 0, 1)
        shape = np.clip(self.rest_gap / self.rest_gap.max(), 0, 1)
        # Lids follow the gaze where they can: in the corners, and where they are nearly shut, they do not.
        follow_up = UPPER_FOLLOWS * up[:, None] * shape * open_
        follow_low = LOWER_FOLLOWS * up[:, None] * shape * open_
        follow_low = np.maximum(follow_low, -0.5 * gap)
        follow_up = np.maximum(follow_up, follow_low - (1 - LEAST_LEFT) * gap)
        left = gap + follow_up - follow_low
        shut = np.clip(closure, 0, 1)[:, None]
        over = np.minimum(OVERLAP * self.size / np.maximum(bottom_far, 1e-6), 0.3 * gap) * shut**4 * self._rims()
        turn_low = follow_low + shut * MEETING * left
        turn_up = follow_up - shut * (1 - MEETING) * left - over
        apart = shut**2 * (top_far - bottom_far) / 2
        return (top, bottom), (turn_up, turn_low, -apart * (gap > 0), apart * (gap > 0))

    def _rims(self) -> np.ndarray:
        """(K,) 1 where lids end, 0 where skin goes on from one to the other and would be turned inside out."""
        count = len(self.opening.along)
        from_end = np.minimum(np.arange(count), np.arange(count)[::-1])
        return np.pad(np.minimum(from_end / RIM_STEPS, 1), TAPER_STEPS)


def _step(part: np.ndarray) -> np.ndarray:
    part = np.clip(part, 0, 1)
    return part * part * (3 - 2 * part)


def _fade(part: np.ndarray) -> np.ndarray:
    """1 at the margin, 0 where `part` is 1."""
    return 1 - _step((part - WHOLE) / (1 - WHOLE))

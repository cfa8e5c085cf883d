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
from facegen.mesh.tri_mesh import TriMesh

# Lengths are in units of the face's size (230 mm for an adult), see `face_size`.
UPPER_REACH, LOWER_REACH = 0.085, 0.055
"""How far from its margin skin of a lid moves. Chosen, 20 and 13 mm on an adult's face: up to the brow, and down to
where the cheek begins."""
WHOLE = 0.12
"""Share of that within which skin moves as the margin does. Chosen: the lid's plate is stiff."""
SPREAD, SPREAD_SHARES = 0.6, (0.1, 0.23, 0.34, 0.23, 0.1)
"""Skin so far from the margin goes with that much of it to both sides, as a share of the distance, and how much each
part counts. Chosen: without it skin above the corners has a crease."""
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
FRONT = 1.4
"""Radians up and down, within which skin may touch the eyeball. Chosen, 80 degrees: behind that is the socket."""
TAPER, MOST_TAPER, TAPER_STEPS = 0.025, 0.035, 8
"""Beyond where an opening is seen it ends as a wedge in the corner of the lids: the shortest and the longest, and
stations on each. Chosen, 6 and 8 mm: what lies in the corner, as the caruncle, covers the eye too, and is folded
in."""


@dataclass(frozen=True, eq=False)
class Lids:
    """The skin around one eye.

    Args:
        eye: whose lids.
        opening: between them, at rest.
        near: (N,) vertices that are moved or pushed.
        to: sparse (N, K) from the stations of the opening, and of the wedges beyond it, to the vertices.
        upper, lower: (N,) how far a vertex goes with each margin.
        level: (N,) by how much less it turns, since it is farther from the axis.
        sliding: how high they lie where they slide to.
        contact: what keeps them off the ball; None without one.
        rest_gap: (K,) radians between the margins.
        size: of the face, mm.
    """

    eye: Eye
    opening: Opening
    near: np.ndarray
    to: csr_matrix
    upper: np.ndarray
    lower: np.ndarray
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
        wedges = _wedges(eye, opening, mesh.vertices[None], size)
        along, top, bottom, middle = (each[0] if each.ndim == 2 else each for each in wedges)
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
        near = np.flatnonzero((upper > 1e-3) | (lower > 1e-3) | touching)
        weights = (upper[near], lower[near], level[near], Sliding(sliding.rise[near]))
        rest_gap = np.maximum(top - bottom, 1e-6)
        free = cls(eye, opening, near, _between(x[near], spread[near], along), *weights, None, rest_gap, size)
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
        turn_up, turn_low, out_up, out_low = self._margins(vertices, closure, up)
        angle = self.level * (self.upper * (self.to @ turn_up.T).T + self.lower * (self.to @ turn_low.T).T)
        outward = self.upper * (self.to @ out_up.T).T + self.lower * (self.to @ out_low.T).T
        grow = 1 + outward / np.maximum(self.eye.cylinder(near)[2], 1e-6)
        moved = self.eye.raised(near, angle, grow)
        # Lids slide on the ball: where it is higher below them, as on the cornea, all of their thickness is.
        way = moved - self.eye.centre
        higher = self.eye.radius(moved, rotation) - self.eye.radius(near)
        higher = (self.upper + self.lower) * higher + self.sliding(angle)
        moved = moved + way * (higher / np.linalg.norm(way, axis=-1))[..., None]
        return moved if self.contact is None else self.contact.push(moved, rotation)

    def numbered(self, corners: np.ndarray) -> Lids:
        """The same on a mesh in which the corners of the upper margin's triangles, and then of the lower's, are
        these."""
        half = len(corners) // 2
        lids = (Margin(corners[:half], self.opening.upper.shares), Margin(corners[half:], self.opening.lower.shares))
        return replace(self, opening=replace(self.opening, upper=lids[0], lower=lids[1]))

    def share_open(self, vertices: np.ndarray) -> np.ndarray:
        """(T,) how far the eye is open in frames (T, V, 3), as a share of rest: 0 is shut."""
        _, top, bottom, _ = _wedges(self.eye, self.opening, vertices, self.size)
        return np.maximum(top - bottom, 0).sum(axis=1) / self.rest_gap.sum()

    def _margins(self, vertices: np.ndarray, closure: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, ...]:
        """(T, K) radians by which each margin turns upwards, of the upper and the lower one, and mm outwards."""
        _, top, bottom, _, top_far, bottom_far = _wedges(self.eye, self.opening, vertices, self.size, apart=True)
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
        over = np.minimum(OVERLAP * self.size / np.maximum(bottom_far, 1e-6), 0.3 * gap) * shut**4
        turn_low = follow_low + shut * MEETING * left
        turn_up = follow_up - shut * (1 - MEETING) * left - over
        apart = shut**2 * (top_far - bottom_far) / 2
        return turn_up, turn_low, -apart * (gap > 0), apart * (gap > 0)


def _wedges(
    eye: Eye, opening: Opening, vertices: np.ndarray, size: float, apart: bool = False
) -> tuple[np.ndarray, ...]:
    """The margins at the stations of the opening, and at those of a wedge beyond each corner, where they meet.

    Returns:
        (K,) mm along the axis, (T, K) radians of the upper and of the lower margin, and mm of both from the axis; and,
        if `apart`, of the upper and of the lower one.
    """
    _, top, top_far = eye.cylinder(opening.upper.points(vertices))
    _, bottom, bottom_far = eye.cylinder(opening.lower.points(vertices))
    stations, here = opening.along, opening.high
    middle, half, both = (top + bottom) / 2, (top - bottom) / 2, (top_far + bottom_far) / 2
    bend = (middle[:, here[1]] - middle[:, here[0]]) / (stations[here[1]] - stations[here[0]])
    reach = np.clip(np.abs(opening.corners - stations[[0, -1]]), TAPER * size, MOST_TAPER * size)
    steps = np.linspace(0, 1, TAPER_STEPS + 1)[1:]
    pads = ((0, 0), (TAPER_STEPS, TAPER_STEPS))
    along = np.concatenate([(stations[0] - reach[0] * steps)[::-1], stations, stations[-1] + reach[1] * steps])
    middle, half = np.pad(middle, pads, mode="edge"), np.pad(half, pads)
    for at, end in zip(here + TAPER_STEPS, (along[0], along[-1]), strict=True):
        part = (along - along[at]) / (end - along[at])
        line = half[:, at, None] * np.clip(1 - part, 0, 1)
        straight = middle[:, at, None] + bend[:, None] * (along - along[at])
        beyond = part > 0
        outside = beyond & ((along < stations[0]) | (along > stations[-1]))
        middle[:, outside] = straight[:, outside]
        half[:, beyond] = np.maximum(half, line)[:, beyond]
    found = (along, middle + half, middle - half, np.pad(both, pads, mode="edge"))
    if not apart:
        return found
    return (*found, *(np.pad(far, pads, mode="edge") for far in (top_far, bottom_far)))


def _step(part: np.ndarray) -> np.ndarray:
    part = np.clip(part, 0, 1)
    return part * part * (3 - 2 * part)


def _fade(part: np.ndarray) -> np.ndarray:
    """1 at the margin, 0 where `part` is 1."""
    return 1 - _step((part - WHOLE) / (1 - WHOLE))


def _between(x: np.ndarray, spread: np.ndarray, along: np.ndarray) -> csr_matrix:
    """Sparse (N, K): linear interpolation between stations, averaged over `spread` mm to both sides."""
    steps = zip((-1, -0.5, 0, 0.5, 1), SPREAD_SHARES, strict=True)
    parts = [share * _linear(x + step * spread, along) for step, share in steps]
    return csr_matrix(sum(parts[1:], parts[0]))


def _linear(x: np.ndarray, along: np.ndarray) -> csr_matrix:
    at = np.clip(np.searchsorted(along, x) - 1, 0, len(along) - 2)
    part = np.clip((x - along[at]) / (along[at + 1] - along[at]), 0, 1)
    rows = np.tile(np.arange(len(x)), 2)
    return csr_matrix((np.concatenate([1 - part, part]), (rows, np.concatenate([at, at + 1]))), (len(x), len(along)))

"""What of a mesh can be alive: its eyes, its lids and what hangs on them, its brows, its neck."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import KDTree

from facegen.alive.breath import RISE, TILT
from facegen.alive.eye import Eye
from facegen.alive.gaze import both_eyes
from facegen.alive.hanging import Hanging
from facegen.alive.lids import Lids
from facegen.alive.life import Living
from facegen.alive.neck import Neck
from facegen.alive.opening import Opening, find_opening
from facegen.fitting.head import FaceFrame
from facegen.landmarks.points import EYE_CORNERS, LEFT_BROW, RIGHT_BROW, face_size, facing
from facegen.mesh.topology import pieces
from facegen.mesh.tri_mesh import TriMesh
from facegen.mesh.welding import weld
from facegen.rigging.eyes import Eyeball, find_eyes

UPPER_LIDS = {"Right": (246, 161, 160, 159, 158, 157, 173), "Left": (398, 384, 385, 386, 387, 388, 466)}
LOWER_LIDS = {"Right": (7, 163, 144, 145, 153, 154, 155), "Left": (382, 381, 380, 374, 373, 390, 249)}
"""FaceMesh's landmarks along the margins of the lids, from the face's right to its left."""
CORNERS = {"Right": EYE_CORNERS[:2], "Left": EYE_CORNERS[2:]}
BROW_FOLLOWS, BROW_WIDTH = 0.05, 0.05
"""mm by which a brow rises for each degree by which the eye looks up, and the width of skin that rises with it, in
units of the face's size. Chosen: hardly seen but missed."""
SKULL, SKULL_POINTS = (0.0, -0.25), 200
"""In units of the face's size: skin higher than the first above the eyes, and farther behind them than the second, lies
on the skull, and no expression moves it; and how much of it is looked at. Chosen."""
TURNS = 2
"""Times that the axis of the lids is put through the corners of the opening. Chosen: one more hardly changes it."""


@dataclass(frozen=True, eq=False)
class Body:
    """A mesh that can be alive.

    Args:
        index: (V,) joined vertex of each of the mesh's own.
        first: (J,) one of the mesh's own for each joined vertex.
        head: the face's frame, mm.
        eyes: those that were found, with or without a ball.
        lids: of each, None where it has none that open.
        rest: (V, 3) mm, the mesh at rest.
        skull: (S,) some of its vertices that no expression moves, above and behind the face.
        brow: (V,) how far each vertex goes with the brows.
        neck: of the head.
        notes: what is left out, a line each.
    """

    index: np.ndarray
    first: np.ndarray
    head: FaceFrame
    eyes: list[Eye]
    lids: list[Lids | None]
    rest: np.ndarray
    skull: np.ndarray
    brow: np.ndarray
    neck: Neck
    notes: tuple[str, ...]

    @classmethod
    def of(cls, mesh: TriMesh, marks: np.ndarray, skin: np.ndarray | None = None) -> Body:
        """Look for all of it.

        Args:
            mesh: (V, 3) mm, a face at rest.
            marks: (468, 3) mm, landmarks, NaN where unknown.
            skin: (V,) bool, vertices of the pieces that hold the face; None takes the piece that holds most landmarks.
        """
        joined, index = weld(mesh)
        first = np.unique(index, return_index=True)[1]
        size = face_size(marks)
        head = FaceFrame.of(marks, facing(marks), size)
        piece = pieces(joined)
        face = _skin(joined, piece, marks) if skin is None else skin[first]
        face = np.bincount(piece, face)[piece] > 0
        balls = {ball.side: ball for ball in find_eyes(joined, ~face, head)}
        faces = joined.faces[face[joined.faces].all(axis=1)]
        others = ~face
        for ball in balls.values():
            others[np.isin(piece, piece[ball.members])] = False
        eyes, lids = [], []
        for side in ("Left", "Right"):
            wanted = [marks[list(each[side])] for each in (UPPER_LIDS, LOWER_LIDS, CORNERS)]
            upper, lower, corners = (each[np.isfinite(each).all(axis=1)] for each in wanted)
            if len(corners) < 2 or len(upper) < 3 or len(lower) < 3:
                continue
            corners = corners[np.argsort(corners @ head.rotation[0])]
            eye, opening = _opened(joined, faces, balls.get(side), side, corners, upper, lower, head)
            eyes.append(eye)
            lids.append(None)
            if opening is not None:
                found = Lids.of(
                    joined, face, Hanging.of(joined, piece, face, others, eye, opening, size), eye, opening, size
                )
                lids[-1] = replace(found, opening=opening.renumbered(first))
        brow = _brow(mesh.vertices, marks, head)
        neck = Neck.of(mesh.vertices, head)
        skull = _skull(mesh.vertices, face[index], head, neck)
        return cls(index, first, head, eyes, lids, mesh.vertices, skull, brow, neck, _notes(eyes, lids))

    def move(self, vertices: np.ndarray, state: Living) -> None:
        """Let vertices (T, V, 3) float32 mm, as an expression has put them, do what is done at T times, in place."""
        self._look(vertices, state)
        head = np.radians(state.head)
        head[:, 0] -= np.radians(TILT) * state.breath
        self.neck(vertices, head, RISE * state.breath)

    def _look(self, vertices: np.ndarray, state: Living) -> None:
        if not self.eyes:
            return
        centres = (np.stack([eye.centre for eye in self.eyes]) - self.head.origin) @ self.head.rotation.T
        turns = both_eyes(state.in_head, centres)
        raised = np.maximum(state.in_head[:, 1], 0)
        for frame, mm in zip(vertices, BROW_FOLLOWS * raised, strict=True):
            if mm:
                frame += np.outer(mm * self.brow, self.head.rotation[1]).astype(np.float32)
        for at, eye in enumerate(self.eyes):
            shut = state.closure[:, 0 if eye.side == "Left" else 1]
            rotation = eye.rotations(turns[:, at], self.head)
            self._turn(vertices, eye, rotation)
            if (lids := self.lids[at]) is not None:
                self._close(vertices, lids, shut, turns[:, at, 1], rotation)

    def _turn(self, vertices: np.ndarray, eye: Eye, rotation: np.ndarray) -> None:
        if len(eye.members):
            own = np.flatnonzero(np.isin(self.index, eye.members))
            arms = vertices[:, own] - eye.centre
            vertices[:, own] = eye.centre + np.einsum("tnc,tdc->tnd", arms, rotation)

    def _close(self, vertices: np.ndarray, lids: Lids, shut: np.ndarray, up: np.ndarray, rotation: np.ndarray) -> None:
        near = vertices[:, self.first[lids.near]].astype(np.float64)
        moved = lids(vertices, near, shut, up, rotation)
        rank = np.full(len(self.first), -1)
        rank[lids.near] = np.arange(len(lids.near))
        own = np.flatnonzero(rank[self.index] >= 0)
        vertices[:, own] = moved[:, rank[self.index[own]]]


def _skin(mesh: TriMesh, piece: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """(J,) bool: the piece on which most landmarks lie."""
    known = marks[np.isfinite(marks).all(axis=1)]
    owners = piece[KDTree(mesh.vertices).query(known)[1]]
    return piece == np.bincount(owners).argmax()


def _opened(
    mesh: TriMesh,
    faces: np.ndarray,
    ball: Eyeball | None,
    side: str,
    corners: np.ndarray,
    upper: np.ndarray,
    lower: np.ndarray,
    head: FaceFrame,
) -> tuple[Eye, Opening | None]:
    """An eye whose axis goes through the corners of its opening, and that opening."""
    eye = Eye.of(ball, side, corners, np.concatenate([upper, lower]), head)
    opening = find_opening(mesh.vertices, faces, eye, upper, lower, corners, head.size)
    for _ in range(TURNS - 1):
        if opening is None:
            break
        top, bottom = (lid.points(mesh.vertices[None])[0] for lid in (opening.upper, opening.lower))
        ends = (top[[0, -1]] + bottom[[0, -1]]) / 2
        eye = Eye.of(ball, side, ends, np.concatenate([top, bottom]), head)
        opening = find_opening(mesh.vertices, faces, eye, top, bottom, corners, head.size)
    return eye.with_ball(mesh), opening


def _skull(vertices: np.ndarray, face: np.ndarray, head: FaceFrame, neck: Neck) -> np.ndarray:
    """(S,) vertices above the brows and behind the face, at most `SKULL_POINTS`."""
    local = head.local(vertices)
    chosen = np.flatnonzero(face & (neck.share > 0.999) & (local[:, 1] > SKULL[0]) & (local[:, 2] < SKULL[1]))
    return chosen[:: max(len(chosen) // SKULL_POINTS, 1)]


def _brow(vertices: np.ndarray, marks: np.ndarray, head: FaceFrame) -> np.ndarray:
    """(V,) from 1 on the brows to 0 beside them."""
    share = np.zeros(len(vertices))
    for brow in (RIGHT_BROW, LEFT_BROW):
        line = marks[list(brow)]
        line = line[np.isfinite(line).all(axis=1)]
        if len(line) > 1:
            steps = np.linspace(0, len(line) - 1, 40)
            dense = np.stack([np.interp(steps, np.arange(len(line)), each) for each in line.T], axis=1)
            gap = KDTree(dense).query(vertices, distance_upper_bound=3 * BROW_WIDTH * head.size)[0]
            share = np.maximum(share, np.exp(-np.square(gap / (BROW_WIDTH * head.size) * 1.5)))
    return np.where(share > 1e-3, share, 0)


def _notes(eyes: list[Eye], lids: list[Lids | None]) -> tuple[str, ...]:
    notes = []
    if not any(lids):
        notes.append("blinks: the mesh has no lids that open before its eyes")
    elif not all(lids) or len(lids) < 2:
        notes.append(f"blinks of one eye: only the {eyes[lids.index(next(filter(None, lids)))].side.lower()} one opens")
    if not any(len(eye.members) for eye in eyes):
        notes.append(
            "gaze of the eyes: the mesh has no eyeballs of its own" + ("; its lids follow" if any(lids) else "")
        )
    return tuple(notes)

"""Text files of landmarks that users have placed on their own meshes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.landmarks.points import (
    CHIN_TIP,
    COUNT,
    EYE_CORNERS,
    INNER_LIPS,
    LEFT_BROW,
    LEFT_LIDS,
    MOUTH_CORNERS,
    NOSE_BASE,
    NOSE_RIDGE,
    NOSE_TIP,
    OUTER_LIPS,
    RIGHT_BROW,
    RIGHT_LIDS,
    facing,
)
from facegen.mesh.formats.raw import FURTHEST
from facegen.readable import require_file

JAW_SIDE = (-1,) * 8
"""The eight points of Multi-PIE along one side of the jaw. They depend on the view, so no landmark is the same."""
OF_68 = (
    *(*JAW_SIDE, CHIN_TIP, *JAW_SIDE),
    *(*RIGHT_BROW, *LEFT_BROW),
    *(*NOSE_RIDGE, *NOSE_BASE),
    *(*RIGHT_LIDS, *LEFT_LIDS),
    *(*OUTER_LIPS, *INNER_LIPS),
)
"""FaceMesh's number of each of the 68 points of Multi-PIE, in their order; -1 where it has none."""
NEEDED = {"the eyes' corners": EYE_CORNERS, "the mouth's corners": MOUTH_CORNERS, "the nose's tip": NOSE_TIP}
"""Landmarks that a file must have: every corner of eyes and mouth, and either of the two at the nose's tip."""


def read_landmarks(path: str | Path) -> np.ndarray:
    """Read points on a mesh, in the mesh's own units and axes.

    Each line is `number x y z` with FaceMesh's number (0 to 467), in any order and for any number of landmarks; or the
    file has the 68 points of Multi-PIE, a line `x y z` for each. Commas count as spaces; `#` begins a comment.

    Returns:
        (468, 3), NaN where the file has none.

    Raises:
        MeshError: the file is missing or has another form, or landmarks of eyes, nose or mouth are missing from it,
            come twice or lie on a line.
    """
    path = require_file(path, MeshError)
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig", errors="replace").splitlines(), 1):
        words = line.split("#")[0].replace(",", " ").split()
        if not words:
            continue
        got = f"got {ascii(line.strip()):.80}"
        try:
            rows.append([float(word) for word in words])
        except ValueError as error:
            raise MeshError(f"{path}, line {number}: expected numbers, {got}") from error
        if any(not abs(value) <= FURTHEST for value in rows[-1]):  # which NaN is not either
            raise MeshError(
                f"{path}, line {number}: expected coordinates within {FURTHEST:,.0f} units of the origin, and finite "
                f"ones, {got}"
            )
    widths = {len(row) for row in rows}
    points = np.full((COUNT, 3), np.nan)
    if widths == {3} and len(rows) == len(OF_68):
        numbers, places = np.array(OF_68), np.array(rows)
    elif widths == {4}:
        table = np.array(rows)
        numbers, places = table[:, 0].astype(int), table[:, 1:]
        if (numbers != table[:, 0]).any() or numbers.min() < 0 or numbers.max() >= COUNT:
            raise MeshError(f"{path}: landmarks are numbered 0 to {COUNT - 1}, as FaceMesh numbers them")
        if (twice := np.bincount(numbers) > 1).any():
            raise MeshError(f"{path}: landmark {twice.argmax()} comes twice; leave one of them out")
    else:
        raise MeshError(f"{path}: expected lines `number x y z`, or 68 lines `x y z`; got {len(rows)} of other kinds")
    points[numbers[numbers >= 0]] = places[numbers >= 0]
    for what, names in NEEDED.items():
        given = np.isfinite(points[list(names), 0])
        if not (given.any() if what == "the nose's tip" else given.all()):
            raise MeshError(f"{path}: {what} (landmarks {', '.join(map(str, names))} of FaceMesh) are not in it")
    try:
        facing(points)
    except MeshError as error:
        raise MeshError(f"{path}: {error}") from error
    return points

"""What the statements of a Wavefront OBJ say of how it looks, read from all of its bytes at once."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from facegen.mesh.formats.obj_lines import Document, Lines, inside, statements
from facegen.mesh.formats.raw import SPACE, parse_numbers
from facegen.mesh.formats.text import as_utf8, decoded, uncommented, unquoted

_MRGB = re.compile(rb"(?:\A|[\r\n])#MRGB([^\r\n]*)")
"""Lines in which ZBrush keeps colours of vertices."""
LONGEST_INDEX = 18
"""Characters of a whole number that surely is one of 64 bits."""
_NO_INDEX = re.compile(rb"(?<!\S)(?![+-]?\d{1,%d}(?!\S))\S+" % LONGEST_INDEX)


NO_CORNERS = np.full((0, 3), -1)


@dataclass(frozen=True, eq=False)
class Look:
    """What is said of the faces, before it is judged.

    Args:
        uv: (U, 2) float64, the first two words of each `vt`; None where they are no numbers.
        corners: (P, N) the rows of `uv` of the corners of each `f`, -1 where they have none and behind its last one.
        counts: (P,) corners of each `f` of three or more; others are no faces.
        broken: what is wrong with these; empty where nothing is.
        names: the materials that faces use, in the order of their first use.
        used: (P,) for each `f`, the number of its material, -1 where none is named.
        colors: (N, 3) float64, the words four to six of each `v` that has as many; None where they are no numbers.
        libraries: the words of each `mtllib`.
        mrgb: the digits of each `#MRGB`, which ZBrush writes: eight a vertex, a mask, red, green and blue.
    """

    uv: np.ndarray | None
    corners: np.ndarray
    counts: np.ndarray
    broken: str
    names: list[str]
    used: np.ndarray
    colors: np.ndarray | None
    libraries: list[str]
    mrgb: list[bytes]


def read_look(data: bytes) -> Look:
    """Read the look that the bytes of a file describe."""
    data = as_utf8(data)
    mrgb = [each.strip() for each in _MRGB.findall(data)] if b"#MRGB" in data else []
    document = statements(data)
    positions, coordinates, faces = (document.select(keyword) for keyword in ("v", "vt", "f"))
    solid = np.flatnonzero(faces.counts >= 3)
    uv = _numbers(coordinates, 0, 2)
    told = np.flatnonzero(coordinates.counts >= 1)
    corners, broken = NO_CORNERS, ""
    if uv is None or len(uv):
        above = np.searchsorted(coordinates.lines[told], faces.lines)
        corners, broken = _corners(faces, solid, above)
    names, used = _materials(document, faces.lines[solid])
    return Look(
        uv,
        corners,
        faces.counts[solid],
        broken,
        names,
        used,
        _numbers(positions, 3, 6),
        [uncommented(decoded(value)) for value in _values(document, "mtllib") if value],
        mrgb,
    )


def _values(document: Document, keyword: str) -> list[bytes]:
    """What stands behind a keyword, line by line."""
    lines = document.named(keyword)
    spans = zip((document.starts[lines] + len(keyword)).tolist(), document.ends[lines].tolist(), strict=True)
    return [document.text[start:end].tobytes().strip() for start, end in spans]


def _numbers(rows: Lines, first: int, last: int) -> np.ndarray | None:
    """(R, last - first) the words of these places of each line; None where they are no numbers, or too few."""
    least = last if first else 1  # what stands behind a position may be a weight, and no colour
    chosen = np.flatnonzero(rows.counts >= least)
    if len(chosen) == 0:
        return np.empty((0, last - first))
    if (rows.counts[chosen] < last).any():
        return None
    begin = (np.cumsum(rows.counts) - rows.counts)[chosen]
    words = (begin[:, None] + np.arange(first, last)).ravel()
    starts = rows.tokens[words]
    found = parse_numbers(_alone(rows.text, starts, _ends(rows)[words]), starts, np.float64)
    return None if found is None else found.reshape(-1, last - first)


def _ends(rows: Lines) -> np.ndarray:
    """(K,) where each word ends."""
    spaces = np.append(np.flatnonzero(SPACE[rows.text]), len(rows.text))
    return spaces[np.searchsorted(spaces, rows.tokens)]


def _alone(text: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """A text with blanks in the place of all but these parts of it."""
    return np.where(inside(starts, ends, len(text)), text, np.uint8(ord(" ")))


def _corners(faces: Lines, solid: np.ndarray, above: np.ndarray) -> tuple[np.ndarray, str]:
    """`corners` and `broken` of a `Look`; `above`: how many `vt` stand above each line."""
    starts, ends = _seconds(faces)
    owners = np.repeat(np.arange(len(faces.counts)), faces.counts)
    bare = np.bincount(owners, ends <= starts, len(faces.counts)) > 0  # a corner without makes a face without
    kept = np.flatnonzero(~bare[owners] & (faces.counts >= 3)[owners])
    starts, ends, owners = starts[kept], ends[kept], owners[kept]
    numbers, broken = _whole_numbers(_alone(faces.text, starts, ends), starts, ends)
    if broken:
        return NO_CORNERS, broken
    rows = np.where(faces.text[starts] == ord("-"), above[owners] + numbers, numbers - 1)
    if (rows < 0).any():
        return NO_CORNERS, "an index points before the first"
    counts = faces.counts[solid]
    corners = np.full((len(solid), counts.max() if len(counts) else 3), -1)
    known = np.flatnonzero(~bare[solid])
    filled = np.zeros(corners.shape, dtype=bool)
    filled[known] = np.arange(corners.shape[1]) < counts[known, None]
    corners[filled] = rows
    return corners, ""


def _seconds(faces: Lines) -> tuple[np.ndarray, np.ndarray]:
    """(K,) where the second index of each corner begins and ends; nowhere where it has none."""
    ends = _ends(faces)
    starts = ends.copy()
    slashes = np.flatnonzero(faces.text == ord("/"))
    corners = np.searchsorted(faces.tokens, slashes, side="right") - 1
    first = np.diff(corners, prepend=-1) > 0
    second = ~first & np.append(False, first[:-1])
    starts[corners[first]] = slashes[first] + 1
    ends[corners[second]] = slashes[second]
    return starts, ends


def _whole_numbers(text: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, str]:
    """The words of a text, which stand at these places; or none, and what is wrong with the first that is wrong."""
    numbers = parse_numbers(text, starts, np.int64)
    if numbers is not None and not (ends - starts > LONGEST_INDEX).any():
        return numbers, ""
    wrong = _NO_INDEX.search(text.tobytes())
    digits = b"" if wrong is None else wrong[0].lstrip(b"+-")
    reason = "they are no numbers" if digits.isdigit() else "an index is no whole number"
    return np.empty(0, dtype=np.int64), reason


def _materials(document: Document, faces: np.ndarray) -> tuple[list[str], np.ndarray]:
    """`names` and `used` of a `Look`, for the lines of faces."""
    known: dict[bytes, str] = {}
    numbers: dict[str, int] = {"": 0}
    stated = [0]
    for value in _values(document, "usemtl"):
        if value not in known:
            known[value] = unquoted(uncommented(decoded(value)))
        stated.append(numbers.setdefault(known[value], len(numbers)))
    lines = document.named("usemtl")
    kind = np.array(stated)[np.searchsorted(lines, faces)]
    found, first = np.unique(kind, return_index=True)
    order = [number for number in found[np.argsort(first)].tolist() if number]
    place = np.full(len(numbers), -1)
    place[order] = np.arange(len(order))
    names = list(numbers)
    return [names[number] for number in order], place[kind]

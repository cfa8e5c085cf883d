"""Faces of a photograph: near, far away, and turned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from facegen.detection.detector import CUT_EDGE, cut_out, detect, quiet, roll
from facegen.landmarks.points import INNER_LIP_MIDDLES, LEFT_EYE, NOSE_TIP, RIGHT_EYE
from facegen.optional import require

FAR_CONFIDENCE = 0.6
"""From which the far detector counts something as one; MediaPipe 0.10.14 keeps no others, whatever is asked."""
BOX_MARGIN = 1.25
"""Half an edge of the cut about a box, in units of the box's longer edge: the face fills two fifths of it."""
FACE_MARGIN = 1.0
"""Half an edge of the cut about landmarks, in units of their extent: a face with its hair."""
DETECTORS_APART = 0.15
"""In units of the landmarks' extent. Eyes, nose and mouth of the two detectors are 0.01 to 0.07 apart where landmarks
are right, and 0.18 or more where they are not (two portraits and a render, turned by six angles)."""
SURE_CONFIDENCE = 0.6
"""The detector's confidence in a face that landmarks were found on: 0.85 to 0.94 in three faces, whichever way they
were turned, once they stood upright; 0.53 in a rocket."""
TILES = ((0.6, 2), (0.4, 3))
"""Edges of tiles, in units of the picture's, and how many stand side by side: the far detector looks into them too,
since it passes over some faces of a group in the whole. They overlap by more than a face that it needs them for."""
QUARTERS = (2, 1, 3)
"""Quarter turns by which a picture is looked at where no face is found in it as it is."""


def faces_in(picture: np.ndarray) -> list[np.ndarray]:
    """All faces of a photograph, far ones and turned ones too.

    The landmarks' own detector sees faces from a ninth of the picture's width on. A second one, which is in the same
    package, sees them down to 0.06 and less; landmarks are then looked for in a cut about each of its boxes. Landmarks
    on an upside-down face look as if it stood upright, with its eyes at the mouth: all are checked against the eyes,
    the nose and the mouth that a detector sees in the face, and looked for again with the face turned.

    Args:
        picture: (H, W, 3) uint8, RGB.

    Returns:
        For each face (468, 2) float64, x to the right and y down in pixels, the largest face first.

    Raises:
        FacegenError: MediaPipe is not installed, or `picture` is no such array.

    Reference:
        Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", CVPRW 2019; behaviour of
        mediapipe 0.10.14.
    """
    found = _upright_faces(picture)
    for quarters in () if found else QUARTERS:
        turned = _upright_faces(np.ascontiguousarray(np.rot90(picture, quarters)), doubtful=False)
        found = [_turned_back(points, picture.shape[:2], quarters) for points in turned]
        if found:
            break
    return sorted(found, key=lambda points: -np.prod(np.ptp(points, axis=0)))


def _upright_faces(picture: np.ndarray, *, doubtful: bool = True) -> list[np.ndarray]:
    """Faces of a picture as it is, checked; `doubtful` near ones are kept where no detector can check them."""
    near = [(points, _checked(picture, points)) for points in detect(picture)]
    found = [points if checked is None else checked for points, checked in near if doubtful or checked is not None]
    for middle, size, turn in _far_boxes(picture):
        if any(_holds(points, middle) for points in [points for points, _ in near] + found):
            continue
        cut = Cut(picture, middle, BOX_MARGIN * size, turn)
        inside = [cut.back(points) for points in detect(cut.made)]
        checked = [_checked(picture, points) for points in inside if _holds(points, middle)]
        found += [points for points in checked[:1] if points is not None]
    return found


@dataclass(frozen=True, eq=False)
class Cut:
    """A square of a picture, turned.

    Args:
        picture: (H, W, 3) uint8.
        middle: (2,) of the square, pixels.
        half: half its edge, pixels.
        turn: radians by which what is cut out is turned against the picture, clockwise as it is seen.
    """

    picture: np.ndarray
    middle: np.ndarray
    half: float
    turn: float = 0.0

    @property
    def frame(self) -> np.ndarray:
        """(2, 2), a step of one pixel of the cut in pixels of the picture."""
        across, along = np.cos(self.turn), np.sin(self.turn)
        return 2 * self.half / CUT_EDGE * np.array([[across, -along], [along, across]])

    @property
    def corner(self) -> np.ndarray:
        """(2,) where the cut begins, pixels."""
        return self.middle - self.frame @ [CUT_EDGE / 2, CUT_EDGE / 2]

    @cached_property
    def made(self) -> np.ndarray:
        """(CUT_EDGE, CUT_EDGE, 3) uint8; grey beyond the picture."""
        image = require("PIL.Image", "photo")
        shrink = max(1, int(self.half / CUT_EDGE))  # a transform alone would skip pixels
        return cut_out(image.fromarray(self.picture).reduce(shrink), self.frame / shrink, self.corner / shrink)

    def back(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 2) of the cut in the picture."""
        return points @ self.frame.T + self.corner


def _checked(picture: np.ndarray, points: np.ndarray) -> np.ndarray | None:
    """Landmarks (468, 2) that agree with what a detector sees in the face, looked for again where these do not.

    None where the detector sees nothing that landmarks agree with.
    """
    extent, middle = float(np.ptp(points, axis=0).max()), (points.max(axis=0) + points.min(axis=0)) / 2
    turn = float(np.radians(roll(points)))
    ways = [Cut(picture, middle, FACE_MARGIN * extent, turn + over) for over in (0, np.pi)]
    best = max(ways, key=lambda cut: _features(cut)[0])  # a face on its head is less of a face
    if best is ways[0] and _agree(points, best):
        return points
    again = (best.back(found) for found in detect(best.made))
    return next((found for found in again if _holds(found, middle) and _agree(found, best)), None)


def _features(cut: Cut) -> tuple[float, np.ndarray | None]:
    """The detector's confidence in the surest face, and its eyes, nose and mouth, (4, 2) pixels of the picture."""
    (seen,) = _detections([cut.made], 0, SURE_CONFIDENCE)
    (best, keys), *_ = [*seen, (0.0, None)]
    return best, None if keys is None else cut.back(keys[:4])


def _agree(points: np.ndarray, cut: Cut) -> bool:
    """Whether landmarks lie where the detector sees eyes, nose and mouth."""
    seen = _features(cut)[1]
    if seen is None:
        return False
    return bool(
        np.linalg.norm(seen - _own_features(points), axis=1).mean() <= DETECTORS_APART * np.ptp(points, axis=0).max()
    )


def _own_features(points: np.ndarray) -> np.ndarray:
    """The same four, (4, 2), by landmarks (468, 2): right eye, left eye, nose and mouth."""
    return np.stack([points[list(each)].mean(axis=0) for each in (RIGHT_EYE, LEFT_EYE, NOSE_TIP, INNER_LIP_MIDDLES)])


def _far_boxes(picture: np.ndarray) -> list[tuple[np.ndarray, float, float]]:
    """Middle (2,) and longer edge of each far face's box, pixels, and its turn, 0 or pi; a face may have several.

    The far detector does not see faces that stand on their head: it looks at the picture on its head too.
    """
    found = []
    for turn, way in ((0.0, 1), (np.pi, -1)):
        tiles = list(_tiles(picture[::way, ::way]))
        seen = _detections([part for _, _, part in tiles], 1, FAR_CONFIDENCE)
        for (top, left, _), inside in zip(tiles, seen, strict=True):
            for _, keys in inside:
                box = keys[-2:] + [left, top]
                middle = box.mean(axis=0) if way > 0 else [picture.shape[1], picture.shape[0]] - box.mean(axis=0)
                found.append((middle, float(np.ptp(box, axis=0).max()), turn))
    return found


def _tiles(picture: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """The picture and parts of it that overlap, with their first row and column."""
    yield 0, 0, picture
    for share, count in TILES:
        high, wide = (int(np.ceil(share * edge)) for edge in picture.shape[:2])
        for top in np.linspace(0, picture.shape[0] - high, count).astype(int).tolist():
            for left in np.linspace(0, picture.shape[1] - wide, count).astype(int).tolist():
                yield top, left, picture[top : top + high, left : left + wide]


def _detections(pictures: list[np.ndarray], far: int, confidence: float) -> list[list[tuple[float, np.ndarray]]]:
    """For each picture, of each face the surest first: confidence, and (8, 2) pixels: right eye, left eye, nose, mouth,
    ears, and two corners of the box."""
    listed = []
    with quiet():
        detection = require("mediapipe.python.solutions.face_detection", "photo")
        with detection.FaceDetection(model_selection=far, min_detection_confidence=confidence) as faces:
            for picture in pictures:
                seen = faces.process(np.ascontiguousarray(picture)).detections or []
                pairs = [_confidence_and_keys(each, (picture.shape[1], picture.shape[0])) for each in seen]
                # MediaPipe 0.10.14 does not look at the bound: its near detector has 0.5, its far one 0.6.
                listed.append(sorted((pair for pair in pairs if pair[0] >= confidence), key=lambda pair: -pair[0]))
    return listed


def _confidence_and_keys(found: Any, size: tuple[int, int]) -> tuple[float, np.ndarray]:
    box = found.location_data.relative_bounding_box
    keys = [(key.x, key.y) for key in found.location_data.relative_keypoints]
    keys += [(box.xmin, box.ymin), (box.xmin + box.width, box.ymin + box.height)]
    return float(found.score[0]), np.array(keys) * size


def _holds(points: np.ndarray, spot: np.ndarray) -> bool:
    """Whether a spot (2,) lies within the bounds of landmarks."""
    return bool(((points.min(axis=0) <= spot) & (spot <= points.max(axis=0))).all())


def _turned_back(points: np.ndarray, shape: tuple[int, int], quarters: int) -> np.ndarray:
    """Points of `numpy.rot90(picture, quarters)` in the picture, whose height and width are `shape`."""
    height, width = shape
    x, y = points.T
    back = {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}[quarters]
    return np.stack(back, axis=1)

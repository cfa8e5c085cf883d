"""What a motion did to a face: where its surface turned over or stretched beyond what faces do, and a picture of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from facegen.detection.look import camera_at
from facegen.errors import FacegenError
from facegen.face import Face
from facegen.landmarks.places import CLOSE_UPS, LIDS, PLACES, nearest_places, place_names
from facegen.landmarks.points import face_size
from facegen.mesh.strain import areas, edge_ratios, turned_over
from facegen.pictures.render import render
from facegen.pictures.sheets import contact_sheet
from facegen.pictures.showing import showing
from facegen.sequence.frames import FewFields, chunks
from facegen.sequence.sequence import Sequence

LARGEST_STRETCH = 4.0
"""Times its length at rest that an edge may have. Chosen from ICT-FaceKit's own shapes: `jawOpen` by 42 mm has edges of
more on 10 mm^2 of skin in all, at the corners of the mouth; no other shape has them on 2 mm^2 of one place."""
TURNED_SHARE = 1.3e-4
"""Of the square of the face's size, 7 mm^2 of an adult's: the skin of one place that may turn over. Chosen from
ICT-FaceKit's own shapes: up to 3.5 mm^2 at a corner of the mouth (`mouthShrugLower`), 3.1 mm^2 of a lid that shuts, 6.2
of one where `noseSneer`, `browDown` and `mouthUpperUp` act at once; `mouthClose` has 62 mm^2, since it is made to be
added to an open jaw."""
STRETCHED_SHARE = 1.6e-4
"""Of the same square, 8 mm^2 of an adult's: the skin of one place, at rest, that may be stretched beyond
`LARGEST_STRETCH`. Chosen: `jawOpen` has 5 mm^2 at each corner."""
MOST_FRAMES, MOST_TRIANGLES = 12, 2_000_000
"""Frames that are judged at most, and triangles of all of them together. Chosen: a second of work."""
MOVED_SHARE = 1e-4
"""Of the face's size: what moves less stays as it is."""
LOCAL_EDGES, LOCAL_FRAMES = 64, 6
"""Edges of each place by whose lengths the frame is found in which most happens there, and such frames at most, of
those places where most does. Chosen: a blink is 4 frames of two lids, and no label tells of it."""
PLACES_NAMED = 6
"""Places that the line names at most, those with most skin beyond the bounds."""
CLOSE_UPS_SHOWN = 3
"""Places shown from nearby at most."""
PICTURE_EDGE = 512
"""Pixels of each picture."""
SKIN_COLOR, TURNED_COLOR, STRETCHED_COLOR = (0.80, 0.76, 0.72), (0.85, 0.05, 0.05), (0.95, 0.60, 0.05)
"""sRGB of what is as it should be, of what turned over and of what is stretched."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What is beyond the bounds in the frame where most is.

    Args:
        counts: triangles beyond the bounds, by the name of their place, those with most skin first.
        frame: its number.
        vertices: (U, 3) mm, that frame.
        turned, stretched: (N,) numbers of triangles of these places.
    """

    counts: dict[str, int]
    frame: int
    vertices: np.ndarray
    turned: np.ndarray
    stretched: np.ndarray

    @property
    def sound(self) -> bool:
        """Whether nothing is beyond the bounds."""
        return not self.counts

    def __str__(self) -> str:
        bounds = f"turned over or stretched beyond {LARGEST_STRETCH:g} times its length"
        if self.sound:
            return f"no skin {bounds}"
        named = [f"{name}, {count} triangle{'s' * (count > 1)}" for name, count in self.counts.items()]
        more = f"; and {len(named) - PLACES_NAMED} places more" if len(named) > PLACES_NAMED else ""
        return f"skin {bounds} (frame {self.frame}): {'; '.join(named[:PLACES_NAMED])}{more}"


def judge(face: Face, sequence: Sequence) -> Judgement:
    """Look at the frames of largest motion, of all and of each place, 12 at most, for triangles that turned over or
    stretched too far.

    A few triangles do so in shapes that artists make, where lips and lids roll; the bounds are on the area of each
    place at rest. Skin of lids counts as far as it can be seen: as an eye shuts, their lining folds up behind
    them, 110 mm^2 of each on MakeHuman's head, and as it looks up, their fold rolls in.

    Args:
        face: at rest.
        sequence: of its vertices, mm, turned as the face.
    """
    rest, faces = face.mesh.vertices, face.mesh.faces
    marks = face.marks
    size = face_size(rest[np.unique(faces)] if marks is None else marks)
    own = faces if face.skin is None else faces[face.skin[faces].all(axis=1)]
    frames = _largest(sequence.motion, _local_peaks(sequence, rest, own, _places(marks, rest, own)))
    frames = frames[: max(1, MOST_TRIANGLES // max(len(faces), 1))]
    poses = [np.asarray(sequence.vertices[frame], dtype=np.float64) for frame in frames.tolist()]
    moves = np.any([np.abs(pose - rest).max(axis=1) > MOVED_SHARE * size for pose in poses], axis=0)
    if face.skin is not None:
        moves &= face.skin  # lashes and the mouth's inside fold as they like
    chosen = np.flatnonzero(moves[faces].any(axis=1))
    own = faces[chosen]
    names = place_names()
    place = _places(marks, rest, own)
    lids = np.isin(place, [names.index(name) for name in LIDS])
    area, worst = areas(rest, own), Judgement({}, int(frames[0]), poses[0], chosen[:0], chosen[:0])
    beyond = 0.0
    for frame, pose in zip(frames.tolist(), poses, strict=True):
        turned = turned_over(rest, pose, own)
        stretched = (edge_ratios(rest, pose, own) > LARGEST_STRETCH) & ~turned
        share = np.ones(len(own))
        odd = np.flatnonzero((turned | stretched) & lids)
        share[odd] = _shown(face, pose, chosen[odd])
        turned, stretched = turned & (share > 0), stretched & (share > 0)
        per_turned, per_stretched = (
            np.bincount(place, share * area * which, len(names)) / size**2 for which in (turned, stretched)
        )
        bad = (per_turned > TURNED_SHARE) | (per_stretched > STRETCHED_SHARE)
        total = per_turned + per_stretched
        if total[bad].sum() > beyond:
            beyond = float(total[bad].sum())
            turned, stretched = turned & bad[place], stretched & bad[place]
            count = np.bincount(place, turned | stretched, len(names)).astype(int)
            order = sorted(np.flatnonzero(bad).tolist(), key=lambda number: -total[number])
            counts = {names[number]: int(count[number]) for number in order}
            worst = Judgement(counts, frame, pose, chosen[turned], chosen[stretched])
    return worst


def _shown(face: Face, pose: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(N,) how far each of these triangles can be seen behind the face's skin; 1 where nothing can look."""
    faces = face.mesh.faces
    skin = np.arange(len(faces)) if face.skin is None else np.flatnonzero(face.skin[faces].any(axis=1))
    try:
        return showing(pose, faces[skin], np.searchsorted(skin, chosen), face.rotation)
    except FacegenError:
        return np.ones(len(chosen))


def _places(marks: np.ndarray | None, rest: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F,) on which of `place_names` each triangle lies."""
    if marks is None:
        return np.full(len(faces), len(place_names()) - 1)
    return nearest_places(marks, rest[faces].mean(axis=1))


def _largest(motion: np.ndarray, local: Iterable[int] = ()) -> np.ndarray:
    """(N,) frames of largest motion by the label (T, E), the peak of each expression first, then those of places, then
    evenly over those that are at least half as strong; where there is no label, evenly over all."""
    strength = np.abs(motion).sum(axis=1)
    peaks = [int(column.argmax()) for column in np.abs(motion).T if column.any()]
    strong = np.flatnonzero(strength >= strength.max(initial=0) / 2)
    spread = strong[np.linspace(0, len(strong) - 1, min(MOST_FRAMES, len(strong))).round().astype(int)]
    peaks.sort(key=lambda frame: -strength[frame])
    return np.array(list(dict.fromkeys([*peaks, *local, *spread.tolist()]))[:MOST_FRAMES])


def _local_peaks(sequence: Sequence, rest: np.ndarray, faces: np.ndarray, place: np.ndarray) -> list[int]:
    """The frames in which edges of some place have changed their lengths most, the largest change first.

    Frames that are made as they are asked for say themselves which these are, since making all of them takes as long
    as writing them; of those the ones of largest motion by the label come first.
    """
    frames = sequence.vertices
    if not isinstance(frames, np.ndarray | FewFields):
        found = frames.eventful()
        strength = np.abs(sequence.motion[found]).sum(axis=1)
        return found[np.argsort(-strength, kind="stable")][:LOCAL_FRAMES].tolist()
    edges, owner = [], []
    for number in np.unique(place):
        found = np.flatnonzero(place == number)
        chosen = found[np.linspace(0, len(found) - 1, min(LOCAL_EDGES, len(found))).round().astype(int)]
        edges.append(faces[chosen, :2])
        owner += [number] * len(chosen)
    if not edges:
        return []
    rows, ends = np.unique(np.concatenate(edges), return_inverse=True)
    ends = ends.reshape(-1, 2)
    few = isinstance(frames, FewFields)
    small = FewFields(frames.rest[rows], frames.weights, frames.fields[:, rows]) if few else frames
    length = np.linalg.norm(rest[rows][ends[:, 1]] - rest[rows][ends[:, 0]], axis=-1)
    sound = length > 0
    ends, length, owner = ends[sound], length[sound], np.array(owner)[sound]
    change = []
    for chunk in chunks(small):
        points = chunk if few else chunk[:, rows]
        now = np.linalg.norm(points[:, ends[:, 1]] - points[:, ends[:, 0]], axis=-1)
        change.append(np.minimum(np.abs(now / length - 1), LARGEST_STRETCH))
    per_place = np.array([np.concatenate(change)[:, owner == number].mean(axis=1) for number in np.unique(owner)])
    order = np.argsort(-per_place.max(axis=1, initial=0), kind="stable")
    return list(dict.fromkeys(per_place.argmax(axis=1)[order].tolist()))[:LOCAL_FRAMES]


def strain_picture(face: Face, judgement: Judgement) -> np.ndarray:
    """(H, W, 3) uint8: the face, and what of it is concerned from nearby; red turned over, orange is stretched."""
    colors = np.tile(SKIN_COLOR, (len(face.mesh.vertices), 1))
    for numbers, color in ((judgement.stretched, STRETCHED_COLOR), (judgement.turned, TURNED_COLOR)):
        colors[face.mesh.faces[numbers]] = color
    views = {"the face": judgement.vertices[np.unique(face.mesh.faces)] if face.marks is None else face.marks}
    views |= _close_ups(face, judgement.counts)
    pictures = [
        render(
            judgement.vertices,
            face.mesh.faces,
            camera_at(points, face.rotation),
            size=PICTURE_EDGE,
            colors=colors,
        )
        for points in views.values()
    ]
    title = "red turned over, orange stretched" if len(views) > 1 else ""  # over one picture it has no room
    return contact_sheet([pictures], column_labels=list(views), title=title)


def _close_ups(face: Face, places: Iterable[str]) -> dict[str, np.ndarray]:
    """Points (N, 3) mm of what is shown from nearby, by name."""
    if face.marks is None:
        return {}
    wanted = [name for name, together in CLOSE_UPS.items() if set(together) & set(places)][:CLOSE_UPS_SHOWN]
    points = {name: face.marks[[n for place in CLOSE_UPS[name] for n in PLACES[place]]] for name in wanted}
    return {name: found for name, found in points.items() if np.isfinite(found).all(axis=1).any()}

"""What made people do, by their own acting: how near a model could come that knew all of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from facegen.data.corpus import Corpus
from facegen.data.sources import OPTIONS, open_source
from facegen.data.sources.acting import ActedSource
from facegen.data.sources.source import Key
from facegen.errors import FacegenError
from facegen.evaluation.rows import Row
from facegen.evaluation.scores import POSITIONS, evolution
from facegen.motion.label import EXPRESSIONS, Phases
from facegen.tables import ACTING

MADE = ("synthetic", "ict_facekit")
"""Sources whose people are made, and act by rules that are known."""
FRESH = 100
"""Takes over which a person's acting is averaged. Chosen: four times as many do not lower the error."""
EVEN = np.array([0.1, 0.35, 0.65, 0.9])
"""Shares of the evolution at which the phases of all takes are brought together for their mean."""
LOOKED_AT = np.linspace(0, 1, 11)
"""Shares of the evolution at which it is measured how far a fresh take moves the face. Chosen."""
NEAR = 0.25
"""Log of the times by which a fresh take is off the label's deformation, at which it counts 0.6 times as much as one
that meets it: how far a face moves says which of a person's ways to show an expression it is. Chosen: at half of it the
error is the same, and where all takes count the same, it is larger by a fifth."""
MOST_TIMES, LEAST_WEIGHT = 1.6, 1e-6
"""The most by which a fresh take is scaled up, and what every one counts at least. Chosen."""
ROUNDING = 0.75
"""Steps of the stored numbers by which a take that is made again may differ from the stored one."""
MOST_LONGER = 10
"""Times that takes as a corpus says they were made may be longer, or faces larger, than those that it has. Chosen."""
LEAST = 1e-9
"""mm: a deformation below which nothing is scaled."""


class Oracle:
    """The acting of a corpus, made again.

    Args:
        corpus: of a source of `MADE`.
        root: of the source, for `ict_facekit`.

    Raises:
        FacegenError: the corpus is of another source, or its recordings are not those that its source makes here.
    """

    def __init__(self, corpus: Corpus, root: Path | None = None) -> None:
        self.corpus, self.source = corpus, _source(corpus, root)
        index = corpus.split("test")[0]
        recorded, again = corpus.displacement(index), self._displacement(index, fluttering=True)
        if recorded.shape != again.shape or np.abs(recorded - again).max() > ROUNDING * corpus.entries[index].scale:
            raise FacegenError("the source makes other takes here than those of the corpus")
        self._rehearsed = lru_cache(maxsize=len(EXPRESSIONS))(self._rehearse)  # of one person at a time
        self._height = _heights(corpus)

    def of_style(self, index: int) -> np.ndarray:
        """(T, V, 3) mm: what the person of a sequence does on average under its label.

        The mean of `FRESH` takes that their style performs, none of which is in the corpus, each brought to the label's
        phases and scaled to the deformation that the label stands for; those that are near it of themselves count more,
        see `NEAR`. Activations are averaged, and shown by the face.
        """
        entry, phases = self.corpus.entries[index], self.corpus.phases(index)
        curves, moved = self._rehearsed(entry.subject, entry.expression)
        along = np.interp(np.arange(entry.frames), _marks(phases, entry.frames), [0, *EVEN, 1])
        sizes = np.maximum([np.interp(along, LOOKED_AT, each).mean() for each in moved], LEAST)
        times = self._height(index) / sizes
        weights = np.exp(-np.square(np.log(np.maximum(times, LEAST)) / NEAR) / 2) + LEAST_WEIGHT
        share = weights * np.minimum(times, MOST_TIMES) / weights.sum()
        mean = {unit: share @ each for unit, each in curves.items()}
        acted = {unit: np.interp(along, np.linspace(0, 1, POSITIONS), curve) for unit, curve in mean.items()}
        person = self.source.actor(entry.subject)
        return np.asarray(person.pose(acted) - person.neutral, np.float32)

    def of_take(self, index: int) -> np.ndarray:
        """(T, V, 3) mm: the take itself without its flutter, and without what is done beside the expression."""
        return self._displacement(index, fluttering=False)

    def _displacement(self, index: int, fluttering: bool) -> np.ndarray:
        entry = self.corpus.entries[index]
        key = Key(entry.subject, entry.expression, entry.recording)
        if fluttering:
            recording = self.source.read(key)
            assert recording.neutral is not None
            return np.asarray(recording.vertices - recording.neutral, np.float32)
        weights, _, _ = self.source.act(entry.subject, entry.expression, self.source.draws(key), fluttering=False)
        person = self.source.actor(entry.subject)
        return np.asarray(person.pose(weights) - person.neutral, np.float32)

    def _rehearse(self, subject: str, expression: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Fresh takes of one person: activations (FRESH, POSITIONS) of each unit, zero where a take has none of it, and
        how far each take moves the face at `LOOKED_AT`, mm."""
        curves: dict[str, np.ndarray] = {}
        moved, person = np.zeros((FRESH, len(LOOKED_AT))), self.source.actor(subject)
        looked = np.rint(LOOKED_AT * (POSITIONS - 1)).astype(int)
        stream = [self.source.casting.seed, 4, int(subject), EXPRESSIONS.index(expression)]
        for k in range(FRESH):
            weights, frames, phases = self.source.act(subject, expression, np.random.default_rng([*stream, k]), False)
            places = evolution(phases, frames, EVEN)
            own = {unit: np.interp(places, np.arange(frames), curve) for unit, curve in weights.items()}
            away = person.pose({unit: curve[looked] for unit, curve in own.items()}) - person.neutral
            moved[k] = np.abs(away).mean(axis=(1, 2), dtype=np.float64)
            for unit, curve in own.items():
                curves.setdefault(unit, np.zeros((FRESH, POSITIONS)))[k] = curve
        return curves, moved


def _marks(phases: Phases, frames: int) -> list[float]:
    """Frames of the label's phases, first and last, each a little after the one before so that they can be turned
    around."""
    marks = [0, phases.onset, phases.apex_start, phases.apex_end, phases.offset, frames - 1]
    return (np.maximum.accumulate(marks) + 1e-6 * np.arange(6)).tolist()


def _heights(corpus: Corpus) -> Callable[[int], float]:
    """What gives the deformation in mm that the label of a sequence stands for by Eq. 6: of one at an end of the scale
    that of the training takes there, in the mean."""
    known: dict[tuple[str, float], list[float]] = {}
    for i in corpus.split("train"):
        entry = corpus.entries[i]
        known.setdefault((entry.expression, entry.intensity), []).append(entry.deformation)

    def height(index: int) -> float:
        entry = corpus.entries[index]
        ends = known.get((entry.expression, entry.intensity))
        # Between its ends the scale says the deformation itself.
        return float(np.mean(ends)) if entry.intensity in (0.0, 1.0) and ends else entry.deformation

    return height


def _source(corpus: Corpus, root: Path | None) -> ActedSource:
    """The source that made a corpus, with the same settings."""
    name, made = corpus.provenance["source"], corpus.provenance
    if name not in MADE:
        raise FacegenError(f"the people of the source {name} are not made, so nobody knows their style")
    if made["recipe"].get("label", "phases") != "phases" or made["recipe"].get("align", "none") != "none":
        raise FacegenError("the corpus was not prepared with --label phases and --align none")
    if "root" in OPTIONS[name] and root is None:
        raise FacegenError("its acting cannot be made again without --acting-root, what was --root in `prepare`")
    ACTING.check(made.get("options"), "what the corpus says of its acting")
    if made["options"]["frames"][1] > MOST_LONGER * max(entry.frames for entry in corpus.entries):
        raise FacegenError("the corpus says that its people act for far longer than any of its takes is")
    if (made["options"].get("vertices") or 0) > MOST_LONGER * len(corpus.hierarchy.template.vertices):
        raise FacegenError("the corpus says that its people have far more vertices than they have")
    options = {key: value for key, value in made["options"].items() if key in OPTIONS[name]}
    options |= {"root": root if "root" in OPTIONS[name] else None, "seed": made["options"]["seed"]}
    source = open_source(name, options)
    assert isinstance(source, ActedSource)
    return source


def oracle_rows(corpus: Corpus, root: str | Path | None) -> tuple[list[Row], str | None]:
    """The rows of what only the acting itself knows, and why there are none, where that is so."""
    try:
        oracle = Oracle(corpus, None if root is None else Path(root))
    except FacegenError as error:
        return [], str(error)
    return [Row("oracle_style", [oracle.of_style]), Row("oracle_take", [oracle.of_take])], None

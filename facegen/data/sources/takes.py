"""Recorded ARKit weights as 4D faces: takes, and the people who act them."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Series
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facegen.data.sources.ict_face import NOSE_TIP, ICTFace
from facegen.data.sources.recorded_face import Performer, RecordedFace
from facegen.data.sources.scenes import Refusals, Scene, TakeFile, TakeReader
from facegen.data.sources.settings import LEFT_OUT, SETTINGS, left_out, read_settings
from facegen.data.sources.source import Habits, Key, Recording, Source
from facegen.data.sources.splits import choose_test_subjects, choose_val_subjects, require_known
from facegen.data.sources.twins import without_twins
from facegen.errors import DataError, unknown
from facegen.motion.label import EXPRESSIONS
from facegen.motion.repair import Stretch
from facegen.motion.shape_groups import GROUPS
from facegen.progress import following

HEADS = ("away", "keep")
"""What becomes of the head's recorded rotation: it is left away, or kept."""
NEUTRAL = "neutral"
"""Folder below the root with people at rest, `<subject>.obj` or `.ply`."""


@dataclass(frozen=True)
class Staging:
    """Who acts recorded takes, and how.

    Args:
        basis: an unchanged clone of the ICT-FaceKit repository.
        seed: draws faces, and the test and validation subjects where none are named.
        subjects: how many drawn people act, all of them every take; None lets each take be acted by who recorded it.
        region: narrow, face or head, see `facegen.data.sources.ict_face.REGIONS`.
        vertices: wished count, reached by splitting the longest edges; None keeps the model's own.
        head: `away` leaves the head's recorded rotation out, `keep` turns it about the neck.
        by_shape: cut each take into evolutions, and name each after the group of shapes that leads it.
        test_takes: where drawn people act: who recorded the takes that test people alone act, as all others are acted
            by the other people alone; None takes the test subjects of `dataset.yaml`.
        test_subjects: names, or one number of subjects to draw.
        val_subjects: for validation, as `test_subjects`.
        units: of given neutrals, instead of those of `dataset.yaml`.
        expressions: of those that are there, the ones to take.
    """

    basis: str | Path | None = None
    seed: int = 0
    subjects: int | None = None
    region: str = "face"
    vertices: int | None = None
    head: str = "away"
    by_shape: bool = False
    test_takes: Series[str] | None = None
    test_subjects: Series[str] | None = None
    val_subjects: Series[str] | None = None
    units: str | None = None
    expressions: Series[str] | None = None


class TakesSource(Source):
    """Takes of ARKit's weights, acted by faces of the ICT Face Model.

    Each frame is a neutral plus the shapes times their weights. A person's neutral is `ROOT/neutral/<subject>.obj`
    where that is there, else drawn from the identity modes by the seed and the person's name. Takes are repaired as
    `facegen.motion.repair.stretches` says.

    Args:
        root: the dataset's folder.
        takes: that are there.
        staging: who acts them, and how.
        refused: takes that cannot be used, with the reason.
        test_performers: the dataset's own performers for testing.

    Raises:
        DataError: a setting cannot be used, or no take can.
    """

    habits = Habits(fps=30.0)

    def __init__(
        self,
        root: str | Path,
        takes: Iterable[TakeFile],
        staging: Staging,
        refused: Refusals | None = None,
        test_performers: Series[str] = (),
    ) -> None:
        self.root, self.staging = Path(root), staging
        if staging.head not in HEADS:
            raise DataError(unknown("way with the head", staging.head, HEADS))
        if staging.basis is None:
            raise DataError("recorded takes need --basis, a clone of ICT-FaceKit, whose shapes they move")
        if staging.subjects is not None and staging.subjects < 2:
            raise DataError(f"--subjects draws at least one to train and one to test, got {staging.subjects}")
        self._settings = read_settings(self.root)
        self._face = RecordedFace(
            ICTFace(staging.basis, staging.region, staging.vertices, "--basis"), staging.head == "keep"
        )
        self.template, self.reference = self._face.face.template, NOSE_TIP
        self._takes = TakeReader(staging.by_shape)
        self._last: tuple[str, Performer] | None = None
        refusals, rest = list(refused or ()), []
        scenes, takes = [], list(takes)
        barred = set(self._settings.leave_out or ())
        for take in following(takes, "reading takes", "take"):
            if f"{take.performer}/{take.name}" in barred:
                rest.append((Key(take.performer, take.expression or "none", take.name), LEFT_OUT))
                continue
            found, cannot, unused = self._takes.scenes(take)
            scenes, refusals, rest = scenes + found, refusals + cannot, rest + unused
        known = {f"{each.performer}/{each.name}" for each in takes}
        left_out(self.root, known | {f"{each.take.performer}/{each.name}" for each in scenes})
        rest += [(each.key, LEFT_OUT) for each in scenes if str(each.key) in barred]
        scenes = self._chosen([each for each in scenes if str(each.key) not in barred])
        if not scenes:
            why = f"; the first because: {refusals[0][1]}" if refusals else ""
            raise DataError(f"{self.root}: no take can be used{why}")
        self._neutrals = self._given({scene.take.performer for scene in scenes})
        self._cast(scenes, test_performers)
        if staging.by_shape and not staging.expressions:
            rest += self._untrained()
        self.refused, self.left_out = (*self.refused, *refusals), tuple(rest)

    def _chosen(self, scenes: list[Scene]) -> list[Scene]:
        """Scenes of the expressions that are wanted; sets `expressions`."""
        found = {scene.expression for scene in scenes}
        listed, wanted = self._settings.expressions, self.staging.expressions
        if self.staging.by_shape:
            usual = [name for name in GROUPS if name in found]
        else:
            usual = [*(name for name in EXPRESSIONS if name in found), *sorted(found - set(EXPRESSIONS))]
        for name in wanted or ():
            if name not in found:
                raise DataError(unknown("expression", name, usual))
        strange = [name for name in usual if listed and name not in listed]
        if strange and not wanted and not self.staging.by_shape:
            raise DataError(f"{self.root / SETTINGS}: {unknown('expression', strange[0], listed)}")
        self.expressions = tuple(wanted or [name for name in listed if name in found] or usual)
        known = found & set(self.expressions)
        return [scene for scene in scenes if scene.expression in known]

    def _test_takes(self, scenes: list[Scene]) -> set[str]:
        """Who recorded the takes that test people alone act."""
        if self.staging.subjects is None and self.staging.test_takes:
            raise DataError("--test-takes is for drawn people, --subjects N; without them give --test-subjects")
        named = self.staging.test_takes or self._settings.test_subjects
        if self.staging.subjects is None or not named:
            return set()
        performers = list(dict.fromkeys(scene.take.performer for scene in scenes))
        require_known("recorded subject of a test take", named, performers)
        if set(named) == set(performers):
            raise DataError(f"all takes are test takes ({', '.join(named)}); at least one is needed to train on")
        return set(named)

    def _cast(self, scenes: list[Scene], test_performers: Series[str]) -> None:
        """Who acts what, and who tests; sets keys and splits."""
        staging, settings = self.staging, self._settings
        if staging.subjects is None:
            people = list(dict.fromkeys(scene.take.performer for scene in scenes))
        else:
            people = [f"{i:03d}" for i in range(staging.subjects)]
        if not staging.test_subjects and staging.subjects is None:
            require_known("test subject", settings.test_subjects, people)
        named = settings.test_subjects if staging.subjects is None else []
        own = [name for name in test_performers if name in people]
        self.test_subjects = choose_test_subjects(people, staging.test_subjects or named or own or None, staging.seed)
        tested = self._test_takes(scenes)
        acted: list[tuple[Key, Scene]] = []
        if staging.subjects is None:
            acted = [(each.key, each) for each in scenes]
        else:
            for person in people:
                for each in scenes:
                    if not tested or (each.take.performer in tested) == (person in self.test_subjects):
                        acted.append((Key(person, each.expression, f"{each.take.performer}/{each.name}"), each))
        self.keys, self.refused = without_twins(key for key, _ in acted)
        self._acted = dict(acted)
        # In the order of people, so that each is made once.
        place = {person: i for i, person in enumerate(people)}
        self.keys = tuple(sorted(self.keys, key=lambda key: place[key.subject]))
        named = settings.val_subjects if staging.subjects is None else []
        validating = staging.val_subjects or named or None
        self.val_subjects = choose_val_subjects(self.keys, self.test_subjects, validating, staging.seed)

    def _untrained(self) -> Refusals:
        """Leave out what nobody shows who trains, since it cannot be learnt; says what that is, once for each scene."""
        trained = {key.expression for key in self.keys if key.subject in self.train_subjects}
        scenes = [self._acted[key] for key in self.keys if key.expression not in trained]
        self.keys = tuple(key for key in self.keys if key.expression in trained)
        self.expressions = tuple(name for name in self.expressions if name in trained)
        return [(each.key, f"nobody who trains shows {each.expression}") for each in dict.fromkeys(scenes)]

    def _given(self, performers: set[str]) -> dict[str, Path]:
        """Neutrals by who they are of."""
        found: dict[str, Path] = {}
        for path in sorted((self.root / NEUTRAL).glob("*")):
            if path.suffix.lower() not in (".obj", ".ply"):
                continue
            if path.stem in performers and self.staging.subjects is None:
                found.setdefault(path.stem, path)
            elif self.staging.subjects is None:
                raise DataError(f"{path}: {unknown('subject', path.stem, sorted(performers))}")
        return found

    def _performer(self, name: str) -> Performer:
        # Scenes of one person follow each other, so the last one is worth keeping.
        if self._last is None or self._last[0] != name:
            if name in self._neutrals:
                units = self.staging.units or self._settings.units
                self._last = name, self._face.given(self._neutrals[name], units)
            else:  # of a stream of their own, so that nobody changes where others come or go
                stream = np.random.default_rng([self.staging.seed, 1, *name.encode()])
                self._last = name, self._face.drawn(stream)
        return self._last[1]

    def weights(self, key: Key) -> np.ndarray:
        """(T, 52) of `facegen.motion.live_link.SHAPES`, at the take's own rate: what a recording is acted by."""
        return self._takes.stretch(self._acted[key]).weights

    def read(self, key: Key) -> Recording:
        return self._recording(key, self._takes.stretch(self._acted[key]))

    def glance(self, key: Key) -> Recording:
        return self._recording(key, self._takes.stretch(self._acted[key]).part(0, 1))

    def _recording(self, key: Key, stretch: Stretch) -> Recording:
        performer, scene = self._performer(key.subject), self._acted[key]
        frames = self._face.perform(performer, stretch)
        return Recording(frames, performer.neutral, scene.phases, stretch.fps, scene.curves)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_last": None}

    def options(self) -> dict[str, object]:
        staging, face = self.staging, self._face.face
        return {
            "seed": staging.seed,
            "subjects": staging.subjects,
            "region": face.region,
            "vertices": len(face.template.vertices),
            "identity_modes": len(face.identities),
            "neutrals": sorted(self._neutrals),
            "head": staging.head,
            "by_shape": staging.by_shape,
            "test_takes": sorted(staging.test_takes or self._settings.test_subjects),
        }

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from motion.recorded_motion import evolutions, generic

from facegen.data.sources.acting import ActedSource, Casting, LinearActor
from facegen.data.sources.casting import ACTINGS
from facegen.data.sources.prototypes import PROTOTYPES
from facegen.data.sources.recorded_acting import RETURNED, RecordedStyle, phases_of
from facegen.errors import DataError
from facegen.mesh.tri_mesh import TriMesh
from facegen.motion.label import EXPRESSIONS
from facegen.motion.recorded import NEAR, QUARTILES, SPECTRA, SPECTRUM, outside
from facegen.motion.statistics import MEASURES, QUARTERS, measure, mirror_of, spectrum, speed_power

FPS, FRAMES = 25.0, (60, 120)
PLACES = {
    "AU1": (12, 30), "AU2": (40, 32), "AU4": (16, 24), "AU5": (30, 12), "AU6": (40, -15), "AU7": (30, 5),
    "AU9": (10, -10), "AU10": (14, -35), "AU11": (20, -35), "AU12": (26, -50), "AU15": (26, -58), "AU16": (12, -62),
    "AU20": (32, -54), "AU17": (0, -80), "AU22": (0, -50), "AU24": (0, -54), "AU25": (0, -58), "AU27": (0, -75),
}  # fmt: skip
"""mm; where on the left half of a flat face each unit pulls, or in its middle."""


class Masks(ActedSource):
    """Flat faces whose units each pull the skin around one place: what acts counts here, and not who."""

    def __init__(self, casting: Casting) -> None:
        super().__init__(casting)
        columns, rows = np.meshgrid(np.linspace(-60, 60, 25), np.linspace(-100, 60, 33))
        first = (np.arange(32)[:, None] * 25 + np.arange(24)).ravel()
        faces = np.concatenate([[first, first + 1, first + 25], [first + 1, first + 26, first + 25]], axis=1).T
        self.template = TriMesh(np.stack([columns, rows, 0 * rows], axis=-1).reshape(-1, 3), faces)
        self.units = {}
        for unit, (x, y) in PLACES.items():
            for name, side in ((f"{unit}_L", 1), (f"{unit}_R", -1)) if x else ((unit, 0),):
                away = self.template.vertices[:, :2] - [side * x, y]
                self.units[name] = np.exp(-((away / 12) ** 2).sum(axis=1))[:, None] * [0.0, 8.0, 2.0]

    def person(self, generator: np.random.Generator) -> LinearActor:
        return LinearActor(self.template.vertices + generator.normal(0, 0.1, self.template.vertices.shape), self.units)


def people(count: int, acting: str, seed: int = 0) -> Masks:
    return Masks(Casting(count, frames=(45, 75) if acting == "steady" else FRAMES, acting=acting, seed=seed))


@cache
def statistics(acting: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Quartiles of each measure over twenty people's takes, and their spectrum of speed; over 120 of habit, who are
    no more courses than people."""
    source = people(120 if acting == "habitual" else 20, acting)
    mirror, rows, powers = mirror_of(source.template.vertices, source.template.faces), [], []
    for key in source.keys:
        take = source.read(key)
        assert take.neutral is not None
        moved = take.vertices - take.neutral
        rows.append(measure(moved, take.neutral, FPS, mirror))
        powers.append(speed_power(moved, FPS))
    quartiles = np.nanpercentile(np.array(rows), QUARTERS, axis=0).T
    return dict(zip(MEASURES, quartiles, strict=True)), spectrum(powers)


@pytest.mark.parametrize("name", QUARTILES)
def test_recorded_acting_lies_within_the_recorded_takes_and_steady_acting_does_not(name: str) -> None:
    assert not outside(name, statistics("recorded")[0][name])
    if name != "asymmetry":  # of which steady acting has as much
        assert outside(name, statistics("steady")[0][name])


@pytest.mark.parametrize("name", QUARTILES)
def test_people_of_habit_move_as_the_recorded_takes_do(name: str) -> None:
    assert not outside(name, statistics("habitual")[0][name])


def test_the_spectrum_of_speed_is_the_recorded_takes_own() -> None:
    assert np.abs(statistics("recorded")[1] - SPECTRUM).max() < NEAR
    assert np.abs(statistics("habitual")[1] - SPECTRUM).max() < NEAR
    assert np.abs(statistics("steady")[1] - SPECTRUM).max() > 5 * NEAR


def test_the_table_is_of_the_takes(ict_root: Path, live_link_root: Path) -> None:
    face, who, mirror = generic(ict_root)
    moved = list(evolutions(live_link_root / "speech-b.csv", face, who))
    rows = np.array([measure(each, who.neutral, 30.0, mirror) for each in moved])
    for name, found in zip(MEASURES, np.nanpercentile(rows, QUARTERS, axis=0).T, strict=True):
        if name in QUARTILES:
            assert found == pytest.approx(QUARTILES[name][3], abs=0.002), name
    assert spectrum(speed_power(each, 30.0) for each in moved) == pytest.approx(SPECTRA[3], abs=0.06)


def same(ours: ActedSource, theirs: ActedSource, subject: str) -> bool:
    keys = [key for key in ours.keys if key.subject == subject]
    pairs = [(ours.read(key), theirs.read(key)) for key in keys]
    return all(
        len(one.vertices) == len(other.vertices)
        and np.array_equal(one.vertices, other.vertices)
        and one.phases == other.phases
        for one, other in pairs
    )


def test_the_seed_fixes_every_take_and_the_first_people_of_a_larger_corpus_are_the_same() -> None:
    few = people(2, "recorded", seed=4)
    assert same(few, people(2, "recorded", seed=4), "001")
    assert same(few, people(9, "recorded", seed=4), "001")
    assert not same(few, people(2, "recorded", seed=5), "001")
    assert few.options()["acting"] == "recorded"
    assert "acting" not in people(2, "steady").options()  # as in corpora that were made before there was a choice


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_has_several_faces_of_which_a_person_prefers_some(expression: str) -> None:
    kinds = [frozenset(weights) for _, weights in PROTOTYPES[expression]]
    shown, alike = Counter(), []
    for who in range(25):
        style = RecordedStyle.draw(np.random.default_rng([1, who]))
        own = Counter()
        for take in range(4):
            curves, _ = style.perform(expression, 60, FPS, np.random.default_rng([2, who, take]))
            own[kinds.index(frozenset(unit for unit in curves if unit[-2] != "_"))] += 1
        shown.update(own)
        alike.append(sum(count * (count - 1) for count in own.values()) / 12)  # share of pairs of takes
    assert len(shown) == len(kinds) >= 3
    assert max(shown.values()) < 0.75 * shown.total()
    anybody = sum((count / shown.total()) ** 2 for count in shown.values())
    assert np.mean(alike) > anybody + 0.05


def test_the_phases_are_those_of_the_made_curve() -> None:
    lasting = 0
    for seed in range(60):
        style = RecordedStyle.draw(np.random.default_rng(seed))
        curves, phases = style.perform("sad", 90, FPS, np.random.default_rng([seed, 1]))
        curve = np.sum([level / level.max() for unit, level in curves.items() if unit[-2] != "_"], axis=0)
        share = curve / curve.max()
        assert phases.offset <= 89
        assert share[phases.onset] < 0.25, seed
        assert phases.apex_start <= share.argmax() + 12 and share.argmax() <= phases.apex_end + 12
        if phases.offset < 80 and share[-1] < RETURNED:
            assert share[phases.offset] < 0.2, seed
        lasting += share[-1] > 0.4 and phases.offset == 89
    assert lasting >= 4  # people who do not return have their offset at the end


def test_a_curve_that_does_not_return_ends_at_its_last_frame() -> None:
    time = np.arange(50.0)
    stays = np.clip((time - 10) / 10, 0, 1) * (1 - 0.3 * np.clip((time - 30) / 19, 0, 1))
    assert phases_of(stays, 10.2, 34.0).offset == 49
    falls = np.clip((time - 10) / 10, 0, 1) * np.clip((40 - time) / 6, 0, 1)
    found = phases_of(falls, 10.2, 39.5)
    assert (found.onset, found.offset) == (10, 40)
    assert falls[found.apex_start] >= 0.85 and falls[found.apex_start - 1] < 0.85


@pytest.mark.parametrize("frames", [8, 12, 300])
def test_takes_of_any_length_can_be_acted(frames: int) -> None:
    for fps in (12.0, 25.0, 120.0):
        curves, phases = RecordedStyle.draw(np.random.default_rng(0)).perform(
            "fear", frames, fps, np.random.default_rng(1)
        )
        assert all(len(level) == frames and np.isfinite(level).all() and level.min() >= 0 for level in curves.values())
        assert phases.offset < frames


def test_an_unknown_way_to_act_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DataError, match="steady"):
        Casting(4, acting="wild")


@pytest.mark.parametrize("acting", ACTINGS)
def test_more_takes_leave_the_first_as_it_is_and_differ_from_it(acting: str) -> None:
    one, three = (Masks(Casting(3, frames=(20, 24), acting=acting, takes_per_expression=k)) for k in (1, 3))
    assert [key.name for key in three.keys[:4]] == ["happy", "happy-2", "happy-3", "angry"]
    assert (len(three.keys), three.test_subjects) == (3 * len(one.keys), one.test_subjects)
    assert set(one.keys) <= set(three.keys)
    first, again = one.read(one.keys[1]), three.read(one.keys[1])
    assert first.phases == again.phases
    np.testing.assert_array_equal(first.vertices, again.vertices)
    others = [three.read(key) for key in three.keys[3:6]]
    assert len({(take.phases, len(take.vertices), float(take.vertices.sum())) for take in others}) == 3
    assert "takes_per_expression" not in one.options()
    assert three.options()["takes_per_expression"] == 3


@pytest.mark.parametrize("takes", [0, -1, 100_000])
def test_numbers_of_takes_that_nobody_acts_are_refused(takes: int) -> None:
    with pytest.raises(DataError, match=f"takes per expression must be 1 to 1000, got {takes}"):
        Casting(3, takes_per_expression=takes)

"""Evolutions named after the shapes that lead them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
from live_link_files import bumps

from facegen.motion.live_link import SHAPES, Take
from facegen.motion.repair import stretches
from facegen.motion.shape_groups import BESIDE, GROUPS, group_curves, led_evolutions
from facegen.motion.statistics import speed_power


def test_the_groups_are_of_arkits_shapes_each_in_one() -> None:
    named = [name for names in GROUPS.values() for name in names]
    assert len(set(named)) == len(named)
    members = {shape for shape in SHAPES for name in named if shape in (name, f"{name}Left", f"{name}Right")}
    assert {shape for shape in SHAPES if shape not in members} == {
        "TongueOut",
        *(shape for shape in SHAPES if shape.startswith("EyeLook")),
    }


def test_gaze_has_curves_of_its_own_and_looking_aside_is_by_both_eyes() -> None:
    curves = group_curves(bumps(30, ("EyeLookOutLeft", 1, 0.6), ("EyeLookInRight", 1, 0.5)), 30)
    assert set(curves) == {*GROUPS, *BESIDE}
    assert curves["look-left"].max() > 0.58
    assert curves["look-right"].max() < 0.01


def test_a_take_is_cut_and_each_part_named() -> None:
    events = [("MouthSmile", 1, 0.7), ("BrowOuterUp", 4, 0.5), ("JawOpen", 7, 0.8), ("EyeBlink", 10, 0.9)]
    weights = bumps(30, *events)
    weights[:, SHAPES.index("JawOpen")] += bumps(30, ("MouthSmile", 1, 0.3), events[-1])[:, SHAPES.index("JawOpen")]
    weights[200:205, SHAPES.index("EyeBlinkLeft")] = 1  # a blink is no expression
    found = led_evolutions(weights, 30)
    assert [each.group for each in found] == ["smile", "brows-up", "jaw", "blink"]
    for each, (_, start, _) in zip(found, events, strict=True):
        marks = np.array([each.phases.onset, each.phases.apex_start, each.phases.apex_end, each.phases.offset])
        assert each.doubt == ""
        np.testing.assert_allclose(marks + each.first, 30 * (start + np.array([0, 0.5, 1, 1.5])), atol=4)


def test_what_nothing_leads_and_what_does_not_end_is_doubted() -> None:
    many = bumps(30, *((f"{name}Left", 1, 0.5) for names in GROUPS.values() for name in names if "Mouth" not in name))
    many += bumps(30, ("Mouth", 1, 0.5)) - 0.02
    (found,) = led_evolutions(many, 30)
    assert found.doubt.startswith("no group of shapes leads; those that rise most are ")
    slow = np.zeros((600, 52))
    slow[:, SHAPES.index("JawOpen")] = np.interp(np.arange(600), [100, 150, 500, 550], [0, 0.8, 0.8, 0])
    (found,) = led_evolutions(slow, 30)
    assert re.fullmatch(r"it takes 15\.\d s, an evolution at most 6", found.doubt)
    assert led_evolutions(np.zeros((90, 52)), 30) == []


def test_curves_are_as_fast_as_the_weights(live_link_root: Path) -> None:
    (part,), _ = stretches(Take.load(live_link_root / "rom-a.csv"))
    jaw = part.weights[:, SHAPES.index("JawOpen")].astype(np.float64)
    powers = [speed_power(curve[:, None, None], 30, False) for curve in (group_curves(part.weights, 30)["jaw"], jaw)]
    assert (np.abs(10 * np.log10(powers[0] / powers[1])) < 0.5).all()


def test_ranges_of_motion_become_evolutions_of_many_groups(live_link_root: Path) -> None:
    found = Counter()
    for name in ("rom-a", "rom-b"):
        (part,), _ = stretches(Take.load(live_link_root / f"{name}.csv"))
        evolutions = led_evolutions(part.weights, part.fps)
        assert all(a.last < b.first for a, b in zip(evolutions, evolutions[1:], strict=False))
        found += Counter(each.group for each in evolutions if not each.doubt)
    assert found.total() >= 60
    assert len(found) >= 10
    assert sum(count >= 2 for count in found.values()) >= 6

"""What a page asks for is checked, and written as the command line reads it."""

from __future__ import annotations

import numpy as np
import pytest

from facegen.errors import FacegenError
from facegen.motion.timeline import Timeline
from facegen.studio.asked import Asked, as_said, typed
from facegen.studio.take_keys import NEAR, keys_of

EVENT = {"expression": "happy", "onset": 2, "apex": [5, 9], "offset": 14, "intensity": 0.75, "ease": "smooth"}
KEYED = {"expression": "sad", "keys": [[3, 0], [8, 0.625], [19, 0.1]], "intensity": 1.0, "ease": "linear"}
SAID = {"frames": 20, "fps": 12.5, "events": [EVENT, KEYED], "alive": True, "seed": 7}


def test_a_timeline_comes_back_from_its_file_as_it_was(tmp_path) -> None:
    path = tmp_path / "timeline.yaml"
    path.write_text(Asked.parse(SAID).yaml(), encoding="utf-8")
    again = Timeline.load(path)
    assert as_said(again) == {name: SAID[name] for name in ("frames", "fps", "events")}
    np.testing.assert_array_equal(again.motion(("happy", "sad")), Asked.parse(SAID).label(("happy", "sad")))


@pytest.mark.parametrize(
    "name", ["yes", "Null", "1e3", "a: b", "{x}", "- y", 'it\'s "so"', "ärger", "\U0001f000", "~", "#c"]
)
def test_a_name_is_no_yaml_of_its_own(tmp_path, name: str) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(Asked.parse(SAID | {"events": [EVENT | {"expression": name}]}).yaml(), encoding="utf-8")
    assert Timeline.load(path).events[0].expression == name


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (None, "expected a timeline"),
        (SAID | {"frames": 10**9}, "frames must be a whole number from 1 to 20,000"),
        (SAID | {"frames": True}, "frames must be a whole number"),
        (SAID | {"fps": float("nan")}, "fps must be a number from 1 to 240"),
        (SAID | {"fps": 10**400}, "fps must be a number from 1 to 240"),
        (SAID | {"seed": -1}, "seed must be"),
        (SAID | {"alive": "yes"}, "alive is true or false"),
        (SAID | {"events": [EVENT] * 501}, "at most 500 events"),
        (SAID | {"events": [EVENT | {"path": "/etc/passwd"}]}, "event 0: expected expression"),
        (SAID | {"events": [EVENT | {"apex": [1]}]}, "event 0: apex is a pair"),
    ],
)
def test_what_is_none_is_refused_in_a_sentence(said, why: str) -> None:
    with pytest.raises(FacegenError, match=why):
        Asked.parse(said)


def test_no_events_are_a_face_at_rest_and_no_file() -> None:
    asked = Asked.parse(SAID | {"events": []})
    assert asked.label(("happy",)).shape == (20, 1) and not asked.label(("happy",)).any()
    with pytest.raises(FacegenError, match="needs an expression"):
        asked.yaml()


def test_the_command_names_what_the_page_chose() -> None:
    words = Asked.parse(SAID).command("my face.obj", "m.ckpt", "t.yaml", "t.glb", False, [])
    assert typed(words) == (
        "facegen animate 'my face.obj' --model m.ckpt --timeline t.yaml --alive --seed 7 --out t.glb"
    )
    still = Asked.parse(SAID | {"alive": False}).command("f.obj", "m.ckpt", "t.yaml", "t.glb", False, [])
    assert "--seed" not in still  # which `animate` refuses there


def test_few_keys_are_near_a_recorded_curve() -> None:
    time = np.linspace(0, 1, 240)
    curve = np.clip(np.sin(np.pi * time) ** 3 + 0.05 * np.sin(23 * time), 0, 1)
    frames, values = np.array(keys_of(curve)).T
    assert len(frames) < 40 and frames[0] == 0 and frames[-1] == 239
    assert np.abs(np.interp(np.arange(240), frames, values) - curve).max() < NEAR + 1e-3

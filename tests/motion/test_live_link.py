"""Recordings of Live Link Face, written here as the app writes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from live_link_files import SMILE, lines, smile

from facegen.errors import MotionError
from facegen.motion.live_link import COLUMNS, ROTATIONS, SHAPES, Take
from facegen.motion.timecode import MOST_STILL, timecode
from facegen.rigging.played import take_weights
from facegen.rigging.track import Track


@pytest.fixture
def take(tmp_path: Path) -> Callable[[list[str]], Take]:
    """Reads lines as a recording."""

    def read(text: list[str]) -> Take:
        (tmp_path / "take.csv").write_text("\n".join(text) + "\n", encoding="utf-8-sig")
        return Take.load(tmp_path / "take.csv")

    return read


HEADER = """Timecode BlendShapeCount
EyeBlinkLeft EyeLookDownLeft EyeLookInLeft EyeLookOutLeft EyeLookUpLeft EyeSquintLeft EyeWideLeft
EyeBlinkRight EyeLookDownRight EyeLookInRight EyeLookOutRight EyeLookUpRight EyeSquintRight EyeWideRight
JawForward JawRight JawLeft JawOpen MouthClose MouthFunnel MouthPucker MouthRight MouthLeft
MouthSmileLeft MouthSmileRight MouthFrownLeft MouthFrownRight MouthDimpleLeft MouthDimpleRight
MouthStretchLeft MouthStretchRight MouthRollLower MouthRollUpper MouthShrugLower MouthShrugUpper
MouthPressLeft MouthPressRight MouthLowerDownLeft MouthLowerDownRight MouthUpperUpLeft MouthUpperUpRight
BrowDownLeft BrowDownRight BrowInnerUp BrowOuterUpLeft BrowOuterUpRight
CheekPuff CheekSquintLeft CheekSquintRight NoseSneerLeft NoseSneerRight TongueOut
HeadYaw HeadPitch HeadRoll LeftEyeYaw LeftEyePitch LeftEyeRoll RightEyeYaw RightEyePitch RightEyeRoll"""


def test_the_columns_are_the_apps() -> None:
    assert tuple(HEADER.split()) == COLUMNS
    assert COLUMNS[2:-9] == SHAPES


def test_a_recording_gives_times_and_weights(take: Callable) -> None:
    weights = smile(np.linspace(0, 0.8, 90))
    found = take(lines(weights, first=37 * 60 + 59))
    np.testing.assert_allclose(found.times, np.arange(90) / 60, atol=1e-9)
    np.testing.assert_allclose(found.weights, weights, atol=1e-9)


def test_columns_go_by_name(take: Callable) -> None:
    text = lines(smile(np.linspace(0, 1, 5)))
    swapped = []
    for line in text:
        words = line.split(",")
        swapped.append(",".join([*words[:2], *words[:1:-1]]))
    swapped[0] = swapped[0].replace("BlendShapeCount", "BlendshapeCount")
    np.testing.assert_array_equal(take(swapped).weights, take(text).weights)


@pytest.mark.parametrize("rate", [24, 25, 30, 60])
def test_the_rate_of_timecodes_is_seen_in_them(take: Callable, rate: int) -> None:
    found = take(lines(smile(np.linspace(0, 1, 5 * rate)), first=7, rate=rate))
    np.testing.assert_allclose(found.times, np.arange(5 * rate) / rate, atol=1e-9)


@pytest.mark.parametrize("fps", [1, 2, 4, 5, 12, 24, 25, 30, 50])
def test_rows_may_be_fewer_than_timecodes(take: Callable, fps: int) -> None:
    text = lines(smile(np.linspace(0, 1, 6 * fps)))
    text[1:] = [",".join([timecode(t / fps), *line.split(",")[1:]]) for t, line in enumerate(text[1:])]
    np.testing.assert_allclose(take(text).times, np.arange(6 * fps) / fps, atol=1e-4)


@pytest.mark.parametrize("rate", [24, 25, 30, 48, 50, 60])
@pytest.mark.parametrize("first", [3, 17])
def test_one_end_of_a_second_says_the_rate(take: Callable, rate: int, first: int) -> None:
    found = take(lines(smile(np.linspace(0, 1, rate + 5)), first=first, rate=rate))
    assert found.rate == rate
    np.testing.assert_allclose(found.times, np.arange(rate + 5) / rate, atol=1e-9)
    assert str(found).endswith(f"by timecodes of {rate} frames a second")


def test_a_frame_lost_at_the_end_of_a_second_does_not_change_the_rate(take: Callable) -> None:
    text = lines(smile(np.linspace(0, 1, 100)), rate=30)
    del text[30:32], text[88]  # the last two frames of the first second, and one of the third
    assert take(text).rate == 30


def test_every_other_frame_of_a_rate(take: Callable) -> None:
    """75 rows of 30 a second, whose timecodes count 60, as the app writes them."""
    found = take(lines(smile(np.linspace(0, 1, 75)), step=2))
    assert (found.rate, found.times[-1]) == (60, pytest.approx(74 / 30))


def test_every_other_number_of_fifty(take: Callable) -> None:
    """The last number before a second ends is 48, and the usual step says what comes after it."""
    found = take(lines(smile(np.linspace(0, 1, 75)), step=2, rate=50))
    assert (found.rate, found.times[-1]) == (50, pytest.approx(74 / 25))


def test_a_recording_within_one_second_counts_thirty_or_sixty(take: Callable) -> None:
    """Nothing in it says more."""
    assert take(lines(smile(np.linspace(0, 1, 20)))).times[-1] == pytest.approx(19 / 30)
    assert take(lines(smile(np.linspace(0, 1, 20)), first=25)).times[-1] == pytest.approx(19 / 60)


def test_a_counter_behind_the_dot_is_no_time(take: Callable) -> None:
    text = lines(smile(np.linspace(0, 1, 90)), rate=30)
    for t, line in enumerate(text[1:]):
        text[t + 1] = line.replace(".250", f".{t + 980:03d}", 1)
    np.testing.assert_allclose(take(text).times, np.arange(90) / 30, atol=1e-9)
    for t, line in enumerate(text[1:]):  # and where it is all that there is
        text[t + 1] = ",".join([f"00:00:00:00.{t}", *line.split(",")[1:]])
    np.testing.assert_allclose(take(text).times, np.arange(90) / 60, atol=1e-9)


def test_whole_frame_numbers_count_sixty(take: Callable) -> None:
    text = lines(smile(np.linspace(0, 1, 90)))
    text[1:] = [",".join([str(t + 7), *line.split(",")[1:]]) for t, line in enumerate(text[1:])]
    np.testing.assert_allclose(take(text).times, np.arange(90) / 60, atol=1e-9)
    text[40] = ",".join(["00:00:00:40.000", *text[40].split(",")[1:]])
    with pytest.raises(MotionError, match="line 41: expected timecodes or frame numbers throughout, found both"):
        take(text)


def test_a_recording_without_a_tongue_has_none(take: Callable) -> None:
    text = lines(smile(np.linspace(0, 1, 9)))
    column = COLUMNS.index("TongueOut")
    rows = [line.split(",") for line in text]
    found = take([",".join(row[:column] + row[column + 1 :]) for row in rows])
    np.testing.assert_allclose(found.weights[:, :-1], take(text).weights[:, :-1])
    assert not found.weights[:, -1].any()


def test_rotations_are_read_where_all_are_there(take: Callable) -> None:
    text = lines(smile(np.linspace(0, 1, 9)))
    rotations = take(text).rotations
    assert rotations is not None and rotations.shape == (9, len(ROTATIONS))
    np.testing.assert_allclose(rotations, 0.1)
    assert take([",".join(line.split(",")[:-9]) for line in text]).rotations is None
    assert take([",".join(line.split(",")[:-1]) for line in text]).rotations is None
    text[3] = ",".join([*text[3].split(",")[:-1], "x"])
    with pytest.raises(MotionError, match="line 4: expected an angle in radians under RightEyeRoll, found 'x'"):
        take(text)


def test_blank_rows_are_passed_over(take: Callable) -> None:
    text = lines(smile(np.linspace(0, 1, 9)))
    found = take([*text[:5], "," * 62, *text[5:], "", "," * 62, " , "])
    np.testing.assert_array_equal(found.weights, take(text).weights)


def test_a_comma_at_the_end_of_lines_is_no_value(take: Callable) -> None:
    text = lines(smile(np.linspace(0, 1, 20)))
    found = take([text[0], *(f"{line}," for line in text[1:])])
    np.testing.assert_array_equal(found.weights, take(text).weights)


def test_semicolons_are_said(take: Callable) -> None:
    text = [line.replace(",", ";") for line in lines(smile(np.linspace(0, 1, 20)))]
    with pytest.raises(MotionError, match="line 1: expected commas between columns, found semicolons"):
        take(text)


def test_the_right_file_of_a_calibrated_take_is_named(tmp_path: Path) -> None:
    for name in ("a", "a_raw", "a_neutral", "alone_neutral"):
        (tmp_path / f"{name}.csv").write_text("\n".join(lines(smile(np.linspace(0, 1, 9)))) + "\n")
    assert Take.load(tmp_path / "a.csv").notes == Take.load(tmp_path / "alone_neutral.csv").notes == ()
    (note,) = Take.load(tmp_path / "a_raw.csv").notes
    assert note == "a_raw.csv is the take before calibration; a.csv beside it is the calibrated one"
    with pytest.raises(MotionError, match=r"a_neutral\.csv: this is the neutral pose of its calibration.*take a\.csv$"):
        Take.load(tmp_path / "a_neutral.csv")


def test_midnight_frames_without_a_face_and_frames_at_one_time(take: Callable) -> None:
    text = lines(smile(np.linspace(0, 1, 120)), first=24 * 3600 * 60 - 60)
    text[50] = text[50].split(",")[0] + ",0" + "," * 61
    text.insert(60, text[59])
    found = take(text)
    assert len(found.times) == 119
    np.testing.assert_allclose(found.times, np.delete(np.arange(120), 49) / 60, atol=1e-6)


def test_the_amplitude_is_nothing_at_rest_and_one_at_the_peak(take: Callable) -> None:
    rise = np.interp(np.arange(240), [0, 60, 90, 150, 200, 239], [0, 0, 0.6, 0.6, 0, 0])
    found = take(lines(smile(rise)))
    curve = found.amplitude(25)
    assert len(curve) == int(239 / 60 * 25) + 1
    np.testing.assert_allclose(curve, np.interp(np.arange(100) / 25, np.arange(240) / 60, rise / 0.6), atol=1e-6)
    assert (curve.min(), curve.max()) == (0, 1)


def test_blinks_and_gaze_are_no_expression(take: Callable) -> None:
    rise = np.interp(np.arange(240), [0, 60, 120, 239], [0, 0, 0.5, 0])
    weights = smile(rise)
    still = take(lines(weights)).amplitude(30)
    weights[20:30, [SHAPES.index("EyeBlinkLeft"), SHAPES.index("EyeLookUpRight")]] = 1
    np.testing.assert_array_equal(take(lines(weights)).amplitude(30), still)
    with pytest.raises(
        MotionError, match="take.csv: the face in the recording does not move: no weight but those of the eyes changes"
    ):
        weights[:, SMILE] = 0.05
        take(lines(weights)).amplitude(30)


def test_restlessness_at_rest_is_no_amplitude(take: Callable) -> None:
    """Two weights take turns, so that the face is never nearer to its rest than 0.1."""
    weights = np.zeros((240, 52))
    weights[::2, SHAPES.index("JawLeft")] = weights[1::2, SHAPES.index("JawRight")] = 0.1
    weights[120:140, SMILE] = 0.8
    curve = take(lines(weights)).amplitude(60)
    np.testing.assert_allclose(curve[:120], 0, atol=1e-12)
    np.testing.assert_allclose(curve[121:139], 1)


def test_a_rate_that_is_none_is_refused(take: Callable) -> None:
    for fps in (0, -1, float("nan")):
        with pytest.raises(MotionError, match="fps must be a positive number"):
            take(lines(smile(np.linspace(0, 1, 9)))).amplitude(fps)


def test_a_gap_that_the_rows_do_not_justify_is_not_made_up(take: Callable) -> None:
    for jump, refused in ((59, False), (3600, True), (22 * 3600, True)):
        text = lines(smile(np.linspace(0, 1, 40)))
        late = lines(smile(np.linspace(0, 1, 40)), first=60 * jump)
        found = take(text[:3] + late[3:])  # a dataset's takes are cut there, and none is refused for it
        for made in (found.amplitude, partial(Track.of_take, found), partial(take_weights, found)):
            if refused:
                with pytest.raises(
                    MotionError, match=rf"take\.csv: expected frames .* 40 of them .* none for {jump} s"
                ):
                    made(60)
            else:
                made(60)


COLUMN_LINE = ",".join(COLUMNS)


def edited(line: int, change: Callable[[list[str]], list[str]]) -> list[str]:
    text = lines(smile(np.linspace(0, 1, 30)))
    text[line - 1] = ",".join(change(text[line - 1].split(",")))
    return text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (edited(1, lambda row: ["Frame", *row[1:]]), "line 1: expected the columns .*; missing: Timecode$"),
        (edited(1, lambda row: row[:40]), r"missing: .*, .*, \w+ and \d+ more$"),
        (edited(5, lambda row: row[:12]), "line 5: expected 63 values, found 12; is it cut short"),
        (edited(6, lambda row: ["12.5", *row[1:]]), "line 6: expected a timecode HH:MM:SS:FF.mmm .* found '12.5'"),
        (edited(6, lambda row: ["00:00:61:00.0", *row[1:]]), "line 6: expected a timecode"),
        (edited(6, lambda row: ["00:00:00:60.0", *row[1:]]), "line 6: .* up to 60 frames a second"),
        (edited(9, lambda row: ["00:00:00:01.000", *row[1:]]), "line 9: expected a timecode after"),
        (edited(7, lambda row: [*row[:2], "smile", *row[3:]]), "line 7: expected a weight.* EyeBlinkLeft, .*'smile'"),
        (edited(7, lambda row: [*row[:2], "nan", *row[3:]]), "line 7: expected a weight"),
        *((edited(7, lambda row, cell=cell: [*row[:2], cell, *row[3:]]), "line 7: expected a weight, 0 to 1, under "
           "EyeBlinkLeft, found '.*; up to -0.5 and 2 are taken; mend it or") for cell in (
            "1e9", "2.01", "-0.51", "inf", "1e400", "9" * 5000, "", "0x1", "100%")),
        *((edited(7, lambda row, cell=cell: [*row[:-1], cell]), "line 7: expected an angle in radians under "
           "RightEyeRoll, found '.*; up to -10 and 10 are taken; mend it or") for cell in ("10.1", "-180", "-inf")),
        (edited(1, lambda row: [*row[:-1], "jawopen"]), "line 1: expected each column once, found JawOpen twice"),
        ([COLUMN_LINE, *[lines(smile(np.zeros(1)))[1]] * 9], "expected timecodes that rise, .* in all rows"),
        (edited(9, lambda row: ["7", *row[1:]]), "line 9: .* timecodes or frame numbers throughout, found both"),
        ([COLUMN_LINE], "expected two frames with a face or more, found 0"),
        ([], "line 1: expected the columns"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_refused_with_its_line(take: Callable, text: list[str], said: str) -> None:
    with pytest.raises(MotionError, match=said):
        take(text)


def test_nothing_is_read_behind_a_time_that_does_not_pass(take: Callable) -> None:
    """The last line is none of a recording, and is not come to."""
    text = lines(smile(np.zeros(MOST_STILL + 2)), step=0)
    assert len(take([*text[:MOST_STILL], *lines(smile(np.zeros(1)), first=1)[1:]]).times) == 2
    for rows in (text, edited(9, lambda row: ["00:00:00:01.000", *row[1:]])):
        with pytest.raises(MotionError, match=rf"line ({MOST_STILL + 2}|9): expected"):
            take([*rows, "cut short"])


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match=r"nowhere\.csv: no such file"):
        Take.load(tmp_path / "nowhere.csv")
    (tmp_path / "a.csv").write_bytes(bytes(range(128, 256)) * 9)
    with pytest.raises(MotionError, match="expected a recording of Live Link Face as text"):
        Take.load(tmp_path / "a.csv")

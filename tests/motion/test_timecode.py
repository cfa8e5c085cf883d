from __future__ import annotations

import numpy as np
import pytest

from facegen.motion.timecode import MOST_STILL, Clock, Stamp, timecode, times_of


def test_timecodes() -> None:
    assert timecode(0) == "00:00:00:00.000"
    assert timecode(1 / 25) == "00:00:00:02.400"
    assert timecode(3725.5) == "01:02:05:30.000"
    assert timecode(0.9999999) == "00:00:01:00.000"


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("01:02:03:04.005", Stamp(3723, 4, "005")),
        ("1:02:03:04", Stamp(3723, 4)),
        ("00:00:00:59", Stamp(0, 59)),
        ("01:02:03;04", Stamp(3723, 4)),
        ("17", Stamp(-1, 17)),
        ("17.000", Stamp(-1, 17)),
        ("00:00:00:60", None),
        ("00:60:00:00", None),
        ("12.5", None),
        ("-1", None),
        ("", None),
    ],
)
def test_stamps(text: str, stamp: Stamp | None) -> None:
    assert Stamp.parse(text) == stamp


def test_a_timecode_is_the_inverse_of_its_time() -> None:
    seconds = np.arange(0, 5, 1 / 12.5)
    times, rate = times_of([Stamp.parse(timecode(each)) for each in seconds])
    assert rate == 60
    np.testing.assert_allclose(times, seconds, atol=1e-5)


def test_a_clock_may_stand_still_for_a_while_and_for_as_long_as_its_digits_count() -> None:
    for digits, refused in ((["5"] * MOST_STILL, False), (["5", "6"] * MOST_STILL, True), (range(9999), False)):
        clock = Clock()
        found = [clock.fault(Stamp(9, 0, str(each))) for each in digits]
        assert any(found) == refused, found[-1]


def test_a_second_that_begins_late_is_outvoted() -> None:
    """Drop-frame timecodes leave numbers 0 and 1 out where a minute begins: the other seconds decide."""
    stamps = [Stamp(58 + n // 30, n % 30) for n in range(60)] + [Stamp(60, n) for n in range(2, 30)]
    assert times_of(stamps)[1] == 30


def test_midnight_ends_a_second_as_any_other_does() -> None:
    before = [Stamp(86399, n) for n in range(10, 25)]
    times, rate = times_of([*before, *(Stamp(0, n) for n in range(10))])
    assert rate == 25
    np.testing.assert_allclose(np.diff(times) % 86400, 1 / 25, atol=1e-6)


@pytest.mark.parametrize(("rate", "left_out"), [(30, 2), (60, 4)])
@pytest.mark.parametrize("minute", [1, 9, 60, 1439])
def test_numbers_that_drop_frame_timecodes_leave_out_are_no_pause(rate: int, left_out: int, minute: int) -> None:
    """They begin minutes at 2 (at 60: at 4), but each tenth minute at 0, and no picture is missing there."""
    codes = [(minute * 60 - 1, n) for n in range(rate)]
    for each in (minute, minute + 1):
        first = 0 if each % 10 == 0 else left_out
        codes += [(each * 60 + s, n) for s in range(60) for n in range(rate) if s or n >= first]
    times, counted = times_of([Stamp(second % 86400, frame) for second, frame in codes])
    assert counted == rate
    np.testing.assert_allclose(np.diff(times) % 86400, 1 / rate, atol=1e-6)


def test_a_minute_that_begins_late_for_another_reason_keeps_its_pause() -> None:
    stamps = [Stamp(59, n) for n in range(30)] + [Stamp(60, n) for n in range(5, 30)]
    times, rate = times_of(stamps)
    assert rate == 30
    assert np.diff(times).max() == pytest.approx(6 / 30)

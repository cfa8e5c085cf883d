"""The clock, with time that tests make."""

from __future__ import annotations

import numpy as np
import pytest

from facegen.errors import FacegenError
from facegen.live.address import Address
from facegen.live.sender import stream
from facegen.motion.live_link import ROTATIONS, SHAPES
from facegen.rigging.track import Track


class Time:
    """A clock that goes on when somebody sleeps, or by what sending takes."""

    def __init__(self, work: dict[int, float] | None = None) -> None:
        self.now, self.work, self.sent = 100.0, work or {}, []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def datagrams(self, number: int, weights: np.ndarray, rotations: np.ndarray) -> list[bytes]:
        self.sent.append((number, self.now - 100, float(weights[0]), float(np.abs(rotations).max())))
        self.now += self.work.get(number, 0.001)
        return [b"frame"]


def track(count: int) -> Track:
    weights = np.tile(np.arange(1, count + 1)[:, None] / count, (1, len(SHAPES)))
    return Track(weights, np.ones((count, len(ROTATIONS))), 50.0)


def run(time: Time, count: int, **more):
    return stream(track(count), time, lambda _: None, clock=time.clock, sleep=time.sleep, **more)


def test_every_frame_has_its_own_time_and_a_face_at_rest_is_last() -> None:
    pace = run(time := Time(), 100)
    *frames, last = time.sent
    assert [number for number, *_ in frames] == list(range(100))
    np.testing.assert_allclose([at for _, at, *_ in frames], np.arange(100) / 50, atol=1e-9)
    assert [weight for *_, weight, _ in frames] == pytest.approx(np.arange(1, 101) / 100)
    assert last[0] == 100 and last[2:] == (0, 0)
    assert pace.on_time == 1 and pace.left_out == 0


def test_a_delay_leaves_frames_out_and_does_not_shift_those_behind_it() -> None:
    pace = run(time := Time({10: 0.09}), 30)
    numbers = [number for number, *_ in time.sent[:-1]]
    assert numbers == [*range(11), *range(14, 30)]
    assert time.sent[12][:2] == pytest.approx((15, 15 / 50))
    assert pace.left_out == 3 and pace.on_time == pytest.approx(25 / 30)


def test_a_loop_goes_on_until_it_is_stopped() -> None:
    time = Time()
    run(time, 5, loop=True, stopped=lambda: len(time.sent) == 23)
    assert [round(5 * weight) for *_, weight, _ in time.sent] == [*[1, 2, 3, 4, 5] * 4, 1, 2, 3, 0]
    assert time.sent[-1][2:] == (0, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("127.0.0.1:11111", "expected SCHEME://HOST:PORT, such as live-link://127.0.0.1:11111"),
        ("osc://127.0.0.1:9000", "unknown scheme 'osc'"),
        ("vmc://127.0.0.1:0", "a port is from 1 to 65535, got 0"),
        ("vmc://127.0.0.1:70000", "a port is from 1 to 65535, got 70000"),
        ("vmc://no..such..host:39539", "nobody here knows the host"),
    ],
)
def test_an_address_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(FacegenError, match=said):
        Address.parse(text)

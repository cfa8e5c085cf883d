"""The clock that sends frames, each at its own time from the first on, so that no delay adds up."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from facegen.errors import FacegenError, said
from facegen.live.address import Address
from facegen.live.live_link import LiveLinkPackets
from facegen.live.vmc import VmcMessages
from facegen.rigging.track import REST, Track

ON_TIME = 2e-3
"""Seconds by which a frame may be late and count as on time: an eighth of a frame at 60 a second."""


class Words(Protocol):
    """What makes datagrams of a frame."""

    def datagrams(self, number: int, weights: np.ndarray, rotations: np.ndarray) -> list[bytes]: ...


@dataclass
class Pace:
    """How a stream went.

    Args:
        sent: frames.
        punctual: those of them that were sent within `ON_TIME` of their time.
        latest: seconds by which the one that came latest came after its time.
        left_out: frames whose time had passed altogether, and which were not sent.
        seconds: from the first frame to the last.
    """

    sent: int = 0
    punctual: int = 0
    latest: float = 0.0
    left_out: int = 0
    seconds: float = 0.0

    @property
    def on_time(self) -> float:
        """Share of all frames that were sent within `ON_TIME` of their time."""
        return self.punctual / max(self.sent + self.left_out, 1)

    def __str__(self) -> str:
        gone = f", {self.left_out} left out" if self.left_out else ""
        return (
            f"{self.sent} frames in {self.seconds:.1f} s{gone}, {100 * self.on_time:.1f} % within "
            f"{1000 * ON_TIME:g} ms of their time"
        )


def words_for(scheme: str, name: str, fps: float) -> Words:
    """What speaks to a receiver.

    Args:
        scheme: one of `facegen.live.address.SCHEMES`.
        name: of the face, for Live Link.
        fps: frames a second.
    """
    if scheme == "vmc":
        return VmcMessages(fps)
    now = time.localtime()
    seconds = 3600 * now.tm_hour + 60 * now.tm_min + now.tm_sec
    return LiveLinkPackets(name, fps, int(seconds * fps))


def stream(
    track: Track,
    words: Words,
    send: Callable[[bytes], None],
    *,
    loop: bool = False,
    stopped: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> Pace:
    """Send a track, and a face at rest behind it.

    Args:
        track: at the rate at which it is sent.
        loop: begin anew after the last frame, until it is stopped.
        words, send, stopped, clock, sleep: see `send_poses`.
    """
    count = len(track.weights)

    def pose(number: int) -> tuple[np.ndarray, np.ndarray]:
        return track.weights[number % count], track.rotations[number % count]

    return send_poses(pose, None if loop else count, track.fps, words, send, stopped=stopped, clock=clock, sleep=sleep)


def send_poses(
    pose: Callable[[int], tuple[np.ndarray, np.ndarray]],
    count: int | None,
    fps: float,
    words: Words,
    send: Callable[[bytes], None],
    *,
    stopped: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> Pace:
    """Send poses as they are when they are due, and a face at rest behind them.

    A frame whose successor is due already is left out, so that motion stays on time where the machine does not.

    Args:
        pose: weights (52,) and rotations (9,) of a frame by its number.
        count: frames; None goes on until it is stopped.
        fps: frames a second.
        words: make datagrams of a frame.
        send: sends one.
        stopped: is asked before each frame.
        clock, sleep: seconds.
    """
    pace, start, number = Pace(), clock(), 0
    while (count is None or number < count) and not stopped():
        due = start + number / fps
        if (wait := due - clock()) > 0:
            sleep(wait)
            if stopped():
                break
        for datagram in words.datagrams(number, *pose(number)):
            send(datagram)
        late = max(clock() - due, 0.0)
        pace.sent, pace.punctual, pace.latest = pace.sent + 1, pace.punctual + (late <= ON_TIME), max(pace.latest, late)
        passed = max(int((clock() - start) * fps), number + 1)
        ahead = passed if count is None else min(passed, max(count - 1, number + 1))
        pace.left_out += ahead - number - 1
        number = ahead
    for datagram in words.datagrams(number, *REST):
        send(datagram)
    pace.seconds = clock() - start
    return pace


class Line:
    """A socket to a receiver; whether anybody listens there, UDP does not say."""

    def __init__(self, address: Address) -> None:
        self.socket, self.place = socket.socket(address.family, socket.SOCK_DGRAM), address.place

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, datagram: bytes) -> None:
        """Send one; that nobody listens yet is no reason to stop.

        Raises:
            FacegenError: the address is of all in a network, which is not sent to, or there is no way to it.
        """
        try:
            with suppress(ConnectionRefusedError):
                self.socket.sendto(datagram, self.place)
        except OSError as error:
            host, port = self.place[:2]
            raise FacegenError(
                f"--to: nothing can be sent to {host}, port {port}: {said(error)}; name one receiver that this machine "
                "reaches"
            ) from error

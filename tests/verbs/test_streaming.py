"""`facegen stream`, to this machine itself."""

from __future__ import annotations

import os
import signal
import socket
import struct
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from live_link_files import bumps, write_take

from facegen.cli import run
from facegen.live import sender
from facegen.live.live_link import ORDER


@pytest.fixture
def listener():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(10)
        yield bound


def heard(listener: socket.socket, count: int) -> np.ndarray:
    """(count, 61) values of packets."""
    return np.array([struct.unpack(">61f", listener.recv(2048)[-244:]) for _ in range(count)])


def to(listener: socket.socket) -> list[str]:
    return ["--to", f"live-link://127.0.0.1:{listener.getsockname()[1]}"]


@pytest.fixture
def take(tmp_path: Path) -> Path:
    return write_take(tmp_path / "take.csv", bumps(60, ("JawOpen", 0.0, 0.8))[:40])


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes only while the sender sleeps, so that a busy machine leaves no frame out."""
    now = [0.0]
    clocked = partial(sender.stream, clock=lambda: now[0], sleep=lambda wait: now.append(now.pop() + wait))
    monkeypatch.setattr(sender, "stream", clocked)


def test_a_take_arrives_frame_by_frame_and_ends_at_rest(
    take: Path, listener, patient: None, capsys: pytest.CaptureFixture
) -> None:
    assert run(["stream", str(take), *to(listener)]) == 0
    values = heard(listener, 41)
    np.testing.assert_allclose(
        values[:40, ORDER.index("JawOpen")], 0.02 + 0.8 * np.arange(40).clip(0, 30) / 30, atol=1e-6
    )
    np.testing.assert_allclose(values[:40, ORDER.index("HeadYaw")], 0.1, atol=1e-6)
    assert not values[40].any()
    assert "40 frames" in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_rest(
    take: Path, listener, patient: None, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    sent = []

    def send(self, datagram: bytes) -> None:
        sent.append(datagram)
        if len(sent) == 60:  # in the second round
            os.kill(os.getpid(), number)

    monkeypatch.setattr(sender.Line, "send", send)
    before = signal.getsignal(number)
    assert run(["stream", str(take), *to(listener), "--loop", "--fps", "1000"]) == 0
    assert not any(struct.unpack(">61f", sent[-1][-244:])) and any(struct.unpack(">61f", sent[-2][-244:]))
    assert signal.getsignal(number) is before
    assert "then a face at rest" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--fps", "0"], "--fps: must be a number from 1 to 1,000, got '0'"),
        (["--alive"], "moves already; leave the option out"),
        (["--name", "a\udcff"], "--name: must be a name of at most 1,000 signs that can be shown, got 'a\\udcff'"),
        (["--name", ""], "--name: must be a name of at most 1,000 signs that can be shown, got ''"),
        (["--name", 70_000 * "a"], "--name: must be a name of at most 1,000 signs that can be shown, got 'aaaaa"),
    ],
)
def test_mistakes_are_told_in_one_line(take: Path, listener, more, said, capsys: pytest.CaptureFixture) -> None:
    assert run(["stream", str(take), *to(listener), *more]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_a_sequence_needs_a_basis(moving, tmp_path: Path, listener, capsys: pytest.CaptureFixture) -> None:
    moving(4).save(tmp_path / "a.npz")
    assert run(["stream", str(tmp_path / "a.npz"), *to(listener)]) == 2
    assert "a.npz needs --arkit-basis DIR" in capsys.readouterr().err

"""What a tab shows is what goes out, by the very sender of `facegen stream`."""

from __future__ import annotations

import socket
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facegen.errors import FacegenError
from facegen.live.live_link import ORDER
from facegen.motion.live_link import SHAPES
from facegen.rigging.track import Track
from facegen.studio import live as live_module
from facegen.studio.clip import Clip
from facegen.studio.live import Live, track_of


@pytest.fixture
def receiver():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        found.settimeout(60)
        yield found


def weight(packet: bytes, name: str) -> float:
    return struct.unpack(">61f", packet[-244:])[ORDER.index(name)]


def test_the_pose_under_the_playhead_goes_out_and_rest_at_the_end(receiver) -> None:
    live = Live(f"live-link://127.0.0.1:{receiver.getsockname()[1]}")
    weights = np.tile(np.linspace(0, 1, 11)[:, None], (1, len(SHAPES)))
    live.track = Track(weights, np.zeros((11, 9)), 25.0)
    live.show(4, False, 0, 10)
    live.start()
    assert weight(receiver.recv(2048), "JawOpen") == pytest.approx(0.4)
    live.show(7, False, 0, 10)  # a hand scrubs
    while weight(receiver.recv(2048), "JawOpen") != pytest.approx(0.7):
        pass
    live.stop()
    receiver.settimeout(0.0)
    last = b""
    try:
        while True:
            last = receiver.recv(2048)
    except BlockingIOError:
        assert weight(last, "JawOpen") == 0


def test_an_address_that_is_not_sent_to_is_a_sentence() -> None:
    live = Live("live-link://255.255.255.255:9")
    live.start()
    live.thread.join()
    assert str(live.failed).startswith("--to: nothing can be sent to 255.255.255.255, port 9: permission denied")


def test_playing_goes_on_by_itself_and_over_again() -> None:
    now = [10.0]
    live = Live("live-link://127.0.0.1:9", clock=lambda: now[0])
    live.track = Track(np.tile(np.arange(11.0)[:, None], (1, len(SHAPES))), np.zeros((11, 9)), 20.0)
    live.show(6, True, 5, 8)
    for seconds, frame in ((0, 6), (0.05, 7), (0.075, 7.5), (0.1, 8), (0.15, 5), (0.2, 6)):
        now[0] = 10 + seconds
        assert live.pose()[0][0] == pytest.approx(frame), seconds


def test_the_jaw_opens_in_surprise_and_a_living_face_looks_around(surprised) -> None:
    model, clip = surprised
    track = track_of(clip, model)
    jaw = track.weights[:, SHAPES.index("JawOpen")]
    assert jaw[5] > 0.2 > 0.05 > jaw[0] and not track.rotations.any()
    alive = Clip(model, clip.stage, replace(clip.asked, alive=True, seed=1), 2)
    assert track_of(alive, model).rotations.any()


def test_a_model_of_another_face_is_a_sentence(surprised, monkeypatch: pytest.MonkeyPatch) -> None:
    model, clip = surprised
    monkeypatch.setattr(live_module, "BASIS", Path("nothing.npz"))
    with pytest.raises(FacegenError, match="another topology"):
        track_of(clip, model)


def test_the_switch_sends_what_is_shown_and_a_mistaken_receiver_is_a_sentence(page, receiver) -> None:
    page.click(".tile[data-expression=surprise]")
    page.fill("#live-to", "vmc://nowhere")
    page.click("#live")  # which is refused, and off again
    page.wait_for_selector(".toast.bad")
    assert "expected SCHEME://HOST:PORT" in page.inner_text(".toast.bad") and not page.is_checked("#live")
    page.fill("#live-to", f"live-link://127.0.0.1:{receiver.getsockname()[1]}")
    page.check("#live")
    assert weight(receiver.recv(2048), "JawOpen") < 0.1
    page.evaluate("studio.player.seek(studio.history.state.events[0].apex[0])")
    while weight(receiver.recv(2048), "JawOpen") < 0.2:
        pass
    page.uncheck("#live")
    while weight(receiver.recv(2048), "JawOpen") != 0:
        pass  # the last is a face at rest

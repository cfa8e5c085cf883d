"""How evenly motion is sent out live, and what it costs."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from facegen.benchmark.measure import say
from facegen.live.address import SCHEMES, Address
from facegen.live.sender import ON_TIME, Line, stream, words_for
from facegen.motion.live_link import ROTATIONS, SHAPES
from facegen.rigging.track import Track

SECONDS, FPS = 60, 60
"""Of each way to speak."""
NOBODY = 9
"""A port of this machine on which nobody listens (RFC 863, discard)."""


def streaming(seconds: float = SECONDS) -> dict[str, Any]:
    """Send random motion to this machine itself, for a minute in each way to speak.

    Returns:
        For each scheme: `frames`, `on_time`, the share within 2 ms of their time, `latest_ms`, `left_out`, and
        `cpu`, the share of one core that it took.
    """
    rng = np.random.default_rng(0)
    count = int(seconds * FPS)
    track = Track(rng.random((count, len(SHAPES))), rng.normal(size=(count, len(ROTATIONS))), FPS)
    found: dict[str, Any] = {"fps": FPS, "within_ms": 1000 * ON_TIME}
    for scheme in SCHEMES:
        say(f"stream: {seconds:g} s of {scheme}")
        words = words_for(scheme, "facegen", FPS)
        with Line(Address.parse(f"{scheme}://127.0.0.1:{NOBODY}")) as line:
            before = time.process_time()
            pace = stream(track, words, line.send)
            spent = time.process_time() - before
        found[scheme] = {
            "frames": pace.sent,
            "on_time": round(pace.on_time, 4),
            "latest_ms": round(1000 * pace.latest, 2),
            "left_out": pace.left_out,
            "cpu": round(spent / pace.seconds, 4),
        }
    return found

"""What a tab shows, sent out to other programs while it is shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from facegen.alive.track import living_track
from facegen.animation import made_frames
from facegen.errors import FacegenError
from facegen.face import Face
from facegen.live.address import Address
from facegen.live.sender import Line, send_poses, words_for
from facegen.pretrained import BASIS
from facegen.rigging.track import REST, Track
from facegen.rigging.weights import ArkitBasis

if TYPE_CHECKING:
    from facegen.checkpoint import Checkpoint
    from facegen.studio.clip import Clip

FPS = 60.0
"""Frames a second, as Live Link Face sends them."""
NAME = "facegen studio"
"""Of the face, as Unreal lists it."""


def track_of(clip: Clip, model: Checkpoint) -> Track:
    """Weights and turns of what is played, whoever's face it is on.

    Raises:
        FacegenError: the shapes that come with facegen are of another head than the model's template.
    """
    template = model.hierarchy.template
    try:
        basis = ArkitBasis.load(BASIS, template.vertices)
    except FacegenError:
        raise FacegenError(
            "this model's face is of another topology than ARKit's shapes that come with facegen; export a .npz, and "
            "send it by `facegen stream --arkit-basis`"
        ) from None
    asked, fps = clip.asked, clip.asked.timeline.fps or model.fps
    face = Face(template, lambda moved: moved, np.eye(3), None, "mm", 1.0)
    made = made_frames(model, clip.label, face, seed=asked.seed, neutral=clip.stage.neutral)
    weights = basis.solve(made.displacements(0, len(clip.label)))
    track = Track(weights, np.zeros((len(weights), len(REST[1]))), fps)
    return living_track(track, asked.seed, clip.label, model.expressions) if asked.alive else track


class Live:
    """A line to a receiver, on which the pose under the playhead goes out.

    Args:
        address: `live-link://HOST:PORT` or `vmc://HOST:PORT`.
        clock: seconds.

    Raises:
        FacegenError: it is no address, or a package for it is missing.
    """

    def __init__(self, address: str, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock, self.ended = clock, threading.Event()
        self.track: Track | None = None
        self.failed: str | None = None  # why nothing goes out any more
        self.shown: tuple[float, float | None, tuple[int, int]] = (0.0, None, (0, 0))
        place = Address.parse(address)
        words = words_for(place.scheme, NAME, FPS)

        def run() -> None:
            try:
                with Line(place) as line:
                    send_poses(lambda _: self.pose(), None, FPS, words, line.send, stopped=self.ended.is_set)
            except FacegenError as error:
                self.failed = str(error)

        self.thread = threading.Thread(target=run, daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self.thread.start()

    def show(self, at: float, playing: bool, low: int, high: int) -> None:
        """The playhead is at a frame now, and moves on between two frames, over and over, while it plays."""
        self.shown = at, self.clock() if playing else None, (low, max(low, high))

    def pose(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights and turns under the playhead, between two frames the mix of both."""
        track = self.track
        if track is None:
            return REST
        at, begun, (low, high) = self.shown
        if begun is not None:
            at += (self.clock() - begun) * track.fps
            at = at if at <= high else low + (at - low) % (high - low + 1)
        at = min(max(at, 0.0), len(track.weights) - 1.0)
        one, part = int(at), at - int(at)
        two = min(one + 1, len(track.weights) - 1)
        weights, turns = ((1 - part) * rows[one] + part * rows[two] for rows in (track.weights, track.rotations))
        return weights, turns

    def stop(self) -> None:
        """Send a face at rest, and no more."""
        self.ended.set()
        if self.thread.is_alive():
            self.thread.join()

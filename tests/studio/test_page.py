"""The page in the real browser: gestures by real events, and what they come to."""

from __future__ import annotations

STATE = "JSON.stringify(studio.history.state)"
ON_SCREEN = "studio.player.seen && studio.player.seen.revision === studio.revision && studio.player.seen.number === Math.round(studio.player.at)"

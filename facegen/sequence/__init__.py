"""Frames that move, made or recorded all the same, and what they look like."""

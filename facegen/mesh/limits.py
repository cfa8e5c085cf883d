"""How large a hierarchy may be asked for: all of it is laid out before anything is trained."""

from __future__ import annotations

DEEPEST = 16
"""Levels below the finest at most. Chosen; the paper has 4."""
LARGEST_FACTOR = 1000.0
"""Ratio of two levels' vertices at most. Chosen; the paper has 5."""
LONGEST_SPIRAL = 1000
"""Vertices of a spiral at most. Chosen; networks have about ten."""
WIDEST_DILATION = 100
"""Steps from one vertex of a spiral to the next at most. Chosen; networks have 1 or 2."""

"""Numbers on the command line: each has a range, and is refused before any work."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

SHOWN = 40
"""Characters of a mistaken option that a message shows."""
LARGEST_SEED = 2**63 - 1
"""The largest seed. Chosen: what any generator of random numbers takes."""
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,20}\s*")
_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")
"""How numbers are written: Python would also take `1_0` and the digits of other scripts, which nobody means."""


def whole(least: int, most: int) -> Callable[[str], int]:
    """The type of an option that takes a whole number in a range, both ends included."""

    def parsed(text: str) -> int:
        if _WHOLE.fullmatch(text) is None or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least:,} to {most:,}, got {text[:SHOWN]!r}")
        return int(text)

    return parsed


def number(least: float, most: float) -> Callable[[str], float]:
    """The type of an option that takes a number in a range, both ends included."""

    def parsed(text: str) -> float:
        value = float(text) if _NUMBER.fullmatch(text) else float("nan")
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"must be a number from {least:,.10g} to {most:,.10g}, got {text[:SHOWN]!r}"
            )
        return value

    return parsed

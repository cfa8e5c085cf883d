"""Units of length."""

from __future__ import annotations

from facegen.errors import MeshError, unknown

UNITS = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
"""Millimetres in one unit."""


def millimetres(unit: str) -> float:
    """How many millimetres one unit has.

    Raises:
        MeshError: the unit is unknown.
    """
    if unit not in UNITS:
        raise MeshError(unknown("unit", unit, UNITS))
    return UNITS[unit]

"""Names that a corpus may hold: of people and expressions, and what a dataset calls its recordings."""

from __future__ import annotations

from collections.abc import Iterable

from facegen.data.sources.source import Key
from facegen.errors import showable
from facegen.tables import NEW_NAME, TITLE

OVER_ALL = "total"
"""What reports call the mean over all expressions, and no expression may be called."""


def wrong_names(keys: Iterable[Key]) -> list[str]:
    """What is wrong with names of recordings, a line each, the same name once.

    Args:
        keys: of the recordings; an expression that is empty is not known yet.
    """
    lines: dict[tuple[str, str], str] = {}
    for key in keys:
        for what, value, kind in (
            ("subject", key.subject, NEW_NAME),
            ("expression", key.expression, NEW_NAME),
            ("recording", key.name, TITLE),
        ):
            if (value or what != "expression") and not kind.accepts(value):
                said = f"{showable(str(key)):.80}: expected {kind.words}, found {ascii(value):.80}; rename it"
                lines.setdefault((what, value), said)
        if key.expression == OVER_ALL:
            said = f"{key}: expected another name than {OVER_ALL}, which means over all expressions have; rename it"
            lines.setdefault(("expression", key.expression), said)
    return list(lines.values())

"""The page beside a report: all that a test subject does, as a generator makes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from facegen.data.corpus import Corpus
from facegen.evaluation.rows import Generator
from facegen.exporters.html import write_html
from facegen.sequence.joined import joined

PAGE = "faces.html"
"""Its name in the report's folder."""
TOLERANCE = 0.3
"""mm, the largest error of a vertex in it. Chosen: it is a third of what generators miss, and keeps pages small."""


def faces_page(corpus: Corpus, row: str, generator: Generator, folder: Path) -> dict[str, Any]:
    """Write the page of the first test subject.

    Args:
        corpus: whose test subject it is.
        row: name of the generator's row.
        generator: makes the motion.
        folder: of the report.

    Returns:
        What the page shows: `row`, `subject`, `expressions`.
    """
    test = corpus.split("test")
    subject = corpus.entries[test[0]].subject
    shown = [index for index in test if corpus.entries[index].subject == subject]
    made = (replace(corpus.sequence(index), vertices=corpus.neutral(index) + generator(index)) for index in shown)
    write_html(joined(made), folder / PAGE, tolerance=TOLERANCE)
    return {"row": row, "subject": subject, "expressions": [corpus.entries[index].expression for index in shown]}

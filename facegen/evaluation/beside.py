"""A report beside another of the same recordings with other labels: what a way of labelling costs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facegen.errors import DataError
from facegen.evaluation.about import table
from facegen.evaluation.rows import TITLES
from facegen.inputs import set_free
from facegen.plain_text import UnboundedError, parse_json
from facegen.readable import require_file
from facegen.schema import WrongValueError
from facegen.tables import REPORT

MOST_REPORT = 16 << 20
"""Bytes of a report at most. Chosen: of ten models and a hundred expressions it has a twentieth."""
SAME_STILL = 1e-3
"""mm by which two errors of a face that does not move may differ where the recordings are the same. Chosen above what
storing rounds."""


def read_report(path: str | Path) -> dict[str, Any]:
    """What an earlier report holds: its `label`, and its `table2` by row and column.

    Args:
        path: the folder that `evaluate` made, or its `report.json`.

    Raises:
        DataError: it is not there, or no report.
    """
    path = Path(path)
    again = "name the folder that `facegen evaluate` made"
    file = path / "report.json" if path.is_dir() else path
    set_free(file)  # read whole before the new one takes its place
    require_file(file, DataError, f"no such report; {again}")
    try:
        if file.stat().st_size > MOST_REPORT:
            raise UnboundedError(f"expected at most {MOST_REPORT >> 20} MiB of JSON")
        content = parse_json(file.read_text(encoding="utf-8"))
        REPORT.check(content, "")
    except (UnboundedError, WrongValueError) as error:
        raise DataError(f"{file}: {error}; {again}") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: no report of `facegen evaluate`; {again}") from error
    errors = {
        row: {column: float(value["mean_mm"]) for column, value in values.items()}
        for row, values in content["table2"].items()
    }
    label = content["corpus"]["provenance"]["recipe"].get("label", "phases")
    if not errors.get("still", {}).get("total"):
        raise DataError(f"{file}: it has no Table 2; evaluate again")
    return {"label": label, "table2": errors}


def compared(other: Mapping[str, Any], label: str, table2: Mapping[str, Any]) -> dict[str, Any]:
    """Errors of both reports in mm, by row and column, as pairs: the other's, and this one's.

    Raises:
        DataError: the other report is of other recordings, or lacks a cell.
    """
    still, here = other["table2"]["still"], {name: value["mean_mm"] for name, value in table2["still"].items()}
    if still.keys() != here.keys() or any(abs(still[name] - here[name]) > SAME_STILL for name in here):
        raise DataError(
            f"the report beside is of other test sequences: a face that does not move errs by {still['total']:.3f} mm "
            f"there and by {here['total']:.3f} mm here; prepare both corpora from the same recordings, with another "
            "--label alone"
        )
    for row, values in table2.items():
        missing = [column for column in values if row in other["table2"] and column not in other["table2"][row]]
        if missing:
            raise DataError(f"the report beside has no {missing[0]!r} in row {row!r} of its Table 2; evaluate it again")
    rows = {
        row: {column: [other["table2"][row][column], value["mean_mm"]] for column, value in values.items()}
        for row, values in table2.items()
        if row in other["table2"] and row not in ("still", "pca_projection")  # which see no label
    }
    return {"labels": [other["label"], label], "rows": rows}


def beside_table(found: Mapping[str, Any]) -> str:
    """Both errors of each row, and by how much this report's is smaller, as a table in Markdown."""
    first, second = found["labels"]
    if first == second:
        first, second = f"{first}, beside", f"{second}, here"
    lines = []
    for row, cells in found["rows"].items():
        lines.append([f"{TITLES[row]}, {first}", *(f"{pair[0]:.3f}" for pair in cells.values())])
        lines.append([f"{TITLES[row]}, {second}", *(f"{pair[1]:.3f}" for pair in cells.values())])
        lines.append(["smaller by", *(_smaller(*pair) for pair in cells.values())])
    columns = list(next(iter(found["rows"].values()), {}))
    return table(["mm", *columns], lines)


def _smaller(before: float, after: float) -> str:
    return f"{100 * (1 - after / before):.1f} %" if before > 0 else ""

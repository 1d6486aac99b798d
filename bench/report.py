"""Saves a run's figures and prints them as a table."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def save(name: str, figures: dict[str, Any]) -> None:
    """Write `results/<date>-<name>.json` and print the rows."""
    path = RESULTS / f"{datetime.now(tz=UTC):%Y-%m-%d}-{name}.json"
    path.write_text(json.dumps(figures, indent=2) + "\n")
    rows: list[dict[str, Any]] = figures["rows"]
    columns = list(rows[0])
    widths = [max(len(column), *(len(str(row[column])) for row in rows)) for column in columns]
    for line in (columns, *([row[column] for column in columns] for row in rows)):
        print("  ".join(str(cell).ljust(width) for cell, width in zip(line, widths, strict=True)))
    print(f"\nsaved as {path.relative_to(RESULTS.parent.parent)}")

"""Many requests in one: what was answered to each of them, in either of the forms in which Brick Owl has said it.

channels-brickowl.md, section 7: a list of bodies, or `{"responses": [{"endpoint", "status_code", "body"}]}`.
"""

import json
from typing import Any


def answers_of(data: Any, count: int) -> list[Any]:
    """Read the answers to `count` requests, in their order; raises ValueError where they are not as many."""
    rows = data.get("responses") if isinstance(data, dict) else data
    if not isinstance(rows, list) or len(rows) != count:
        raise ValueError("not one answer for each request")
    return [_body_of(row) for row in rows]


def _body_of(row: Any) -> Any:
    if not (isinstance(row, dict) and "body" in row):
        return row
    return json.loads(row["body"]) if isinstance(row["body"], str) else row["body"]

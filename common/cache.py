"""What the cache holds is JSON, as all that goes between our processes (reliability.md, check 28)."""

import json
from typing import Any


class JSONSerializer:
    """Django's own is pickle: whoever writes to Redis could have our processes run whatever he likes."""

    def dumps(self, value: Any) -> bytes:
        """Answer the value as it is kept; raises TypeError for what JSON doesn't have."""
        return json.dumps(value, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:
        """Answer a kept value; raises ValueError for what isn't JSON."""
        return json.loads(data)

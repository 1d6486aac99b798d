"""Takes secrets out of what is logged, stored or raised: by the names they go by, and by their declared values."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"
_NAMES = re.compile(
    r"""authorization | proxy-authorization | cookie | set-cookie | .*api[-_]?key | key | .*token | .*secret.*
    | .*passw(?:or)?d | oauth_.* | .*signature""",
    re.IGNORECASE | re.VERBOSE,
)
# What is found by its name in text that is no JSON: a header's whole line, `key=…` in a query, half a JSON string.
_LINE = re.compile(r"((?:proxy-)?authorization|(?:set-)?cookie)(\s*[:=]\s*)[^\r\n<>]+", re.IGNORECASE)
_PAIR = re.compile(
    r"""(["']?) \b ([\w-]*(?:api[-_]?key|token|secret|password|passwd|signature)|key|oauth_\w+) \1 (\s*[=:]\s*)
    ("[^"]*"? | '[^']*'? | [^\s&"'<>,;]+)""",
    re.IGNORECASE | re.VERBOSE,
)
# A shorter value would be met in every other word.
_SHORTEST = 4


class Redactor:
    """Knows one provider's secrets."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        values = {secret for secret in secrets if len(secret) >= _SHORTEST}
        forms = {form for value in values for form in (value, quote(value, safe=""), quote_plus(value))}
        self._values = sorted(forms, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Answer the text without the secrets' values, and without what their names introduce."""
        text = _LINE.sub(lambda found: f"{found[1]}{found[2]}{HIDDEN}", self._plain(text))
        return _PAIR.sub(lambda found: f"{found[1]}{found[2]}{found[1]}{found[3]}{HIDDEN}", text)

    def data(self, value: Any) -> Any:
        """Answer headers, a query or JSON without the secrets, in the same shape."""
        match value:
            case Mapping():
                return {
                    self._plain(str(name)): HIDDEN if _NAMES.fullmatch(str(name)) else self.data(inner)
                    for name, inner in value.items()
                }
            case list() | tuple():
                return [self.data(inner) for inner in value]
            case str():
                return self._plain(value)
            case _:
                return value

    def excerpt(self, body: bytes, *, length: int = 300) -> str:
        """Answer the beginning of a body as it may be shown."""
        try:
            whole = json.dumps(self.data(json.loads(body)), ensure_ascii=False)
        except (ValueError, RecursionError):
            whole = self.text(body.decode(errors="replace"))
        return " ".join(whole.split())[:length]

    def _plain(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, HIDDEN)
        return text

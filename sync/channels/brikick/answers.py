"""What Brikick's answers mean (channels-brikick.md, sections 1 and 3)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from sync.channels.base import text_of
from sync.remote import Act, Operation, Outcome, Refusal, Verdict

_GONE_OR_CHANGED = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT})


def explained(status: int, data: Any) -> Mapping[str, Any]:
    """Answer what an error says besides its status."""
    error = error_of(data)
    code, said = str(error.get("code") or ""), text_of(error.get("message"))[:200]
    details = error.get("details")
    if status == HTTPStatus.UNAUTHORIZED:
        wrong = "Brikick doesn't know this key, or it was revoked there. Copy it again, whole."
        return {"reason": Refusal.WRONG_KEY.value, "detail": wrong}
    if code == "scope_missing":
        scope = text_of(details.get("scope")) if isinstance(details, dict) else "a permission"
        lacks = f"The key lacks {scope}. Make one with this permission in your store's settings at Brikick."
        return {"reason": Refusal.SCOPE.value, "scope": scope, "detail": lacks}
    if status == HTTPStatus.FORBIDDEN:
        waits = "Brikick hasn't approved the store's access to its API. Ask for it in your store's settings there."
        return {"reason": Refusal.NOT_APPROVED.value, "detail": waits}
    if said and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return {"detail": f"Brikick doesn't take this: {reason_of(error)}", "code": code}
    return {}


def reason_of(error: Mapping[str, Any]) -> str:
    """Answer an error's text, with what it says of each field."""
    details = error.get("details")
    fields = [
        f"{name}: {' '.join(map(str, texts)) if isinstance(texts, list) else texts}"
        for name, texts in (details.items() if isinstance(details, dict) else ())
    ]
    return "; ".join([text_of(error.get("message")), *fields])[:300]


def outcome_of(operation: Operation, row: Mapping[str, Any]) -> Outcome:
    """Read what became of an operation; one that isn't answered may have been done."""
    status, error = int(row.get("status") or 0), error_of(row)
    lot_id = str(row.get("id") or operation.lot_id)
    is_gone = operation.act is Act.DELETE and status == HTTPStatus.NOT_FOUND
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES or is_gone:
        return Outcome(key=operation.key, verdict=Verdict.DONE, lot_id=lot_id)
    verdict = Verdict.REFUSED
    if not status or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        verdict = Verdict.UNKNOWN
    elif status in _GONE_OR_CHANGED and operation.act is not Act.CREATE:
        verdict = Verdict.STALE
    reason = reason_of(error) or "Brikick doesn't say what became of it."
    return Outcome(key=operation.key, verdict=verdict, lot_id=operation.lot_id, reason=reason)


def error_of(data: Any) -> Mapping[str, Any]:
    """Answer an error's code, message and details, empty where there is none."""
    error = data.get("error") if isinstance(data, dict) else None
    return error if isinstance(error, dict) else {}

"""Idempotency keys: a POST that is sent again is answered again, and done once (reliability.md, section 5)."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from common import actor
from common.access import ANONYMOUS
from common.errors import BadRequest, Conflict, Invalid
from common.models import IdempotencyRecord

if TYPE_CHECKING:
    from common.api.views import ApiView

KEPT_FOR = timedelta(hours=24)
# No request of ours takes so long; an attempt that still runs after it died with its worker.
TAKEN_OVER_AFTER = timedelta(seconds=60)
RETRY_AFTER_S = 1

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Content-Type", "Location", "ETag", "Retry-After")


class KeyReused(Invalid):
    """The key was sent before with another request."""

    type = "idempotency-key-reused"
    title = "This idempotency key belongs to another request"


class StillRunning(Conflict):
    """The first request with the key hasn't been answered yet."""

    type = "still-running"
    title = "The first request with this key is still running"


class _FencedError(Exception):
    """Somebody took the key over while we worked; what we did is rolled back."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    record_id: UUID
    started_at: datetime


def _hash(request: HttpRequest) -> str:
    # Keyed, because a body may hold a password: from a plain digest in the table it could be guessed offline.
    digest = salted_hmac("common.api.idempotency", b"", algorithm="sha256")
    for part in (request.method or "", request.get_full_path(), request.content_type or ""):
        digest.update(part.encode() + b"\0")
    for piece in _pieces(request):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    """Answer what makes two bodies the same: their bytes; of an upload its fields and files, as boundaries change."""
    if request.content_type != "multipart/form-data":
        yield request.body
        return
    for name, values in sorted(request.POST.lists()):
        yield json.dumps([name, values]).encode()
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            yield json.dumps([name, file.name, file.size]).encode()
            yield from file.chunks()
            file.seek(0)


def _begin(identity: str, key: str, body_hash: str, now: datetime) -> _Attempt | HttpResponse:
    """Claim the key (committed before anything else happens), or answer what was answered before."""
    fresh = {
        "body_hash": body_hash,
        "state": IdempotencyRecord.State.RUNNING,
        "started_at": now,
        "expires_at": now + KEPT_FOR,
    }
    try:
        with transaction.atomic():
            made = IdempotencyRecord.objects.create(identity=identity, key=key, **fresh)
    except IntegrityError:
        found = IdempotencyRecord.objects.filter(identity=identity, key=key).first()
    else:
        return _Attempt(made.id, now)
    if found is None:
        raise StillRunning(retry_after=RETRY_AFTER_S)
    expired = found.expires_at <= now
    if not expired and found.body_hash != body_hash:
        raise KeyReused
    running = found.state == IdempotencyRecord.State.RUNNING
    if not expired and not running:
        return _replay(found)
    if expired or found.started_at <= now - TAKEN_OVER_AFTER:
        # Only one of those who see the same old attempt moves it.
        claim = IdempotencyRecord.objects.filter(pk=found.pk, started_at=found.started_at, state=found.state)
        if claim.update(response_status=None, response_body=None, **fresh):
            return _Attempt(found.id, now)
    raise StillRunning(retry_after=RETRY_AFTER_S)


def _replay(record: IdempotencyRecord) -> HttpResponse:
    kept = record.response_body
    response = HttpResponse(kept["body"].encode(), status=record.response_status, headers=kept["headers"])
    response["Idempotency-Replayed"] = "true"
    return response


def _finish(attempt: _Attempt, response: HttpResponse) -> None:
    kept = {
        "body": response.content.decode(),
        "headers": {name: response[name] for name in _KEPT_HEADERS if name in response},
    }
    mine = IdempotencyRecord.objects.filter(pk=attempt.record_id, started_at=attempt.started_at)
    if not mine.update(state=IdempotencyRecord.State.DONE, response_status=response.status_code, response_body=kept):
        raise _FencedError


def _forget(attempt: _Attempt) -> None:
    IdempotencyRecord.objects.filter(pk=attempt.record_id, started_at=attempt.started_at).delete()


def once(view: "ApiView", work: Callable[[], HttpResponse]) -> HttpResponse:
    """Do the work of a POST once per `Idempotency-Key` of an identity; other requests just do it.

    The effect and its remembered answer are committed together, so a worker that dies leaves both or neither. Refusals
    are remembered too; what failed on our side, or for going too fast, is not.
    """
    request = view.request._request
    key = request.headers.get("Idempotency-Key")
    who = actor.current()
    if request.method != "POST" or key is None or who is ANONYMOUS:
        return work()
    if not _KEY.fullmatch(key):
        raise BadRequest("An Idempotency-Key has 1 to 255 visible ASCII characters.")
    begun = _begin(who.identity, key, _hash(request), timezone.now())
    if isinstance(begun, HttpResponse):
        return begun
    try:
        return _work(view, work, begun)
    except _FencedError as error:
        raise StillRunning(retry_after=RETRY_AFTER_S) from error


def _work(view: "ApiView", work: Callable[[], HttpResponse], attempt: _Attempt) -> HttpResponse:
    try:
        with transaction.atomic() if view.atomic_with_key else nullcontext():
            response = view.render(work())
            _finish(attempt, response)
            return response
    except _FencedError:
        raise
    except Exception as error:  # whatever the view may raise; handle_exception raises again what nobody anticipated
        try:
            response = view.render(view.handle_exception(error))
        except Exception:
            _forget(attempt)
            raise
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        _forget(attempt)
    else:
        _finish(attempt, response)
    return response


def purge_expired(*, now: datetime) -> int:
    """Delete the records whose time is over; answer how many."""
    deleted, _ = IdempotencyRecord.objects.filter(expires_at__lte=now).delete()
    return deleted

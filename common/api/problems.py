"""Turns whatever a view raises into problem+json: ours, DRF's and Django's errors in one shape."""

from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import BadRequest as DjangoBadRequest
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.request import Request

from common.error_responses import problem_json
from common.errors import (
    BadRequest,
    Invalid,
    MethodNotAllowed,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    ProblemError,
    StaleVersion,
    TooLarge,
    UnsupportedMediaType,
)


class PreconditionFailed(StaleVersion):
    """A lost update whose client stated the version as a condition (RFC 9110, section 13.1.1)."""

    status = 412


_NON_FIELD = "non_field_errors"


def _escape(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


def _messages(detail: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _messages(inner, pointer if name == _NON_FIELD else f"{pointer}/{_escape(name)}")
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        for index, inner in enumerate(detail):
            yield from _messages(inner, f"{pointer}/{index}")
    elif isinstance(detail, list):
        for item in detail:
            yield pointer, str(item)
    else:
        yield pointer, str(detail)


def pointers(detail: Any) -> dict[str, list[str]]:
    """Answer DRF's tree of errors as messages by JSON pointer; `""` is the whole body."""
    found: dict[str, list[str]] = {}
    for pointer, message in _messages(detail, ""):
        found.setdefault(pointer, []).append(message)
    return found


def _from_drf(exc: exceptions.APIException, allowed: list[str]) -> ProblemError | None:
    translations: dict[type[exceptions.APIException], Callable[[], ProblemError]] = {
        exceptions.ValidationError: lambda: Invalid(errors=pointers(exc.detail)),
        exceptions.ParseError: lambda: BadRequest(str(exc.detail)),
        exceptions.NotAuthenticated: NotAuthenticated,
        exceptions.AuthenticationFailed: NotAuthenticated,
        exceptions.PermissionDenied: PermissionDenied,
        exceptions.NotFound: NotFound,
        exceptions.MethodNotAllowed: lambda: MethodNotAllowed(allowed=allowed),
        exceptions.NotAcceptable: lambda: NotAcceptable("Accept application/json."),
        exceptions.UnsupportedMediaType: lambda: UnsupportedMediaType("Send application/json."),
    }
    made = translations.get(type(exc))
    return made() if made else None


def to_problem(exc: Exception, *, allowed: list[str]) -> ProblemError | None:
    """Answer the error in our own terms, or None if nobody anticipated it."""
    match exc:
        case ProblemError():
            return exc
        case exceptions.APIException():
            return _from_drf(exc, allowed)
        case Http404():
            return NotFound()
        case DjangoPermissionDenied():
            return PermissionDenied()
        case RequestDataTooBig():
            return TooLarge()
        case SuspiciousOperation() | DjangoBadRequest():
            return BadRequest()
        case _:
            return None


def _underlying(request: Any) -> HttpRequest:
    return request._request if isinstance(request, Request) else request


def exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's EXCEPTION_HANDLER: answer the problem, or None so that the error is reported and answered as a 500."""
    problem = to_problem(exc, allowed=context["view"].allowed_methods)
    if problem is None:
        return None
    request = _underlying(context["request"])
    if isinstance(problem, StaleVersion) and "If-Match" in request.headers:
        problem = PreconditionFailed(problem.detail, **problem.extra)
    return problem_json(request, problem)

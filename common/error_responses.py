"""Turns errors into answers: problem+json under /api/, a page elsewhere; also Django's own 400, 403, 404 and 500."""

import sys
from http import HTTPStatus
from typing import Any

import structlog
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from psycopg_pool import PoolTimeout

from common import actor
from common.access import ANONYMOUS
from common.errors import BadRequest, NotFound, PermissionDenied, ProblemError, TooLarge, Unavailable

logger = structlog.get_logger(__name__)

PROBLEM_TYPES = "https://www.brikonnect.com/problems/"
CHALLENGE = 'Bearer realm="Brikonnect"'
_PAGES = frozenset({400, 402, 403, 404, 409, 410, 413, 422, 429, 500, 503})
_RETRY_AFTER_S = 5
# When not even templates work.
_LAST_RESORT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Error · Brikonnect</title></head><body>
<main><h1>Something broke on our side</h1><p>Try again shortly. If it goes on, write to help@brikonnect.com.</p></main>
</body></html>"""


class InternalError(ProblemError):
    """Something broke on our side; the log has the rest under the request id."""

    type = "internal-error"
    title = "Something broke on our side"
    status = 500


def wants_json(request: HttpRequest) -> bool:
    """Tell whether the visitor is a program."""
    return request.path_info.startswith("/api/")


def problem_body(problem: ProblemError, *, instance: str) -> dict[str, Any]:
    """Answer the members of RFC 9457 and our own: request_id, and errors by JSON pointer."""
    return {
        "type": f"{PROBLEM_TYPES}{problem.type}",
        "title": problem.title,
        "status": problem.status_code,
        "detail": problem.detail or problem.title,
        "instance": instance,
        "request_id": actor.origin().request_id,
        **problem.extra,
    }


def problem_json(request: HttpRequest, problem: ProblemError) -> HttpResponse:
    """Answer the problem to a program."""
    response = JsonResponse(
        problem_body(problem, instance=request.path),
        status=problem.status_code,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store", **problem.headers},
    )
    if problem.status_code == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = CHALLENGE
    return response


def problem_page(request: HttpRequest, problem: ProblemError, *, bare: bool = False) -> HttpResponse:
    """Answer the problem to a person: the page of its status, in the shell where one is signed in.

    `bare`: without anything that a query or the middleware would have to tell the page.
    """
    status = problem.status_code
    if status == HTTPStatus.UNAUTHORIZED:
        return _sign_in(request)
    is_bare = bare or not hasattr(request, "user")
    context = {
        "problem": problem,
        "status": status,
        "request_id": actor.origin().request_id,
        "detail": problem.detail,
        "permission": problem.extra.get("permission", ""),
        "is_signed_in": not is_bare and actor.current() not in (actor.SYSTEM, ANONYMOUS),
    }
    nearest = HTTPStatus.INTERNAL_SERVER_ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else HTTPStatus.BAD_REQUEST
    name = f"errors/{status if status in _PAGES else nearest.value}.html"
    page = render_to_string(name, context, request=None if is_bare else request)
    return HttpResponse(page, status=status, headers={"Cache-Control": "no-store", **problem.headers})


def _sign_in(request: HttpRequest) -> HttpResponse:
    """Lead a visitor to the log-in page; htmx opens its log-in sheet on 401 and repeats the deed."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
    return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")


def problem_response(request: HttpRequest, problem: ProblemError) -> HttpResponse:
    """Answer the problem in the visitor's language: JSON or a page."""
    return problem_json(request, problem) if wants_json(request) else problem_page(request, problem)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: a garbage host, a broken multipart body, a form that is too large."""
    return problem_response(request, TooLarge() if isinstance(exception, RequestDataTooBig) else BadRequest())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return problem_response(request, PermissionDenied())


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return problem_response(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: needs nothing that may be broken. A database that is away makes it a 503."""
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError | PoolTimeout)
    problem: ProblemError = Unavailable(retry_after=_RETRY_AFTER_S) if away else InternalError()
    if wants_json(request):
        return problem_json(request, problem)
    try:
        return problem_page(request, problem, bare=away)
    except Exception:
        logger.exception("errors.page_broken")
        return HttpResponse(_LAST_RESORT, status=problem.status_code, headers=problem.headers)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: the form is older than the session, or the request came from elsewhere."""
    return problem_response(
        request, PermissionDenied("The page is older than your session. Reload it and try again.", reason="csrf")
    )

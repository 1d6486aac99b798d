"""Refuses what no client sends in good faith, before anything looks at it (reliability.md, checks 26, 39, 45)."""

import re
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from common.error_responses import problem_response
from common.errors import BadRequest, MethodNotAllowed, ProblemError, TooLarge

METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")
_MAX_URL = 8192
_MULTIPART = "multipart/form-data"
_FORMS = ("application/x-www-form-urlencoded", _MULTIPART)


def _check_bytes(raw: bytes, where: str) -> None:
    if b"\0" in raw:
        raise BadRequest(f"The {where} has a NUL character.")
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The {where} is not valid UTF-8.") from error


def _check_address(path: str, query: str) -> None:
    if len(path) + len(query) > _MAX_URL:
        raise BadRequest("The address is too long.")
    # Bytes of a path that aren't UTF-8 stand percent-encoded in it when we get it, and lead nowhere.
    _check_bytes(path.encode(), "path")
    _check_bytes(unquote_to_bytes(query), "query")


def _check_length(request: HttpRequest) -> None:
    if "Transfer-Encoding" in request.headers and not request.META.get("CONTENT_LENGTH"):
        # Django reads as much as was promised, which would be nothing.
        raise BadRequest("Say with Content-Length how long the body is.", status=HTTPStatus.LENGTH_REQUIRED)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not re.fullmatch(r"[0-9]{1,15}", length):
        raise BadRequest("Content-Length is not a number.")
    limit = settings.UPLOAD_MAX_BYTES if request.content_type == _MULTIPART else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if int(length) > limit:
        raise TooLarge(f"At most {limit} bytes.", limit_bytes=limit)


def _check_form(request: HttpRequest) -> None:
    if request.method != "POST" or request.content_type not in _FORMS or request.path_info.startswith("/api/"):
        return
    if request.content_type != _MULTIPART:
        _check_bytes(unquote_to_bytes(request.body), "form")
        return
    for name, values in request.POST.lists():
        if any("\0" in text for text in (name, *values)):
            raise BadRequest("The form has a NUL character.")


class HygieneMiddleware:
    """Answers 400, 405, 411 or 413 to methods, addresses, lengths and forms that nobody sends in good faith."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            if request.method not in METHODS:
                raise MethodNotAllowed(allowed=METHODS)
            _check_address(request.path_info, request.META.get("QUERY_STRING", ""))
            _check_length(request)
            _check_form(request)
        except ProblemError as problem:
            return problem_response(request, problem)
        return self.get_response(request)

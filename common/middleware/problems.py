"""Turns the anticipated errors that views raise into answers."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from common.error_responses import problem_response
from common.errors import ProblemError


class ProblemMiddleware:
    """Answers a ProblemError that a view raised; others stay exceptions and reach the error tracker."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return problem_response(request, exception) if isinstance(exception, ProblemError) else None

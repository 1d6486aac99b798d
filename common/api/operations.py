"""What an endpoint takes and answers, said once: the view runs by it and the OpenAPI document is made from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from common.api.serializers import QuerySerializer, Serializer
from common.errors import ProblemError

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """The contract of one method of one address.

    `takes`: the body; None is none. `answers`: the body of the answer, for a list that of a row; None is 204. `query`:
    parameters beside those of lists. `ordering`: names by which a list can be ordered, the first is its default, `-` in
    front turns it; having them makes it a list. `errors`: what can go wrong beside what can go wrong everywhere.
    `may_be_later`: where there is too much to do, 202 and the same body, and a job does it.
    `many`: a list that is answered whole because it is short. `versioned`: changes need the version seen. `status` and
    `headers`: of the answer. `files`: the media types of the file that is answered instead of JSON.
    """

    summary: str
    description: str = ""
    takes: type[Serializer] | None = None
    answers: type[Serializer] | None = None
    query: type[QuerySerializer] | None = None
    ordering: tuple[str, ...] = ()
    errors: tuple[type[ProblemError], ...] = ()
    many: bool = False
    may_be_later: bool = False
    status: int = 200
    versioned: bool = False
    cached_s: int | None = None
    files: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    example: Any = None
    example_answer: Any = None

    @property
    def is_list(self) -> bool:
        """Tell whether the answer is a page of many."""
        return bool(self.ordering)

    @property
    def order_names(self) -> list[str]:
        """Answer the values that `?ordering=` takes: each name, and turned."""
        plain = [name.removeprefix("-") for name in self.ordering]
        return [*plain, *(f"-{name}" for name in plain)]


def operation(summary: str, **contract: Any) -> Callable[[F], F]:
    """Declare the contract of a view's method; see Operation for what it takes."""
    made = Operation(summary=summary, **{"status": 200 if contract.get("answers") else 204, **contract})

    def declare(handler: F) -> F:
        cast("Any", handler).operation = made
        return handler

    return declare


def operation_of(view: object, method: str) -> Operation | None:
    """Answer the contract of a view (class or instance) for a method; HEAD's is GET's."""
    handler = getattr(view, "get" if method.upper() == "HEAD" else method.lower(), None)
    found: Operation | None = getattr(handler, "operation", None)
    return found

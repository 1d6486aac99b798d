"""Fails any query that is made while a template renders: lists get finished rows, not querysets."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection
from django.template.backends.django import Template

# Django's admin is the framework's own and reads while it renders.
_EXEMPT_PREFIXES = ("admin/",)

_rendering: ContextVar[str] = ContextVar("rendering", default="")


class TemplateQueriedError(AssertionError):
    """A template made a query; the view must fetch what it shows."""


def _refuse_while_rendering(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001  # Django's signature
    if name := _rendering.get():
        raise TemplateQueriedError(f"{name} queried while it rendered: {sql[:300]}")
    return execute(sql, params, many, context)


@contextmanager
def templates_do_not_query() -> Iterator[None]:
    """Inside the block, a query during rendering is an error."""
    render = Template.render

    def watched(self: Any, context: Any = None, request: Any = None) -> Any:
        name = str(self.origin.template_name or "")
        if name.startswith(_EXEMPT_PREFIXES):
            return render(self, context, request)
        token = _rendering.set(name)
        try:
            return render(self, context, request)
        finally:
            _rendering.reset(token)

    Template.render = watched  # type: ignore[method-assign]
    try:
        with connection.execute_wrapper(_refuse_while_rendering):
            yield
    finally:
        Template.render = render  # type: ignore[method-assign]

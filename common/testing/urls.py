"""Walks URL confs, so that tests know every route there is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, PathConverter, SlugConverter, StringConverter, UUIDConverter

from common.access import Access

# A key that no row has; the same in each process, so that parametrized tests have the same names.
NOBODYS_ID = "01900000-0000-7000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Route:
    """One URL pattern with its view; `path` has a sample value in place of each parameter."""

    name: str
    path: str
    view: Any

    @property
    def access(self) -> Access | dict[str, Access] | None:
        """Answer what the view declares: one access, or one for each method of an API view."""
        cls = getattr(self.view, "cls", None) or getattr(self.view, "view_class", None)
        found = getattr(self.view, "access", None)
        return found if found is not None else getattr(cls, "declared_access", None)


def _sample(converter: Any) -> str:
    match converter:
        case UUIDConverter():
            return NOBODYS_ID
        case IntConverter():
            return "1"
        case SlugConverter() | StringConverter() | PathConverter():
            return "sample"
        case _:
            raise TypeError(f"no sample for {type(converter).__name__}: add one")


def _path(pattern: Any) -> str:
    text: str = pattern._route if hasattr(pattern, "_route") else ""
    for name, converter in pattern.converters.items():
        for form in (f"<{name}>", *(f"<{kind}:{name}>" for kind in ("uuid", "int", "slug", "str", "path"))):
            text = text.replace(form, _sample(converter))
    return text


def _walk(patterns: Any, prefix: str, namespace: str) -> Iterator[Route]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = ":".join(part for part in (namespace, pattern.namespace) if part)
            yield from _walk(pattern.url_patterns, prefix + _path(pattern.pattern), inner)
        elif isinstance(pattern, URLPattern):
            name = ":".join(part for part in (namespace, pattern.name or pattern.lookup_str) if part)
            yield Route(name=name, path="/" + prefix + _path(pattern.pattern), view=pattern.callback)


def routes(urlconf: str) -> list[Route]:
    """Answer every route of a URL conf."""
    return list(_walk(get_resolver(urlconf).url_patterns, "", ""))

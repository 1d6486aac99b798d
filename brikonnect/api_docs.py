"""The API's OpenAPI document and the page that shows it: both made from the code, so neither can be out of date."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.cache import patch_vary_headers
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from common.access import open_to_all
from common.api import concurrency
from common.errors import NotFound

_URLCONF = "brikonnect.urls.api"
_CACHED_S = 300
_METHODS = ("get", "post", "patch", "put", "delete")
_TONES = {"get": "info", "post": "success", "patch": "warning", "put": "warning", "delete": "danger"}
_REF = "#/components/"


@cache
def document() -> dict[str, Any]:
    """Answer the OpenAPI 3.1 document of what this installation offers."""
    made: dict[str, Any] = SchemaGenerator(urlconf=_URLCONF).get_schema(request=None, public=True)
    return made


@cache
def as_yaml() -> bytes:
    """Answer the document as docs/api/openapi.yaml has it."""
    written: bytes = OpenApiYamlRenderer().render(document(), renderer_context={})
    return written


@cache
def _as_json() -> bytes:
    return json.dumps(document(), ensure_ascii=False).encode()


@open_to_all
def schema(request: HttpRequest) -> HttpResponse:
    """Answer the document: YAML, or JSON to whoever accepts that rather."""
    wants_json = request.get_preferred_type(["application/yaml", "application/json"]) == "application/json"
    body = _as_json() if wants_json else as_yaml()
    tag = concurrency.content_tag(body)
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={_CACHED_S}"}
    if concurrency.is_unchanged(request, tag):
        response = HttpResponse(status=304, headers=headers)
    else:
        content_type = "application/json" if wants_json else "application/yaml"
        response = HttpResponse(body, content_type=content_type, headers=headers)
    patch_vary_headers(response, ["Accept"])
    return response


# --- The page ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Member:
    """A parameter, or a member of a body. `target`: the schema to read on at."""

    name: str
    kind: str
    target: str
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation may answer with a status."""

    status: str
    description: str
    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class Row:
    """An operation as the page shows it."""

    anchor: str
    method: str
    tone: str
    path: str
    summary: str
    description: str
    permissions: tuple[str, ...]
    is_public_api: bool
    parameters: tuple[Member, ...]
    body: str
    body_target: str
    example: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A schema as the page shows it."""

    name: str
    description: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """The operations of one subject."""

    name: str
    rows: tuple[Row, ...]

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Answer the schemas that its operations name, and those that these name."""
        wanted = {target for row in self.rows for target in (row.body_target, *(each.target for each in row.answers))}
        found: dict[str, Shape] = {}
        while wanted := {name for name in wanted if name and name not in found}:
            found |= {name: _shapes()[name] for name in wanted}
            wanted = {each.target for name in wanted for each in found[name].members}
        return tuple(found[name] for name in sorted(found))


def _name_of(reference: str) -> str:
    return reference.rpartition("/")[2]


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference into the components."""
    if "$ref" not in node:
        return node
    group, name = node["$ref"].removeprefix(_REF).split("/")
    found: dict[str, Any] = document()["components"][group][name]
    return found


def _kind(node: dict[str, Any]) -> str:
    """Answer what a schema admits, in words: `string (uuid)`, `array of User`, `light, dark or system`."""
    if "$ref" in node:
        return _name_of(node["$ref"])
    for joint in ("anyOf", "oneOf", "allOf"):
        if joint in node:
            return " or ".join(_kind(part) for part in node[joint])
    if "enum" in node:
        return ", ".join("empty" if value in ("", None) else str(value) for value in node["enum"])
    types = node.get("type", "any")
    words = [types] if isinstance(types, str) else list(types)
    if "array" in words:
        words[words.index("array")] = f"array of {_kind(node.get('items', {}))}"
    if "format" in node:
        words[0] = f"{words[0]} ({node['format']})"
    return " or ".join(words)


def _target(node: dict[str, Any]) -> str:
    """Answer the first schema that is named in a schema."""
    if "$ref" in node:
        return _name_of(node["$ref"])
    parts = [*node.get("anyOf", []), *node.get("allOf", []), *([node["items"]] if "items" in node else [])]
    return next((name for part in parts if (name := _target(part))), "")


def _members(node: dict[str, Any]) -> Iterator[Member]:
    for part in node.get("allOf", []):
        yield from _members(_resolved(part))
    required = node.get("required", [])
    for name, inner in node.get("properties", {}).items():
        yield Member(
            name, _kind(inner), _target(inner), name in required, inner.get("description", "").replace("`", "")
        )


def _content(node: dict[str, Any]) -> dict[str, Any]:
    """Answer the schema of the only media type that a body has."""
    contents = list(node.get("content", {}).values())
    found: dict[str, Any] = contents[0]["schema"] if contents else {}
    return found


def _answers(responses: dict[str, Any]) -> Iterator[Answer]:
    for status, response in responses.items():
        node = _resolved(response)
        content = _content(node)
        yield Answer(status, node["description"].replace("`", ""), _kind(content) if content else "", _target(content))


def _row(address: str, method: str, node: dict[str, Any]) -> Row:
    body = _content(node.get("requestBody", {}))
    media = list(node.get("requestBody", {}).get("content", {}).values())
    example = media[0].get("example") if media else None
    return Row(
        anchor=node["operationId"],
        method=method.upper(),
        tone=_TONES[method],
        path=address,
        summary=node["summary"],
        description=node.get("description", "").replace("`", ""),
        permissions=tuple(node["x-permissions"]),
        is_public_api=node["x-public-api"],
        parameters=tuple(
            Member(
                f"{each['name']}",
                f"{_kind(each['schema'])} in the {each['in']}",
                "",
                each.get("required", False),
                each.get("description", "").replace("`", ""),
            )
            for each in node.get("parameters", [])
        ),
        body=_kind(body) if body else "",
        body_target=_target(body),
        example=json.dumps(example, indent=2, ensure_ascii=False) if example else "",
        answers=tuple(_answers(node["responses"])),
    )


@cache
def chapters() -> tuple[Chapter, ...]:
    """Answer the operations by subject, as the document has them."""
    found: dict[str, list[Row]] = {}
    for address, item in document()["paths"].items():
        for method in _METHODS:
            if method in item:
                found.setdefault(item[method]["tags"][0], []).append(_row(address, method, item[method]))
    return tuple(Chapter(name, tuple(rows)) for name, rows in found.items())


@cache
def _shapes() -> dict[str, Shape]:
    schemas = document()["components"]["schemas"]
    return {name: Shape(name, node.get("description", ""), tuple(_members(node))) for name, node in schemas.items()}


@open_to_all
def contents(request: HttpRequest) -> HttpResponse:
    """Show how the API is begun with, and what it offers."""
    return render(request, "brikonnect/api_docs.html", {"about": document()["info"], "chapters": chapters()})


@open_to_all
def chapter(request: HttpRequest, name: str) -> HttpResponse:
    """Show the operations of one subject, with all that they take and answer."""
    found = next((each for each in chapters() if each.name == name), None)
    if found is None:
        raise NotFound("The API has no such subject.")
    return render(request, "brikonnect/api_docs_chapter.html", {"chapter": found, "chapters": chapters()})


urlpatterns = [
    path("schema/", schema, name="schema"),
    path("docs/", contents, name="docs"),
    path("docs/<slug:name>/", chapter, name="docs_chapter"),
]

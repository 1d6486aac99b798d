"""The OpenAPI document, made from the same declarations by which the views run."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Literal, cast

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework import serializers as drf

from common.api import idempotency
from common.api.concurrency import TAGS_PATTERN
from common.api.operations import Operation, operation_of
from common.api.problems import PreconditionFailed
from common.api.serializers import CharField, CommaListField, JSONObjectField, Serializer
from common.api.views import ApiView, query_readers
from common.error_responses import PROBLEM_TYPES, InternalError
from common.errors import (
    BadRequest,
    EditionRequired,
    Invalid,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    PaymentRequired,
    PermissionDenied,
    PreconditionRequired,
    ProblemError,
    RateLimited,
    StaleVersion,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)

Schema = dict[str, Any]

_JSON = "application/json"
_PROBLEM_JSON = "application/problem+json"
_UNSAFE = ("POST", "PATCH", "PUT", "DELETE")
# What can go wrong with every operation.
_EVERYWHERE = (BadRequest, NotFound, NotAcceptable, Invalid, RateLimited, InternalError, Unavailable)
# Text that a database takes and that isn't blank once trimmed.
_ANY_TEXT = r"^[^\u0000]*$"
_SOME_TEXT = r"^[^\u0000]*\S[^\u0000]*$"

_PROBLEM: Schema = {
    "type": "object",
    "description": "An error (RFC 9457). Further members say more, as their `type` has it.",
    "properties": {
        "type": {"type": "string", "format": "uri", "example": f"{PROBLEM_TYPES}invalid"},
        "title": {"type": "string", "example": "Some values are not valid"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "example": 422},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "request_id": {"type": "string", "description": "Under this id our log has the rest; X-Request-ID has it too."},
    },
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
}
_INVALID_PROBLEM: Schema = {
    "allOf": [
        {"$ref": "#/components/schemas/Problem"},
        {
            "type": "object",
            "properties": {
                "errors": {
                    "type": "object",
                    "description": "Messages by JSON pointer into the body or `/name` of a query parameter.",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                    "example": {"/email": ["Enter a valid email address."]},
                }
            },
            "required": ["errors"],
        },
    ]
}
_HEADERS: dict[str, Schema] = {
    "X-Request-ID": {"description": "The request's id, taken over or made.", "schema": {"type": "string"}},
    "RateLimit": {"description": "What is left of each limit.", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "The limits that the request counted against.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Seconds until it is worth trying again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {"description": "How to sign in.", "schema": {"type": "string"}},
    "ETag": {"description": "The version of what is answered.", "schema": {"type": "string"}},
    "Location": {"description": "Where the thing made, or the job started, is.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "`true` where the answer is that of an earlier request with the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
_PROBLEM_HEADERS = {401: ("WWW-Authenticate",), 409: ("Retry-After",), 429: ("Retry-After",), 503: ("Retry-After",)}
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "The access token of `/auth/token`.",
}
_SESSION = {"type": "apiKey", "in": "cookie", "name": "__Host-session", "description": "The cookie of `/auth/login`."}
_CSRF = {"type": "apiKey", "in": "header", "name": "X-CSRF-Token", "description": "The session's CSRF token."}


def _header_parameter(name: str, description: str, **schema: Any) -> Schema:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string", **schema}}


_IDEMPOTENCY_KEY = _header_parameter(
    "Idempotency-Key",
    "The same key with the same request is answered the same again, for 24 hours, and done once.",
    minLength=1,
    maxLength=255,
    pattern=r"^[\x21-\x7e]+$",
)
_IF_MATCH = _header_parameter(
    "If-Match", "The ETag that the change starts from; or send its `version` in the body.", pattern=TAGS_PATTERN
)
_IF_NONE_MATCH = _header_parameter(
    "If-None-Match", "The ETag of what you have; 304 if it is still so.", pattern=TAGS_PATTERN
)


def _classes_by_status(errors: Iterable[type[ProblemError]]) -> dict[int, list[type[ProblemError]]]:
    found: dict[int, list[type[ProblemError]]] = {}
    for error in sorted(set(errors), key=lambda error: (error.status, error.type)):
        found.setdefault(error.status, []).append(error)
    return found


class ContractSchema(AutoSchema):
    """Describes an ApiView by its operations; whatever isn't one is left out."""

    @property
    def subject(self) -> ApiView:
        """Answer the view being described."""
        return cast("ApiView", self.view)

    @property
    def contract(self) -> Operation:
        """Answer the contract of the method being described."""
        return cast("Operation", operation_of(self.view, self.method))

    def is_excluded(self) -> bool:
        is_ours = isinstance(self.view, ApiView) and operation_of(self.view, self.method) is not None
        return not is_ours or not self.path.startswith("/api/")

    def get_summary(self) -> str:
        return self.contract.summary

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular itself narrows DRF's
        access = self.subject.access_for(self.method)
        needs = (
            f"Needs the permission {' and '.join(f'`{name}`' for name in access.permissions)}."
            if access.permissions
            else ""
        )
        return "\n\n".join(part for part in (self.contract.description, needs) if part)

    def get_extensions(self) -> Schema:
        access = self.subject.access_for(self.method)
        return {
            "x-permissions": list(access.permissions),
            "x-public-api": self.method in self.subject.public_api,
        }

    def _is_list_view(self, serializer: Any = None) -> bool:  # drf-spectacular's signature
        return self.method == "GET" and self.contract.is_list

    # --- security -------------------------------------------------------------------------------------------------

    def get_auth(self) -> list[Schema]:
        if not self.subject.get_authenticators():
            return [{}]
        for name, scheme in (("bearer", _BEARER), ("session", _SESSION), ("csrf", _CSRF)):
            self._register(name, scheme, kind=ResolvedComponent.SECURITY_SCHEMA)
        session: Schema = {"session": [], "csrf": []} if self.method in _UNSAFE else {"session": []}
        ways: list[Schema] = [{"bearer": []}, session]
        return ways if self.subject.access_for(self.method).signed_in else [{}, *ways]

    # --- parameters -----------------------------------------------------------------------------------------------

    def _get_parameters(self) -> list[Schema]:
        path_names = [part[1:-1] for part in self.path.split("/") if part.startswith("{")]
        parameters = list(self._resolve_path_parameters(path_names))
        for serializer in query_readers(self.contract):
            parameters += [self._query_parameter(field) for field in serializer.fields.values()]
        if self.method == "POST" and self.subject.get_authenticators():
            parameters.append(_IDEMPOTENCY_KEY)
        if self.contract.versioned and self.method in _UNSAFE:
            parameters.append(_IF_MATCH)
        if self.contract.cached_s is not None:
            parameters.append(_IF_NONE_MATCH)
        return parameters

    def _query_parameter(self, field: Any) -> Schema:
        schema = self._map_serializer_field(field, "request")
        self._insert_field_validators(field, schema)
        schema.pop("writeOnly", None)
        parameter: Schema = {"name": field.field_name, "in": "query", "schema": schema}
        if "description" in schema:
            parameter["description"] = schema.pop("description")
        if field.required:
            parameter["required"] = True
        if isinstance(field, CommaListField):
            parameter |= {"style": "form", "explode": False}
        return parameter

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Schema:  # noqa: FBT001, FBT002  # drf-spectacular's signature
        if isinstance(field, CommaListField):
            items = {"type": "string", "enum": field.choices}
            found: Schema = {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}
            return {**found, **self._get_serializer_field_meta(field, direction)}
        if isinstance(field, drf.JSONField) and not isinstance(field, JSONObjectField):
            # Any value, null too: drf-spectacular would say "exactly one of any and null".
            return {
                name: value
                for name, value in self._get_serializer_field_meta(field, direction).items()
                if name != "nullable"
            }
        schema: Schema = super()._map_serializer_field(field, direction, bypass_extensions)
        # Left over for a hook of drf-spectacular's that we don't use.
        schema.pop("x-spec-enum-id", None)
        if isinstance(field, JSONObjectField):
            schema["type"] = "object"
        elif isinstance(field, CharField) and direction == "request":
            schema.setdefault("pattern", _ANY_TEXT if field.allow_blank else _SOME_TEXT)
        elif isinstance(field, drf.ListField) and field.max_length is not None:
            schema["maxItems"] = field.max_length
        return schema

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Schema:
        schema: Schema = super()._map_basic_serializer(serializer, direction)
        if direction == "request" and isinstance(serializer, Serializer):
            schema["additionalProperties"] = False
        return schema

    def get_serializer_name(self, serializer: Any, direction: Literal["request", "response"]) -> str:
        name = super().get_serializer_name(serializer, direction)
        for ending in ("Input", "Patch") if direction == "request" else ("Out", "Row", "Answer"):
            name = name.removesuffix(ending)
        return name

    # --- bodies ---------------------------------------------------------------------------------------------------

    def get_request_serializer(self) -> Any:
        return self.contract.takes

    def _get_request_body(self, direction: str = "request") -> Schema | None:
        if self.contract.takes is None:
            return None
        body: Schema | None = super()._get_request_body(direction)
        if body and self.contract.example is not None:
            body["content"][_JSON]["example"] = self.contract.example
        return body

    def get_response_serializers(self) -> Any:
        return self.contract.answers

    def _get_response_bodies(self, direction: str = "response") -> Schema:  # drf-spectacular's signature
        contract = self.contract
        responses: Schema = {str(contract.status): self._success(contract.status)}
        if contract.may_be_later:
            responses["202"] = self._success(HTTPStatus.ACCEPTED)
        if contract.cached_s is not None:
            responses["304"] = {"description": "What you have is still so.", "headers": self._headers("ETag")}
        for status, errors in _classes_by_status(self._errors()).items():
            responses[str(status)] = self._problem(status, errors)
        return dict(sorted(responses.items()))

    def _success(self, status: int) -> Schema:
        contract = self.contract
        names = ["X-Request-ID", "RateLimit", "RateLimit-Policy"]
        names += ["ETag"] if contract.versioned or contract.cached_s is not None else []
        names += ["Location"] if status in (201, 202) else []
        names += ["Idempotency-Replayed"] if self.method == "POST" and self.subject.get_authenticators() else []
        described: Schema = {"description": HTTPStatus(status).phrase, "headers": self._headers(*names)}
        for name, meaning in contract.headers.items():
            described["headers"][name] = {"description": meaning, "schema": {"type": "string"}}
        if contract.files:
            # Bytes have no type of JSON's.
            return {**described, "content": {media_type: {"schema": {}} for media_type in contract.files}}
        if contract.answers is None:
            return described
        component = self.resolve_serializer(contract.answers, "response")
        schema = self._page(component) if contract.is_list else self._all(component) if contract.many else component.ref
        media: Schema = {"schema": schema}
        if contract.example_answer is not None:
            media["example"] = contract.example_answer
        return {**described, "content": {_JSON: media}}

    def _all(self, row: ResolvedComponent) -> Schema:
        results: Schema = {"type": "array", "items": row.ref}
        whole: Schema = {"type": "object", "properties": {"results": results}, "required": ["results"]}
        return self._register(f"{row.name}List", whole).ref

    def _page(self, row: ResolvedComponent) -> Schema:
        trimmed = {name: value for name, value in row.schema.items() if name not in ("required", "description")}
        trimmed["description"] = f"Some members of {row.name}, as `fields` asked."
        some = self._register(f"Trimmed{row.name}", trimmed)
        link: Schema = {"type": "string", "format": "uri", "nullable": True}
        page: Schema = {
            "type": "object",
            "properties": {
                "next": {**link, "description": "The next page; null at the end."},
                "previous": {**link, "description": "The page before; null at the beginning."},
                "results": {"type": "array", "items": {"anyOf": [row.ref, some.ref]}},
                "count": {"type": "integer", "minimum": 0, "description": "Rows on all pages; only with `count=true`."},
            },
            "required": ["next", "previous", "results"],
        }
        return self._register(f"{row.name}Page", page).ref

    # --- errors ---------------------------------------------------------------------------------------------------

    def _errors(self) -> list[type[ProblemError]]:
        view, contract = self.subject, self.contract
        found: list[type[ProblemError]] = [*_EVERYWHERE, *contract.errors]
        if view.get_authenticators():
            found += [NotAuthenticated, PermissionDenied]
            if self.method in view.public_api:
                found += [EditionRequired, PaymentRequired] if self.method in _UNSAFE else [EditionRequired]
            if self.method == "POST":
                found += [idempotency.StillRunning, idempotency.KeyReused]
        if contract.takes is not None or self.method in _UNSAFE:
            found += [TooLarge, UnsupportedMediaType]
        if contract.versioned and self.method in _UNSAFE:
            found += [StaleVersion, PreconditionFailed, PreconditionRequired]
        return found

    def _problem(self, status: int, errors: list[type[ProblemError]]) -> Schema:
        self._register("Problem", _PROBLEM)
        name = "Problem"
        if status == Invalid.status:
            name = "InvalidProblem"
            self._register(name, _INVALID_PROBLEM)
        headers = self._headers("X-Request-ID", *_PROBLEM_HEADERS.get(status, ()))
        described = {
            "description": "; ".join(f"`{error.type}`: {error.title}" for error in errors),
            "headers": headers,
            "content": {_PROBLEM_JSON: {"schema": {"$ref": f"#/components/schemas/{name}"}}},
        }
        if len(errors) > 1:
            return described
        # What goes wrong in the same way everywhere is said once.
        return self._register(errors[0].__name__, described, kind=ResolvedComponent.RESPONSE).ref

    def _headers(self, *names: str) -> Schema:
        return {name: self._register(name, _HEADERS[name], kind=ResolvedComponent.HEADER).ref for name in names}

    def _register(self, name: str, schema: Schema, *, kind: str = ResolvedComponent.SCHEMA) -> ResolvedComponent:
        component = ResolvedComponent(name=name, type=kind, schema=schema, object=name)
        self.registry.register_on_missing(component)
        return component

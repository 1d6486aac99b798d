"""The base of every endpoint: identity, limits, access, query, key, body, answer, in that order and once for all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.cache import patch_vary_headers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common import actor, entitlements
from common.access import ANONYMOUS, Access
from common.api import concurrency, idempotency, serializers
from common.api.identity import Credential, CredentialKind
from common.api.operations import Operation, operation_of
from common.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, CursorPagination
from common.api.throttles import add_headers
from common.errors import Invalid, MethodNotAllowed, NotAuthenticated

Declared = Access | str | tuple[str, ...]


def as_access(declared: Declared) -> Access:
    """Answer the access that a permission's name, several, or an Access stand for."""
    if isinstance(declared, Access):
        return declared
    return Access(signed_in=True, permissions=(declared,) if isinstance(declared, str) else declared)


def _each_once(given: QueryDict) -> dict[str, Any]:
    """Answer the parameters or fields of a form by name. Raises Invalid for those that stand twice."""
    doubled = [name for name in given if len(given.getlist(name)) > 1]
    if doubled:
        raise Invalid(errors={f"/{name}": ["This parameter stands twice."] for name in doubled})
    return given.dict()


class ListQuery(serializers.QuerySerializer):
    """The parameters that every list has."""

    # Holds the value that the list is ordered by, escaped: of a name in emoji that is twelve letters for each.
    cursor = serializers.CharField(
        required=False, max_length=4000, help_text="From `next` or `previous` of another page."
    )
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT)
    count = serializers.BooleanField(
        required=False, default=False, help_text="Answer the number of all rows as `count`."
    )

    def __init__(self, *, contract: Operation, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.contract = contract

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        found["ordering"] = serializers.ChoiceField(
            choices=self.contract.order_names,
            default=self.contract.ordering[0],
            help_text="By what, with `-` in front from the other end.",
        )
        row = self.contract.answers() if self.contract.answers else serializers.Serializer()
        found["fields"] = serializers.CommaListField(
            choices=list(row.fields), required=False, help_text="Only these members of each row."
        )
        return found


@cache
def query_readers(contract: Operation) -> tuple[serializers.QuerySerializer, ...]:
    """Answer what reads the query of an operation; the OpenAPI document is made from the same.

    Made once, as DRF copies each field for each serializer; they keep nothing of what they read.
    """
    made: list[serializers.QuerySerializer] = []
    if contract.is_list:
        made.append(ListQuery(contract=contract))
    if contract.query is not None:
        made.append(contract.query())
    return tuple(made)


@cache
def _writer(contract: Operation) -> serializers.Serializer:
    """Answer what writes the answers of an operation; made once, as those that read queries are."""
    assert contract.answers is not None  # noqa: S101  # asked by whoever has something to answer
    return contract.answers()


class ApiView(APIView):
    """One resource. Each method declares its `access` and its contract (`@operation`).

    `public_api`: methods that belong to the public API (edition Full, flag `public_api`); those of the extension and of
    the shop's own account don't, and answer everybody.
    """

    http_method_names = ["get", "post", "patch", "put", "delete", "head"]
    access: ClassVar[Mapping[str, Declared]] = {}
    public_api: ClassVar[tuple[str, ...]] = ("GET", "POST", "PATCH", "PUT", "DELETE")
    # False where the service commits its intent before it acts, and has a unique key of its own against doing it twice.
    atomic_with_key: ClassVar[bool] = True

    format_kwarg: str | None = None
    operation: Operation
    body: dict[str, Any]
    query: dict[str, Any]

    # `access` as a test that walks every URL reads it.
    declared_access: ClassVar[Mapping[str, Access]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.declared_access = {method: as_access(declared) for method, declared in cls.access.items()}
        for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
            if hasattr(cls, method.lower()) and (method not in cls.access or operation_of(cls, method) is None):
                raise TypeError(f"{cls.__name__}.{method.lower()} declares no access or no operation.")

    def access_for(self, method: str) -> Access:
        """Answer what the method asks of its caller."""
        return self.declared_access["GET" if method == "HEAD" else method]

    # --- the way of a request -------------------------------------------------------------------------------------

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        with ExitStack() as scope:
            try:
                response = self._answer(scope)
            except Exception as exc:  # DRF's outermost loop: handle_exception raises again what nobody anticipated
                response = self.handle_exception(exc)
            return self.finalize_response(self.request, response, *args, **kwargs)

    def _answer(self, scope: ExitStack) -> HttpResponse:
        request = self.request
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        try:
            self.perform_authentication(request)
        finally:
            # Also after a credential that was refused, so that guessing them is limited by address.
            scope.enter_context(actor.use(self._identity()))
            self.check_throttles(request)
        self._check_credential()
        method = request.method or ""
        handler = getattr(self, method.lower(), None) if method.lower() in self.http_method_names else None
        if handler is None:
            raise MethodNotAllowed(allowed=self.allowed_methods)
        self.check_permissions(request)
        if ("GET" if method == "HEAD" else method) in self.public_api:
            entitlements.require("public_api")
        contract = operation_of(self, method)
        assert contract is not None  # noqa: S101  # __init_subclass__ saw to it
        self.operation = contract
        self.query = self._read_query()
        return idempotency.once(self, lambda: self._run(handler))

    def _identity(self) -> actor.Actor:
        found = getattr(self.request, "_auth", None)
        return found.actor if isinstance(found, Credential) else ANONYMOUS

    def _check_credential(self) -> None:
        """Refuse an Authorization header that no authentication took: it means somebody, and we don't know whom."""
        found = getattr(self.request, "_auth", None)
        taken = isinstance(found, Credential) and found.kind is not CredentialKind.SESSION
        if self.authentication_classes and "Authorization" in self.request.headers and not taken:
            raise NotAuthenticated("The Authorization header is of a kind that isn't known here.")

    def _run(self, handler: Callable[..., HttpResponse]) -> HttpResponse:
        self.body = self._read_body()
        return handler(self.request, *self.args, **self.kwargs)

    def finalize_response(  # type: ignore[override]  # the stubs know only DRF's Response; DRF itself takes any
        self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        made: HttpResponse = super().finalize_response(request, cast("Response", response), *args, **kwargs)
        verdicts = getattr(request._request, "rate_limits", None)
        if verdicts:
            add_headers(made, verdicts)
        # What one identity is shown must not be kept for another.
        made.setdefault("Cache-Control", "no-store")
        patch_vary_headers(made, ("Authorization", "Cookie"))
        return made

    def render(self, response: HttpResponse) -> HttpResponse:
        """Answer the response with its bytes made."""
        if isinstance(response, Response):
            response.accepted_renderer = self.request.accepted_renderer
            response.accepted_media_type = self.request.accepted_media_type
            response.renderer_context = self.get_renderer_context()  # type: ignore[attr-defined]  # what DRF itself sets
            response.render()
        return response

    # --- what came in ---------------------------------------------------------------------------------------------

    def _read_query(self) -> dict[str, Any]:
        given = _each_once(self.request.query_params)
        found: dict[str, Any] = {}
        known: set[str] = set()
        for reader in query_readers(self.operation):
            known |= set(reader.fields)
            found |= reader.run_validation({name: given[name] for name in given if name in reader.fields})
        unknown = [name for name in given if name not in known]
        if unknown:
            raise Invalid(errors={f"/{name}": ["There is no such parameter."] for name in unknown})
        return found

    def _read_body(self) -> dict[str, Any]:
        takes = self.operation.takes
        data = self.request.data
        if takes is None:
            if data:
                raise Invalid(errors={"": ["This takes no body."]})
            return {}
        if isinstance(data, QueryDict):
            # A form: to DRF, what isn't in it would be a box that isn't ticked.
            data = _each_once(data)
        serializer = takes(data=data, partial=self.request.method == "PATCH", context={"view": self})
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    @property
    def query_filters(self) -> dict[str, Any]:
        """Answer of the query what the operation itself declares, without cursor, limit and the like."""
        declared = query_readers(self.operation)[-1].fields if self.operation.query else {}
        return {name: value for name, value in self.query.items() if name in declared}

    def expected_version(self) -> int:
        """Answer the version that the client saw, from If-Match or the body; raises PreconditionRequired (428)."""
        return concurrency.expected_version(self.request._request, self.body.pop("version", None))

    # --- what goes out --------------------------------------------------------------------------------------------

    def answer(
        self, what: Any = None, *, location: str | None = None, version: int | None = None, is_later: bool = False
    ) -> HttpResponse:
        """Answer `what` as the operation declares it; `location` of what was made, `version` as its ETag.

        `is_later`: a job does it, if the operation says that this may be.
        """
        contract = self.operation
        status = 202 if is_later else contract.status
        if contract.answers is None:
            response: HttpResponse = HttpResponse(status=status)
        else:
            data = self._represent(contract, what)
            response = Response(data, status=status)
            if contract.cached_s is not None:
                return self._cacheable(data, contract.cached_s)
        if location is not None:
            response["Location"] = location
        if version is not None:
            response["ETag"] = concurrency.version_tag(version)
        return response

    def _represent(self, contract: Operation, what: Any) -> Any:
        serializer = _writer(contract)
        if contract.many:
            return {"results": [serializer.to_representation(row) for row in what]}
        return serializer.to_representation(what)

    def page(
        self,
        rows: QuerySet[Any],
        *,
        as_rows: Callable[[Sequence[Any]], Iterable[Any]] = lambda rows: rows,
        pages: CursorPagination | None = None,
    ) -> HttpResponse:
        """Answer one page of `rows` in the order asked for, with `count` if that was asked for.

        `as_rows` turns the page's model instances into what the serializer takes, if that is something else. `pages`:
        how it is paged through that order, where the usual way won't do.
        """
        query = self.query
        pages = pages or CursorPagination(query["ordering"])
        page = pages.page(rows, cursor=query.get("cursor"), limit=query["limit"])
        count = rows.count() if query["count"] else None
        return self.listing(as_rows(page.rows), next_cursor=page.next, previous_cursor=page.previous, count=count)

    def listing(
        self, rows: Iterable[Any], *, next_cursor: str | None, previous_cursor: str | None, count: int | None
    ) -> HttpResponse:
        """Answer one page of rows that was read by other means than a queryset; `count` if it was asked for."""
        contract, query = self.operation, self.query
        serializer = _writer(contract)
        if "fields" in query and contract.answers is not None:
            serializer = contract.answers()
            for name in set(serializer.fields) - set(query["fields"]):
                serializer.fields.pop(name)
        body: dict[str, Any] = {
            "next": self._neighbor(next_cursor),
            "previous": self._neighbor(previous_cursor),
            "results": [serializer.to_representation(row) for row in rows],
        }
        if count is not None:
            body["count"] = count
        return Response(body)

    def _neighbor(self, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        parameters = self.request.query_params.copy()
        parameters["cursor"] = cursor
        return self.request.build_absolute_uri(f"{self.request.path}?{parameters.urlencode()}")

    def _cacheable(self, data: Any, seconds: int) -> HttpResponse:
        body = JSONRenderer().render(data)
        tag = concurrency.content_tag(body)
        headers = {"ETag": tag, "Cache-Control": f"private, max-age={seconds}"}
        if concurrency.is_unchanged(self.request._request, tag):
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(body, content_type="application/json", headers=headers)

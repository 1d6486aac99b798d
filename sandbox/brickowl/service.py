"""Lets a request in by its key, counts it, and gives it to who answers it."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from sandbox.brickowl import batch, catalog, inventory, orders, user, wishlist
from sandbox.brickowl.call import Call, Endpoint, OwlError, answered, refused
from sandbox.brickowl.limits import Buckets
from sandbox.http import Request, Response
from sandbox.sellers import Seller, World, afflict, credential, find

SERVICE = "brickowl"
_API = "/v1/"
_FORM = "application/x-www-form-urlencoded"
_FORBIDDEN = 403
_BATCH = "bulk/batch"
# Those that the staff opens to single callers only.
_PARTNERS = ("affiliate/", "catalog_edit/")
_BY_REQUEST = ("user/get_token",)


class BrickOwl:
    """Any number of sellers, each with a key."""

    name = SERVICE
    prefix = "/brickowl"
    hosts: Sequence[str] = ("api.brickowl.com",)

    def __init__(self, world: World) -> None:
        self._world = world
        self.buckets = Buckets()
        self._endpoints: Mapping[str, Endpoint] = {
            **catalog.ENDPOINTS, **user.ENDPOINTS, **inventory.ENDPOINTS, **orders.ENDPOINTS, **wishlist.ENDPOINTS,
            _BATCH: Endpoint("POST", batch.make(self._ask_inside)),
        }  # fmt: skip

    def handle(self, request: Request) -> Response:
        """Answer as the API does: the key, the limit, then the endpoint."""
        try:
            name = request.path.removeprefix(_API).rstrip("/") if request.path.startswith(_API) else ""
            arguments = _arguments(request)
            seller = self._seller(arguments.get("key") or request.word("key"))
            call = Call(self._world, seller, request, self._world.clock.now_ms(), arguments)
            self._count(call, name)
            return answered(self._ask(call, name))
        except OwlError as error:
            return refused(error, self._world.switches)

    def _ask(self, call: Call, name: str) -> Any:
        """Answer one call, alone or as a part of many."""
        if name.startswith(_PARTNERS) or name in _BY_REQUEST:
            raise OwlError("You do not have permission to use this endpoint, please contact us", _FORBIDDEN)
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            raise OwlError("Endpoint not found", 404)
        if endpoint.method != call.request.method:
            raise OwlError(f"Method not allowed, use {endpoint.method}", 405)
        _check_permission(endpoint, call.seller)
        return endpoint.handler(call)

    def _ask_inside(self, call: Call, name: str) -> Any:
        if name == _BATCH:
            raise OwlError("A batch can not be in a batch")
        if self._world.switches["bo.batch_strict"] == "yes":
            self._count(call, name)
        return self._ask(call, name)

    def _count(self, call: Call, name: str) -> None:
        key, settings = str(call.seller.id), call.seller.settings
        self.buckets.take(key, "all", int(settings["per_minute"]), call.now_ms)
        if name == _BATCH:
            self.buckets.take(key, "batch", int(settings["batch_per_minute"]), call.now_ms)

    def seller_of(self, request: Request) -> str:
        """Answer whose key a request has."""
        try:
            return self._seller(_arguments(request).get("key") or request.word("key")).name
        except OwlError:
            return ""

    def afflict(self, request: Request, kind: str) -> None:
        """Let something befall the seller who asks that stays."""
        afflict(self._world, SERVICE, self.seller_of(request), kind)

    def _seller(self, key: str) -> Seller:
        with self._world.state.reading() as reader:
            row = credential(reader, SERVICE, "key", key) if key else None
            if row is None or row["is_revoked"]:
                raise OwlError("Invalid key", _FORBIDDEN)
            return find(reader, row["seller_id"])


def _arguments(request: Request) -> dict[str, str]:
    """Answer the query of a GET, the form of a POST; a body of another type has no arguments."""
    if request.method == "GET":
        return {name: values[0] for name, values in request.query.items()}
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        return {}
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def _check_permission(endpoint: Endpoint, seller: Seller) -> None:
    if endpoint.needs_approval and not seller.settings["is_catalog_approved"]:
        raise OwlError("You do not have permission to use this endpoint, please contact us", _FORBIDDEN)
    if endpoint.permission and endpoint.permission not in seller.settings["permissions"]:
        raise OwlError(f"This key does not have the {endpoint.permission} permission", _FORBIDDEN)

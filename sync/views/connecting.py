"""Pages for which a channel is asked: connecting a store, replacing what opens it, testing it."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from common import htmx
from common.access import require
from common.errors import Conflict, Invalid, NotFound, ProblemError, ReauthenticationRequired
from common.http import HttpRequest
from stores import queries
from stores.channels import ChannelSpec
from stores.forms import CredentialsForm, add_errors
from stores.models import Store
from sync import services
from sync.services import Tested

View = Callable[..., HttpResponse]

# Looking values up at a channel takes a while; who came to the page has confirmed who they are.
_PROOF_HOLDS_S = 30 * 60


def _proved(view: View) -> View:
    """Ask for the password or a code before a page on which secrets are typed; what was typed is never put aside."""
    asked_first = cast("View", reauthentication_required(app="allauth.mfa")(view))

    @wraps(view)
    def proved(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return asked_first(request, *args, **kwargs)
        records = get_authentication_records(request, cast("Any", request.user))
        times = [record["at"] for record in records if record.get("reauthenticated")]
        if timezone.now().timestamp() - max(times, default=0) > _PROOF_HOLDS_S:
            raise ReauthenticationRequired("That took a while. Open the page again and confirm that it's you.")
        return view(request, *args, **kwargs)

    return cast("View", proved)


def _offered(channel: str) -> ChannelSpec:
    spec = next((each for each in queries.offered_channels() if each.code == channel), None)
    if spec is None:
        raise NotFound("There is no such channel.")
    return spec


@require_GET
@require("stores:write", "stores:credentials")
def channels(request: HttpRequest) -> HttpResponse:
    """Show on which channels a store can be connected."""
    return htmx.render(request, "sync/channels.html", {"channels": queries.offered_channels()})


@never_cache
@sensitive_post_parameters()
@require("stores:write", "stores:credentials")
@_proved
def connect(request: HttpRequest, channel: str) -> HttpResponse:
    """Show what a channel wants and where it is found; ask the channel, and add the store where it answers."""
    spec = _offered(channel)
    form = CredentialsForm(request.POST if request.method == "POST" else None, spec=spec)
    if not form.is_bound or not form.is_valid():
        return _credentials_page(request, form, spec)
    try:
        store, result = services.connect_store(
            channel=channel, credentials=form.cleaned_data, set_by_id=_user_id(request), now=timezone.now()
        )
    except (Invalid, Conflict) as error:
        add_errors(form, error)
        return _credentials_page(request, form, spec)
    if store is None:
        return _credentials_page(request, form, spec, error=result.error)
    url = reverse("stores:settings", args=[store.pk])
    return htmx.go_on(request, f"{url}?new=1", message=f"{spec.label} answers: {_said(result)}")


@never_cache
@sensitive_post_parameters()
@require("stores:credentials")
def credentials(request: HttpRequest, store_id: UUID) -> HttpResponse:
    """Replace what opens a store, once its channel has answered to it."""
    view = queries.get_view(store_id, now=timezone.now())
    if view.spec is None or not view.spec.credentials:
        raise NotFound("Nothing opens this store: there is no server behind it.")
    # Nobody is asked who they are over what isn't there.
    return _replace(request, view.store, view.spec)


@_proved
def _replace(request: HttpRequest, store: Store, spec: ChannelSpec) -> HttpResponse:
    form = CredentialsForm(request.POST if request.method == "POST" else None, spec=spec)
    if not form.is_bound or not form.is_valid():
        return _credentials_page(request, form, spec, store=store)
    try:
        result = services.replace_credentials(
            store_id=store.pk, credentials=form.cleaned_data, set_by_id=_user_id(request)
        )
    except (Invalid, Conflict) as error:
        add_errors(form, error)
        return _credentials_page(request, form, spec, store=store)
    if result.error is not None:
        return _credentials_page(request, form, spec, store=store, error=result.error)
    url = reverse("stores:store", args=[store.pk])
    return htmx.go_on(request, url, message=f"Credentials replaced: {_said(result)}")


@require_POST
@require("stores:write")
def test(request: HttpRequest, store_id: UUID) -> HttpResponse:
    """Ask a store's channel whether all is well."""
    result = services.probe_store(store_id=store_id, now=timezone.now())
    if result.error is not None:
        messages.error(request, "The connection doesn't work. The page says why.")
    else:
        messages.success(request, f"The connection works: {_said(result)}")
    return htmx.redirect(request, reverse("stores:store", args=[store_id]))


def _credentials_page(
    request: HttpRequest, form: CredentialsForm, spec: ChannelSpec, *, store: Store | None = None,
    error: ProblemError | None = None,
) -> HttpResponse:  # fmt: skip
    is_refused = error is not None or (form.is_bound and bool(form.errors))
    context = {"form": form, "spec": spec, "store": store, "error": error}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK
    return htmx.render(request, "sync/credentials.html", context, partial="answer", status=status)


def _said(result: Tested) -> str:
    """Answer in a line what a channel said of a store."""
    facts = result.facts
    assert facts is not None  # noqa: S101  # only of those that answered
    lots = "" if facts.lots_count is None else f"{facts.lots_count:,} lots"
    left = "" if result.calls_left is None else f"{result.calls_left:,} calls left today"
    said = [part for part in (facts.name, facts.currency, lots, left, *facts.warnings) if part]
    return " · ".join(said) or "it has no orders yet to say what the store is called"


def _user_id(request: HttpRequest) -> UUID | None:
    key: Any = request.user.pk
    return key if isinstance(key, UUID) else None

"""The site's pages that lead into shops: sign-up with its code, and the way to a shop's own door."""

from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from accounts.forms import add_errors
from accounts.services import take
from common.access import open_to_all
from common.errors import Invalid, ProblemError, RateLimited
from tenants import queries, services
from tenants.errors import AddressTaken, SignUpOver
from tenants.forms import AddressForm, CodeForm, FindShopForm, SignUpForm
from tenants.models import SignUp
from tenants.routing import HostKind, host_of, kind_of, tenant_for_host, url_of, with_port

# Where the session remembers which sign-up is this browser's.
_KEY = "sign_up"


def _status(form: object) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if getattr(form, "is_bound", False) else HTTPStatus.OK


def _sign_up(request: HttpRequest) -> SignUp | None:
    kept = request.session.get(_KEY)
    return queries.get_sign_up(UUID(kept), now=timezone.now()) if kept else None


@open_to_all
@never_cache
@sensitive_post_parameters("password")
def sign_up(request: HttpRequest) -> HttpResponse:
    """Ask for a shop: name, address, currency, time zone, founder."""
    form = SignUpForm(request.POST or None, initial={"timezone": "UTC", "currency": "EUR", "country": "NL"})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            begun = services.begin_sign_up(
                name=values["name"],
                slug=values["slug"],
                email=values["email"],
                display_name=values["display_name"],
                password=values["password"],
                currency=values["currency"],
                time_zone=values["timezone"],
                country=values["country"],
                now=timezone.now(),
            )
        except Invalid as error:
            add_errors(form, error)
        except AddressTaken as error:
            form.add_error("slug", error.detail)
        except RateLimited as error:
            form.add_error(None, error.detail)
        else:
            request.session[_KEY] = str(begun.pk)
            return HttpResponseRedirect(reverse("site:signup_code"))
    context = {"form": form, "base_domain": with_port(settings.BASE_DOMAIN)}
    return render(request, "tenants/sign_up.html", context, status=_status(form))


@open_to_all
@never_cache
@require_GET
def address(request: HttpRequest) -> HttpResponse:
    """Tell a program of ours whether an address can be had; `name` asks for one that fits."""
    take("sign_up_check", amount=240, window_s=600)
    now = timezone.now()
    name = request.GET.get("name", "")[:120]
    slug = request.GET.get("slug", "")[:100] or queries.suggested_slug(name, now=now)
    if not slug:
        return JsonResponse({"slug": "", "is_free": False, "message": ""})
    found = queries.availability(slug, now=now)
    return JsonResponse({"slug": found.slug, "is_free": found.is_free, "message": found.message})


@open_to_all
@never_cache
def code(request: HttpRequest) -> HttpResponse:
    """Take the code of the mail, and open the shop."""
    begun = _sign_up(request)
    if begun is None:
        return render(request, "tenants/sign_up_over.html", status=HTTPStatus.GONE)
    if begun.tenant is not None:
        return HttpResponseRedirect(reverse("site:signup_open"))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.confirm_sign_up(sign_up_id=begun.pk, code=form.cleaned_data["code"], now=timezone.now())
        except Invalid as error:
            add_errors(form, error)
        except SignUpOver as error:
            form.add_error(None, error.detail)
        except AddressTaken:
            return _choose_address(request, begun, AddressForm(), is_taken=True)
        else:
            return HttpResponseRedirect(reverse("site:signup_open"))
    context = {"form": form, "sign_up": begun, "host": with_port(host_of(begun.slug))}
    return render(request, "tenants/sign_up_code.html", context, status=_status(form))


@open_to_all
@never_cache
@require_POST
def resend(request: HttpRequest) -> HttpResponse:
    """Mail another code."""
    begun = _sign_up(request)
    if begun is None:
        return render(request, "tenants/sign_up_over.html", status=HTTPStatus.GONE)
    try:
        services.resend_code(sign_up_id=begun.pk, now=timezone.now())
    except SignUpOver:
        return HttpResponseRedirect(reverse("site:signup_code"))
    except RateLimited as error:
        form = CodeForm()
        context = {"form": form, "sign_up": begun, "host": with_port(host_of(begun.slug)), "problem": error.detail}
        return render(request, "tenants/sign_up_code.html", context, status=error.status_code)
    return HttpResponseRedirect(f"{reverse('site:signup_code')}?sent=again")


def _choose_address(request: HttpRequest, begun: SignUp, form: AddressForm, *, is_taken: bool = False) -> HttpResponse:
    context = {
        "form": form,
        "sign_up": begun,
        "host": with_port(host_of(begun.slug)),
        "is_taken": is_taken,
        "base_domain": with_port(settings.BASE_DOMAIN),
    }
    status = HTTPStatus.CONFLICT if is_taken else _status(form)
    return render(request, "tenants/sign_up_address.html", context, status=status)


@open_to_all
@never_cache
def other_address(request: HttpRequest) -> HttpResponse:
    """Choose another address before the shop is open."""
    begun = _sign_up(request)
    if begun is None or begun.tenant is not None:
        return HttpResponseRedirect(reverse("site:signup_code"))
    form = AddressForm(request.POST or None, initial={"slug": begun.slug})
    if request.method == "POST" and form.is_valid():
        try:
            services.change_address(sign_up_id=begun.pk, slug=form.cleaned_data["slug"], now=timezone.now())
        except Invalid as error:
            add_errors(form, error)
        except ProblemError as error:
            form.add_error("slug", error.detail)
        else:
            return HttpResponseRedirect(reverse("site:signup_code"))
    return _choose_address(request, begun, form)


@open_to_all
@never_cache
@require_GET
def opened(request: HttpRequest) -> HttpResponse:
    """Lead into the new shop. A page of its own: a form's answer may not lead to another host (CSP, form-action)."""
    begun = _sign_up(request)
    if begun is None or begun.tenant is None:
        return HttpResponseRedirect(reverse("site:signup_code"))
    way = services.way_in(sign_up_id=begun.pk, now=timezone.now())
    return render(request, "tenants/sign_up_open.html", {"way": way})


@open_to_all
@never_cache
@require_GET
def sign_in(request: HttpRequest) -> HttpResponse:
    """Lead to the door of one's shop, which is on its own host."""
    form = FindShopForm(request.GET or None)
    if form.is_bound and form.is_valid():
        take("find_shop", amount=60, window_s=600)
        slug = form.cleaned_data["slug"]
        host = slug if "." in slug else host_of(slug)
        if kind_of(host) is HostKind.TENANT and tenant_for_host(host):
            return HttpResponseRedirect(url_of(host, reverse("account_login", settings.ROOT_URLCONF)))
        form.add_error("slug", "There is no shop at this address. Check the spelling, or ask whoever invited you.")
    context = {"form": form, "base_domain": with_port(settings.BASE_DOMAIN)}
    return render(request, "tenants/sign_in.html", context, status=_status(form))

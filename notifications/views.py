"""Pages of notifications: the bell in the header and the list."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common import htmx
from common.access import signed_in
from common.http import HttpRequest
from notifications import queries, services
from notifications.queries import Reader

_PER_PAGE = 50


@require_GET
@signed_in
def bell(request: HttpRequest) -> HttpResponse:
    """Answer what the header shows: how many are unread, and which."""
    return htmx.render(request, "notifications/bell.html", {"bell": queries.bell(Reader.present())})


@require_GET
@signed_in
def notification_list(request: HttpRequest) -> HttpResponse:
    """Answer everything that wasn't dismissed, newest first."""
    me = Reader.present()
    paginator = Paginator(queries.listed(me).order_by("-created_at", "-id"), _PER_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    base = reverse("notifications:list")
    context = {
        "rows": queries.rows_of(list(page), me),
        "pager": {
            "first": page.start_index(),
            "last": page.end_index(),
            "total": paginator.count,
            "previous_url": f"{base}?page={page.number - 1}" if page.has_previous() else "",
            "next_url": f"{base}?page={page.number + 1}" if page.has_next() else "",
        },
    }
    return htmx.render(request, "notifications/list.html", context, partial="rows")


@require_POST
@signed_in
def open_action(request: HttpRequest, notification_id: UUID) -> HttpResponse:
    """Note that it was read, and go where it leads."""
    me = Reader.present()
    found = queries.get_addressed(notification_id, me)
    services.mark_read(notification_ids=[found.pk], reader=me, now=timezone.now())
    return htmx.redirect(request, found.action_url or reverse("notifications:list"))


@require_POST
@signed_in
def read(request: HttpRequest, notification_id: UUID) -> HttpResponse:
    """Note that it was read; of a line that stands for many of a kind, all."""
    me = Reader.present()
    found = queries.get_addressed(notification_id, me)
    if request.GET.get("all"):
        services.mark_kind_read(type=found.type, reader=me, now=timezone.now())
    else:
        services.mark_read(notification_ids=[found.pk], reader=me, now=timezone.now())
    return _changed(request)


@require_POST
@signed_in
def dismiss(request: HttpRequest, notification_id: UUID) -> HttpResponse:
    """Take it off one's list."""
    services.dismiss(notification_id=notification_id, reader=Reader.present(), now=timezone.now())
    return _changed(request)


@require_POST
@signed_in
def read_all(request: HttpRequest) -> HttpResponse:
    """Note that everything was read."""
    services.mark_all_read(reader=Reader.present(), now=timezone.now())
    return _changed(request)


@require_http_methods(["GET", "POST"])
@signed_in
def settings(request: HttpRequest) -> HttpResponse:
    """Show how one is told of what, and let it be chosen."""
    me = Reader.present()
    if request.method == "POST":
        chosen = {name: request.POST.getlist(name) for name in ("in_app", "email")}
        services.choose_ways(user_id=me.user_id, **chosen)
        return htmx.go_on(request, reverse("notifications:settings"), message="Saved")
    return htmx.render(request, "notifications/settings.html", {"ways": queries.ways_of(me.user_id)})


def _changed(request: HttpRequest) -> HttpResponse:
    if htmx.is_partial(request):
        return htmx.trigger(HttpResponse(), "live:bell")
    return htmx.redirect(request, reverse("notifications:list"))

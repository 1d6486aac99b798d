"""The pages that span apps: dashboard, the door to the settings, and what browsers and crawlers ask for."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts import queries as people
from accounts import services as accounts
from audit import queries as trail
from brikonnect.features import details_facts
from brikonnect.navigation import settings_places
from common import actor, workspace
from common.access import open_to_all, signed_in
from common.errors import NotFound
from common.htmx import redirect, render
from common.http import HttpRequest
from inventory.queries import lots
from jobs import queries as jobs

LATELY = 6


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a new shop does first; `done` comes from what is there, not from a tick."""

    label: str
    explanation: str
    url: str
    action: str
    done: bool


# From which hour of the shop's day on each greeting holds.
_GREETINGS = ((18, "Good evening"), (12, "Good afternoon"), (5, "Good morning"), (0, "Good evening"))


def _greeting(now: datetime) -> str:
    return next(greeting for hour, greeting in _GREETINGS if now.hour >= hour)


def _first_steps(request: HttpRequest) -> list[Step]:
    who = actor.current()
    facts = people.first_steps(user_id=who.id)
    stock = lots.begun()
    steps = []
    for fact in details_facts(settings.FEATURES) if who.can("settings:write") else ():
        steps.append(
            Step(
                "Confirm your shop's details",
                "Currency and time zone decide what every figure and date means.",
                reverse("tenants:general"),
                "Open general settings",
                done=import_string(fact)(),
            )
        )
    if who.can("inventory:import"):
        steps.append(
            Step(
                "Bring your stock",
                "A file from BrickStore, BrickLink or a spreadsheet. You see what it will do before anything happens.",
                reverse("inventory:imports"),
                "Import a file",
                done=stock.has_lots,
            )
        )
    if who.can("inventory:write"):
        steps.append(
            Step(
                "Say where things lie",
                "Locations in the order in which you walk past them; remarks that name places can make them.",
                reverse("inventory:locations"),
                "Add locations",
                done=stock.has_locations,
            )
        )
    if settings.FEATURES.sync and who.can("stores:write") and who.can("stores:credentials"):
        steps.append(
            Step(
                "Connect a store",
                "Orders then come in by themselves, and what sells on one is taken off the others.",
                reverse("sync:channels"),
                "Connect a store",
                done=stock.has_channels,
            )
        )
    if who.can("users:invite"):
        steps.append(
            Step(
                "Invite your team",
                "A picker sees picking and what it needs; an admin everything but money.",
                reverse("accounts:invite"),
                "Invite somebody",
                done=facts.has_colleagues,
            )
        )
    steps.append(
        Step(
            "Protect your account",
            "A second factor keeps your stock yours even if a password leaks.",
            reverse("accounts:security"),
            "Set up two-factor",
            done=facts.has_second_factor,
        )
    )
    return steps


@signed_in
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show what waits: first steps of a new shop, work under way, what happened lately. Each part by its permission."""
    now = timezone.now()
    who = actor.current()
    local = now.astimezone(workspace.current().zone)
    dismissed = bool(request.user.preferences.get("first_steps_dismissed")) if request.user.is_authenticated else True
    steps = [] if dismissed else _first_steps(request)
    context = {
        "greeting": _greeting(local),
        "today": local,
        "steps": steps,
        "steps_left": sum(not step.done for step in steps),
        "open_jobs": jobs.open_jobs_for(who),
        "waiting": lots.waiting() if who.can("inventory:write") else None,
        "counted": lots.COUNTED,
        "low_url": f"{reverse('inventory:list')}?{lots.LOW}",
        "unplaced_url": f"{reverse('inventory:list')}?{lots.UNPLACED}",
        "lately": trail.latest_change_sets(limit=LATELY) if who.can("audit:read") else None,
    }
    return render(request, "brikonnect/dashboard.html", context, partial=("first-steps", "work"))


@signed_in
def start(request: HttpRequest) -> HttpResponse:
    """Lead to where somebody's work begins: who picks and doesn't deal with orders to picking, others to what waits."""
    who = actor.current()
    picks = who.can("picker:pick") and not who.can("orders:write")
    return redirect(request, reverse("picker:list") if picks else reverse("dashboard"))


@signed_in
def dismiss_first_steps(request: HttpRequest) -> HttpResponse:
    """Put the checklist of a new shop away, for this person."""
    if request.method != "POST":
        raise NotFound
    accounts.update_preferences(user_id=actor.current().id, changes={"first_steps_dismissed": True})
    return redirect(request, reverse("dashboard"))


@signed_in
def settings_home(request: HttpRequest) -> HttpResponse:
    """Lead to the first settings page that the visitor may open."""
    return redirect(request, settings_places(request)[0].url)


@open_to_all
def manifest(request: HttpRequest) -> HttpResponse:
    """Answer the web app manifest: the shop's name, and where the installed app starts."""
    shop = workspace.current()
    body = {
        "name": f"{shop.name} · Brikonnect",
        "short_name": shop.name[:30],
        "start_url": "/start/",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#2563eb",
        "icons": [
            {"src": static(f"img/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
            for size in (192, 512)
        ],
    }
    return JsonResponse(body, content_type="application/manifest+json")


@open_to_all
def robots(request: HttpRequest) -> HttpResponse:
    """Let crawlers read the site and keep them out of the shops."""
    is_site = getattr(request, "urlconf", None) == getattr(settings, "PUBLIC_SCHEMA_URLCONF", "")
    rule = "Allow: /" if is_site else "Disallow: /"
    return HttpResponse(f"User-agent: *\n{rule}\n", content_type="text/plain")

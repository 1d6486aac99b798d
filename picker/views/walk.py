"""The picking screen, which works without a connection, and the worker that keeps it on the device."""

import json
from functools import cache
from hashlib import sha256
from uuid import UUID

from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from common.access import require
from common.htmx import render
from common.http import HttpRequest
from picker.queries.sessions import get_session

_MODULES = (
    "api", "camera", "device", "dom", "ending", "gestures", "keys", "main", "menu", "outbox", "route", "scanner",
    "screen", "sender", "settings", "sheets", "shell", "sign_out", "signals", "state",
)  # fmt: skip
# All that the page asks for by itself.
_FILES = (
    "css/tokens.css", "css/base.css", "css/components.css", "css/pages.css", "css/print.css", "css/picking.css",
    "fonts/inter-latin-5.3.0.woff2", "fonts/inter-latin-ext-5.3.0.woff2",
    "img/icons.svg", "img/types.svg", "img/favicon.svg", "img/icon-192.png",
    "js/theme.js", "js/live.js", *(f"js/picking/{name}.js" for name in _MODULES),
)  # fmt: skip
_WORKER = "js/picking/worker.js"
# Only for the camera, and only where the browser can't read labels by itself.
_DECODER = "js/picking/zxing-wasm-3.1.4/reader.js"
_DECODER_WASM = "js/picking/zxing-wasm-3.1.4/reader.wasm"
# Under which the device keeps the one page that it has for all sessions.
_PAGE = "/picking/kept/"


@cache
def _shell() -> tuple[str, ...]:
    return tuple(static(name) for name in _FILES)


@cache
def _version() -> str:
    """Answer what changes whenever anything that the device keeps does: addresses hold the digests of their files."""
    return sha256("\n".join([*_shell(), static(_WORKER)]).encode()).hexdigest()[:12]


@require("picker:pick")
@require_safe
def walk(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Show the picking screen. What it shows comes from the API and from the device, which has this page for all."""
    get_session(session_id)
    context = {"version": _version(), "decoder": _DECODER, "decoder_wasm": _DECODER_WASM}
    response = render(request, "picker/walk.html", context)
    patch_cache_control(response, no_cache=True, private=True)
    return response


@require("picker:pick")
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Answer the service worker: what it keeps, and then the file that says how."""
    constants = {
        "VERSION": _version(), "SHELL": _shell(), "DECODER": [static(_DECODER), static(_DECODER_WASM)], "PAGE": _PAGE,
    }  # fmt: skip
    lines = [f"const {name} = {json.dumps(value)};" for name, value in constants.items()]
    body = "\n".join([*lines, f"importScripts({json.dumps(static(_WORKER))});", ""])
    response = HttpResponse(body, content_type="text/javascript; charset=utf-8")
    response["Service-Worker-Allowed"] = reverse("picker:worker").rpartition("/")[0] + "/"
    patch_cache_control(response, no_cache=True)
    return response

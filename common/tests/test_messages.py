"""The cookie of messages belongs to one host."""

from typing import Any

import pytest
from django.conf import settings as installed
from django.contrib import messages
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.module_loading import import_string


@pytest.mark.parametrize("name", ["__Host-messages", "messages"])
def test_cookie_belongs_to_its_host_and_brings_the_message_over(settings: Any, name: str) -> None:
    settings.SESSION_COOKIE_SECURE = name.startswith("__Host-")
    storage = import_string(installed.MESSAGE_STORAGE).storage_classes[0]
    response = HttpResponse()
    written = storage(RequestFactory().get("/"))
    written.add(messages.SUCCESS, "Profile saved.")
    written.update(response)
    (cookie,) = response.cookies.values()
    assert (cookie.key, cookie["path"], cookie["domain"]) == (name, "/", "")
    assert (bool(cookie["secure"]), bool(cookie["httponly"])) == (settings.SESSION_COOKIE_SECURE, True)

    later = RequestFactory().get("/", HTTP_COOKIE=f"{name}={cookie.coded_value}")
    assert [str(message) for message in storage(later)] == ["Profile saved."]

"""Uploads with an idempotency key: a file that is sent again is the same file, whatever the boundary."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import path
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from accounts.models import Role
from common.access import SIGNED_IN
from common.api import serializers
from common.api.operations import operation
from common.api.views import ApiView
from common.testing.clients import ShopClient
from conftest import HOST
from tests.api.conftest import make_user, token_of

pytestmark = pytest.mark.django_db


class Upload(serializers.Serializer):
    note = serializers.CharField(max_length=20)
    file = serializers.FileField()


class UploadView(ApiView):
    """Takes a file and makes a role named after what is in it, so that its effect shows."""

    access = {"POST": SIGNED_IN}
    public_api = ()
    parser_classes = (MultiPartParser,)

    @operation("Send a file", takes=Upload)
    def post(self, _request: Request) -> HttpResponse:
        Role.objects.create(name=self.body["file"].read().decode(), permissions=[])
        return self.answer()


urlpatterns = [path("api/v1/upload", UploadView.as_view())]


def upload(content: str, boundary: str) -> bytes:
    fields = (('name="note"', "n"), ('name="file"; filename="a.txt"', content))
    parts = [f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n" for head, value in fields]
    return ("".join(parts) + f"--{boundary}--\r\n").encode()


def test_does_an_upload_once_whatever_the_boundary(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    client = ShopClient(host=HOST)
    headers = {"Authorization": f"Bearer {token_of(make_user('owner'))}", "Idempotency-Key": "k1"}

    def send(content: str, boundary: str) -> Any:
        content_type = f"multipart/form-data; boundary={boundary}"
        return client.generic("POST", "/api/v1/upload", upload(content, boundary), content_type, headers=headers)

    assert send("Packer", "one").status_code == 204
    again = send("Packer", "two")
    assert (again.status_code, again["Idempotency-Replayed"]) == (204, "true")
    assert send("Another", "three").status_code == 422
    assert list(Role.objects.filter(is_system=False).values_list("name", flat=True)) == ["Packer"]

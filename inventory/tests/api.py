"""Programs for the tests of stock over HTTP."""

import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from common.testing.clients import ShopClient
from common.testing.people import make_user
from conftest import HOST


class Program(ShopClient):
    """Somebody of the shop, by role, who sends and gets JSON."""

    def __init__(self, role: str = "owner", *, host: str = HOST) -> None:
        super().__init__(host=host, raise_request_exception=False)
        self.force_login(make_user(role=role, email=f"{role}@shop.example"))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a body, if there is one; header names with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = b"" if body is None else json.dumps(body).encode()
        content_type = "application/json" if data else ""
        return self.generic(method, f"/api/v1{path}", data, content_type, headers=named)

    def upload(self, content: bytes, *, name: str = "stock.bsx", key: str = "", **fields: Any) -> Any:
        """Send a file to be imported."""
        headers = {"Idempotency-Key": key} if key else {}
        file = SimpleUploadedFile(name, content)
        return self.post("/api/v1/inventory/import", {"file": file, **fields}, headers=headers)

    def rows(self, path: str) -> list[dict[str, Any]]:
        """Answer the rows of a list."""
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.content
        found: list[dict[str, Any]] = answer.json()["results"]
        return found


def problem(answer: Any) -> tuple[int, str]:
    """Answer the status and what kind of problem it is."""
    assert answer["Content-Type"] == "application/problem+json", answer.content
    return answer.status_code, answer.json()["type"].rpartition("/")[2]

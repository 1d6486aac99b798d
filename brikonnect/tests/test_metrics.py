"""The figures are counted by route, and only we may read them."""

from typing import Any

import pytest

from common.testing.clients import ShopClient
from conftest import HOST

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> ShopClient:
    return ShopClient(host=HOST)


def figure(text: str, start: str) -> float:
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(start))


def test_counts_requests_by_route(visitor: ShopClient) -> None:
    series = 'brikonnect_http_requests_total{method="GET",route="api/v1/health",status="200"}'
    before = figure(visitor.get("/metrics").content.decode(), series)
    visitor.get("/api/v1/health")
    visitor.get("/api/v1/nothing-of-the-kind")
    text = visitor.get("/metrics").content.decode()
    assert figure(text, series) == before + 1
    assert "nothing-of-the-kind" not in text
    assert figure(text, 'brikonnect_service_ok{service="database"}') == 1
    assert 'brikonnect_queue_length{queue="bulk"}' in text


@pytest.mark.parametrize(
    "extra",
    [
        {"REMOTE_ADDR": "203.0.113.7"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_FORWARDED": "for=127.0.0.1"},
        {"REMOTE_ADDR": ""},
    ],
    ids=str,
)
def test_tells_strangers_nothing(visitor: ShopClient, extra: Any) -> None:
    assert visitor.get("/metrics", **extra).status_code == 404


def test_tells_whoever_has_the_token(visitor: ShopClient, settings: Any) -> None:
    settings.METRICS_TOKEN = "a-long-random-token"
    assert visitor.get("/metrics").status_code == 404
    assert visitor.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    stranger: Any = {"REMOTE_ADDR": "203.0.113.7"}
    assert (
        visitor.get("/metrics", headers={"Authorization": "Bearer a-long-random-token"}, **stranger).status_code == 200
    )

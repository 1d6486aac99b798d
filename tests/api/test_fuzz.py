"""The API against its own document: every operation with generated input, right and wrong (reliability.md, Z1).

`FUZZ_EXAMPLES=200 bin/test tests/api/test_fuzz.py` looks deeper than the gate does.
"""

import os
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from accounts.models import User
from brikonnect.api_docs import document
from common.testing.sandbox import SandboxProcess
from tenants.testing import empty_redis
from tests.api.conftest import HOST, make_user, token_of

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
# What the document can't say is refused too: a role that isn't there, a password that is too common, a cursor of
# another list, a version that was not named.
_REFUSALS = ["2xx", "304", "400", "401", "403", "404", "409", "412", "422", "428", "429"]


def _api(*, coverage: bool) -> Any:
    """Answer the document as schemathesis runs it. `coverage`: boundary values of everything, beside random ones."""
    config = SchemathesisConfig.from_dict(
        {
            "generation": {"deterministic": True},
            "phases": {"coverage": {"enabled": coverage}},
            "checks": {"positive_data_acceptance": {"expected-statuses": _REFUSALS}},
        }
    )
    api = schemathesis.openapi.from_dict(deepcopy(document()), config=config)  # which it changes
    api.app = WSGIHandler()
    return api


THOROUGH = _api(coverage=True)
BRIEF = _api(coverage=bool(EXAMPLES))


@pytest.fixture(autouse=True)
def _patient(settings: Any, sandbox: SandboxProcess) -> Iterator[None]:
    """Let a test ask more often than anybody may, over one connection, as Django's own test client does.

    What is asked of others meanwhile is asked of the sandbox.
    """
    settings.CATALOG_SOURCES = sandbox.sources
    settings.CHANNEL_URLS = {
        "bricklink": sandbox.bricklink_url, "brickowl": sandbox.brickowl_url, "brikick": sandbox.brikick_url,
    }  # fmt: skip
    settings.API_RATE = settings.API_SHOP_RATE = "1000000/min"
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def reader(owner: User) -> User:  # a shop has one
    return make_user("readonly")


def _check(case: Any, user: User) -> None:
    """Send the case as the user, with a new token since cases sign out, and hold the answer against the document."""
    place: Any = connection
    shop = place.tenant
    try:
        case.call_and_validate(base_url=f"http://{HOST}", headers={"Authorization": f"Bearer {token_of(user)}"})
    finally:
        place.set_tenant(shop)


@pytest.mark.timeout(3600 if EXAMPLES else 120)
@THOROUGH.parametrize()
@settings(max_examples=EXAMPLES or 3, deadline=None, suppress_health_check=list(HealthCheck))
def test_keeps_to_the_document_for_an_owner(case: Any, owner: User) -> None:
    _check(case, owner)


@pytest.mark.timeout(3600 if EXAMPLES else 120)
@BRIEF.parametrize()
@settings(max_examples=EXAMPLES or 3, deadline=None, suppress_health_check=list(HealthCheck))
def test_keeps_to_the_document_for_one_who_only_looks(case: Any, reader: User) -> None:
    _check(case, reader)


@pytest.mark.timeout(3600 if EXAMPLES else 120)
def test_keeps_to_the_document_from_one_answer_to_the_next(owner: User) -> None:
    """Follow what answers lead to: what was made is shown, changed, deleted, and gone."""
    place: Any = connection
    shop = place.tenant

    class Journey(THOROUGH.as_state_machine()):  # type: ignore[misc]  # schemathesis makes the class at run time
        def setup(self) -> None:
            # Each journey begins in the same shop, so that Hypothesis can take it again.
            empty_redis()
            self.begun = transaction.savepoint()

        def teardown(self) -> None:
            transaction.savepoint_rollback(self.begun)

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:  # schemathesis' signature
            place.set_tenant(shop)
            return {"base_url": f"http://{HOST}", "headers": {"Authorization": f"Bearer {token_of(owner)}"}}

        def validate_response(self, response: Any, case: Any, additional_checks: Any = None, **kwargs: Any) -> None:
            # Unlike schemathesis' own, says which header was ours, so that it isn't taken for a generated one.
            case.validate_response(
                response,
                additional_checks=additional_checks,
                headers=kwargs["headers"],
                transport_kwargs=kwargs,
                recorder=getattr(self, "recorder", None),
            )

    Journey.run(
        settings=settings(
            max_examples=EXAMPLES or 5,
            stateful_step_count=6,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
    )
    place.set_tenant(shop)

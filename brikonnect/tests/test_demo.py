"""The demo: made once, complete, and never where it would be a hole."""

from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.roles import SYSTEM_ROLES
from brikonnect import demo
from brikonnect.environ import Environment
from common.testing.clients import ShopClient
from common.testing.people import make_user
from tenants import routing
from tenants.models import Tenant
from tenants.testing import in_schema

pytestmark = pytest.mark.django_db


def _run() -> str:
    out = StringIO()
    with in_schema("public"):
        call_command("demo", stdout=out)
    return out.getvalue()


def test_makes_a_shop_and_somebody_of_each_role(settings: Any):
    said = _run()

    assert "owner@demo.example" in said
    tenant = Tenant.objects.get(slug="demo")
    with in_schema(tenant.schema_name):
        found = {user.email: [role.name for role in user.roles.all()] for user in User.objects.all()}
    assert found == {f"{role}@demo.example": [role] for role in SYSTEM_ROLES}
    browser = ShopClient(host=routing.host_of("demo"))
    form = {"login": "picker@demo.example", "password": demo.PASSWORD}
    assert browser.post("/account/login/", form).headers["Location"] == "/start/"
    assert b"Demo Bricks" in browser.get("/").content


def test_makes_what_is_missing_and_nothing_twice():
    _run()
    tenant = Tenant.objects.get(slug="demo")
    with in_schema(tenant.schema_name):
        User.objects.get(email="picker@demo.example").delete()

    _run()

    with in_schema(tenant.schema_name):
        assert User.objects.count() == len(SYSTEM_ROLES)
    assert Tenant.objects.filter(slug="demo").count() == 1


def test_is_refused_in_production(settings: Any):
    settings.ENVIRONMENT = Environment.PRODUCTION

    with pytest.raises(CommandError, match="not in production"):
        _run()


@pytest.mark.django_db(transaction=True)
def test_keeps_production_from_starting_where_it_is(settings: Any):
    demo.refuse_in_production()
    user = make_user(role="owner", email="owner@demo.example")
    demo.refuse_in_production()
    settings.ENVIRONMENT = Environment.PRODUCTION

    with pytest.raises(ImproperlyConfigured, match="t_shop"):
        demo.refuse_in_production()
    assert [error.id for error in demo.check_demo_accounts()] == ["brikonnect.E001"]
    with in_schema("t_shop"):
        make_user(role="owner")
        user.is_active = False
        user.save()
    demo.refuse_in_production()
    assert demo.check_demo_accounts() == []

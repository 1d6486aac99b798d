"""What every source must do, over real HTTP: what it declares, and the four errors when the other side is not well."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from catalog.choices import ItemType
from catalog.sources import Can, Source, registry
from catalog.sources.base import ELEMENT, ImageKind, PriceQuestion, UnsupportedError
from catalog.tests.pictures import picture
from common.errors import CredentialsRefused, ProviderError, ProviderRejected, ProviderUnavailable
from common.testing.sandbox import SandboxProcess

pytestmark = pytest.mark.django_db

Make = Callable[..., Source]

QUESTION = PriceQuestion(
    item_type=ItemType.PART, item_no="3001", color_id=5, condition="USED", kind="sold", currency="EUR"
)
# How each capability is asked for something that the sandbox has.
ASK: dict[Can, Callable[[Source], Any]] = {
    Can.LOOK_UP: lambda source: source.look_up("bricklink", "3001").items,
    Can.LOOK_UP_MANY: lambda source: source.look_up_many(["3001", "3020"]),
    Can.NUMBERS_OF: lambda source: source.numbers_of([("PART", "3001"), ("SET", "60239-1"), ("CUSTOM", "1")]),
    Can.ITEMS_OF: lambda source: source.items_of(["900111"]),
    Can.COLORS_OF: lambda source: source.colors_of("3001"),
    Can.CONTENTS_OF: lambda source: source.contents_of("60239-1"),
    Can.IDENTIFY: lambda source: source.identify(picture(), ImageKind.ANY),
    Can.PRICE_GUIDE: lambda source: source.price_guide(QUESTION),
    Can.RATES: lambda source: source.rates(),
}
DECLARED = [(kind.spec.code, can) for kind in registry.all() for can in sorted(kind.spec.can)]
UNDECLARED = [(kind.spec.code, can) for kind in registry.all() for can in Can if can not in kind.spec.can]


@pytest.mark.parametrize(("code", "can"), DECLARED)
def test_does_what_it_declares(code: str, can: Can, make_source: Make) -> None:
    assert ASK[can](make_source(code))


@pytest.mark.parametrize(("code", "can"), UNDECLARED)
def test_refuses_what_it_does_not_declare_before_anything_is_sent(
    code: str, can: Can, make_source: Make, sandbox: SandboxProcess
) -> None:
    with pytest.raises(UnsupportedError):
        ASK[can](make_source(code))
    assert sandbox.asked() == []


@pytest.mark.parametrize("fault", [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502},
    {"kind": "rate_limit", "retry_after": 60},
    {"kind": "html"},
    {"kind": "html", "status": 503},
    {"kind": "half_json"},
    {"kind": "half_body"},
    {"kind": "empty"},
    {"kind": "reset_before"},
    {"kind": "wrong_encoding"},
    {"kind": "status", "status": 200, "body": []},
    {"kind": "status", "status": 200, "body": {"results": [{}], "items": [{}]}},
    {"kind": "status", "status": 200, "body": {"results": None, "items": 3}},
    {"kind": "status", "status": 301},
], ids=lambda fault: "-".join(str(value) for value in fault.values()))  # fmt: skip
@pytest.mark.parametrize(("code", "can"), DECLARED)
@pytest.mark.usefixtures("quick")
def test_says_that_the_other_side_is_away(
    code: str, can: Can, fault: dict[str, Any], make_source: Make, sandbox: SandboxProcess
) -> None:
    if fault.get("body") == [] and code == "brickowl":
        pytest.skip("Brick Owl writes an empty object as an empty list: that it knows nothing")
    sandbox.fault(**fault)
    with pytest.raises(ProviderUnavailable) as failed:
        ASK[can](make_source(code))
    assert failed.value.extra["provider"] == code
    assert sandbox.asked()


@pytest.mark.parametrize(("code", "can"), DECLARED)
@pytest.mark.parametrize("refusal", [(401, CredentialsRefused), (403, CredentialsRefused), (400, ProviderRejected)])
def test_says_that_credentials_or_data_are_refused(
    code: str, can: Can, refusal: tuple[int, type[ProviderError]], make_source: Make, sandbox: SandboxProcess
) -> None:
    secrets = [sandbox.sources[code][name] for name in registry.get(code).spec.credentials]
    status, error = refusal
    sandbox.fault("status", status=status, body={"detail": f"What is {' '.join(secrets)}?"})
    with pytest.raises(error) as failed:
        ASK[can](make_source(code))
    assert len(sandbox.asked()) == 1
    assert not [secret for secret in secrets if secret in str(failed.value.extra)]


@pytest.mark.parametrize("code", [kind.spec.code for kind in registry.all()])
@pytest.mark.parametrize("fault", [{"kind": "timeout_before", "seconds": 60}, {"kind": "slow_body", "pieces": 5000}])
def test_ends_in_time(code: str, fault: dict[str, Any], make_source: Make, sandbox: SandboxProcess) -> None:
    spec = registry.get(code).spec
    sandbox.fault(**fault)
    began = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        ASK[min(spec.can)](make_source(code, total_s=1))
    # As slow as it likes to be, the other side gets a second and what a busy machine takes for a request.
    assert time.monotonic() - began < 5


def test_reads_a_list_to_its_last_page(make_source: Make, sandbox: SandboxProcess, monkeypatch: Any) -> None:
    monkeypatch.setattr("catalog.sources.rebrickable._PAGE_SIZE", 20)
    lines = make_source("rebrickable").contents_of("60239-1")
    figures = [line for line in lines if line.item.item_type == ItemType.MINIFIG]
    assert (len(lines) > 40, len(figures)) == (True, 1)
    assert len(sandbox.asked()) == -(-(len(lines) - len(figures)) // 20) + 1


def test_takes_a_page_that_went_away_for_the_end(make_source: Make, sandbox: SandboxProcess, monkeypatch: Any) -> None:
    monkeypatch.setattr("catalog.sources.rebrickable._PAGE_SIZE", 20)
    sandbox.fault("status", status=404, nth=2, body={"detail": "Invalid page."})
    lines = make_source("rebrickable").contents_of("60239-1")
    assert len([line for line in lines if line.item.item_type == ItemType.PART]) == 20


@pytest.mark.parametrize(("system", "number", "means"), [
    ("bricklink", "3062", ["3062b"]),
    ("bricklink", "60239-1", ["60239-1"]),
    ("rebrickable", "3062b", ["3062b"]),
    ("rebrickable", "fig-001549", []),
    ("brickowl", "253312-38", ["01586pr0001"]),
    ("ldraw", "6141", ["6141"]),
    ("lego_design", "100724", ["01586pr0001"]),
    (ELEMENT, "6409192", ["01586pr0001"]),
    ("bricklink", "nothing", []),
    (ELEMENT, "1", []),
])  # fmt: skip
def test_finds_by_any_number(system: str, number: str, means: list[str], make_source: Make) -> None:
    assert [item.number for item in make_source("rebrickable").look_up(system, number).items] == means


def test_asks_for_many_parts_a_hundred_at_a_time(make_source: Make, sandbox: SandboxProcess) -> None:
    numbers = [f"x{number}" for number in range(150)] + ["3001", "3020"]
    assert {item.number for item in make_source("rebrickable").look_up_many(numbers)} == {"3001", "3020"}
    assert len(sandbox.asked()) == 2

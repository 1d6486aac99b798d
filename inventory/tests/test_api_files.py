"""Files of stock over HTTP: imported by a job, looked at first or not, and exported while they are sent."""

import io
import json
from typing import Any
from xml.etree import ElementTree

import pytest
from structlog.testing import capture_logs

from inventory import formats
from inventory.models import InventoryImport, InventoryItem
from inventory.testing import make_location, make_lot
from inventory.tests.api import Program, problem
from inventory.tests.test_importing import _finish_jobs, bsx, item

pytestmark = pytest.mark.django_db

CSV = b"Thing,Kind,How many,Farbe,State\n3001,Part,10,5,New\n3002,Part,x,5,New\n"
MAPPING = json.dumps(
    {"Thing": "item_no", "Kind": "item_type", "How many": "qty", "Farbe": "color_id", "State": "condition"}
)


@pytest.fixture
def program() -> Program:
    """Answer a program of the owner's."""
    return Program()


# --- Import ---------------------------------------------------------------------------------------------------------
def test_a_dry_run_shows_what_would_happen_and_is_carried_out_on_demand(program: Program) -> None:
    answer = program.upload(bsx(item(), item(ItemID="3002"), item(ColorID=99999)))
    assert answer.status_code == 202, answer.content
    begun = answer.json()
    assert answer["Location"] == f"/api/v1/jobs/{begun['job_id']}"
    _finish_jobs()
    path = f"/inventory/imports/{begun['id']}"
    shown = program.send("GET", path).json()
    assert (shown["status"], shown["counts"]) == ("PREVIEW", {"rows": 3, "NEW": 2, "PROBLEM": 1})
    assert shown["url"].startswith("http")
    assert not InventoryItem.objects.exists()

    for _ in range(2):
        approved = program.send("POST", path)
        assert approved.status_code == 202
        assert approved["Location"] == f"/api/v1/jobs/{approved.json()['job_id']}"
        _finish_jobs()
    assert program.send("GET", path).json()["status"] == "COMPLETED"
    assert InventoryItem.objects.count() == 2
    assert program.send("GET", f"/jobs/{approved.json()['job_id']}").json()["status"] == "COMPLETED"


def test_without_a_dry_run_it_is_carried_out_at_once(program: Program) -> None:
    begun = program.upload(bsx(item()), dry_run="false").json()
    _finish_jobs()
    _finish_jobs()
    assert program.send("GET", f"/inventory/imports/{begun['id']}").json()["status"] == "COMPLETED"
    assert InventoryItem.objects.count() == 1


def test_takes_policies_for_what_is_there(program: Program) -> None:
    lot = make_lot(qty=10, remarks="mine")
    fields = {"dry_run": "false", "quantity": "ADD", "fields_policy": "KEEP", "create_new": "false"}
    program.upload(bsx(item(Remarks="theirs", Qty=5), item(ItemID="3999")), **fields)
    _finish_jobs()
    _finish_jobs()
    lot.refresh_from_db()
    assert (lot.qty_available, lot.remarks, InventoryItem.objects.count()) == (15, "mine", 1)


def test_columns_need_a_mapping_unless_their_names_say_it(program: Program) -> None:
    refused = program.upload(CSV, name="stock.csv")
    assert problem(refused) == (422, "invalid")
    assert set(refused.json()["errors"]) == {"/mapping"}
    assert not InventoryImport.objects.exists(), "nothing is left of it"
    begun = program.upload(CSV, name="stock.csv", mapping=MAPPING)
    assert begun.status_code == 202, begun.content
    _finish_jobs()
    shown = program.send("GET", f"/inventory/imports/{begun.json()['id']}").json()
    assert shown["counts"] == {"rows": 2, "NEW": 1, "PROBLEM": 1}


@pytest.mark.parametrize(
    ("mapping", "pointer"),
    [
        ("{", "/mapping"),
        ("[1]", "/mapping"),
        ('{"Thing": 5}', "/mapping"),
        ('{"Thing": "no_such_field"}', "/mapping/Thing"),
        ('{"Thing": "item_no", "Farbe": "item_no"}', "/mapping/Farbe"),
    ],
)
def test_refuses_a_mapping_that_is_none(program: Program, mapping: str, pointer: str) -> None:
    answer = program.upload(CSV, name="stock.csv", mapping=mapping)
    assert problem(answer) == (422, "invalid")
    assert list(answer.json()["errors"]) == [pointer]
    assert not InventoryImport.objects.exists()


def test_prices_in_another_currency_need_a_rate(program: Program) -> None:
    content = bsx(item(Price="2.00"), currency="USD")
    refused = program.upload(content)
    assert list(refused.json()["errors"]) == ["/currency_rate"]
    assert not InventoryImport.objects.exists()
    program.upload(content, currency_rate="0.5", dry_run="false")
    _finish_jobs()
    _finish_jobs()
    assert str(InventoryItem.objects.get().unit_price) == "1.0000"


@pytest.mark.parametrize(
    "content", [b"%PDF-1.7 no stock", b"hello", b"", b"\x00" * 100], ids=["a PDF", "words", "nothing", "zeros"]
)
def test_refuses_what_is_no_file_of_stock(program: Program, content: bytes) -> None:
    assert program.upload(content).status_code == 422
    assert not InventoryImport.objects.exists()


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"format": "docx"}, "/format"),
        ({"quantity": "DOUBLE"}, "/quantity"),
        ({"dry_run": "perhaps"}, "/dry_run"),
        ({"currency_rate": "x"}, "/currency_rate"),
        ({"surprise": "1"}, "/surprise"),
    ],
)
def test_refuses_fields_that_it_does_not_know(program: Program, fields: dict[str, str], pointer: str) -> None:
    answer = program.upload(bsx(item()), **fields)
    assert problem(answer) == (422, "invalid")
    assert list(answer.json()["errors"]) == [pointer]


def test_needs_a_file_and_a_form(program: Program) -> None:
    missing = program.post("/api/v1/inventory/import", {"dry_run": "true"})
    assert list(missing.json()["errors"]) == ["/file"]
    assert program.send("POST", "/inventory/import", {"file": "x"}).status_code == 415


def test_one_key_imports_once(program: Program) -> None:
    first, second = (program.upload(bsx(item()), key="k") for _ in range(2))
    assert (second.status_code, second.json(), second["Location"]) == (202, first.json(), first["Location"])
    assert InventoryImport.objects.count() == 1


# --- Export ---------------------------------------------------------------------------------------------------------
WRITTEN = [each.spec.code for each in formats.all_formats() if each.spec.can_write]


def _export(program: Program, query: str) -> bytes:
    answer = program.send("GET", f"/inventory/export?{query}")
    assert answer.status_code == 200, answer.content
    assert answer.streaming
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize("code", WRITTEN)
def test_exports_what_the_filters_leave_in_every_format(program: Program, code: str) -> None:
    make_lot(item_no="3001", location=make_location(), bricklink_lot_id=7)
    make_lot(item_no="3999", color_id=1, bricklink_lot_id=8)
    content = _export(program, f"format={code}&color=5")
    assert content
    if code in ("xlsx", "bricklink_update"):
        return
    text = content.decode("utf-8-sig")
    assert "3001" in text
    assert "3999" not in text


def test_an_export_is_a_file_that_is_imported_without_a_change(program: Program) -> None:
    make_lot(remarks="=1+1", tier_prices=[{"qty": 50, "price": "0.1000"}])
    for code in ("bsx", "csv", "xlsx", "json"):
        begun = program.upload(_export(program, f"format={code}"), name=f"stock.{code}")
        assert begun.status_code == 202, (code, begun.content)
        _finish_jobs()
        shown = program.send("GET", f"/inventory/imports/{begun.json()['id']}").json()
        assert shown["counts"] == {"rows": 1, "EQUAL": 1}, code


def test_names_the_file_and_its_type(program: Program) -> None:
    make_lot()
    answer = program.send("GET", "/inventory/export?format=bsx")
    content = b"".join(answer.streaming_content)
    assert ElementTree.parse(io.BytesIO(content)).getroot().tag == "BrickStoreXML"  # noqa: S314  # our own file
    assert answer["Content-Type"] == "application/x-brickstore-xml"
    assert answer["Content-Disposition"].startswith('attachment; filename="')
    assert answer["Content-Disposition"].endswith('.bsx"')


@pytest.mark.parametrize("query", ["", "format=docx", "format=csv&colour=5", "format=csv&color=99999"])
def test_refuses_an_export_of_what_it_does_not_know(program: Program, query: str) -> None:
    assert problem(program.get(f"/api/v1/inventory/export?{query}")) == (422, "invalid")


def test_exports_are_logged_with_what_they_left(program: Program) -> None:
    with capture_logs() as logs:
        _export(program, "format=csv&color=5")
    assert {"event": "inventory.exported", "log_level": "info", "format": "csv", "filters": "color=5"} in logs


@pytest.mark.parametrize("role", ["staff", "picker", "readonly"])
def test_import_and_export_need_their_own_permissions(role: str) -> None:
    Program("owner")
    program = Program(role)
    may = role == "staff"
    imported, exported = program.upload(bsx(item())), program.get("/api/v1/inventory/export?format=csv")
    assert (imported.status_code, exported.status_code) == ((202, 200) if may else (403, 403))
    if not may:
        wanted = ("inventory:import", "inventory:export")
        assert (imported.json()["permission"], exported.json()["permission"]) == wanted
    if exported.streaming:
        exported.close()


def test_tells_who_may_not_whatever_the_file(client: Any) -> None:
    assert client.post("/api/v1/inventory/import", {}).status_code == 401
    assert client.get("/api/v1/inventory/export?format=csv").status_code == 401

"""Dumps come from addresses as from files: over real HTTP, once, whole, and from nowhere inside."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog import services
from catalog.importing.reading import DumpRefused
from catalog.models import CatalogDownload, CatalogDump, CatalogItem, CatalogSetItem
from catalog.services.fetching import files_at
from common.testing.sandbox import SandboxProcess
from jobs import runner

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_items")]


@pytest.fixture
def dumps(sandbox: SandboxProcess, settings: Any) -> SandboxProcess:
    """Have the operator allow the sandbox, which is inside."""
    settings.CATALOG_DUMP_HOSTS = frozenset({sandbox.url.removeprefix("http://")})
    return sandbox


def _import(*places: str, is_forced: bool = False) -> services.ImportReport:
    return services.import_from(places=places, now=timezone.now(), is_forced=is_forced)


def _asked(sandbox: SandboxProcess) -> list[tuple[str, int]]:
    return [(row["path"].rpartition("/")[2].partition(".")[0], row["status"]) for row in sandbox.asked()]


def test_an_address_that_ends_in_a_slash_stands_for_all_tables(dumps: SandboxProcess) -> None:
    report = _import(dumps.dumps_url)
    assert len(report.dumps) == len(files_at(dumps.dumps_url)) == 12
    assert sum(dump.problems for dump in report.dumps) == 0
    assert CatalogItem.objects.filter(item_type="SET", item_no="60239-1").exists()
    assert CatalogSetItem.objects.filter(set__item_no="60239-1").exists()
    row = CatalogDownload.objects.get(url=f"{dumps.dumps_url}parts.csv.gz")
    assert (row.dump, bool(row.etag), bool(row.last_modified)) == ("rebrickable/parts", True, True)
    assert row.sha256 == CatalogDump.objects.get(pk="rebrickable/parts").sha256


def test_fetches_nothing_that_is_the_same_as_last_time(dumps: SandboxProcess) -> None:
    urls = [f"{dumps.dumps_url}{table}.csv.gz" for table in ("themes", "sets")]
    _import(*urls)
    dumps.reset()
    assert _import(*urls).is_unchanged
    assert _asked(dumps) == [("themes", 304), ("sets", 304)]
    dumps.reset()
    assert not _import(*urls, is_forced=True).is_unchanged
    assert _asked(dumps) == [("themes", 200), ("sets", 200)]


def test_fetches_all_once_one_is_new(dumps: SandboxProcess) -> None:
    urls = [f"{dumps.dumps_url}{table}.csv.gz" for table in ("themes", "sets")]
    _import(*urls)
    CatalogDownload.objects.filter(url=urls[1]).update(etag='"other"')
    dumps.reset()
    assert _import(*urls).is_unchanged
    assert _asked(dumps) == [("themes", 304), ("sets", 200), ("themes", 200)]


def test_does_not_trust_an_address_whose_table_came_from_elsewhere_since(dumps: SandboxProcess, tmp_path: Path) -> None:
    url = f"{dumps.dumps_url}themes.csv.gz"
    _import(url)
    (tmp_path / "themes.csv").write_text("id,name,parent_id\n1,Technic,\n")
    services.import_dumps(paths=[tmp_path], now=timezone.now(), is_forced=True)
    dumps.reset()
    assert not _import(url, is_forced=True).is_unchanged
    assert _asked(dumps) == [("themes", 200)]


def test_takes_a_folder_that_is_empty_beside_an_address(dumps: SandboxProcess, tmp_path: Path) -> None:
    url = f"{dumps.dumps_url}themes.csv.gz"
    assert len(_import(str(tmp_path), url).dumps) == 1
    assert _import(str(tmp_path), url).is_unchanged


@pytest.mark.parametrize("fault", [
    {"kind": "status", "status": 404}, {"kind": "status", "status": 500}, {"kind": "half_body"},
    {"kind": "reset_before"}, {"kind": "html"}, {"kind": "half_json"},
], ids=lambda fault: "-".join(str(value) for value in fault.values()))  # fmt: skip
def test_changes_nothing_where_one_cannot_be_had(fault: dict[str, Any], dumps: SandboxProcess) -> None:
    dumps.fault(**fault, path="sets")
    with pytest.raises(DumpRefused):
        _import(f"{dumps.dumps_url}themes.csv.gz", f"{dumps.dumps_url}sets.csv.gz")
    assert not CatalogDump.objects.filter(name="rebrickable/themes").exists()
    assert not CatalogDownload.objects.exists()


def test_tries_a_broken_connection_once_more(dumps: SandboxProcess) -> None:
    dumps.fault("half_body", times=1)
    assert _import(f"{dumps.dumps_url}themes.csv.gz").dumps


def test_refuses_what_is_too_large(dumps: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.services.fetching._LIMIT_BYTES", 20)
    with pytest.raises(DumpRefused, match="larger than 20 bytes"):
        _import(f"{dumps.dumps_url}themes.csv.gz")


def test_asks_no_address_inside_that_the_operator_did_not_allow(sandbox: SandboxProcess) -> None:
    with pytest.raises(DumpRefused, match="may not be asked"):
        _import(f"{sandbox.dumps_url}themes.csv.gz")
    assert sandbox.asked() == []


@pytest.mark.parametrize("url", [
    "ftp://example.com/x", "https://", "https:///x", "http://user:secret@example.com/x", "https://example.com/a b",
    "file:///etc/passwd", "https://example.com/" + "x" * 500, "https://[::1/x",
])  # fmt: skip
def test_refuses_what_is_no_address(url: str) -> None:
    with pytest.raises(DumpRefused, match="no address"):
        services.start_import(places=[url], now=timezone.now())
    with pytest.raises(DumpRefused, match="no address"):
        _import(url)


def test_does_not_show_what_may_be_secret_in_an_address(dumps: SandboxProcess) -> None:
    with pytest.raises(DumpRefused) as refused:
        _import(f"{dumps.url}/dumps/nothing?token=s3cret")
    assert "s3cret" not in str(refused.value.detail)


def test_the_job_and_the_command_take_addresses(
    dumps: SandboxProcess, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"{dumps.dumps_url}themes.csv.gz"
    settings.CATALOG_DUMPS = (url,)
    job = services.start_import(now=timezone.now())
    assert job
    runner.run_job(job_id=job.pk, with_heartbeat=False)
    job.refresh_from_db()
    assert job.result
    assert "1 file read" in job.result["message"]
    again = services.start_import(places=[url], now=timezone.now())
    assert again
    runner.run_job(job_id=again.pk, with_heartbeat=False)
    again.refresh_from_db()
    assert again.result == {"message": "The same files as last time; nothing to do."}
    call_command("import_catalog", url, "--force")
    assert "themes.csv.gz: rebrickable/themes" in capsys.readouterr().out
    with pytest.raises(CommandError, match="status 404"):
        call_command("import_catalog", f"{dumps.dumps_url}nothing.csv.gz")

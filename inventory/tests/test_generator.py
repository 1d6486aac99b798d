"""Made-up stock is the same for the same seed, and like that of stores."""

from collections import Counter
from pathlib import Path

from django.core.management import call_command

from inventory import formats, generator
from inventory.tests.stock_files import as_lot, read, written


def test_the_same_seed_makes_the_same_lots() -> None:
    assert list(generator.lots(200, seed=3)) == list(generator.lots(200, seed=3))
    assert list(generator.lots(200, seed=3)) != list(generator.lots(200, seed=4))


def test_stock_is_like_that_of_stores() -> None:
    lots = list(generator.lots(4000, seed=1))
    kinds = Counter(lot.item_type for lot in lots)
    assert 0.88 < kinds["PART"] / len(lots) < 0.96
    assert {"SET", "MINIFIG"} <= kinds.keys()
    keys = Counter((lot.item_no, lot.color_id, lot.condition) for lot in lots)
    assert keys.most_common(1)[0][1] > 10
    located = sum(bool(lot.remarks) and lot.remarks[1:2] == "-" for lot in lots)
    assert 0.7 < located / len(lots) < 0.9
    assert any(lot.tier_prices for lot in lots)
    assert any("<b>" in lot.description for lot in lots)
    assert len({lot.bricklink_lot_id for lot in lots}) == len(lots)


def test_each_format_takes_it_all() -> None:
    lots = list(generator.lots(500, seed=5))
    for found in formats.all_formats():
        if found.spec.can_read:
            rows, problems, reading = read(found.spec.code, written(found.spec.code, lots))
            assert (len(rows), problems, reading.ignored) == (500, [], Counter())


def test_a_file_of_brickstore_that_is_read_and_written_stays_the_same() -> None:
    data = written("bsx", list(generator.lots(500, seed=6)))
    rows, _, reading = read("bsx", data)
    assert written("bsx", [as_lot(row) for row in rows], around=reading.around) == data


def test_a_tenth_drifts() -> None:
    lots = list(generator.lots(2000, seed=1))
    drifted = list(generator.drifted(lots))
    changed = sum(before != after for before, after in zip(lots, drifted, strict=True))
    assert 0.08 < changed / len(lots) < 0.12
    assert [lot.id for lot in lots] == [lot.id for lot in drifted]


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    path = tmp_path / "stock.bsx"
    call_command("make_stock_file", path, lots=20, format="bsx", seed=2)
    assert len(read("bsx", path.read_bytes())[0]) == 20

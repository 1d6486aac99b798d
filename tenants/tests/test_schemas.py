"""A shop's schema is a whole copy of the template's, leads nowhere else, and is there entirely or not at all."""

import re
import threading

import pytest
from django.db import connection, transaction

from tenants import schemas
from tenants.tests.anatomy import describe

pytestmark = pytest.mark.django_db


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _without_casts(found: set[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    # PostgreSQL writes `IN (…)` over varchar with its casts elsewhere once it has read its own writing.
    return {(kind, name, re.sub(r"::(?:character varying|text)(?:\[\])?", "", text)) for kind, name, text in found}


def test_copies_everything_of_the_template():
    schemas.create_copy("t_copy")

    template, copy = describe(schemas.TEMPLATE), describe("t_copy")
    assert _without_casts(copy) == _without_casts(template)
    assert {kind for kind, _, _ in copy} >= {"column", "constraint", "index", "trigger", "sequence"}


def test_copies_what_no_migration_of_ours_has_yet():
    schemas.create_empty("t_exotic")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path = t_exotic, public")
        cursor.execute(
            """
            CREATE SEQUENCE numbers START 100 INCREMENT 5;
            CREATE FUNCTION double(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
            CREATE TABLE parent (
                id bigint GENERATED ALWAYS AS IDENTITY (START 7) PRIMARY KEY, "odd Name" text DEFAULT 'x''y');
            CREATE TABLE child (
                id integer DEFAULT nextval('numbers') PRIMARY KEY,
                parent_id bigint REFERENCES parent DEFERRABLE INITIALLY DEFERRED,
                twice integer GENERATED ALWAYS AS (double(3) + 1) STORED, during int4range,
                kind varchar(5) COLLATE "C" DEFAULT 'a', long text STORAGE EXTERNAL CHECK (double(length(long)) < 9),
                CONSTRAINT kinds CHECK (kind IN ('a', 'b')), EXCLUDE USING gist (during WITH &&));
            ALTER SEQUENCE numbers OWNED BY child.id;
            CREATE UNIQUE INDEX open_kind ON child (lower(kind)) INCLUDE (parent_id) WHERE kind = 'a';
            CREATE VIEW kinds AS SELECT kind FROM child;
            CREATE TRIGGER guard BEFORE UPDATE OF kind ON child
                FOR EACH ROW WHEN (OLD.kind = 'a') EXECUTE FUNCTION refuse();
            COMMENT ON TABLE child IS 'what is it''s for';
            COMMENT ON COLUMN child.kind IS 'a or b';
            INSERT INTO parent ("odd Name") VALUES ('first');
            INSERT INTO child (parent_id) VALUES (7);
            """
        )

    schemas.create_copy("t_exotic_copy", source="t_exotic", is_checked=False)

    assert _without_casts(describe("t_exotic_copy")) == _without_casts(describe("t_exotic"))
    assert schemas.strangers("t_exotic_copy") == []
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO t_exotic_copy.parent DEFAULT VALUES RETURNING id")
        assert cursor.fetchone() == (8,)
        cursor.execute("INSERT INTO t_exotic_copy.child (kind) VALUES ('b') RETURNING id, twice")
        assert cursor.fetchone() == (105, 7)
        cursor.execute("SELECT count(*) FROM t_exotic.child")
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize(
    "thing",
    [
        "CREATE TYPE {schema}.mood AS ENUM ('fine')",
        "CREATE MATERIALIZED VIEW {schema}.frozen AS SELECT 1 AS one",
        "CREATE TABLE {schema}.parted (id integer) PARTITION BY RANGE (id)",
        "CREATE STATISTICS {schema}.together ON email, theme FROM {schema}.accounts_user",
        "ALTER TABLE {schema}.accounts_user ENABLE ROW LEVEL SECURITY",
    ],
)
def test_refuses_a_template_with_something_that_is_not_copied(thing: str):
    _execute(thing.format(schema=schemas.TEMPLATE))

    with pytest.raises(schemas.SchemaError, match="can't be copied"):
        schemas.check_template()


def test_copies_the_rows_that_each_shop_begins_with():
    schemas.create_copy("t_copy")

    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM t_copy.accounts_role WHERE is_system ORDER BY name")
        assert [name for (name,) in cursor.fetchall()] == ["admin", "owner", "picker", "readonly", "staff"]
        cursor.execute("SELECT count(*) FROM t_copy.accounts_user")
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT (SELECT array_agg(app || name ORDER BY 1) FROM t_copy.django_migrations)"
            " = (SELECT array_agg(app || name ORDER BY 1) FROM tenant_template.django_migrations)"
        )
        assert cursor.fetchone() == (True,)


def test_refuses_a_name_that_is_there():
    with pytest.raises(schemas.SchemaError, match="exists"):
        schemas.create_copy("t_shop")


def test_finds_a_table_that_is_missing_and_would_be_looked_for_in_public():
    schemas.create_copy("t_copy")
    _execute("DROP TABLE t_copy.accounts_invitationrole")

    with pytest.raises(schemas.SchemaError, match="lacks accounts_invitationrole"):
        schemas.check("t_copy")


def test_finds_a_default_that_leads_into_another_shop():
    schemas.create_copy("t_copy")
    _execute("CREATE SEQUENCE t_shop.borrowed")
    _execute("ALTER TABLE t_copy.jobs_jobrun ALTER COLUMN attempt SET DEFAULT nextval('t_shop.borrowed')")

    with pytest.raises(schemas.SchemaError, match="leads to t_shop"):
        schemas.check("t_copy")


@pytest.mark.parametrize("name", [schemas.PUBLIC, schemas.TEMPLATE])
def test_never_drops_what_is_no_shops(name: str):
    with pytest.raises(schemas.SchemaError, match="no tenant's"):
        schemas.drop(name)


def test_leaves_nothing_when_it_breaks_off():
    def broken() -> None:
        with transaction.atomic():
            schemas.create_copy("t_broken")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert not schemas.exists("t_broken")


@pytest.mark.django_db(transaction=True)
def test_waits_for_the_template_while_it_is_migrated():
    done = threading.Event()

    def copy() -> None:
        try:
            with transaction.atomic():
                schemas.hold_template()
                schemas.create_copy("t_late")
            done.set()
        finally:
            connection.close()

    with schemas.alone(schemas.TEMPLATE_KEY):
        thread = threading.Thread(target=copy)
        thread.start()
        assert not done.wait(0.5)
    thread.join(10)
    assert done.is_set()

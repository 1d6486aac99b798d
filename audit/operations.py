"""Migration operation that makes a table append-only: the database itself refuses to change or take away the past."""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

TRIGGER = "append_only"
# Transaction-local; only audit.retention sets it.
BYPASS = "audit.retention"

# One function for all schemas, so that a cloned schema's triggers lead to it too. Made only where it is missing,
# because migrations of several schemas run side by side.
_FUNCTION = f"""
DO $do$ BEGIN
    IF to_regprocedure('public.audit_append_only()') IS NULL THEN
        CREATE FUNCTION public.audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $fn$
        BEGIN
            IF current_setting('{BYPASS}', true) IS DISTINCT FROM 'on' THEN
                RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NULL;
        END $fn$;
    END IF;
END $do$
"""


class AppendOnly(Operation):
    """Refuse UPDATE, DELETE and TRUNCATE on the model's table, in whichever schema the migration runs."""

    reversible = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.model_name], {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The models don't change, only the table's guard."""

    def _table(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, state: ProjectState) -> str | None:
        model = state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return None
        return schema_editor.quote_name(model._meta.db_table)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, _from: ProjectState, to_state: ProjectState
    ) -> None:
        if table := self._table(app_label, schema_editor, to_state):
            schema_editor.execute(_FUNCTION, params=None)
            # Per statement: refuses before a row is looked for, and costs the retention job one call.
            schema_editor.execute(
                f"CREATE TRIGGER {TRIGGER} BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION public.audit_append_only()"
            )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, _to: ProjectState
    ) -> None:
        if table := self._table(app_label, schema_editor, from_state):
            schema_editor.execute(f"DROP TRIGGER {TRIGGER} ON {table}")

    def describe(self) -> str:
        return f"Make {self.model_name} append-only"

    @property
    def migration_name_fragment(self) -> str:
        return f"{self.model_name.lower()}_append_only"

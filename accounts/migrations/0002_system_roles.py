"""The five roles that every shop has, and the database's own guard that an owner remains."""

from django.db import migrations

_RESOURCES = {
    "inventory": ("read", "write", "delete", "import", "export"),
    "orders": ("read", "write", "status_update", "cancel", "refund"),
    "picker": ("read", "create_session", "pick", "manage_sessions"),
    "stores": ("read", "write", "credentials"),
    "sync": ("read", "preview", "apply"),
    "shipping": ("read", "write"),
    "users": ("read", "write", "invite"),
    "roles": ("manage",),
    "audit": ("read", "revert"),
    "settings": ("read", "write"),
    "billing": ("manage",),
    "api_keys": ("manage",),
    "webhooks": ("manage",),
}
_ALL = [f"{resource}:{action}" for resource, actions in _RESOURCES.items() for action in actions]
_STAFF = {"inventory", "orders", "picker", "shipping"}
_STAFF_BESIDES = {"stores:read", "sync:read", "sync:preview", "audit:read", "settings:read"}
_PICKER_BESIDES = {"inventory:read", "orders:read", "orders:status_update"}
_READONLY = {"inventory:read", "orders:read", "picker:read", "stores:read", "shipping:read"}

_ROLES = {
    "owner": _ALL,
    "admin": [name for name in _ALL if name != "billing:manage"],
    "staff": [name for name in _ALL if name.partition(":")[0] in _STAFF or name in _STAFF_BESIDES],
    "picker": [name for name in _ALL if name.startswith("picker:") or name in _PICKER_BESIDES],
    "readonly": [name for name in _ALL if name in _READONLY],
}

# One function for all schemas: a cloned schema's triggers lead to it too. It looks at the table's own schema, whatever the
# search path says, and holds the owner role's row, so that of two owners who demote each other the second one is refused.
# Migrations of several schemas run side by side, and two that replace the function at once would fail: one waits.
_FUNCTION = """
SELECT pg_advisory_xact_lock(hashtext('accounts_keep_an_owner'));
CREATE OR REPLACE FUNCTION public.accounts_keep_an_owner() RETURNS trigger LANGUAGE plpgsql AS $fn$
DECLARE
    owner_role uuid;
    is_kept boolean;
BEGIN
    EXECUTE format('SELECT id FROM %1$I.accounts_role WHERE name = ''owner'' AND is_system FOR NO KEY UPDATE', TG_TABLE_SCHEMA)
        INTO owner_role;
    IF TG_TABLE_NAME = 'accounts_userrole' THEN
        IF OLD.role_id IS DISTINCT FROM owner_role THEN
            RETURN NULL;
        END IF;
    ELSE
        EXECUTE format('SELECT NOT EXISTS (SELECT 1 FROM %1$I.accounts_userrole WHERE user_id = $1 AND role_id = $2)', TG_TABLE_SCHEMA)
            INTO is_kept USING OLD.id, owner_role;
        IF is_kept THEN
            RETURN NULL;
        END IF;
    END IF;
    EXECUTE format(
        'SELECT NOT EXISTS (SELECT 1 FROM %1$I.accounts_user) OR EXISTS ('
        '  SELECT 1 FROM %1$I.accounts_userrole l JOIN %1$I.accounts_user u ON u.id = l.user_id'
        '  WHERE l.role_id = $1 AND u.is_active)', TG_TABLE_SCHEMA)
        INTO is_kept USING owner_role;
    IF NOT is_kept THEN
        RAISE EXCEPTION 'a shop needs an owner who can sign in'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_keep_an_owner';
    END IF;
    RETURN NULL;
END $fn$
"""

# Deferred, so that roles can change hands within one transaction.
_TRIGGERS = """
CREATE CONSTRAINT TRIGGER keep_an_owner AFTER DELETE OR UPDATE ON accounts_userrole
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.accounts_keep_an_owner();
CREATE CONSTRAINT TRIGGER keep_an_owner AFTER UPDATE OF is_active ON accounts_user
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.is_active AND NOT NEW.is_active)
    EXECUTE FUNCTION public.accounts_keep_an_owner();
"""

_NO_TRIGGERS = """
DROP TRIGGER keep_an_owner ON accounts_userrole;
DROP TRIGGER keep_an_owner ON accounts_user;
"""


def add_system_roles(apps, schema_editor):
    role = apps.get_model("accounts", "Role")
    role.objects.bulk_create(
        role(name=name, permissions=permissions, is_system=True) for name, permissions in _ROLES.items()
    )


def remove_system_roles(apps, schema_editor):
    apps.get_model("accounts", "Role").objects.filter(is_system=True).delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunPython(add_system_roles, remove_system_roles),
        # Other schemas' triggers may still lead to the function, so going back leaves it.
        migrations.RunSQL(_FUNCTION, migrations.RunSQL.noop),
        migrations.RunSQL(_TRIGGERS, _NO_TRIGGERS),
    ]

"""What tests must change, and nothing else. The servers come from the environment that `bin/test` sets."""

import os

from cryptography.fernet import Fernet

_defaults = {
    "ENVIRONMENT": "test",
    "SECRET_KEY": "test-only-" + "k" * 50,
    "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "BASE_DOMAIN": "testserver.localhost",
    "PUBLIC_SCHEME": "http",
    "PUBLIC_PORT": "80",
    "DATABASE_URL": "postgresql:///brikonnect",
    "REDIS_URL": "redis://127.0.0.1:6379",
    "DATABASE_POOL_SIZE": "0",
}
for _name, _value in _defaults.items():
    os.environ.setdefault(_name, _value)

# Workers that run side by side have a Redis database each (of its 16), so that a test may empty its own.
if _worker := os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw"):
    _base, _, _query = os.environ["REDIS_URL"].partition("?")
    os.environ["REDIS_URL"] = f"{_base}?{_query}{'&' if _query else ''}db={(int(_worker) + 1) % 16}"

from brikonnect.settings import *  # noqa: E402, F403  # the environment must be complete before the settings read it

# No models: its command lints those of the others. Installed with the tests' packages only.
INSTALLED_APPS = [*INSTALLED_APPS, "django_migration_linter"]  # noqa: F405  # from the settings above
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher"
]  # hashing slowly is Argon2's purpose, not the tests'
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
# No test asks anybody outside; those that ask, ask the sandbox.
CATALOG_SOURCES = {code: {"url": "http://127.0.0.1:9/"} for code in CATALOG_SOURCES}  # noqa: F405  # as above

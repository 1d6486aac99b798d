"""What an embedder's settings need for core: no tenants, no django_tenants, the sockets' defaults."""

import os
from datetime import timedelta
from pathlib import Path

from cryptography.fernet import Fernet
from psycopg.conninfo import conninfo_to_dict

_database = conninfo_to_dict(os.environ["DATABASE_URL"])
_redis = os.environ["REDIS_URL"]

SECRET_KEY = "embedded-" + "k" * 50
ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
USE_TZ, TIME_ZONE = True, "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "tests.embed.urls"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "simple_history",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "django_htmx",
    "template_partials",
    "django_countries",
    "common",
    "events",
    "audit",
    "jobs",
    "catalog",
    "stores",
    "inventory",
    "orders",
    "picker",
    "accounts",
    "notifications",
]
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PeopleBackend"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.pop("dbname"),
        "USER": _database.pop("user", ""),
        "PASSWORD": _database.pop("password", ""),
        "HOST": _database.pop("host", ""),
        "PORT": _database.pop("port", ""),
        "OPTIONS": _database,
    }
}
REDIS_URL = _redis
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _redis,
        "KEY_FUNCTION": "common.workspace.cache_key",
        "OPTIONS": {"serializer": "common.cache.JSONSerializer"},
    }
}
CELERY_TASK_ALWAYS_EAGER = True
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
DEFAULT_FROM_EMAIL = "shop@embedder.example"
STATIC_URL = "/static/"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).resolve().parents[2] / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"builtins": ["django.templatetags.static", "common.templatetags.ui"]},
    }
]

# The shop that the installation is; where core's pages and mails lead.
WORKSPACE = {"name": "Embedded Bricks", "currency": "GBP", "timezone": "Europe/London", "country": "GB"}
BASE_DOMAIN = "shop.embedder.example"
PUBLIC_SCHEME, PUBLIC_PORT = "https", 443
TRUSTED_PROXY_COUNT = 0
CORS_ORIGINS = ()

LOGIN_URL = "account_login"
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_ABSOLUTE_AGE = timedelta(days=90)
ACCESS_TOKEN_LIFETIME = timedelta(minutes=15)
REFRESH_TOKEN_LIFETIME = timedelta(days=7)
API_RATE = API_SHOP_RATE = "600/min"
UPLOAD_MAX_BYTES = 32 * 1024 * 1024
ACCOUNT_ADAPTER = "notifications.adapter.QueuedMailAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
MFA_ADAPTER = "accounts.second_factor.MFAAdapter"
MIDDLEWARE = [
    "common.middleware.origin.OriginMiddleware",
    "common.middleware.problems.ProblemMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.ActorMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "audit.middleware.ChangeSetMiddleware",
]
ALLOWED_HOSTS = ["*"]

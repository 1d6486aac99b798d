"""Django's settings, made from the validated environment."""

from datetime import timedelta
from pathlib import Path

import sentry_sdk
from psycopg.conninfo import conninfo_to_dict

from brikonnect.environ import Environment, read_environ
from brikonnect.features import Features, demo_shop, installed_apps, shared_apps, tenant_apps

env = read_environ()
FEATURES = Features.of(env.BRIKONNECT_FEATURES)
ENVIRONMENT = env.ENVIRONMENT

# --- Places -------------------------------------------------------------------------------------------------------
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.DATA_DIR) if Path(env.DATA_DIR).is_absolute() else BASE_DIR / env.DATA_DIR
FILES_DIR = DATA_DIR / "files"
CATALOG_DUMPS = env.CATALOG_DUMPS
CATALOG_DUMP_HOSTS = frozenset(env.CATALOG_DUMP_HOSTS)

# --- Apps ---------------------------------------------------------------------------------------------------------
INSTALLED_APPS = installed_apps(FEATURES)
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
WSGI_APPLICATION = "brikonnect.wsgi.application"
ROOT_URLCONF = "brikonnect.urls.tenant"
API_URLCONF = "brikonnect.urls.api"
if FEATURES.multi_tenant:
    SHARED_APPS = shared_apps(FEATURES)
    TENANT_APPS = tenant_apps(FEATURES)
    TENANT_MODEL = "tenants.Tenant"
    TENANT_DOMAIN_MODEL = "tenants.Domain"
    PUBLIC_SCHEMA_URLCONF = "brikonnect.urls.public"
    # Without this every cursor sends SET search_path again.
    TENANT_LIMIT_SET_CALLS = True
    DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

# --- Sockets (architecture.md) --------------------------------------------------------------------------------------
WORKSPACE_PROVIDER = "tenants.workspace.from_connection" if FEATURES.multi_tenant else "common.workspace.from_settings"
WORKSPACE = {
    "name": env.WORKSPACE_NAME,
    "currency": env.WORKSPACE_CURRENCY,
    "timezone": env.WORKSPACE_TIMEZONE,
    "country": env.WORKSPACE_COUNTRY,
}
DEMO_SHOP = demo_shop(FEATURES)
ENTITLEMENTS = "common.entitlements.AllowAll"

# --- Hosts --------------------------------------------------------------------------------------------------------
BASE_DOMAIN = env.BASE_DOMAIN
PUBLIC_SCHEME = env.PUBLIC_SCHEME
PUBLIC_PORT = env.PUBLIC_PORT
# The base domain and its tenants; a host of neither kind gets the unknown-host page.
ALLOWED_HOSTS = [env.BASE_DOMAIN, f".{env.BASE_DOMAIN}", *env.ALLOWED_HOSTS]
TRUSTED_PROXY_COUNT = env.TRUSTED_PROXY_COUNT
_https = env.PUBLIC_SCHEME == "https"

# --- Requests -----------------------------------------------------------------------------------------------------
_tenancy = ["tenants.middleware.TenantMiddleware"] if FEATURES.multi_tenant else []
MIDDLEWARE = [
    "brikonnect.metrics.MetricsMiddleware",
    "common.middleware.origin.OriginMiddleware",
    "common.middleware.problems.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Around hygiene and tenancy, so that a listed origin can read their refusals too.
    "common.middleware.cors.CorsMiddleware",
    "common.middleware.hygiene.HygieneMiddleware",
    *_tenancy,
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.ActorMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "audit.middleware.ChangeSetMiddleware",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
# Of a multipart body, files included: a BrickStore file of 100,000 lots has some 80 MB.
UPLOAD_MAX_BYTES = 160 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
APPEND_SLASH = True

# --- Pages --------------------------------------------------------------------------------------------------------
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "brikonnect.navigation.shell",
            ],
            "builtins": [
                "django.templatetags.static",
                "template_partials.templatetags.partials",
                "common.templatetags.ui",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Database -----------------------------------------------------------------------------------------------------
_database = conninfo_to_dict(env.DATABASE_URL)
DATABASES = {
    "default": {
        "ENGINE": "tenants.postgresql" if FEATURES.multi_tenant else "django.db.backends.postgresql",
        "NAME": _database.pop("dbname"),
        "USER": _database.pop("user", ""),
        "PASSWORD": _database.pop("password", ""),
        "HOST": _database.pop("host", ""),
        "PORT": _database.pop("port", ""),
        # A pool that hands out live connections: reconnecting costs 5 to 12 ms, a pooled one 0.4 (stack.md, trap 9).
        "OPTIONS": {
            **_database,
            **(
                {"pool": {"min_size": 1, "max_size": env.DATABASE_POOL_SIZE, "timeout": 5}}
                if env.DATABASE_POOL_SIZE
                else {}
            ),
        },
        "CONN_MAX_AGE": 0,
        # A pooled connection that died with its server is replaced, not handed to a request (tenants.postgresql does so
        # by itself).
        "CONN_HEALTH_CHECKS": not FEATURES.multi_tenant,
        "ATOMIC_REQUESTS": False,
    }
}

# --- Redis --------------------------------------------------------------------------------------------------------
REDIS_URL = env.REDIS_URL
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.REDIS_URL,
        "KEY_FUNCTION": "common.workspace.cache_key",
        "OPTIONS": {
            "serializer": "common.cache.JSONSerializer",
            "socket_connect_timeout": 1,
            "socket_timeout": 2,
        },
    }
}

# --- People -------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["accounts.backends.PeopleBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "display_name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/start/"
PASSWORD_RESET_TIMEOUT = 3600
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_ABSOLUTE_AGE = timedelta(days=90)
# Host-only cookies keep tenants apart; never set a domain for them (stack.md, trap 4).
SESSION_COOKIE_NAME = "__Host-session" if _https else "session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _https
MESSAGE_STORAGE = "common.messages.MessageStorage"
CSRF_COOKIE_NAME = "__Host-csrf" if _https else "csrf"
CSRF_COOKIE_SECURE = _https
CSRF_COOKIE_HTTPONLY = True
CSRF_HEADER_NAME = "HTTP_X_CSRF_TOKEN"
CSRF_FAILURE_VIEW = "common.error_responses.csrf_failure"

ACCOUNT_ADAPTER = "notifications.adapter.QueuedMailAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
# Confirmation keys by HMAC sign a bare primary key and would work in another tenant (stack.md, trap 3).
ACCOUNT_EMAIL_CONFIRMATION_HMAC = False
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PREVENT_ENUMERATION = True
# Our own limits stand in accounts.services.entrance: they count on without Redis, and let no stranger lock anybody out.
ACCOUNT_RATE_LIMITS = False
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
    "add_email": "accounts.forms.NewEmailForm",
    "confirm_email_verification_code": "accounts.forms.ConfirmEmailForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = env.PUBLIC_SCHEME
MFA_ADAPTER = "accounts.second_factor.MFAAdapter"
# Recovery codes are ours (accounts.services.second_factor): allauth keeps a seed, we keep hashes.
MFA_SUPPORTED_TYPES = ["totp", "webauthn"]
MFA_FORMS = {
    "authenticate": "accounts.forms.CodeForm",
    "reauthenticate": "accounts.forms.RepeatedCodeForm",
    "login_webauthn": "accounts.forms.PasskeySignInForm",
    "authenticate_webauthn": "accounts.forms.PasskeyCodeForm",
    "reauthenticate_webauthn": "accounts.forms.RepeatedPasskeyForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Brikonnect"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _https

# --- API ----------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["common.api.permissions.DeclaredAccess"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["common.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "common.api.schema.ContractSchema",
    "DEFAULT_THROTTLE_CLASSES": ["common.api.throttles.IdentityThrottle"],
    "EXCEPTION_HANDLER": "common.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "COERCE_DECIMAL_TO_STRING": True,
    "URL_FORMAT_OVERRIDE": None,
}
ACCESS_TOKEN_LIFETIME = timedelta(minutes=15)
REFRESH_TOKEN_LIFETIME = timedelta(days=7)
# Each of an identity's requests counts against both: its own, and its shop's.
API_RATE = env.API_RATE
API_SHOP_RATE = env.API_SHOP_RATE
CORS_ORIGINS = env.CORS_ORIGINS
SPECTACULAR_SETTINGS = {
    "TITLE": "Brikonnect API",
    "VERSION": "1.0.0",
    "DESCRIPTION": "Everything that a shop can do, over HTTP.",
    "OAS_VERSION": "3.1.0",
    "SERVE_URLCONF": "brikonnect.urls.api",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SERVERS": [
        {"url": "https://api.brikonnect.com", "description": "All shops; the token says which one."},
        {
            "url": "https://{shop}.brikonnect.com",
            "description": "One shop's own host.",
            "variables": {"shop": {"default": "demo"}},
        },
    ],
}

# --- Mail ---------------------------------------------------------------------------------------------------------
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if env.SMTP_HOST
    else "django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = DATA_DIR / "mail"
EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = (
    env.SMTP_HOST,
    env.SMTP_PORT,
    env.SMTP_USER,
    env.SMTP_PASSWORD,
)
EMAIL_USE_TLS = bool(env.SMTP_USER)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = f"Brikonnect <{env.SMTP_FROM}>"

# --- Sources of the catalog -----------------------------------------------------------------------------------------
# By code: where each is asked, and its credentials by the names that its class gives them.
CATALOG_SOURCES: dict[str, dict[str, str]] = {
    "rebrickable": {"url": env.REBRICKABLE_URL, "key": env.REBRICKABLE_API_KEY},
    "brickognize": {"url": env.BRICKOGNIZE_URL},
    "exchange_rates": {"url": env.EXCHANGE_RATES_URL},
    "brickowl": {"url": env.BRICKOWL_URL, "key": env.BRICKOWL_API_KEY},
    "bricklink": {
        "url": env.BRICKLINK_URL,
        "consumer_key": env.BRICKLINK_CONSUMER_KEY,
        "consumer_secret": env.BRICKLINK_CONSUMER_SECRET,
        "token": env.BRICKLINK_TOKEN,
        "token_secret": env.BRICKLINK_TOKEN_SECRET,
    },
}
# Which hosts pictures of items are fetched from, who is asked in place of all of them, and how much is kept.
CATALOG_IMAGE_HOSTS = env.CATALOG_IMAGE_HOSTS
CATALOG_IMAGES_URL = env.CATALOG_IMAGES_URL
CATALOG_IMAGES_LIMIT_BYTES = env.CATALOG_IMAGES_MB * 1024 * 1024

# --- Channels -------------------------------------------------------------------------------------------------------
# By code: where stores are asked that have no address of their own.
CHANNEL_URLS: dict[str, str] = {
    "bricklink": env.BRICKLINK_URL,
    "brickowl": env.BRICKOWL_URL,
    "brikick": env.BRIKICK_URL,
}

# --- Security -----------------------------------------------------------------------------------------------------
SECRET_KEY = env.SECRET_KEY
ENCRYPTION_KEYS = env.ENCRYPTION_KEYS
DEBUG = env.DEBUG
SECURE_SSL_REDIRECT = False  # the proxy in front redirects; health checks inside come over plain http
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_HSTS_SECONDS = 31536000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "security.W002",  # framing is forbidden by the CSP's frame-ancestors
    "security.W008",  # see SECURE_SSL_REDIRECT
    "security.W003",  # the CSRF middleware is installed, below ours
]
# Nothing is inline, so neither nonces nor unsafe-inline are needed (reliability.md, check 35).
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", "'wasm-unsafe-eval'"],
        "img-src": ["'self'", "data:", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}

# --- Static files -------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": FILES_DIR}},
    "staticfiles": {
        # Compressing takes half a minute, which a first start on a developer's machine has better uses for.
        "BACKEND": "brikonnect.static_files.CompressedStorage"
        if ENVIRONMENT is Environment.PRODUCTION
        else "brikonnect.static_files.Storage"
    },
}

# --- Words, places, times -------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_THOUSAND_SEPARATOR = False
COUNTRIES_OVERRIDE = {"XK": "Kosovo"}

# --- Jobs ---------------------------------------------------------------------------------------------------------
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A publisher gives up at once: the sweepers find what could not be sent (reliability.md, degraded modes).
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 1,
    "socket_timeout": 15,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.05,
    "interval_max": 0.05,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = CELERY_EVENT_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60
CELERY_WORKER_HIJACK_ROOT_LOGGER = CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_BEAT_MAX_LOOP_INTERVAL = 5

# --- Logs ---------------------------------------------------------------------------------------------------------
LOGGING_CONFIG = "common.logs.configure"
LOGGING = {"json": ENVIRONMENT is Environment.PRODUCTION, "level": "DEBUG" if DEBUG else "INFO"}
METRICS_TOKEN = env.METRICS_TOKEN
if env.SENTRY_DSN:
    # Personal data stays here: no bodies, cookies or user names leave with a report.
    sentry_sdk.init(
        dsn=env.SENTRY_DSN, environment=ENVIRONMENT.value, send_default_pii=False, max_request_body_size="never"
    )

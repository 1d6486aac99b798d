"""The environment, validated: the only place that reads it, and it names every error at once."""

import re
from enum import StrEnum
from typing import Annotated, Any

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECRET_KEY_LENGTH = 50


class Environment(StrEnum):
    """Where the process runs; anything but production may use plain http and demo accounts."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"
    TEST = "test"


def _words(value: Any) -> Any:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _database(value: str) -> str:
    try:
        parts = conninfo_to_dict(value)
    except ProgrammingError:
        # What psycopg says quotes the value, password included.
        parts = {}
    if not value.startswith(("postgresql://", "postgres://")) or "dbname" not in parts:
        raise ValueError("expected postgresql://user:password@host/database")
    return value


def _redis(value: str) -> str:
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("expected redis://, rediss:// or unix://")
    return value


def _fernet_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    for number, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError as error:
            raise ValueError(
                f"key {number} is not 32 url-safe base64 bytes (make one with Fernet.generate_key())"
            ) from error
    return keys


def _host_name(value: str) -> str:
    labels = value.lower().split(".")
    if not all(label and label.replace("-", "a").isalnum() and label.isascii() for label in labels):
        raise ValueError("expected a host name without scheme, port or path, such as brikonnect.com")
    return value.lower()


WEB = r"^https?://[^/?#@\s]+(/[^?#\s]*)?$"
WEB_PLACE = r"^https?://[^/?#@\s]+(/\S*)?$"
RATE = r"^[1-9][0-9]*/(sec|min|hour|day)$"
FEATURES = ("multi_tenant", "billing", "sync", "webhooks", "public_api")


def _features(value: Any) -> Any:
    """Turn `billing=false,webhooks=true` into a mapping; unknown names and values are errors."""
    if not isinstance(value, str):
        return value
    flags: dict[str, bool] = {}
    for word in _words(value):
        name, _, setting = word.partition("=")
        if name not in FEATURES:
            raise ValueError(f"unknown feature '{name}', expected one of {', '.join(FEATURES)}")
        if setting not in ("true", "false"):
            raise ValueError(f"'{word}': expected {name}=true or {name}=false")
        flags[name] = setting == "true"
    return flags


def _places(values: tuple[str, ...]) -> tuple[str, ...]:
    for number, value in enumerate(values, start=1):
        if "://" in value and not re.fullmatch(WEB_PLACE, value):
            raise ValueError(f"place {number} is neither a folder nor an address that begins with https:// or http://")
    return values


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]


class Environ(BaseSettings):
    """Every setting that an installation has; `.env.example` documents them in the same order."""

    model_config = SettingsConfigDict(case_sensitive=True, extra="ignore")

    ENVIRONMENT: Environment = Environment.PRODUCTION
    DEBUG: bool = False
    DATABASE_URL: Annotated[str, AfterValidator(_database)]
    DATABASE_POOL_SIZE: int = Field(default=8, ge=0, le=200)
    REDIS_URL: Annotated[str, AfterValidator(_redis)]
    SECRET_KEY: str = Field(min_length=SECRET_KEY_LENGTH)
    ENCRYPTION_KEYS: Annotated[Words, Field(min_length=1), AfterValidator(_fernet_keys)]
    BASE_DOMAIN: Annotated[str, AfterValidator(_host_name)]
    PUBLIC_SCHEME: Annotated[str, Field(pattern="^https?$")] = "https"
    PUBLIC_PORT: int = Field(default=443, ge=1, le=65535)
    ALLOWED_HOSTS: Words = ()
    TRUSTED_PROXY_COUNT: int = Field(default=1, ge=0, le=5)
    CORS_ORIGINS: Words = ()
    API_RATE: Annotated[str, Field(pattern=RATE)] = "600/min"
    API_SHOP_RATE: Annotated[str, Field(pattern=RATE)] = "6000/min"
    SMTP_HOST: str = ""
    SMTP_PORT: int = Field(default=587, ge=1, le=65535)
    SMTP_USER: str = ""
    SMTP_PASSWORD: str = ""
    SMTP_FROM: str = "help@brikonnect.com"
    DATA_DIR: str = "var"
    CATALOG_DUMPS: Annotated[Words, AfterValidator(_places)] = ()
    CATALOG_DUMP_HOSTS: Words = ()
    REBRICKABLE_API_KEY: str = ""
    REBRICKABLE_URL: Annotated[str, Field(pattern=WEB)] = "https://rebrickable.com/api/v3/"
    BRICKOGNIZE_URL: Annotated[str, Field(pattern=WEB)] = "https://api.brickognize.com/"
    CATALOG_IMAGE_HOSTS: Words = (
        "cdn.rebrickable.com", "img.bricklink.com", "img.brickowl.com", "storage.googleapis.com",
    )  # fmt: skip
    CATALOG_IMAGES_URL: Annotated[str, Field(pattern=f"^$|{WEB}")] = ""
    CATALOG_IMAGES_MB: int = Field(default=2048, ge=10)
    EXCHANGE_RATES_URL: Annotated[str, Field(pattern=WEB)] = "https://www.ecb.europa.eu/stats/eurofxref/"
    BRICKOWL_API_KEY: str = ""
    BRICKOWL_URL: Annotated[str, Field(pattern=WEB)] = "https://api.brickowl.com/v1/"
    BRICKLINK_CONSUMER_KEY: str = ""
    BRICKLINK_CONSUMER_SECRET: str = ""
    BRICKLINK_TOKEN: str = ""
    BRICKLINK_TOKEN_SECRET: str = ""
    BRICKLINK_URL: Annotated[str, Field(pattern=WEB)] = "https://api.bricklink.com/api/store/v1/"
    BRIKICK_URL: Annotated[str, Field(pattern=WEB)] = "https://api.brikick.com/api/v1/store/"
    SENTRY_DSN: str = ""
    METRICS_TOKEN: str = ""
    BRIKONNECT_FEATURES: Annotated[dict[str, bool], NoDecode, BeforeValidator(_features)] = {}
    # With multi_tenant=false there is no tenant row to say these.
    WORKSPACE_NAME: str = "Brikonnect"
    WORKSPACE_CURRENCY: Annotated[str, Field(pattern="^(EUR|USD|GBP)$")] = "EUR"
    WORKSPACE_TIMEZONE: str = "UTC"
    WORKSPACE_COUNTRY: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "NL"

    @model_validator(mode="after")
    def _bricklink_is_whole(self) -> "Environ":
        names = ("BRICKLINK_CONSUMER_KEY", "BRICKLINK_CONSUMER_SECRET", "BRICKLINK_TOKEN", "BRICKLINK_TOKEN_SECRET")
        missing = [name for name in names if not getattr(self, name).strip()]
        if missing and len(missing) < len(names):
            raise ValueError(f"BrickLink wants all four of its values; {', '.join(missing)} is empty")
        return self

    @model_validator(mode="after")
    def _production_is_closed(self) -> "Environ":
        if self.ENVIRONMENT is not Environment.PRODUCTION:
            return self
        wrong = []
        if self.DEBUG:
            wrong.append("DEBUG must be off in production")
        if self.PUBLIC_SCHEME != "https":
            wrong.append("PUBLIC_SCHEME must be https in production")
        if not self.SMTP_HOST:
            wrong.append("SMTP_HOST is needed in production: sign-up and password reset send mail")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


def read_environ() -> Environ:
    """Answer the validated environment, or raise ImproperlyConfigured that lists every error."""
    try:
        return Environ()  # type: ignore[call-arg]  # pydantic-settings fills the required fields from the environment
    except ValidationError as error:
        lines = [
            f"  {problem['loc'][0] if problem['loc'] else 'together'}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise ImproperlyConfigured(
            "The environment has errors; .env.example describes every setting.\n" + "\n".join(lines)
        ) from None

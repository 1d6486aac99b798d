"""What a tenant's settings hold besides its columns, validated: the schema of `Tenant.settings`."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from common.errors import Invalid
from inventory.remarks import MAX_LENGTH, compiled

STALE_AFTER_DAYS = 365
MAX_STALE_DAYS = 3650


def _pattern(value: str) -> str:
    if value:
        compiled(value)
    return value


_Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Code = Annotated[str, StringConstraints(strip_whitespace=True, max_length=16, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Pattern = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_LENGTH), AfterValidator(_pattern)]


class Address(BaseModel):
    """Where the shop is: what stands on its invoices and labels. The country is a column of its own."""

    model_config = ConfigDict(extra="forbid", strict=True)

    street: _Line = ""
    street_2: _Line = ""
    postal_code: _Code = ""
    city: _Line = ""
    region: _Line = ""


class TenantSettings(BaseModel):
    """All of them, each with its default, so that a new one needs no migration."""

    model_config = ConfigDict(extra="forbid", strict=True)

    address: Address = Address()
    # Whether somebody has looked at them and saved them since the shop was founded.
    is_confirmed: bool = False
    # How remarks name locations, such as `{location} | {text}`; empty: they don't.
    remarks_pattern: _Pattern = ""
    # After how many days without a sale a lot is stale.
    stale_after_days: Annotated[int, Field(ge=1, le=MAX_STALE_DAYS)] = STALE_AFTER_DAYS


def read(values: Mapping[str, Any]) -> TenantSettings:
    """Answer the settings as they are stored, with defaults for what isn't."""
    return TenantSettings.model_validate(dict(values))


def validated(values: Mapping[str, Any]) -> dict[str, Any]:
    """Answer settings as they are to be stored; raises Invalid that points at what is wrong."""
    try:
        return read(values).model_dump()
    except ValidationError as error:
        errors: dict[str, list[str]] = {}
        for problem in error.errors(include_url=False, include_input=False):
            pointer = "".join(f"/{part}" for part in problem["loc"])
            errors.setdefault(pointer, []).append(f"{problem['msg'].removeprefix('Value error, ').rstrip('.')}.")
        raise Invalid(errors=errors) from None

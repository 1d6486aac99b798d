"""What a tenant's settings hold besides its columns, validated: the schema of `Tenant.settings`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from common.errors import Invalid
from inventory.remarks import MAX_LENGTH, compiled

STALE_AFTER_DAYS = 365
MAX_STALE_DAYS = 3650
MAX_RETENTION_MONTHS = 240
MAX_DOCUMENT_TEXT = 500
SLIP_PAPER: "_Paper" = "SHEET"


def _pattern(value: str) -> str:
    if value:
        compiled(value)
    return value


_Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Code = Annotated[str, StringConstraints(strip_whitespace=True, max_length=16, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Paragraph = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=MAX_DOCUMENT_TEXT, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*$")
]
_Paper = Literal["SHEET", "A6", "4X6"]
_Pattern = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_LENGTH), AfterValidator(_pattern)]


class Address(BaseModel):
    """Where the shop is: what stands on its invoices and labels. The country is a column of its own."""

    model_config = ConfigDict(extra="forbid", strict=True)

    street: _Line = ""
    street_2: _Line = ""
    postal_code: _Code = ""
    city: _Line = ""
    region: _Line = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """Answer it as papers show it, without empty lines."""
        town = " ".join(part for part in (self.postal_code, self.city) if part)
        return tuple(line for line in (self.street, self.street_2, town, self.region) if line)


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
    # Whether photos go to Brickognize to be identified.
    identifies_photos: bool = True
    # After how many months without an order a buyer's personal data goes; 0: never by itself.
    buyer_retention_months: Annotated[int, Field(ge=0, le=MAX_RETENTION_MONTHS)] = 0
    # On packing slips and invoices: a VAT id or register number, and a word to the buyer.
    vat_text: _Line = ""
    document_text: _Paragraph = ""
    # What packing slips are printed on, and whether they show pictures.
    slip_paper: _Paper = SLIP_PAPER
    has_slip_pictures: bool = True


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

"""What can have happened to a tenant, told in the tenant's own outbox."""

from dataclasses import dataclass
from uuid import UUID

from events.schemas import Payload, event


@dataclass(frozen=True, slots=True)
class _OfTenant(Payload):
    tenant_id: UUID

    @property
    def entity_key(self) -> str:
        return f"tenant:{self.tenant_id}"


@event("tenant.suspended")
@dataclass(frozen=True, slots=True)
class TenantSuspended(_OfTenant):
    """The shop was suspended; `reason` is a sentence for people."""

    reason: str


@event("tenant.reactivated")
@dataclass(frozen=True, slots=True)
class TenantReactivated(_OfTenant):
    """The shop may be changed again."""


@event("tenant.deletion_requested", public=False)
@dataclass(frozen=True, slots=True)
class TenantDeletionRequested(_OfTenant):
    """The shop is deleted on that day (ISO 8601) unless somebody takes it back."""

    delete_on: str
    requested_by: str


@event("tenant.deletion_cancelled", public=False)
@dataclass(frozen=True, slots=True)
class TenantDeletionCancelled(_OfTenant):
    """The shop stays."""

    cancelled_by: str

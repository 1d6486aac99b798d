"""Whom we tell what when something has happened."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from accounts import queries as people
from accounts import services as accounts
from common import workspace
from common.errors import NotFound
from events.bus import on
from events.schemas import Occurrence
from jobs import queries as jobs
from jobs.choices import JobStatus
from notifications.choices import NotificationType
from notifications.services import notify, queue_email
from notifications.words import day, duration

# Who waits for a shorter one is still looking at it.
_WORTH_TELLING = timedelta(seconds=5)


@on("user.invited")
def on_user_invited(event: Occurrence) -> None:
    """Mail the invitation, once for each time that it is sent."""
    try:
        invitation = people.get_invitation(event.data["invitation_id"])
    except NotFound:
        return
    if invitation.accepted_at or invitation.revoked_at:
        return
    shop = workspace.current()
    queue_email(
        template_key="invitation",
        to=invitation.email,
        context={
            "tenant_name": shop.name,
            "inviter_name": invitation.invited_by.display_name if invitation.invited_by else shop.name,
            "accept_url": accounts.invitation_url(invitation),
            "expires_on": day(invitation.expires_at),
        },
        idempotency_key=f"invitation:{invitation.pk}:{event.data['sending']}",
        reference=("invitation", str(invitation.pk)),
    )


@on("user.created")
def on_user_created(event: Occurrence) -> None:
    """Welcome somebody who was entered by a colleague or founded the shop."""
    _welcome(event.data["user_id"])


@on("user.joined")
def on_user_joined(event: Occurrence) -> None:
    """Welcome somebody who accepted an invitation."""
    _welcome(event.data["user_id"])


@on("user.password_reset_requested")
def on_password_reset_requested(event: Occurrence) -> None:
    """Mail the reset link, if the address was a user's."""
    if not event.data["user_id"]:
        return
    user = people.find_active_user(event.data["user_id"])
    if user is None:
        return
    queue_email(
        template_key="password_reset",
        to=user.email,
        to_name=user.display_name,
        context={
            "user_name": user.display_name or user.email,
            "reset_url": accounts.password_reset_url(user),
            "expires_in": duration(timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)),
        },
        idempotency_key=f"password_reset:{event.id}",
        reference=("user", str(user.pk)),
    )


@on("job.ended")
def on_job_ended(event: Occurrence) -> None:
    """Tell who started a job how it ended, if it took so long that he went on with something else."""
    job = jobs.find(UUID(event.data["job_id"]))
    if job is None or job.created_by_id is None or job.completed_at is None or job.status == JobStatus.CANCELLED:
        return
    failed = job.status == JobStatus.FAILED
    if not failed and job.completed_at - job.created_at < _WORTH_TELLING:
        return
    notify(
        user_id=job.created_by_id,
        type=NotificationType.JOB_DONE,
        title=f"{job.label} failed" if failed else f"{job.label} is done",
        body=job.error_message if failed else (job.result or {}).get("message", ""),
        action_url=reverse("jobs:detail", args=[job.pk]),
        action_label="Open job",
        idempotency_key=f"job_done:{job.pk}",
        reference=("job", str(job.pk)),
    )


def _welcome(user_id: str) -> None:
    user = people.find_active_user(user_id)
    # Our own staff are told by whoever made them.
    if user is None or user.is_staff:
        return
    shop = workspace.current()
    queue_email(
        template_key="welcome",
        to=user.email,
        to_name=user.display_name,
        context={
            "user_name": user.display_name or user.email,
            "tenant_name": shop.name,
            "login_url": shop.url + reverse(settings.LOGIN_URL),
        },
        idempotency_key=f"welcome:{user.pk}",
        reference=("user", str(user.pk)),
    )

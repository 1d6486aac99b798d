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
from notifications.services import mail_all, notify, queue_email
from notifications.words import day, duration
from orders.queries import orders, shortages
from stores.choices import Channel

# Who waits for a shorter one is still looking at it.
_WORTH_TELLING = timedelta(seconds=5)
# Jobs of which another event says that they failed, to more than who started them.
_TOLD_BY_OTHERS = frozenset({"sync_apply"})


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
    if failed and job.job_type in _TOLD_BY_OTHERS:
        return
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


@on("order.created")
def on_order_created(event: Occurrence) -> None:
    """Tell who works with orders that one came in from a channel; what was typed in here is no news."""
    order = orders.find(UUID(event.data["order_id"]))
    if order is None or order.store.channel == Channel.LOCAL or not order.is_open:
        return
    notify(
        user_id=None,
        type=NotificationType.ORDER_NEW,
        title=f"New order {order.external_order_id} on {order.store.name}",
        action_url=reverse("orders:order", args=[order.pk]),
        action_label="Open order",
        permission="orders:read",
        idempotency_key=f"order_new:{order.pk}",
        reference=("order", str(order.pk)),
    )


@on("inventory.oversold")
def on_oversold(event: Occurrence) -> None:
    """Tell at once that pieces of an order aren't there."""
    if event.data["cause_type"] != "order":
        return
    order = orders.find(UUID(event.data["cause_id"]))
    if order is None:
        return
    short, lots = sum(event.data["qty_short"]), len(event.data["inventory_item_ids"])
    notify(
        user_id=None,
        type=NotificationType.OVERSOLD,
        title=f"Order {order.external_order_id} is short",
        body=f"{short:,} piece{'' if short == 1 else 's'} of {lots:,} lot{'' if lots == 1 else 's'} aren't there."
        " Take them from another lot, or take them off the order and refund them.",
        action_url=reverse("orders:order", args=[order.pk]),
        action_label="Solve",
        permission="orders:read",
        idempotency_key=f"oversold:{event.id}",
        reference=("order", str(order.pk)),
    )
    lines = shortages.lines_short(order.pk)
    # Who types one in sees it, and what has been solved since is no news.
    if order.store.channel != Channel.LOCAL and lines:
        mail_all(
            type=NotificationType.OVERSOLD,
            permission="orders:write",
            template_key="oversold",
            context={
                "order_no": order.external_order_id,
                "store_name": order.store.name,
                "lines": "\n".join(f"{line.name}: {line.qty_there:,} of {line.qty:,} there" for line in lines),
                "order_url": workspace.current().url + reverse("orders:order", args=[order.pk]),
            },
            idempotency_key=f"oversold:{order.pk}",
            reference=("order", str(order.pk)),
        )


@on("repricing.held")
def on_repricing_held(event: Occurrence) -> None:
    """Tell those who may set prices that some, worked out at night, wait for them."""
    notify(
        user_id=None,
        type=NotificationType.SYSTEM_ALERT,
        title=f"{event.data['rule_name']}: new prices wait for you",
        body=event.data["question"],
        action_url=reverse("inventory:repricing_run", args=[event.data["run_id"]]),
        action_label="Look at the prices",
        permission="inventory:write",
        idempotency_key=f"repricing_held:{event.data['run_id']}",
        reference=("repricing_run", event.data["run_id"]),
    )


# How a store that is left alone is said to fare, by its state.
_STORE_STANDS = {
    "NEEDS_RECONNECT": "needs to be connected again",
    "LIMITED": "has no calls left for now",
    "PAUSED": "is paused after failures",
}


@on("store.paused")
def on_store_paused(event: Occurrence) -> None:
    """Tell those who may change stores that one is left alone, and why."""
    store_id = event.data["store_id"]
    notify(
        user_id=None,
        type=NotificationType.SYSTEM_ALERT,
        title=f"{event.data['name']} {_STORE_STANDS[event.data['state']]}",
        body=event.data["reason"],
        action_url=reverse("stores:store", args=[store_id]),
        action_label="Open store",
        permission="stores:write",
        idempotency_key=f"store_paused:{event.id}",
        reference=("store", store_id),
    )


@on("sync.approval_asked")
def on_approval_asked(event: Occurrence) -> None:
    """Tell those who may approve a plan that somebody asks them to."""
    data = event.data
    _tell_of_plan(
        event,
        title=f"{data['asked_by']} asks you to approve run {data['number']}",
        body=f"{data['source_name']} and {data['target_name']}: {_changes(data['to_do'])}."
        " Nothing is changed until you have looked at the plan.",
    )


@on("sync.preview_ready")
def on_preview_ready(event: Occurrence) -> None:
    """Tell those who may approve a plan what a nightly check found; what somebody asked for is on their page."""
    data = event.data
    if data["trigger"] == "DRIFT" and data["to_do"]:
        _tell_of_plan(
            event,
            title=f"{data['target_name']} differs from your stock",
            body=f"The nightly check found {_changes(data['to_do'])}. Nothing is changed until you approve it.",
        )


@on("sync.completed")
def on_sync_completed(event: Occurrence) -> None:
    """Tell that some lines of a run failed, and what a nightly check has put right by itself."""
    data = event.data
    done, failed = data["added"] + data["updated"] + data["removed"], data["failed"]
    if failed:
        title = f"{failed:,} line{'' if failed == 1 else 's'} of run {data['number']} failed"
        body = f"{_changes(done)} made, {failed:,} refused. The run says why; what failed can be tried again."
    elif done and data["trigger"] == "DRIFT":
        title = f"{data['target_name']} was put right"
        body = f"The nightly check made {_changes(done)}."
    else:
        return
    _tell_of_run(event, type=NotificationType.SYNC_COMPLETED, title=title, body=body)


@on("sync.failed")
def on_sync_failed(event: Occurrence) -> None:
    """Tell that a run stopped, and why."""
    data = event.data
    is_nightly = data["trigger"] == "DRIFT"
    _tell_of_run(
        event,
        type=NotificationType.SYNC_FAILED,
        title=f"The nightly check of {data['target_name']} failed" if is_nightly else f"Run {data['number']} failed",
        body=data["error_message"] or f"{data['source_name']} and {data['target_name']}: the run says what is left.",
    )


def _tell_of_plan(event: Occurrence, *, title: str, body: str) -> None:
    _tell_of_run(
        event, type=NotificationType.SYSTEM_ALERT, title=title, body=body, action_label="Look at the plan",
        permission="sync:apply",
    )  # fmt: skip


def _tell_of_run(
    event: Occurrence, *, type: NotificationType, title: str, body: str, action_label: str = "Open run",
    permission: str = "sync:read",
) -> None:  # fmt: skip
    notify(
        user_id=None,
        type=type,
        title=title,
        body=body,
        action_url=reverse("sync:run", args=[event.data["run_id"]]),
        action_label=action_label,
        permission=permission,
        idempotency_key=f"{event.event_type}:{event.id}",
        reference=("sync_run", event.data["run_id"]),
    )


def _changes(count: int) -> str:
    return f"{count:,} change{'' if count == 1 else 's'}"


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

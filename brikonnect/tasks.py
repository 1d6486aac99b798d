"""What runs in a worker for the demo."""

from typing import Any

from django.utils import timezone

from accounts import roles as catalogue
from accounts.models import User
from brikonnect.demo import email_of
from brikonnect.handlers import DEMO_ORDERS
from jobs.registry import job
from jobs.runner import Run
from orders.demo import take_orders
from picker.demo import walk


@job(DEMO_ORDERS, label="Demo orders", queue="bulk")
def make_demo_orders(run: Run) -> dict[str, Any]:
    """Have the demo's buyers order; what was begun before goes on as nothing."""
    run.progress(0, 1, unit="orders")
    count = take_orders(now=timezone.now())
    picker = User.objects.filter(email=email_of(catalogue.PICKER)).first()
    if picker is not None:
        walk(user_id=picker.pk, now=timezone.now())
    return {"message": f"{count:,} orders taken."}

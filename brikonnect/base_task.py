"""What every task of this installation is. Apart from the app, whose import must not need models."""

from typing import Any

import structlog
from celery.exceptions import Ignore
from django.conf import settings

from common import workspace
from jobs.base import ContextTask

logger = structlog.get_logger(__name__)

if settings.FEATURES.multi_tenant:
    from django_tenants.utils import get_public_schema_name
    from tenant_schemas_celery.task import TenantTask

    from tenants.routing import urls_for

    class BaseTask(ContextTask, TenantTask):  # type: ignore[misc]  # the library has no types
        """A task in the schema that its message's header names; refused if there is no such tenant any more."""

        abstract = True

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            # The library switches in a signal handler, whose errors Celery only logs: the task of a tenant that was
            # deleted meanwhile would then run in the public schema.
            wanted = self.header("_schema_name") or get_public_schema_name()
            if workspace.current_key() != wanted:
                logger.warning("task.without_tenant", task=self.name, schema=wanted)
                raise Ignore
            with urls_for(wanted):
                return super().__call__(*args, **kwargs)

else:
    BaseTask = ContextTask  # type: ignore[assignment,misc]  # one of the two, by the installation's features

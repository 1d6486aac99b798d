"""Checks the access that a view declares, before anything else of it runs."""

from typing import TYPE_CHECKING, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from common import actor

if TYPE_CHECKING:
    # DRF's views import this module while they are being imported themselves.
    from rest_framework.views import APIView

    from common.api.views import ApiView


class DeclaredAccess(BasePermission):
    """Lets those in whom the view's `access` names for the method; raises what says what is missing."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        cast("ApiView", view).access_for(request.method or "").check(actor.current())
        return True

"""What the site's host serves: landing, prices, sign-up, documentation, and our staff's admin."""

from django.urls import include, path

from accounts.urls import staff_urlpatterns
from brikonnect import home
from brikonnect.urls.api import public_urlpatterns
from tenants.admin import site as staff_site
from tenants.urls import site_urlpatterns

handler400 = "common.error_responses.bad_request"
handler403 = "common.error_responses.permission_denied"
handler404 = "common.error_responses.page_not_found"
handler500 = "common.error_responses.server_error"

urlpatterns = [
    *site_urlpatterns,
    path("robots.txt", home.robots, name="robots"),
    path("staff/", include(staff_urlpatterns)),
    path("admin/", staff_site.urls),
    *public_urlpatterns,
]

"""Routes of tenants: settings pages on a shop's host, and the public site."""

from django.urls import include, path

from tenants import views
from tenants.site import pages, sign_up

app_name = "tenants"

urlpatterns = [
    path("settings/general/", views.general, name="general"),
    path("settings/general/save/", views.general_save, name="general_save"),
    path("settings/inventory/", views.inventory, name="inventory"),
    path("settings/inventory/save/", views.inventory_save, name="inventory_save"),
    path("settings/orders/", views.orders, name="orders"),
    path("settings/orders/save/", views.orders_save, name="orders_save"),
    path("settings/data/", views.data, name="data"),
    path("settings/data/export/", views.export, name="export"),
    path("settings/data/deletion/", views.deletion, name="deletion"),
    path("settings/data/deletion/cancel/", views.deletion_cancel, name="deletion_cancel"),
]

_site = [
    path("", pages.landing, name="landing"),
    path("pricing/", pages.pricing, name="pricing"),
    path("sign-up/", sign_up.sign_up, name="signup"),
    path("sign-up/address/", sign_up.address, name="signup_address"),
    path("sign-up/code/", sign_up.code, name="signup_code"),
    path("sign-up/code/resend/", sign_up.resend, name="signup_resend"),
    path("sign-up/other-address/", sign_up.other_address, name="signup_other_address"),
    path("sign-up/open/", sign_up.opened, name="signup_open"),
    path("sign-in/", sign_up.sign_in, name="signin"),
]

site_urlpatterns = [path("", include((_site, "site")))]

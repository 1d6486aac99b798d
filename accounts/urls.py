"""Routes of people: a shop's own pages, allauth's door, and both for our staff on the public host."""

from django.urls import include, path

from accounts.views import entrance, me, people, roles

app_name = "accounts"

_myself = [
    path("theme/", me.theme, name="theme"),
    path("settings/profile/", me.profile, name="profile"),
    path("settings/security/", me.security, name="security"),
    path("settings/security/authenticator-app/", me.totp, name="totp"),
    path("settings/security/authenticator-app/off/", me.totp_off, name="totp_off"),
    path("settings/security/recovery-codes/", me.recovery_codes, name="recovery_codes"),
    path("settings/security/passkeys/add/", me.passkey_add, name="passkey_add"),
    path("settings/security/passkeys/<int:passkey_id>/rename/", me.passkey_rename, name="passkey_rename"),
    path("settings/security/passkeys/<int:passkey_id>/remove/", me.passkey_remove, name="passkey_remove"),
    path("settings/sessions/", me.sessions, name="sessions"),
    path("settings/sessions/end-others/", me.sessions_end, name="sessions_end"),
    path("settings/sessions/<uuid:session_id>/end/", me.session_end, name="session_end"),
]

urlpatterns = [
    *_myself,
    path("join/<str:token>/", entrance.join, name="join"),
    path("welcome/<str:ticket>/", entrance.welcome, name="welcome"),
    path("settings/users/", people.users, name="users"),
    path("settings/users/<uuid:user_id>/", people.user, name="user"),
    path("settings/users/<uuid:user_id>/roles/", people.user_roles, name="user_roles"),
    path("settings/users/<uuid:user_id>/deactivate/", people.user_deactivate, name="user_deactivate"),
    path("settings/users/<uuid:user_id>/reactivate/", people.user_reactivate, name="user_reactivate"),
    path("settings/users/<uuid:user_id>/sign-out/", people.user_sign_out, name="user_sign_out"),
    path(
        "settings/users/<uuid:user_id>/second-factor/remove/",
        people.user_reset_second_factor,
        name="user_reset_second_factor",
    ),
    path("settings/invitations/", people.invitations, name="invitations"),
    path("settings/invitations/new/", people.invite, name="invite"),
    path("settings/invitations/<uuid:invitation_id>/resend/", people.invitation_resend, name="invitation_resend"),
    path("settings/invitations/<uuid:invitation_id>/revoke/", people.invitation_revoke, name="invitation_revoke"),
    path("settings/roles/", roles.roles, name="roles"),
    path("settings/roles/new/", roles.role_new, name="role_new"),
    path("settings/roles/<uuid:role_id>/", roles.role, name="role"),
    path("settings/roles/<uuid:role_id>/delete/", roles.role_delete, name="role_delete"),
]

# Under allauth's own names, which it looks up. Its sign-up and what else isn't wanted has no route.
allauth_urlpatterns = [
    path("login/", entrance.sign_in, name="account_login"),
    path("login/second-factor/", entrance.second_factor, name="mfa_authenticate"),
    path("login/passkey/", entrance.passkey_sign_in, name="mfa_login_webauthn"),
    path("logout/", entrance.sign_out, name="account_logout"),
    path("inactive/", entrance.inactive, name="account_inactive"),
    path("confirm/", entrance.reauthenticate, name="account_reauthenticate"),
    path("confirm/code/", entrance.reauthenticate_by_code, name="mfa_reauthenticate"),
    path("confirm/passkey/", entrance.reauthenticate_by_passkey, name="mfa_reauthenticate_webauthn"),
    path("email/", entrance.change_email, name="account_email"),
    path("email/confirm/", entrance.confirm_email, name="account_email_verification_sent"),
    path("password/change/", entrance.change_password, name="account_change_password"),
    path("password/set/", entrance.set_password, name="account_set_password"),
    path("password/reset/", entrance.request_reset, name="account_reset_password"),
    path("password/reset/sent/", entrance.reset_requested, name="account_reset_password_done"),
    path("password/reset/done/", entrance.reset_done, name="account_reset_password_from_key_done"),
    path("password/reset/<str:uidb36>/<str:key>/", entrance.reset_password, name="account_reset_password_from_key"),
]

# Our staff sign in on the public host and look after their own account there; they have no colleagues' pages.
staff_urlpatterns = [
    path("account/", include(allauth_urlpatterns)),
    path("", include((_myself, "accounts"))),
]

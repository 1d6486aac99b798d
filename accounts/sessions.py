"""Cookie sessions in a table of ours: keys stored hashed, owned by a user, with an idle and an absolute end."""

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import IntegrityError, transaction
from django.utils import timezone

from common import actor, crypto

if TYPE_CHECKING:
    from accounts.models import Session

IDLE = timedelta(seconds=settings.SESSION_COOKIE_AGE)
ABSOLUTE: timedelta = settings.SESSION_ABSOLUTE_AGE
# A visitor who hasn't signed in needs his session for a form or two.
ANONYMOUS = timedelta(days=1)
SEEN_EVERY = timedelta(minutes=1)
_USER_AGENT_LENGTH = 400


def digest(session_key: str) -> str:
    """Answer what the table knows of a session's key: its SHA-256, from which the key can't be had."""
    return hashlib.sha256(session_key.encode()).hexdigest()


class SessionStore(SessionBase):
    """The session of one browser. The cookie lives as long as a session may; when it ends is decided here."""

    _row: "Session | None" = None

    def encode(self, session_dict: dict[str, Any]) -> str:
        """Answer the data as it is stored: encrypted, as allauth keeps requests there, cookies included."""
        return crypto.encrypt(session_dict)

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Answer stored data; nothing, if a key is gone that it was written with: one signs in anew."""
        try:
            data: dict[str, Any] = crypto.decrypt(
                session_data if isinstance(session_data, str) else session_data.decode()
            )
        except crypto.UndecipherableError:
            return {}
        return data

    @property
    def row(self) -> "Session | None":
        """Answer the stored session, if there is one; loads it if need be."""
        self._get_session()  # type: ignore[attr-defined]  # SessionBase's own, unknown to the stubs
        return self._row

    def load(self) -> dict[str, Any]:
        from accounts.models import Session  # noqa: PLC0415  # the engine is imported before the models are there

        key = self.session_key
        row = Session.objects.filter(session_key=digest(key)).first() if key else None
        if row is None or row.expire_date <= timezone.now():
            self._session_key = None
            return {}
        self._row = row
        return self.decode(row.session_data)

    def exists(self, session_key: str | None = None) -> bool:
        from accounts.models import Session  # noqa: PLC0415  # see load

        return Session.objects.filter(session_key=digest(session_key or "")).exists()

    def create(self) -> None:
        while True:
            self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]  # SessionBase's own
            self._row = None
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002  # SessionBase's signature
        """Store the session; raises UpdateError where somebody ended it meanwhile."""
        from accounts.models import Session  # noqa: PLC0415  # see load

        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # SessionBase's own
        now, origin = timezone.now(), actor.origin()
        signed_in_at = self._row.created_at if self._row else now
        user_id = data.get(SESSION_KEY)
        fields = {
            "session_data": self.encode(data),
            "expire_date": end_of(signed_in_at=signed_in_at, seen_at=now, anonymous=user_id is None),
            "user_id": user_id,
            "last_seen_at": now,
        }
        if not must_create:
            if not Session.objects.filter(session_key=digest(self.session_key)).update(**fields):
                raise UpdateError
            return
        try:
            with transaction.atomic():
                self._row = Session.objects.create(
                    session_key=digest(self.session_key),
                    user_agent=origin.user_agent[:_USER_AGENT_LENGTH],
                    ip_address=origin.ip_address,
                    **fields,
                )
        except IntegrityError as error:
            raise CreateError from error

    def delete(self, session_key: str | None = None) -> None:
        from accounts.models import Session  # noqa: PLC0415  # see load

        key = session_key or self.session_key
        if key:
            Session.objects.filter(session_key=digest(key)).delete()

    def touch(self, *, now: datetime) -> None:
        """Note that the session is in use, at most once a minute; that puts off its idle end."""
        row = self.row
        if row is None or now - row.last_seen_at < SEEN_EVERY:
            return
        origin = actor.origin()
        row.last_seen_at, row.ip_address = now, origin.ip_address
        row.expire_date = end_of(signed_in_at=row.created_at, seen_at=now, anonymous=row.user_id is None)
        type(row).objects.filter(pk=row.pk).update(
            last_seen_at=row.last_seen_at, ip_address=row.ip_address, expire_date=row.expire_date
        )

    def get_expiry_age(self, **_kwargs: Any) -> int:
        """Answer the cookie's life in seconds: up to the absolute end, since the idle end is kept on our side."""
        age = timezone.now() - self._row.created_at if self._row else timedelta()
        return max(0, int((ABSOLUTE - age).total_seconds()))

    def get_expire_at_browser_close(self) -> bool:
        return False

    @classmethod
    def clear_expired(cls) -> None:
        from accounts.models import Session  # noqa: PLC0415  # see load

        Session.objects.filter(expire_date__lte=timezone.now()).delete()


def end_of(*, signed_in_at: datetime, seen_at: datetime, anonymous: bool) -> datetime:
    """Answer when a session ends if it isn't used again: idle, but never after its absolute end."""
    return min(seen_at + (ANONYMOUS if anonymous else IDLE), signed_in_at + ABSOLUTE)

"""Lost updates: a change names the version that it starts from. And answers that the client has already."""

import hashlib
import re

from django.http import HttpRequest

from common.errors import BadRequest, PreconditionRequired

# RFC 9110, section 8.8.3 and 5.6.1: a tag, and a list of them.
_TAG = r'(?:W/)?"[!#-~]*"'
TAGS_PATTERN = rf"^(?:\*|{_TAG}(?:[ \t]*,[ \t]*{_TAG})*)$"
_TAGS = re.compile(TAGS_PATTERN)
_OPAQUE = re.compile(r'"([!#-~]*)"')
_VERSION = re.compile(r"v([1-9][0-9]{0,9})")


def version_tag(version: int) -> str:
    """Answer the ETag of a versioned resource."""
    return f'"v{version}"'


def content_tag(body: bytes) -> str:
    """Answer an ETag that changes with the bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _tags(header: str) -> list[str]:
    if not _TAGS.fullmatch(header):
        raise BadRequest("If-Match and If-None-Match take quoted entity tags, or *.")
    return _OPAQUE.findall(header)


def expected_version(request: HttpRequest, in_body: int | None) -> int:
    """Answer the version that the client saw, by `If-Match` or else by the body.

    Raises PreconditionRequired (428) if it names none, and BadRequest for an If-Match that is no ETag of ours. Services
    compare and raise StaleVersion, which is 412 for a header and 409 for the body (common.api.problems).
    """
    header = request.headers.get("If-Match")
    if header is not None and header != "*":
        tags = _tags(header)
        versions = [int(match[1]) for tag in tags if (match := _VERSION.fullmatch(tag))]
        if len(tags) > 1:
            raise BadRequest("A change starts from one version: name one.")
        # A tag that we never gave matches nothing: version 0 is older than every row.
        return versions[0] if versions else 0
    if in_body is not None:
        return in_body
    raise PreconditionRequired('Send the ETag that you got as If-Match, or the "version" in the body.')


def is_unchanged(request: HttpRequest, tag: str) -> bool:
    """Tell whether the client's If-None-Match names the tag (compared weakly, RFC 9110, section 13.1.2)."""
    header = request.headers.get("If-None-Match")
    if header is None:
        return False
    return header == "*" or tag.removeprefix("W/").strip('"') in _tags(header)

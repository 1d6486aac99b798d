"""Signs requests by OAuth 1.0a (RFC 5849), as BrickLink wants it: HMAC-SHA1, in the header, bodies left out."""

from collections.abc import Callable, Mapping

from oauthlib.oauth1 import Client

# Headers for one attempt, from its method and its whole URL.
Sign = Callable[[str, str], Mapping[str, str]]


def signer(*, consumer_key: str, consumer_secret: str, token: str, token_secret: str) -> Sign:
    """Answer what signs the requests of one account; each signature has a nonce and a time of its own.

    Blanks around a value, as they come with copying, would spoil every signature.
    """
    client = Client(
        consumer_key.strip(),
        client_secret=consumer_secret.strip(),
        resource_owner_key=token.strip(),
        resource_owner_secret=token_secret.strip(),
    )

    def sign(method: str, url: str) -> Mapping[str, str]:
        _url, headers, _body = client.sign(url, http_method=method)  # type: ignore[arg-type]  # takes any
        return dict(headers)

    return sign

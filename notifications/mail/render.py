"""Makes a mail's subject and bodies from the template files; a variable that is missing is an error, never a gap."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.template import Context, Engine, engines

_FOLDER = "emails"


class MissingVariableError(LookupError):
    """A mail's template asks for something that its sender didn't give."""


class _Strict(str):
    """What Django puts in place of an undefined variable; this one refuses (Variable.resolve asks it by `%`)."""

    __slots__ = ()

    def __contains__(self, _part: object) -> bool:
        return True

    def __mod__(self, variable: object) -> str:
        raise MissingVariableError(str(variable))


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail's words."""

    subject: str
    text: str
    html: str


def render(key: str, context: Mapping[str, Any]) -> Mail:
    """Answer the mail. The first line of the text template is the subject: one line, whatever the values are."""
    text = _engine(escapes=False)
    subject, _, body = text.get_template(f"{_FOLDER}/{key}.txt").source.partition("\n")
    return Mail(
        subject=" ".join(text.from_string(subject).render(Context(context, autoescape=False)).split()),
        text=text.from_string(body).render(Context(context, autoescape=False)).strip() + "\n",
        html=_engine(escapes=True).get_template(f"{_FOLDER}/{key}.html").render(Context(context)),
    )


@cache
def _engine(*, escapes: bool) -> Engine:
    pages = engines["django"].engine  # type: ignore[attr-defined]  # DjangoTemplates has one
    return Engine(dirs=pages.dirs, app_dirs=pages.app_dirs, autoescape=escapes, string_if_invalid=_Strict("x"))

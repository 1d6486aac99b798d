"""The stages of the gate, one line each; `bin/test` runs them all, two at a time, and the tests after them."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brikonnect.devstack.bootstrap import ROOT

_BIN = Path(sys.executable).parent
_MANAGE = (sys.executable, "manage.py")
# What a production environment says, with servers and keys of nobody; `check --deploy` judges the settings made of it.
_PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "brikonnect.settings",
    "ENVIRONMENT": "production",
    "DEBUG": "false",
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "BASE_DOMAIN": "brikonnect.com",
    "SMTP_HOST": "mail.brikonnect.com",
}
_TEST = {"DJANGO_SETTINGS_MODULE": "brikonnect.settings_test"}


# Migrations that drop what nobody needs: a person has looked.
_JUDGED = (
    # No program has ever written the table that it makes anew.
    "0008_price_guide_by_number",
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One command that must end with status 0; it runs in the checkout and finds empty servers in its environment."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


def all_stages() -> list[Stage]:
    """Answer the stages before the tests, long ones first, so that the short ones fill the other core."""
    templates = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("templates/**/*.html"))
    # Other people's migrations are theirs to judge.
    folders = [*ROOT.glob("[!.]*/migrations"), *ROOT.glob("[!.]*/[!.]*/migrations")]
    migrated = sorted(folder.parent.name for folder in folders)
    return [
        Stage(name="mypy", argv=[_tool("mypy"), "."], env=_TEST),
        Stage(name="import contracts", argv=[_tool("lint-imports")]),
        Stage(name="deployment checks", argv=[*_MANAGE, "check", "--deploy", "--fail-level=WARNING"], env=_PRODUCTION),
        Stage(name="migrations complete", argv=[*_MANAGE, "makemigrations", "--check", "--dry-run"], env=_TEST),
        Stage(
            name="migration linter",
            argv=[
                *_MANAGE,
                "lintmigrations",
                "--no-cache",
                "--quiet",
                "ok",
                "ignore",
                "--include-apps",
                *migrated,
                "--ignore-name",
                *_JUDGED,
            ],
            env=_TEST,
        ),
        Stage(name="templates", argv=[_tool("djade"), "--check", "--target-version=5.2", *templates]),
        Stage(name="ruff check", argv=[_tool("ruff"), "check", ".", "bin/up", "bin/test"]),
        Stage(name="ruff format", argv=[_tool("ruff"), "format", "--check", ".", "bin/up", "bin/test"]),
    ]


def pytest_command(arguments: Sequence[str]) -> list[str]:
    """Answer the command for all tests, spread over the cores, or for those that the arguments name.

    One more than there are cores: much of the time a test waits, for a server, a page or a worker that is to be killed.
    """
    if arguments:
        return [sys.executable, "-m", "pytest", *arguments]
    processes = min(1 + (os.cpu_count() or 1), 8)
    return [sys.executable, "-m", "pytest", f"--numprocesses={processes}", "--dist=loadgroup", "--durations=20"]


def _tool(name: str) -> str:
    return str(_BIN / name)

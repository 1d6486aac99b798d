"""Where static files are: named by their content, as Django does it, but each address is worked out once."""

from functools import cached_property

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]


class _Kept(ManifestStaticFilesStorage):
    """A page names some fifty files, most of them icons; what it is told comes from a manifest that is read once."""

    # Modules import each other by the names that hold their content, too. Not Django's own switch for it, which reads
    # what libraries have in their comments.
    patterns = (
        *ManifestStaticFilesStorage.patterns,
        (
            "js/*.js",
            (
                (r"""(?P<matched>from "(?P<url>\./[^"]+)")""", 'from "%(url)s"'),
                (r"""(?P<matched>import\("(?P<url>\./[^"]+)"\))""", 'import("%(url)s")'),
            ),
        ),
    )
    # One pass for each module on the longest way from one to another.
    max_post_process_passes = 10

    @cached_property
    def _addresses(self) -> dict[str, str]:
        return {}

    def url(self, name: str, force: bool = False) -> str:  # type: ignore[override]  # noqa: FBT001, FBT002  # Django's
        if force:
            return super().url(name, force)
        if name not in self._addresses:
            self._addresses[name] = super().url(name)
        return self._addresses[name]


class Storage(_Kept):
    """While developing."""


class CompressedStorage(_Kept, CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # has no types
    """In production, with a compressed copy of each file."""

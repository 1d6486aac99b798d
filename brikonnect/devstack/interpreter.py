"""The check that comes first: this file alone must be readable by a Python that is too old for the rest."""

import os
import sys

OLDEST = (3, 11)


def require():
    # type: () -> None
    """Return on a Python that is new enough; else go on with a newer one that is installed, or end with a message."""
    if sys.version_info[:2] >= OLDEST:
        return
    for minor in range(OLDEST[1] + 9, OLDEST[1] - 1, -1):
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            candidate = os.path.join(folder, "python3.%d" % minor)  # noqa: PTH118, UP031  # readable by an old Python
            if os.access(candidate, os.X_OK):
                os.execv(candidate, [candidate] + sys.argv)  # noqa: S606, RUF005  # itself, under a newer interpreter
    sys.stderr.write(
        "Brikonnect needs Python %d.%d or newer; this is %d.%d (%s).\n"  # noqa: UP031  # readable by an old Python
        "Install a newer one; it is found by its name, such as python3.%d.\n"
        % (OLDEST + sys.version_info[:2] + (sys.executable, OLDEST[1] + 2))  # readable by an old Python
    )
    sys.exit(1)

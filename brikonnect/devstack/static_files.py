"""Whether the collected static files are still those of the checkout: collecting takes seconds, looking does not."""

import hashlib
from pathlib import Path

from brikonnect.devstack.bootstrap import LOCKS, ROOT
from brikonnect.devstack.data_folder import DataFolder


def digest() -> str:
    """Answer what changes when a static file of ours or a package with static files does."""
    result = hashlib.sha256()
    for name in LOCKS[:1]:
        result.update((ROOT / name).read_bytes())
    for folder in sorted([ROOT / "static", *ROOT.glob("[!.]*/static")]):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                status = path.stat()
                result.update(f"{path.relative_to(ROOT)}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return result.hexdigest()


def are_outdated(data: DataFolder) -> bool:
    """Tell whether they have to be collected again."""
    return not data.static.is_dir() or _read(data.static_stamp) != digest()


def note(data: DataFolder, collected: str) -> None:
    """Remember that the files of this digest were collected; to be called when they are all there."""
    data.static_stamp.write_text(collected)


def _read(stamp: Path) -> str:
    try:
        return stamp.read_text()
    except OSError:
        return ""

"""What can be done to the catalog."""

from catalog.services.importing import (
    DumpReport,
    ImportReport,
    build_mappings,
    folder_has_dumps,
    import_dumps,
    start_import,
)

__all__ = ["DumpReport", "ImportReport", "build_mappings", "folder_has_dumps", "import_dumps", "start_import"]

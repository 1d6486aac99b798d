"""What can be done to the catalog."""

from catalog.services.importing import DumpReport, ImportReport, build_mappings, import_dumps

__all__ = ["DumpReport", "ImportReport", "build_mappings", "import_dumps"]

"""The enumerations of inventory (definitions.md, sections 1, 2 and 7)."""

from django.db import models


class ItemCondition(models.TextChoices):
    """New or used."""

    NEW = "NEW", "New"
    USED = "USED", "Used"


class Completeness(models.TextChoices):
    """What of a set is there. A used set is never sealed."""

    COMPLETE = "COMPLETE", "Complete"
    INCOMPLETE = "INCOMPLETE", "Incomplete"
    SEALED = "SEALED", "Sealed"


class SubCondition(models.TextChoices):
    """How worn a used thing is."""

    LIKE_NEW = "LIKE_NEW", "Like new"
    GOOD = "GOOD", "Good"
    ACCEPTABLE = "ACCEPTABLE", "Acceptable"


class StockRoom(models.TextChoices):
    """Where a lot waits that isn't for sale."""

    A = "A", "Stockroom A"
    B = "B", "Stockroom B"
    C = "C", "Stockroom C"


class MovementKind(models.TextChoices):
    """Why a quantity changed."""

    INITIAL = "INITIAL", "Lot added"
    IMPORT = "IMPORT", "Import"
    COUNT = "COUNT", "Counted"
    ADJUST = "ADJUST", "Edited"
    RESERVE = "RESERVE", "Reserved"
    RELEASE = "RELEASE", "Released"
    SHIP = "SHIP", "Shipped"
    RESTOCK = "RESTOCK", "Restocked"
    PICK_MISSING = "PICK_MISSING", "Missing at picking"
    CHANNEL_EDIT = "CHANNEL_EDIT", "Changed on a channel"
    SPLIT = "SPLIT", "Split"
    MERGE = "MERGE", "Merged"
    REVERT = "REVERT", "Reverted"


class ImportStatus(models.TextChoices):
    """Where an import stands: its columns are to be named, its file is read, shown, carried out, or it has ended."""

    MAPPING = "MAPPING", "Columns to be named"
    READING = "READING", "Reading"
    PREVIEW = "PREVIEW", "Ready to import"
    APPLYING = "APPLYING", "Importing"
    COMPLETED = "COMPLETED", "Imported"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"


class LineOutcome(models.TextChoices):
    """What an import does with a line of its file."""

    NEW = "NEW", "New"
    MERGED = "MERGED", "Merged"
    CHANGED = "CHANGED", "Changed"
    EQUAL = "EQUAL", "Unchanged"
    SKIPPED = "SKIPPED", "Left out"
    PROBLEM = "PROBLEM", "Problem"


class QuantityPolicy(models.TextChoices):
    """What an import does with the quantity of a lot that is there already."""

    SET = "SET", "Set to the file's"
    ADD = "ADD", "Add the file's"
    KEEP = "KEEP", "Leave as it is"


class FieldPolicy(models.TextChoices):
    """What an import does with the other fields of a lot that is there already."""

    FILE = "FILE", "Take the file's"
    FILL = "FILL", "Fill in what is empty"
    KEEP = "KEEP", "Leave as they are"


class NumberSystem(models.TextChoices):
    """Whose number a shop can explain: a platform's (catalog.choices.System), or LEGO's of a part in a color."""

    BRICKLINK = "bricklink", "BrickLink"
    BRICKOWL = "brickowl", "Brick Owl"
    BRIKICK = "brikick", "Brikick"
    REBRICKABLE = "rebrickable", "Rebrickable"
    LDRAW = "ldraw", "LDraw"
    LEGO_DESIGN = "lego_design", "LEGO design"
    ELEMENT = "element", "LEGO element"


class Direction(models.TextChoices):
    """What is asked: what a platform's number is here, or what an item of ours is there."""

    INBOUND = "INBOUND", "What it is here"
    OUTBOUND = "OUTBOUND", "What it is there"


class UnmappedOrigin(models.TextChoices):
    """Where something was met that has no mapping."""

    IMPORT = "IMPORT", "From an import"
    STOCK = "STOCK", "From stock"
    CHANNEL = "CHANNEL", "From a channel"


class UnmappedReason(models.TextChoices):
    """Why something has no mapping."""

    UNKNOWN = "UNKNOWN", "Nobody knows the number"
    AMBIGUOUS = "AMBIGUOUS", "It can be several items"
    NOT_IN_CATALOG = "NOT_IN_CATALOG", "The catalog doesn't know it"
    NO_NUMBER = "NO_NUMBER", "It has no number there"


class CostSpread(models.TextChoices):
    """How the cost of a purchase is spread over what came with it."""

    VALUE = "VALUE", "By list price"
    PIECES = "PIECES", "By pieces"
    LOTS = "LOTS", "Equally per lot"


class RepricingStatus(models.TextChoices):
    """Where a repricing stands: prices are worked out, shown, set, or it has ended."""

    PLANNING = "PLANNING", "Working out"
    READY = "READY", "Ready to approve"
    APPLYING = "APPLYING", "Setting prices"
    COMPLETED = "COMPLETED", "Done"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"


class PriceOutcome(models.TextChoices):
    """What a repricing does with a lot; those that have their price already aren't listed."""

    RISES = "RISES", "Higher"
    FALLS = "FALLS", "Lower"
    SKIPPED = "SKIPPED", "Kept"


class Schedule(models.TextChoices):
    """When a rule sets prices by itself."""

    NONE = "NONE", "Only when you run it"
    NIGHTLY = "NIGHTLY", "Every night"
    WEEKLY = "WEEKLY", "Every week"

"""What kinds of things the catalog knows, whose numbers they have, and how sure that is (definitions.md, section 1)."""

from django.db import models


class ItemType(models.TextChoices):
    """Kinds of things that are sold."""

    PART = "PART", "Part"
    SET = "SET", "Set"
    MINIFIG = "MINIFIG", "Minifigure"
    GEAR = "GEAR", "Gear"
    BOOK = "BOOK", "Book"
    CATALOG = "CATALOG", "Catalog"
    INSTRUCTION = "INSTRUCTION", "Instructions"
    BOX = "BOX", "Box"
    CUSTOM = "CUSTOM", "Custom item"


# BrickLink's letters, in its XML and in BSX.
ITEM_TYPE_OF_LETTER = {
    "P": ItemType.PART,
    "S": ItemType.SET,
    "M": ItemType.MINIFIG,
    "G": ItemType.GEAR,
    "B": ItemType.BOOK,
    "C": ItemType.CATALOG,
    "I": ItemType.INSTRUCTION,
    "O": ItemType.BOX,
    "U": ItemType.CUSTOM,
}
LETTER_OF_ITEM_TYPE = {kind: letter for letter, kind in ITEM_TYPE_OF_LETTER.items()}

# Parts always have a color, gear and custom items may, the others never do.
NEEDS_COLOR = (ItemType.PART,)
MAY_HAVE_COLOR = (ItemType.PART, ItemType.GEAR, ItemType.CUSTOM)


class System(models.TextChoices):
    """Whose number it is."""

    BRICKLINK = "bricklink", "BrickLink"
    BRICKOWL = "brickowl", "Brick Owl"
    BRIKICK = "brikick", "Brikick"
    REBRICKABLE = "rebrickable", "Rebrickable"
    LDRAW = "ldraw", "LDraw"
    # LEGO's number of a mould; its element ids also say the color, and stand at an item's colors.
    LEGO_DESIGN = "lego_design", "LEGO design"


class Source(models.TextChoices):
    """Where a fact comes from."""

    MANUAL = "manual", "Entered"
    BRICKLINK = "bricklink", "BrickLink"
    REBRICKABLE = "rebrickable", "Rebrickable"
    BRICKOWL = "brickowl", "Brick Owl"
    AUTO = "auto", "Worked out"


class OfferStatus(models.TextChoices):
    """What became of a mapping that shops offer for everybody."""

    WAITING = "WAITING", "Waiting"
    ACCEPTED = "ACCEPTED", "Accepted"
    REJECTED = "REJECTED", "Rejected"


class RelationKind(models.TextChoices):
    """How one part is to another, in Rebrickable's letters (catalog-sources.md, 2)."""

    PRINT = "P", "Print of"
    PATTERN = "T", "Pattern of"
    MOLD = "M", "Other mould of"
    ALTERNATE = "A", "Alternate of"
    SUB_PART = "B", "Part of"
    PAIR = "R", "Pair with"


class CategoryKind(models.TextChoices):
    """Whose categories these are: each has numbers of its own."""

    BRICKLINK = "bricklink", "BrickLink category"
    PART_CATEGORY = "part_category", "Rebrickable part category"
    THEME = "theme", "Rebrickable theme"


class ImageState(models.TextChoices):
    """How far the picture of an item is."""

    # It is to be fetched, as soon as a worker has time and its source's budget allows it.
    WANTED = "wanted", "Wanted"
    KEPT = "kept", "Kept"
    # The sources were asked and have none.
    NONE = "none", "There is none"
    # A source that may have one didn't answer.
    TROUBLE = "trouble", "Not answered"


class PriceKind(models.TextChoices):
    """Which figures of the price guide."""

    SOLD = "sold", "Sold in six months"
    STOCK = "stock", "Offered now"

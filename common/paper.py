"""What papers are printed on."""

from django.db.models import TextChoices


class SlipPaper(TextChoices):
    """What packing slips are printed on: a whole sheet is A4, or Letter where that is used."""

    SHEET = "SHEET", "A4 or Letter, as your country has it"
    A6 = "A6", "A6, for a label printer"
    FOUR_BY_SIX = "4X6", "4 × 6 in, for a label printer"

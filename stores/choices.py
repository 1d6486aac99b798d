"""What a store can be, and how it fares."""

from django.db import models


class Channel(models.TextChoices):
    """A kind of marketplace; codes are those of the API."""

    BRICKLINK = "bricklink", "BrickLink"
    BRICKOWL = "brickowl", "Brick Owl"
    BRIKICK = "brikick", "Brikick"
    SHOPIFY = "shopify", "Shopify"
    EBAY = "ebay", "eBay"
    ETSY = "etsy", "Etsy"
    LOCAL = "local", "Local"


class StoreState(models.TextChoices):
    """Whether a store can be talked to."""

    OK = "OK", "Connected"
    LIMITED = "LIMITED", "Calls used up"
    PAUSED = "PAUSED", "Paused"
    NEEDS_RECONNECT = "NEEDS_RECONNECT", "Needs to be connected again"

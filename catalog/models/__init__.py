"""The tables of the catalog: one LEGO catalog for all shops, in the public schema."""

from catalog.models.dictionary import CatalogExternalId, CatalogIdMapping
from catalog.models.items import (
    CatalogCategory,
    CatalogColor,
    CatalogElement,
    CatalogItem,
    CatalogItemColor,
    CatalogRelation,
    CatalogSetItem,
    CatalogWord,
)
from catalog.models.sources import CatalogDump, CurrencyRate, ImageIdentification, LookUpMiss, PriceGuide, SourceBudget

__all__ = [
    "CatalogCategory", "CatalogColor", "CatalogDump", "CatalogElement", "CatalogExternalId", "CatalogIdMapping",
    "CatalogItem", "CatalogItemColor", "CatalogRelation", "CatalogSetItem", "CatalogWord", "CurrencyRate",
    "ImageIdentification", "LookUpMiss", "PriceGuide", "SourceBudget",
]  # fmt: skip

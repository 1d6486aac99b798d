"""The tables of the catalog: one LEGO catalog for all shops, in the public schema."""

from catalog.models.dictionary import CatalogExternalId, CatalogIdMapping
from catalog.models.images import CatalogImage
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
from catalog.models.offers import MappingOffer, MappingVoice
from catalog.models.sources import (
    CatalogDownload,
    CatalogDump,
    CurrencyRate,
    ImageIdentification,
    LookUpMiss,
    PriceGuide,
    SourceBudget,
)

__all__ = [
    "CatalogCategory",
    "CatalogColor",
    "CatalogDownload",
    "CatalogDump",
    "CatalogElement",
    "CatalogExternalId",
    "CatalogIdMapping",
    "CatalogImage",
    "CatalogItem",
    "CatalogItemColor",
    "CatalogRelation",
    "CatalogSetItem",
    "CatalogWord",
    "CurrencyRate",
    "ImageIdentification",
    "LookUpMiss",
    "MappingOffer",
    "MappingVoice",
    "PriceGuide",
    "SourceBudget",
]

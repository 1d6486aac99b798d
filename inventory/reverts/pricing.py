"""How rules of repricing are put back."""

from audit.reverters import Patch, RowsReverter


class RepricingRuleReverter(RowsReverter):
    """Puts rules back by themselves; their rules are the database's. Prices are put back with the lots."""

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "inventory:write"

"""The outbox: what happened, written in the transaction that made it true, and told to subscribers afterwards."""

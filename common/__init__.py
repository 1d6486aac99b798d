"""What every app stands on: errors, money, access, actors, API ground, pages; no tables but idempotency keys."""

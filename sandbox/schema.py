"""The tables in which the marketplaces' sellers and all that is theirs are kept.

Times are milliseconds since 1970, amounts of money ten-thousandths of the currency's unit.
"""

SCHEMA = """
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE sellers (
    id INTEGER PRIMARY KEY, service TEXT NOT NULL, name TEXT NOT NULL, store TEXT NOT NULL, currency TEXT NOT NULL,
    country TEXT NOT NULL, email TEXT NOT NULL, settings TEXT NOT NULL, created_at INTEGER NOT NULL,
    UNIQUE (service, name)
);
-- What a seller shows to be let in: `secret` is what signs, `belongs_to` the consumer key of a token.
CREATE TABLE credentials (
    service TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, secret TEXT NOT NULL, belongs_to TEXT NOT NULL,
    seller_id INTEGER NOT NULL, ip TEXT NOT NULL, mask TEXT NOT NULL, is_revoked INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (service, kind, key)
) WITHOUT ROWID;
CREATE TABLE calls (
    seller_id INTEGER NOT NULL, minute INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (seller_id, minute)
) WITHOUT ROWID;
-- Numbers and colors are BrickLink's. `born`: the quantity with which it came; what happened since is in movements.
CREATE TABLE lots (
    id INTEGER PRIMARY KEY, seller_id INTEGER NOT NULL, type TEXT NOT NULL, no TEXT NOT NULL, color_id INTEGER NOT NULL,
    quantity INTEGER NOT NULL, condition TEXT NOT NULL, completeness TEXT NOT NULL, grade TEXT NOT NULL,
    price INTEGER NOT NULL, description TEXT NOT NULL, remarks TEXT, bulk INTEGER NOT NULL,
    is_retained INTEGER NOT NULL, stockroom TEXT NOT NULL, my_cost INTEGER NOT NULL, sale INTEGER NOT NULL,
    tier_quantity1 INTEGER NOT NULL, tier_price1 INTEGER NOT NULL, tier_quantity2 INTEGER NOT NULL,
    tier_price2 INTEGER NOT NULL, tier_quantity3 INTEGER NOT NULL, tier_price3 INTEGER NOT NULL,
    weight INTEGER NOT NULL, superlot INTEGER NOT NULL, external_id TEXT, is_for_sale INTEGER NOT NULL,
    reserved_for TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL,
    born INTEGER NOT NULL, in_carts INTEGER NOT NULL, deleted_at INTEGER
);
CREATE INDEX lots_of ON lots (seller_id, id);
CREATE UNIQUE INDEX lots_external ON lots (seller_id, external_id) WHERE external_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX lots_updated ON lots (seller_id, updated_at);
CREATE TABLE movements (
    id INTEGER PRIMARY KEY, lot_id INTEGER NOT NULL, delta INTEGER NOT NULL, cause TEXT NOT NULL, order_id INTEGER,
    at INTEGER NOT NULL
);
CREATE INDEX movements_of ON movements (lot_id);
-- Lots and orders as they were before each change, for those who are shown an older state.
CREATE TABLE past (
    seller_id INTEGER NOT NULL, kind TEXT NOT NULL, ref INTEGER NOT NULL, at INTEGER NOT NULL, doc TEXT NOT NULL
);
CREATE INDEX past_of ON past (seller_id, kind, at);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, seller_id INTEGER NOT NULL, placed_at INTEGER NOT NULL, changed_at INTEGER NOT NULL,
    status TEXT NOT NULL, buyer TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL
);
CREATE INDEX orders_of ON orders (seller_id, id);
CREATE INDEX orders_by_buyer ON orders (buyer);
CREATE TABLE order_lines (
    id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, batch INTEGER NOT NULL, lot_id INTEGER NOT NULL,
    quantity INTEGER NOT NULL, refunded INTEGER NOT NULL, doc TEXT NOT NULL
);
CREATE INDEX order_lines_of ON order_lines (order_id);
-- Messages, feedback, notifications, coupons, notes, wish lists, webhooks: whatever is read and written whole.
CREATE TABLE papers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, seller_id INTEGER NOT NULL, kind TEXT NOT NULL, ref TEXT NOT NULL,
    at INTEGER NOT NULL,
    is_read INTEGER NOT NULL DEFAULT 0, doc TEXT NOT NULL
);
CREATE INDEX papers_of ON papers (seller_id, kind, ref);
-- What is to be sent to a seller's own address; `due_at` by the sandbox's clock.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY, seller_id INTEGER NOT NULL, method TEXT NOT NULL, url TEXT NOT NULL, headers TEXT NOT NULL,
    body TEXT NOT NULL, due_at INTEGER NOT NULL, attempt INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL DEFAULT 'due'
);
CREATE INDEX deliveries_due ON deliveries (status, due_at);
-- The first answers to requests that may be repeated with the same key.
CREATE TABLE answers (
    seller_id INTEGER NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL, status INTEGER,
    body BLOB, headers TEXT, PRIMARY KEY (seller_id, key)
) WITHOUT ROWID;
"""

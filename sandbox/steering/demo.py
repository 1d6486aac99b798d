"""Which stores there are at the beginning: none with anything in it, or those of the demo."""

from sandbox.clock import DAY_MS
from sandbox.market import generator, history, lots, twins
from sandbox.sellers import DEMO_SELLERS, Seller, World

PROFILES = ("empty", "demo")
_LOTS, _ORDERS, _DAYS = 400, 40, 200


def fill(world: World, profile: str, *, seed: int = 1) -> None:
    """Fill the demo's accounts: nearly the same goods on each service, with orders up to today."""
    if profile != "demo":
        return
    until = world.clock.now_ms() // DAY_MS * DAY_MS
    with world.state.changing() as writer:
        row = writer.execute(
            "SELECT * FROM sellers WHERE service = 'bricklink' AND name = ?", (DEMO_SELLERS["name"],)
        ).fetchone()
        seller = Seller.of(row)
        rows = generator.lots(seed, _LOTS, service=seller.service, currency=seller.currency, until_ms=until)
        lots.add(world, writer, seller, rows)
        others = writer.execute(
            "SELECT id FROM sellers WHERE service != 'bricklink' AND name = ?", (DEMO_SELLERS["name"],)
        ).fetchall()
        for (target,) in others:
            twins.fill(world, writer, source=seller, target_id=target, seed=seed, drift=0.03)
        for each in writer.execute("SELECT * FROM sellers WHERE name = ?", (DEMO_SELLERS["name"],)).fetchall():
            history.make(world, writer, Seller.of(each), seed=seed, count=_ORDERS, days=_DAYS, until_ms=until)

"""Finds who carries a command out, and says what is wrong with it."""

import json
import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from sandbox.http import Request, Response, as_json
from sandbox.market.lots import ShortageError
from sandbox.sellers import World, populate
from sandbox.steering import checks, demo, orders, stores, world
from sandbox.steering.commands import CommandError, Handler, Sent, Words


class Steering:
    """Carries commands out. `forget`: what is kept outside of the state and goes with a reset."""

    def __init__(self, world_: World, *, profile: str = "empty", forget: Sequence[Callable[[], None]] = ()) -> None:
        self._world = world_
        self._forget = forget
        self._profile = profile
        # One transaction: who was killed while filling begins anew.
        with world_.state.changing() as writer:
            if not writer.execute("SELECT 1 FROM counters LIMIT 1").fetchone():
                populate(world_)
                demo.fill(world_, profile)
        routes = (
            ("POST", "/reset", self._reset), ("POST", r"/restore/(?P<name>[\w-]+)", self._restore),
            *world.ROUTES, *stores.ROUTES, *orders.ROUTES, *checks.ROUTES,
        )  # fmt: skip
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, re.compile(pattern), handler) for method, pattern, handler in routes
        ]

    def handle(self, request: Request) -> Response | None:
        """Carry a command out; None where it is none of ours."""
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(request.path)
            if found is None or method != request.method:
                continue
            try:
                sent = json.loads(request.body) if request.body else {}
                if not isinstance(sent, dict):
                    raise CommandError("expected an object")
                query = {name: values[0] for name, values in request.query.items()}
                return as_json(handler(self._world, {**query, **found.groupdict()}, sent))
            except ShortageError as error:
                problem = {"error": str(error), "lot_id": error.lot_id, "available": error.available}
                return as_json(problem, HTTPStatus.CONFLICT)
            except LookupError as error:
                return as_json({"error": f"there is no {error.args[0]}"}, HTTPStatus.NOT_FOUND)
            except (ValueError, TypeError) as error:
                return as_json({"error": str(error)}, HTTPStatus.UNPROCESSABLE_ENTITY)
        return None

    def _reset(self, world_: World, _found: Words, sent: Sent) -> Any:
        """Go back to the generated state: of this seed and profile where they are named, else as it began."""
        profile = str(sent.get("profile", self._profile))
        if profile not in demo.PROFILES:
            raise CommandError(f"'profile' is one of {', '.join(demo.PROFILES)}")
        world_.switches.clear()
        world_.clock.set(mode="real")
        with world_.state.changing():
            world_.state.clear()
            populate(world_)
            demo.fill(world_, profile, seed=int(sent.get("seed", 1)))
        self._forgotten()
        return {}

    def _restore(self, world_: World, found: Words, _sent: Sent) -> Any:
        world_.state.restore(found["name"])
        self._forgotten()
        return {}

    def _forgotten(self) -> None:
        for forget in self._forget:
            forget()

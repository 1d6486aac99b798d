"""An empty list endpoint and a page with the shell, against a bare WSGI hello world under the same server.

Run: `.venv/bin/python -m brikonnect.devstack.servers --test -- .venv/bin/python -m bench.web`.
Rounds alternate limit, product, limit; the medians of CPU per request (application and PostgreSQL together) and of p95
at eight connections are reported as ratios.
"""

import os
from typing import Any

from bench import rig
from bench.report import save

ROUNDS = 5


def _prepare() -> dict[str, dict[str, str]]:
    """Make the demo shop; answer its owner's headers."""
    from django.core.management import call_command  # noqa: PLC0415  # Django is set up only now

    call_command("migrate_all")
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("demo")
    host = f"demo.{os.environ['BASE_DOMAIN']}"
    return rig.sign_in(host, email="owner@demo.example", password="brikonnect-demo")  # noqa: S106  # the demo's, which is no secret


def main() -> None:
    """Measure and save."""
    headers = _prepare()
    host = f"demo.{os.environ['BASE_DOMAIN']}"
    plans: dict[str, dict[str, Any]] = {
        "empty list endpoint (GET /api/v1/jobs)": {"paths": ["/api/v1/jobs"], "host": host, "headers": headers["api"]},
        "page with shell (GET /)": {"paths": ["/"], "host": host, "headers": headers["page"]},
    }
    limit_plan = {"paths": ["/"], "host": host, "headers": {}}
    postgres = rig.postgres()
    limits: list[rig.Figures] = []
    seen: dict[str, list[rig.Figures]] = {name: [] for name in plans}
    with rig.granian(rig.HELLO) as (hello_port, hello), rig.granian(rig.PRODUCT) as (port, web):
        for _ in range(ROUNDS):
            limits.append(rig.measure(hello_port, [hello], limit_plan))
            for name, plan in plans.items():
                seen[name].append(rig.measure(port, [web, postgres], plan))
            limits.append(rig.measure(hello_port, [hello], limit_plan))
    rows = [
        {
            "figure": name,
            "cpu_ms": round(rig.median(rounds, "cpu_ms"), 3),
            "p95_ms": round(rig.median(rounds, "p95_ms"), 2),
            "cpu_ratio": round(rig.median(rounds, "cpu_ms") / rig.median(limits, "cpu_ms"), 1),
            "p95_ratio": round(rig.median(rounds, "p95_ms") / rig.median(limits, "p95_ms"), 1),
            "range_cpu_ms": [
                round(min(one["cpu_ms"] for one in rounds), 3),
                round(max(one["cpu_ms"] for one in rounds), 3),
            ],
        }
        for name, rounds in seen.items()
    ]
    spread = rig.spread(limits, "cpu_ms")
    limit = {
        "cpu_ms": round(rig.median(limits, "cpu_ms"), 4),
        "p95_ms": round(rig.median(limits, "p95_ms"), 2),
        "spread": round(spread, 2),
    }
    save(
        "web",
        {
            "limit": "hello world, WSGI, granian 2 × 4",
            "limit_figures": limit,
            "quotable": spread <= rig.UNQUIET,
            "rows": rows,
        },
    )


if __name__ == "__main__":
    rig.set_up()
    main()

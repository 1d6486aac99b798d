"""Asks URLs again and again over keep-alive connections, in a process of its own, and prints what it saw as JSON.

The plan comes by standard input: port, host, headers, paths, and for changes a method and a body. A change of a
resource names the version that its connection got with the answer before (If-Match).
"""

import asyncio
import json
import statistics
import sys
import time
from itertools import count, cycle
from typing import Any

OK = 200  # the status that every benchmarked URL answers


class Line:
    """One connection: sends a request, answers its status and ETag."""

    def __init__(self, plan: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        headers = {"Host": plan["host"], **plan["headers"]}
        self.head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.tag = ""

    async def ask(self, method: str, path: str, body: str = "") -> int:
        """Send a request and read its answer to the end."""
        more = (
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nIf-Match: {self.tag}\r\n" if body else ""
        )
        self.writer.write(f"{method} {path} HTTP/1.1\r\n{self.head}{more}\r\n{body}".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        length, chunked = 0, False
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            match name.lower():
                case b"content-length":
                    length = int(value)
                case b"transfer-encoding":
                    chunked = True
                case b"etag":
                    self.tag = value.decode().strip()
        while chunked:
            size = int((await self.reader.readline()).strip(), 16)
            await self.reader.readexactly(size + 2)
            chunked = size > 0
        await self.reader.readexactly(length)
        return int(head.split(b" ", 2)[1])


async def _connection(plan: dict[str, Any], place: int, deadline: float, times: list[float], bad: list[int]) -> None:
    line = Line(plan, *await asyncio.open_connection("127.0.0.1", plan["port"]))
    paths, method = plan["paths"], plan.get("method", "GET")
    if method == "GET":
        # Each connection begins elsewhere.
        asked = cycle(paths[place % len(paths) :] + paths[: place % len(paths)])
    else:
        asked = cycle([paths[place]])
        await line.ask("GET", paths[place])
    for number in count():
        start = time.perf_counter()
        if start >= deadline:
            break
        status = await line.ask(method, next(asked), plan.get("body", "").replace("{number}", str(number)))
        times.append(time.perf_counter() - start)
        if status != OK:
            bad.append(status)
    line.writer.close()


async def _run(plan: dict[str, Any], connections: int, seconds: float) -> dict[str, float]:
    times: list[float] = []
    bad: list[int] = []
    deadline = time.perf_counter() + seconds
    await asyncio.gather(*(_connection(plan, place, deadline, times, bad) for place in range(connections)))
    if bad:
        raise SystemExit(f"{plan['paths'][0]} answered {sorted(set(bad))}")
    return {
        "requests": len(times),
        "p50_ms": statistics.median(times) * 1000,
        "p95_ms": statistics.quantiles(times, n=20)[-1] * 1000,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_run(json.load(sys.stdin), int(sys.argv[1]), float(sys.argv[2])))))

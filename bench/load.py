"""Asks one URL again and again over keep-alive connections, in a process of its own, and prints what it saw as JSON."""

import asyncio
import json
import statistics
import sys
import time


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    chunked = False
    for line in head.lower().split(b"\r\n")[1:]:
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        chunked = chunked or line == b"transfer-encoding: chunked"
    while chunked:
        size = int((await reader.readline()).strip(), 16)
        await reader.readexactly(size + 2)
        chunked = size > 0
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


async def _connection(port: int, request: bytes, deadline: float, times: list[float], bad: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < deadline:
        start = time.perf_counter()
        status = await _ask(reader, writer, request)
        times.append(time.perf_counter() - start)
        if status != 200:  # the status that every benchmarked URL answers
            bad.append(status)
    writer.close()


async def _run(plan: dict[str, str], connections: int, seconds: float) -> dict[str, float]:
    headers = "".join(f"{name}: {value}\r\n" for name, value in json.loads(plan["headers"]).items())
    request = f"GET {plan['path']} HTTP/1.1\r\nHost: {plan['host']}\r\n{headers}\r\n".encode()
    times: list[float] = []
    bad: list[int] = []
    deadline = time.perf_counter() + seconds
    await asyncio.gather(*(_connection(int(plan["port"]), request, deadline, times, bad) for _ in range(connections)))
    if bad:
        raise SystemExit(f"{plan['path']} answered {sorted(set(bad))}")
    return {
        "requests": len(times),
        "p50_ms": statistics.median(times) * 1000,
        "p95_ms": statistics.quantiles(times, n=20)[-1] * 1000,
    }


if __name__ == "__main__":
    plan = json.loads(sys.argv[1])
    print(json.dumps(asyncio.run(_run(plan, int(sys.argv[2]), float(sys.argv[3])))))

"""Loads a tool server with many clients: errors, latency, batches, memory.

    python -m tests.bench.serve_load [docs/numbers/serve-load.json] [--seconds 60] [--clients 64]

The server is a process of its own whose fakes work 20 ms a call; each client asks again as soon as it has its
answer, over one kept connection. Exits 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from deixis.store.blobs import digest_of
from tests.agent.samples import painted
from tests.tools.serving.running import process

WORK_S = 0.02
BAR_P99 = 10 * WORK_S
FLAT = 1.05
"""Memory at the end over memory after a quarter of the time."""


@dataclass
class Load:
    """What the clients met."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)


async def _client(number: int, url: str, image: dict, end: float, load: Load) -> None:
    """Asks until `end`, each request unlike its neighbours'; plain sockets, so that it costs little."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    turn = 0
    while time.monotonic() < end:
        turn += 1
        body = json.dumps({"image": image, "top": 1 + number, "threshold": (turn % 800) / 1000}).encode()
        head = "POST /tools/tagging HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        begun = time.perf_counter()
        writer.write(head.encode() + body)
        try:
            answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(answer.partition("content-length:")[2].partition("\r\n")[0])
            got = await reader.readexactly(length)
        except (OSError, ValueError, EOFError) as error:
            load.errors.append(f"{type(error).__name__}: {error}")
            break
        load.seconds.append(time.perf_counter() - begun)
        if " 200 " not in answer.partition("\r\n")[0] or b'"label":"dog"' not in got:
            load.errors.append(f"{answer[:60]} {got[:200]!r}")
    writer.close()


async def loaded(url: str, image: dict, pid: int, clients: int, seconds: float) -> Load:
    """Returns what `clients` met in so many seconds."""
    load = Load()
    end = time.monotonic() + seconds
    asking = [asyncio.create_task(_client(number, url, image, end, load)) for number in range(clients)]
    while time.monotonic() < end:
        await asyncio.sleep(min(1.0, seconds / 8))
        load.memory_mb.append(resident_mb(pid))
    await asyncio.gather(*asking)
    return load


def resident_mb(pid: int) -> float:
    """Returns the resident memory of a process in MB, as Linux counts it; 0 elsewhere."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / 1e6


def cpu_seconds(pid: int) -> float:
    """Returns the processor time that a process has taken so far, as Linux counts it; 0 elsewhere."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    words = stat.read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def metric(page: str, name: str) -> float:
    """Returns a number of a Prometheus page."""
    return next(float(line.split()[-1]) for line in page.splitlines() if line.startswith(f"{name} "))


def measured(clients: int, seconds: float) -> dict:
    """Returns the figures of one load."""
    with tempfile.TemporaryDirectory() as folder:
        child, url = process(Path(folder), 0, WORK_S)
        try:
            with httpx.Client(base_url=url, trust_env=False, timeout=20) as http:
                data = painted("RGB", "PNG")
                image = http.put(f"/media/{digest_of(data)}", content=data).json()
                http.post("/tools/tagging", json={"image": image})  # the first call imports and connects
                before = cpu_seconds(child.pid)
                load = asyncio.run(loaded(url, image, child.pid, clients, seconds))
                cpu_s = cpu_seconds(child.pid) - before
                page = http.get("/metrics").text
        finally:
            child.terminate()
            child.wait(20)
    calls = metric(page, 'deixis_batch_size_count{role="tagging"}')
    requests = metric(page, 'deixis_batch_size_sum{role="tagging"}')
    times = sorted(load.seconds)
    settled = load.memory_mb[len(load.memory_mb) // 4] if load.memory_mb else 0.0
    return {
        "clients": clients,
        "seconds": seconds,
        "work_ms": 1000 * WORK_S,
        "requests": len(times),
        "requests_per_s": round(len(times) / seconds, 1),
        "server_cpu_ms_per_request": round(1000 * cpu_s / max(1, len(times)), 2),
        "errors": len(load.errors),
        "first_errors": load.errors[:3],
        "requests_per_call": round(requests / max(1, calls), 2),
        "p50_ms": _ms(times, 0.50),
        "p99_ms": _ms(times, 0.99),
        "bar_p99_ms": 1000 * BAR_P99,
        "longest_ms": _ms(times, 1.0),
        "memory_mb_settled": round(settled, 1),
        "memory_mb_end": round(load.memory_mb[-1] if load.memory_mb else 0.0, 1),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def _ms(times: list[float], share: float) -> float:
    return round(1000 * times[min(len(times) - 1, int(share * len(times)))], 1) if times else 0.0


def missed(figures: dict) -> list[str]:
    """Returns the bars that the figures miss."""
    found = []
    if figures["errors"] or not figures["requests"]:
        found.append("errors")
    if figures["requests_per_call"] < 2:
        found.append("no batches were formed")
    if figures["p99_ms"] > figures["bar_p99_ms"]:
        found.append("p99")
    if figures["memory_mb_end"] > FLAT * figures["memory_mb_settled"] + 2:
        found.append("memory grows")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("json", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=64)
    given = parser.parse_args()
    figures = measured(given.clients, given.seconds)
    figures["missed"] = missed(figures)
    text = json.dumps(figures, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", "utf-8")
    return 1 if figures["missed"] else 0


if __name__ == "__main__":
    raise SystemExit(main())

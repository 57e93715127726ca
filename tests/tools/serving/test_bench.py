"""Short runs of the commands that measure the server; a busy machine gets the time that it takes from it."""

from __future__ import annotations

import os

from tests.bench import serve_load, serve_overhead


def slower() -> float:
    """How much longer the wall clock may run: 1 on a calm machine, more where others wait for its cores."""
    return max(1.0, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))


def test_load():
    figures = serve_load.measured(clients=64, seconds=3)
    missed = set(serve_load.missed(figures)) - {"p99"}
    assert not missed, figures
    assert figures["requests_per_call"] >= 4 and figures["server_cpu_ms_per_request"] < 2, figures
    assert figures["p99_ms"] <= figures["bar_p99_ms"] * slower(), figures


def test_the_bars_can_be_missed():
    good = {"errors": 0, "requests": 9, "requests_per_call": 8, "p99_ms": 199, "bar_p99_ms": 200,
            "memory_mb_end": 100, "memory_mb_settled": 99}  # fmt: skip
    assert serve_load.missed(good) == []
    for change in (
        {"errors": 1},
        {"requests": 0},
        {"requests_per_call": 1},
        {"p99_ms": 201},
        {"memory_mb_end": 130},
    ):
        assert len(serve_load.missed(good | change)) == 1


def test_overhead():
    # The calmest of three: other programs make calls slower, none makes them faster.
    several = (serve_overhead.measured(calls=40) for _ in range(3))
    figures = min(several, key=lambda one: one["overhead_ms"])
    assert figures["picture_mb"] >= 1
    # A remote call changes threads and processes six times, a local one twice: on a machine whose cores are
    # taken each change waits its turn, and the local call tells how long. On a calm one the bar is the bar.
    assert 0 < figures["overhead_ms"] <= max(figures["bar_ms"], 6 * figures["local_ms"]), figures
    assert figures["client_and_server_cpu_ms"] < 25, figures

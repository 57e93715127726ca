"""The cache of decoded media: once each, bounded, failures not kept."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.store.cache import ArrayCache


def array(size: int) -> np.ndarray:
    return np.zeros(size, np.uint8)


def test_many_threads_that_ask_at_once_make_it_once() -> None:
    cache, made, gate = ArrayCache(1000), [], threading.Barrier(8)

    def make() -> np.ndarray:
        made.append(threading.get_ident())
        time.sleep(0.05)  # long enough for the others to come
        return array(10)

    def ask(_: int) -> np.ndarray:
        gate.wait()
        return cache.get("a", make)

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(ask, range(8)))
    assert len(made) == 1
    assert all(one is got[0] for one in got)


def test_one_key_does_not_wait_for_another() -> None:
    cache, go = ArrayCache(1000), threading.Event()

    def slow() -> np.ndarray:
        assert go.wait(5)
        return array(1)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(cache.get, "slow", slow)
        assert len(cache.get("quick", lambda: array(2))) == 2
        go.set()
        assert len(first.result(5)) == 1


def test_a_failure_reaches_all_who_wait_and_is_not_kept() -> None:
    cache, gate, calls = ArrayCache(1000), threading.Barrier(4), []

    def fail() -> np.ndarray:
        calls.append(1)
        time.sleep(0.05)
        raise OSError("broken")

    def ask(_: int) -> str:
        gate.wait()
        try:
            cache.get("a", fail)
        except OSError as error:
            return str(error)
        return "no error"

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == ["broken"] * 4
    assert len(calls) == 1
    assert len(cache.get("a", lambda: array(3))) == 3


def test_the_least_recently_used_goes_first() -> None:
    cache, made = ArrayCache(30), []

    def ask(key: str) -> None:
        cache.get(key, lambda: made.append(key) or array(10))

    for key in "abcadab":  # a is used again before d comes, so b goes for d, and then c for b
        ask(key)
    assert made == ["a", "b", "c", "d", "b"]


def test_one_that_is_larger_than_the_cache_is_kept_alone() -> None:
    cache, made = ArrayCache(10), []
    for _ in range(3):
        cache.get("large", lambda: made.append(1) or array(100))
    assert len(made) == 1
    cache.get("small", lambda: array(1))
    cache.get("large", lambda: made.append(1) or array(100))
    assert len(made) == 2


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60)), max_size=60))
def test_the_bound_holds(asks: list[tuple[int, int]]) -> None:
    cache = ArrayCache(100)
    for key, size in asks:
        cache.get((key, size), lambda size=size: array(size))
        held = [future.result().nbytes for future in cache._entries.values()]
        assert sum(held) <= 100


def test_what_is_handed_out_cannot_be_written() -> None:
    got = ArrayCache(100).get("a", lambda: array(3))
    with pytest.raises(ValueError, match="read-only"):
        got[0] = 1

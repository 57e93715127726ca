"""Decoded media, kept while there is room; each is decoded once even when several threads ask."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any

import numpy as np
from numpy.typing import NDArray


class ArrayCache:
    """A least-recently-used cache of arrays, bounded in bytes."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, Future[NDArray[Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Returns the array under `key`, made by `make` where it is not here. A failure is not kept."""
        with self._lock:
            future = self._entries.get(key)
            if future is not None:
                self._entries.move_to_end(key)
            else:
                mine = self._entries[key] = Future()
        if future is not None:
            return future.result()
        try:
            array = np.asarray(make())
        except BaseException as error:
            with self._lock:
                self._entries.pop(key, None)
            mine.set_exception(error)
            raise
        array.setflags(write=False)
        mine.set_result(array)
        self._trim()
        return array

    def _trim(self) -> None:
        with self._lock:
            sizes = {
                key: future.result().nbytes
                for key, future in self._entries.items()
                if future.done() and future.exception() is None
            }
            total = sum(sizes.values())
            for key, size in sizes.items():
                if total <= self.max_bytes or len(self._entries) == 1:
                    return
                del self._entries[key]
                total -= size

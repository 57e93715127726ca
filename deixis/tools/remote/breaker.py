"""A circuit breaker: a server that does not answer is left alone for a while, not asked by every call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Breaker:
    """Counts failures in a row. After `most` of them it is open for `rest_s`, then one call may try.

    Each trial that fails doubles the rest, up to `longest_rest_s`. Safe for several threads.
    """

    def __init__(
        self,
        most: int = 5,
        rest_s: float = 2.0,
        longest_rest_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._first_rest_s = rest_s
        self._rest_s = rest_s
        self._longest_rest_s = longest_rest_s
        self._clock = clock
        self._failures = 0
        self._until = 0.0
        self._lock = threading.Lock()

    @property
    def broken(self) -> bool:
        """Returns whether the last calls all failed, so that a call that is let through is a trial."""
        with self._lock:
            return self._failures >= self._most

    def closed_for(self) -> float:
        """Returns for how many seconds calls are still to be refused; 0 lets this call through.

        When a rest has just ended, one caller is let through and the others go on waiting for it.
        """
        with self._lock:
            if self._failures < self._most:
                return 0.0
            left = self._until - self._clock()
            if left > 0:
                return left
            self._until = self._clock() + self._rest_s  # whoever comes while the trial is under way
            return 0.0

    def succeeded(self) -> None:
        """Closes the circuit: the server answers."""
        with self._lock:
            self._failures = 0
            self._rest_s = self._first_rest_s

    def failed(self) -> None:
        """Counts a call that found no server, or a server that could not work."""
        with self._lock:
            self._failures += 1
            if self._failures < self._most:
                return
            if self._failures > self._most:
                self._rest_s = min(self._longest_rest_s, 2 * self._rest_s)
            self._until = self._clock() + self._rest_s

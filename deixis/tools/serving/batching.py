"""Dynamic batching: what arrives within a short window goes through the tool in one call, in order."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import ValidationError

from deixis.errors import DeixisError, ToolFault
from deixis.geometry import Frozen
from deixis.media.refs import MediaSource
from deixis.tools.protocol import Tool, in_thread
from deixis.tools.serving.faults import full
from deixis.tools.serving.settings import Batching


class BatchWatch(Protocol):
    """Who wants to know what the batches are like."""

    def batch(self, role: str, size: int, seconds: float, waited_s: Sequence[float]) -> None: ...


@dataclass
class _Job:
    request: Frozen
    outcome: asyncio.Future[Frozen]
    arrived: float = field(default_factory=time.monotonic)


class Batcher:
    """The queue of one tool. Belongs to one event loop."""

    def __init__(self, tool: Tool, media: MediaSource, options: Batching, watch: BatchWatch) -> None:
        self.tool = tool
        self._media = media
        self._options = options
        self._watch = watch
        self._queue: deque[_Job] = deque()
        self._arrival = asyncio.Event()
        self._full = asyncio.Event()
        self._batch_s = 0.05
        self._abandoned = 0
        self._counting = threading.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to serve the queue."""
        self._tasks = [asyncio.create_task(self._serve()) for _ in range(self._options.workers)]

    async def stop(self) -> None:
        """Ends the service; what is still waiting is told so."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for job in self._queue:
            job.outcome.cancel()

    @property
    def waiting(self) -> int:
        """Returns the number of requests in the queue."""
        return len(self._queue)

    @property
    def stuck(self) -> bool:
        """Returns whether so many calls hang that the tool is given up; only a new process helps."""
        return self._abandoned >= self._options.max_abandoned

    async def submit(self, request: Frozen) -> Frozen:
        """Returns the tool's output for one request.

        Raises:
            ToolFault: ``serve.queue.full``, ``serve.tool.stuck``, ``tool.timeout``, ``tool.raised``,
                ``tool.output.nonsense``.
            DeixisError: whatever the tool raised.
        """
        if self.stuck:
            raise ToolFault(
                "serve.tool.stuck",
                f"{self.tool.name} hangs; {self._abandoned} of its calls never came back.",
                "Restart the server.",
                retry_after_s=10.0,
            )
        if len(self._queue) >= self._options.max_queue:
            batches = len(self._queue) / (self._options.max_batch * self._options.workers)
            raise full(self.tool.name, len(self._queue), batches * self._batch_s)
        job = _Job(request, asyncio.get_running_loop().create_future())
        self._queue.append(job)
        self._arrival.set()
        if len(self._queue) >= self._options.max_batch:
            self._full.set()
        try:
            async with asyncio.timeout(self._options.timeout_s):
                return await job.outcome
        except TimeoutError as error:
            raise self._late() from error

    def _late(self) -> ToolFault:
        limit_s = self._options.timeout_s
        return ToolFault(
            "tool.timeout", f"{self.tool.name} gave no answer within {limit_s:g} s.", "Ask for less at once."
        )

    async def _serve(self) -> None:
        while True:
            while not self._queue:
                self._arrival.clear()
                await self._arrival.wait()
            await self._gather()
            jobs: list[_Job] = []
            while self._queue and len(jobs) < self._options.max_batch:
                job = self._queue.popleft()
                if not job.outcome.done():  # given up meanwhile
                    jobs.append(job)
            if jobs:
                await self._pass(jobs)

    async def _gather(self) -> None:
        """Waits until the queue fills a batch, and no longer than the window."""
        if len(self._queue) >= self._options.max_batch or not self._options.window_s:
            return
        self._full.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._options.window_s):
                await self._full.wait()

    async def _pass(self, jobs: list[_Job]) -> None:
        """Sends one batch through the tool and settles every job of it."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._options.timeout_s):
                outcomes = await self._call([job.request for job in jobs])
        except TimeoutError:
            outcomes = [self._late() for _ in jobs]
        except Exception as error:  # a stranger's batch method may raise anything; the queue goes on
            outcomes = [error] * len(jobs)
        if len(outcomes) != len(jobs):
            outcomes = [self._nonsense(f"{len(outcomes)} outcomes for {len(jobs)} requests")] * len(jobs)
        for job, outcome in zip(jobs, outcomes, strict=True):
            self._settle(job, outcome)
        seconds = time.monotonic() - begun
        self._batch_s += 0.2 * (seconds - self._batch_s)
        self._watch.batch(self.tool.role, len(jobs), seconds, [begun - job.arrived for job in jobs])

    async def _call(self, requests: list[Frozen]) -> Sequence[Any]:
        together = getattr(self.tool, "run_many", None)
        if together is None:
            calls = (self.tool(request, self._media) for request in requests)
            return await asyncio.gather(*calls, return_exceptions=True)
        given_up = False

        def work() -> Any:
            try:
                return together(requests, self._media)
            finally:
                with self._counting:
                    if given_up:  # it came back after all
                        self._abandoned -= 1

        try:
            outcomes: Sequence[Any] = await in_thread(work)
            return outcomes
        except asyncio.CancelledError:
            with self._counting:
                given_up = True
                self._abandoned += 1
            raise

    def _settle(self, job: _Job, outcome: Any) -> None:
        if job.outcome.done():
            return
        if isinstance(outcome, DeixisError):
            job.outcome.set_exception(outcome)
        elif isinstance(outcome, BaseException):
            text = f"{self.tool.name} raised {type(outcome).__name__}."
            job.outcome.set_exception(ToolFault("tool.raised", text, "This is a defect of the tool."))
        else:
            try:
                job.outcome.set_result(self._checked(outcome))
            except ToolFault as fault:
                job.outcome.set_exception(fault)

    def _checked(self, outcome: Any) -> Frozen:
        if isinstance(outcome, self.tool.Output):
            return outcome
        try:
            return self.tool.Output.model_validate(outcome)
        except ValidationError as error:
            raise self._nonsense(f"no {self.tool.Output.__name__}") from error

    def _nonsense(self, what: str) -> ToolFault:
        return ToolFault(
            "tool.output.nonsense", f"{self.tool.name} returned {what}.", "This is a defect of the tool."
        )

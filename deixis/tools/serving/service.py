"""What lives behind the routes: the tools with their queues, the media, the state of the whole."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from deixis.errors import DeixisError, ToolFault
from deixis.tools.protocol import Role, Tool, in_thread
from deixis.tools.serving.batching import Batcher
from deixis.tools.serving.metrics import Metrics
from deixis.tools.serving.settings import ServeSettings
from deixis.tools.serving.shelf import Shelf
from deixis.tools.toolbox import Toolbox

log = logging.getLogger("deixis.serving")


class Service:
    """One toolbox at work. `start` and `stop` are called in its event loop."""

    def __init__(self, toolbox: Toolbox, root: Path, settings: ServeSettings, metrics: Metrics) -> None:
        self.toolbox = toolbox
        self.shelf = Shelf(root, settings)
        self.draining = False
        self._settings = settings
        self._metrics = metrics
        self._batchers: dict[Role, Batcher] = {}
        self._failed: dict[Role, DeixisError] = {}
        self._loading: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to load the tools; requests for those that are not there yet are told to come again."""
        self._loading = asyncio.create_task(self._load())

    async def stop(self) -> None:
        """Ends the queues; what is under way has ended by then."""
        if self._loading is not None:
            self._loading.cancel()
        await asyncio.gather(*(batcher.stop() for batcher in self._batchers.values()))

    async def _load(self) -> None:
        for role in self.toolbox.roles():
            try:
                tool: Tool = await in_thread(self.toolbox.need, role)
            except DeixisError as error:
                log.error("%s cannot be served: %s", role, error)
                self._failed[role] = error
                continue
            except Exception as error:  # a stranger's factory may raise anything; the others are served
                log.exception("%s cannot be served", role)
                text = f"The tool of {role} cannot be made: {type(error).__name__}."
                self._failed[role] = ToolFault("serve.tool.broken", text, "Tell who runs the server.")
                continue
            batcher = Batcher(tool, self.shelf, self._settings.batching, self._metrics)
            batcher.start()
            self._batchers[role] = batcher

    def batcher(self, role: Role) -> Batcher:
        """Returns the queue of a role.

        Raises:
            ToolFault: its tool is still being loaded.
            DeixisError: why it could not be loaded.
        """
        if role in self._failed:
            raise self._failed[role]
        if role not in self._batchers:
            raise ToolFault(
                "serve.starting",
                f"The tool of {role} is still being loaded.",
                "Send it again later.",
                retry_after_s=1.0,
            )
        return self._batchers[role]

    def stuck(self) -> list[str]:
        """Returns the roles whose tool hangs."""
        return [role for role, batcher in self._batchers.items() if batcher.stuck]

    def state(self) -> dict[str, Any]:
        """Returns whether requests are welcome, and what stands against it."""
        starting = [role for role in self.toolbox.roles() if role not in {*self._batchers, *self._failed}]
        failed = {role: error.code for role, error in self._failed.items()}
        ready = not (starting or failed or self.draining or self.stuck())
        return {
            "ready": ready,
            "draining": self.draining,
            "starting": starting,
            "failed": failed,
            "stuck": self.stuck(),
        }

    def facts(self) -> list[dict[str, Any]]:
        """Returns a row for every role that is served."""
        rows = []
        for role in self.toolbox.roles():
            row: dict[str, Any] = {"role": role, "name": self.toolbox.name(role), "state": "starting"}
            if role in self._failed:
                row |= {"state": "failed", "code": self._failed[role].code}
            elif role in self._batchers:
                tool = self._batchers[role].tool
                row |= {"state": "ready", "version": tool.version, "weights_digest": tool.weights_digest}
            rows.append(row)
        return rows

    @staticmethod
    def headers(tool: Tool) -> dict[str, str]:
        """Returns the header fields that tell who gave an output."""
        told = {"deixis-tool": tool.name, "deixis-version": tool.version}
        return told | ({"deixis-weights": tool.weights_digest} if tool.weights_digest else {})

    def measure(self) -> None:
        """Brings the gauges up to date."""
        for role, batcher in self._batchers.items():
            self._metrics.queue.labels(role).set(batcher.waiting)

    async def counted(self, blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yields the blocks of a medium, and counts their bytes."""
        async for block in blocks:
            self._metrics.media_bytes.inc(len(block))
            yield block

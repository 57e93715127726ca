"""Where LangGraph keeps its checkpoints: SQLite in the store's folder."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.sqlite import SqliteSaver

BUSY_S = 30.0
"""How long a write waits for that of another process."""


class InlineSaver(SqliteSaver):
    """LangGraph's SQLite saver, called in the event loop itself.

    A checkpoint takes a tenth of a millisecond to write; handing it to a thread and back, as
    `AsyncSqliteSaver` does some eighty times a run, takes longer, and far longer on a busy machine.
    """

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Returns the checkpoint that `config` names, or the newest of its thread."""
        return self.get_tuple(config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Yields checkpoints, newest first."""
        for found in self.list(config, filter=filter, before=before, limit=limit):
            yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Returns the configuration that names the checkpoint, which is now written."""
        return self.put(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Writes what a task of the running step gave."""
        self.put_writes(config, writes, task_id, task_path)


@asynccontextmanager
async def sqlite_saver(path: Path) -> AsyncIterator[InlineSaver]:
    """Yields a saver on the database at `path`, which is made where there is none.

    Write-ahead logging lets a reader list runs while one is being written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        yield InlineSaver(connection)

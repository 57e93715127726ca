"""Where LangGraph keeps its checkpoints: SQLite in the store's folder, or PostgreSQL."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from deixis.errors import InputFault, MissingExtra

PACKED, SHORT, LEVEL = "+deflate", 200, 1
"""Mark of a packed type, bytes from which packing pays, how hard it is tried: hardly, for it costs time."""
MOST_BYTES = 256_000_000
"""No state is larger: media are in the store."""
BUSY_S = 30.0
"""How long a write waits for that of another process."""


class Packed(JsonPlusSerializer):
    """LangGraph's serializer, whose bytes are stored deflated where that makes them fewer.

    A run's state says the same again and again, step by step. What was stored without it is read as well.
    """

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Returns the type of the bytes and the bytes."""
        kind, plain = super().dumps_typed(obj)
        packed = zlib.compress(plain, LEVEL) if len(plain) > SHORT else plain
        return (f"{kind}{PACKED}", packed) if len(packed) < len(plain) else (kind, plain)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Returns what was stored.

        Raises:
            ValueError: the bytes are broken, or more than `MOST_BYTES` of them come out.
        """
        kind, stored = data
        if not kind.endswith(PACKED):
            return super().loads_typed(data)
        opened = zlib.decompressobj()
        try:
            plain = opened.decompress(stored, MOST_BYTES)
        except zlib.error as error:
            raise ValueError(f"a checkpoint is broken: {error}") from error
        if not opened.eof:
            raise ValueError("a checkpoint is cut short, or too large")
        return super().loads_typed((kind.removesuffix(PACKED), plain))


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

    async def adelete_thread(self, thread_id: str) -> None:
        """Removes the checkpoints of a run."""
        self.delete_thread(thread_id)

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
        saver = InlineSaver(connection, serde=Packed())
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            saver.setup()
        except sqlite3.DatabaseError as error:
            raise damaged(path.name, error) from error
        yield saver


def damaged(where: str, error: Exception) -> InputFault:
    """Returns the fault of checkpoints that cannot be read."""
    return InputFault(
        "trace.checkpoint.damaged",
        f"The checkpoints in {where} cannot be read ({type(error).__name__}: {error}).",
        "Move that file away and resume again: runs go on from their records alone.",
    )


_PREPARED: set[str] = set()
"""Databases whose tables this process has made sure of."""


@asynccontextmanager
async def postgres_saver(address: str) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """Yields a saver on a PostgreSQL database, whose tables are made where there are none.

    Args:
        address: ``postgresql://user:password@host:port/database``.

    Raises:
        MissingExtra: the extra ``postgres`` is not installed.
        InputFault: the database cannot be reached.
    """
    if find_spec("psycopg") is None or find_spec("langgraph.checkpoint.postgres") is None:
        raise MissingExtra("postgres", "langgraph-checkpoint-postgres", "Keeping checkpoints in PostgreSQL")
    import psycopg
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg.rows import dict_row

    try:
        connection = await psycopg.AsyncConnection.connect(
            address, autocommit=True, prepare_threshold=0, row_factory=dict_row
        )
    except psycopg.Error as error:
        raise InputFault(
            "trace.checkpoint.unreachable",
            f"The database for checkpoints cannot be reached ({type(error).__name__}).",
            "Start it, or leave DEIXIS_CHECKPOINTS empty: then SQLite in the store's folder is used.",
        ) from error
    async with connection:
        saver = AsyncPostgresSaver(conn=connection, serde=Packed())
        if address not in _PREPARED:
            await saver.setup()
            _PREPARED.add(address)
        yield saver


@asynccontextmanager
async def saver_at(target: str | Path) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """Yields a saver: on PostgreSQL where `target` is its address, else on the SQLite file of that name.

    Raises:
        InputFault: it cannot be reached, or is damaged.
    """
    if isinstance(target, str) and target.startswith(("postgresql://", "postgres://")):
        async with postgres_saver(target) as saver:
            yield saver
        return
    async with sqlite_saver(Path(target)) as saver:
        yield saver

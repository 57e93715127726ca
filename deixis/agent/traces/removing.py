"""Removing a run: its record, and its checkpoints where there are any."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deixis.store import Store


async def remove(store: Store, run: str, checkpoints: str = "") -> str:
    """Returns the id of the run that was removed; media stay, other runs may need them.

    Args:
        store: where the run is.
        run: its id, or the beginning of it.
        checkpoints: address of a PostgreSQL database; empty takes DEIXIS_CHECKPOINTS, or SQLite in the store.

    Raises:
        InputFault: there is no such run, it is still going on, or the checkpoints cannot be reached.
    """
    from deixis.graphs.checkpoints import saver_at

    found = store.runs.find(run)
    target = checkpoints or os.environ.get("DEIXIS_CHECKPOINTS") or store.root / "checkpoints.sqlite"
    store.runs.remove(found)
    if isinstance(target, str) or target.exists():
        async with saver_at(target) as saver:
            await saver.adelete_thread(found)
    return found

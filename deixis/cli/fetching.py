"""Pulling weights while somebody watches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.cli.output import progress

if TYPE_CHECKING:
    from deixis.tools.weights.manifest import ManifestEntry
    from deixis.tools.weights.pull import Pulled


def pulled(
    wanted: Sequence[ManifestEntry], to: Path | None = None, mirror: str | None = None
) -> list[Pulled]:
    """Returns what became of each wanted file, after a progress bar where a terminal shows one.

    Raises:
        InputFault: the folder cannot be written, or has not enough room.
    """
    from deixis.tools.weights.pull import pull

    have: dict[str, int] = {}
    with progress(bytes_counted=True) as display:
        bar = display.add_task("pulling weights", total=sum(entry.size for entry in wanted))

        def watch(name: str, count: int) -> None:
            have[name] = count
            display.update(bar, completed=sum(list(have.values())))

        return pull(wanted, to=to, mirror=mirror, watch=watch)


def fetched_if_possible(profile: str) -> str:
    """Returns a sentence on how fetching what is missing of a profile went; empty if nothing was missing."""
    from deixis.errors import DeixisError
    from deixis.tools.weights import present
    from deixis.tools.weights.pull import chosen

    if present(profile):
        return ""
    try:
        failed = [one.error for one in pulled(chosen(profile)) if one.error is not None]
    except DeixisError as error:
        failed = [error]
    if not failed:
        return f"The weights of {profile} were fetched."
    return f"The weights of {profile} could not be fetched: {failed[0].message}"

"""A trained base and its twin taken into the package, where the planner looks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deixis.errors import InputFault
from deixis.learned.publish import taken_in

LARGEST_BYTES = 40_000_000
"""Base and twin together, with all that lies beside their weights."""
HOME = "deixis.learned.pocket"
BASE, TWIN = "mllm", "twin"
"""Folders of the package `HOME` that the shipped base and the shipped twin lie in."""
CARD = "training.json"
"""The card that a training writes; that of a twin lies beside its folder."""


def ship(base: Path, adapter: Path, to: Path) -> dict[str, Any]:
    """Returns the bytes of each file, by its place under `to`, after base and twin were copied there.

    Files that an earlier base or twin left there go. Nothing is written unless the twin is one of this base,
    both have their training's card, and all is small enough.

    Args:
        base: what ``deixis train understand`` wrote as ``base``.
        adapter: what ``deixis train ground`` wrote as ``twin``.
        to: the package's folder ``deixis/learned/pocket``.

    Raises:
        InputFault: a folder is broken, has no card, or the twin is of another base; both together are larger
            than `LARGEST_BYTES`; `to` cannot be written.
    """
    from deixis.learned.mllm.build import load
    from deixis.learned.training.card import card_of
    from deixis.learned.twin import attach

    attach(load(base)[0], adapter)
    files = {f"{BASE}/{path.name}": path for path in base.iterdir() if path.is_file()}
    files |= {
        f"{TWIN}/{path.relative_to(adapter).as_posix()}": path
        for path in adapter.rglob("*")
        if path.is_file()
    }
    card = card_of(adapter)
    if card is not None:
        files[f"{TWIN}/{CARD}"] = card
    for name in (BASE, TWIN):
        if f"{name}/{CARD}" not in files:
            raise InputFault(
                "train.ship.card",
                f"There is no {CARD} of the {name}.",
                "Name the folders as deixis train understand and deixis train ground wrote them.",
            )
    sizes = {name: path.stat().st_size for name, path in sorted(files.items())}
    if sum(sizes.values()) > LARGEST_BYTES:
        raise InputFault(
            "train.ship.size",
            f"Base and twin take {sum(sizes.values()) / 1e6:.1f} MB of at most {LARGEST_BYTES / 1e6:.0f}.",
            "Train the preset small, and a twin on fewer layers.",
        )
    taken_in({to / name: path.read_bytes() for name, path in files.items()})
    for path in (path for name in (BASE, TWIN) for path in (to / name).rglob("*")):
        if path.is_file() and path.relative_to(to).as_posix() not in files:
            path.unlink()
    return sizes

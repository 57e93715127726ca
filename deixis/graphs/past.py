"""What a record tells of a run: facts that are taken from it instead of asking anybody again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deixis.errors import InputFault
from deixis.trace import Event, Observation

Key = tuple[Any, ...]
OUTSIDE = frozenset({"paused", "resumed", "corrected", "run_failed"})
"""Events that no node makes: they tell of people and of kills."""


def key_of(event: Event) -> Key | None:
    """Returns what makes an event one of its kind in a run; None for events from outside.

    A node that is run again after a kill makes events of the same keys: these are on record already.
    """
    return key_for(event.type, event.step, event.data)


def key_for(kind: str, step: int | None, data: dict[str, Any]) -> Key | None:
    """Returns the key of an event that is yet to be made; see `key_of`."""
    if kind in OUTSIDE or data.get("failed"):
        return None
    if kind in ("action", "observation"):
        return (kind, data.get("call"))
    return (kind, data.get("key") if kind == "planned" else step)


class Past:
    """The events of a run by their keys.

    Raises:
        InputFault: events are missing, or are another run's.
    """

    def __init__(self, events: Sequence[Event], run: str = "") -> None:
        self.events = tuple(events)
        self.by_key: dict[Key, Event] = {}
        for place, event in enumerate(self.events):
            if event.seq != place or (run and event.run != run):
                raise InputFault(
                    "trace.events.damaged",
                    f"Event {place} of the run {run or event.run} is missing, doubled, or another run's.",
                    "The file was changed; what is before it can be forked: "
                    f"deixis trace fork {run or event.run} --step N.",
                )
            key = key_of(event)
            if key is not None:
                self.by_key.setdefault(key, event)

    def data(self, *key: Any) -> dict[str, Any] | None:
        """Returns what the event of a key tells; None where there is none."""
        event = self.by_key.get(key)
        return event.data if event is not None else None

    def observation(self, call: str) -> Observation | None:
        """Returns what a call gave, before anybody corrected it."""
        told = self.data("observation", call)
        return Observation.model_validate(told) if told is not None else None

    @property
    def setup(self) -> dict[str, Any]:
        """Returns what the run was set up with.

        Raises:
            InputFault: the record does not tell.
        """
        told = (self.data("run_started", None) or {}).get("setup")
        if not isinstance(told, dict):
            raise InputFault(
                "trace.record.old",
                "The record does not tell what the run was set up with.",
                "It was written by an earlier version, or its beginning is lost: ask again.",
            )
        return told

    @property
    def corrections(self) -> list[Event]:
        """Returns the corrections, in order."""
        return [event for event in self.events if event.type == "corrected"]

    @property
    def last_step(self) -> int:
        """Returns the index of the last step that was begun; -1 for none."""
        return max(
            (e.step for e in self.events if e.type == "step_started" and e.step is not None), default=-1
        )

    def upto(self, step: int) -> Past:
        """Returns the facts of the steps up to and including one, numbered anew."""
        kept = [
            event
            for event in self.events
            if event.type not in ("answered", "run_failed", "paused", "resumed")
            and not event.data.get("failed")
            and (event.step is None or event.step <= step)
        ]
        return Past([event.model_copy(update={"seq": seq}) for seq, event in enumerate(kept)])

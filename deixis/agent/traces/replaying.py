"""Replay: does the record of a run make the same events, and the same answer, once more?"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from deixis.answer import GroundedAnswer

if TYPE_CHECKING:
    from deixis.store import Store
    from deixis.trace import RunRecord


@dataclass(frozen=True)
class Difference:
    """Where a replay differs first: the place in words, what is on record, what was made instead."""

    place: str
    recorded: str
    made: str


@dataclass(frozen=True)
class Replayed:
    """A run rebuilt from its record. `difference` is None where every byte is the same."""

    run: str
    status: str
    steps: int
    events: int
    seconds: float
    difference: Difference | None = None
    answer: GroundedAnswer | None = None

    @property
    def same(self) -> bool:
        """Returns whether every event, the header and the answer are byte for byte those on record."""
        return self.difference is None


async def replay(store: Store, run: str) -> Replayed:
    """Returns the run, rebuilt from its record: no planner is asked, no tool called, no medium opened.

    A run that did not come to its end is rebuilt as far as its record goes.

    Raises:
        InputFault: there is no such run, or its record cannot be read.
    """
    from deixis.agent.conversation import place_of
    from deixis.agent.running import config_of, settings_of
    from deixis.agent.traces.resuming import FINISHED, on_record
    from deixis.graphs.context import RunContext
    from deixis.graphs.replaying import Differs, Kept, RecordedPlanner, RecordedTools, RecordEnds, Replayer

    record, past = on_record(store, run)
    setup, settings, kept = past.setup, settings_of(past.setup), Kept()
    place = place_of(store, record)
    begun = time.perf_counter()
    finished = record.status in FINISHED
    fresh = {"status": "running", "seconds": 0.0, "steps": 0, "error": None, "media": (), "names": ()}
    recorder = Replayer(
        kept,
        record.model_copy(update=fresh),
        past=past,
        lines=store.runs.lines(record.run),
        finished=finished,
    )
    context = RunContext(
        toolbox=RecordedTools(setup["tools"]),
        media=store,
        recorder=recorder,
        settings=settings,
        planner=RecordedPlanner(setup["planner"]),
        earlier=place.earlier if place is not None else (),
    )
    difference: Difference | None = None
    try:
        recorder.start(setup)
        given: Any = {"run": record.run, "question": record.question}
        await _graph(record.graph).ainvoke(given, config_of(record.run, settings), context=context)
        if context.answer is not None:
            answer = context.answer.model_copy(update={"seconds": recorder.answered_s})
            recorder.finish(answer.status, answer)
    except Differs as found:
        difference = _event_difference(found)
    except RecordEnds:
        pass
    if difference is None and (left := recorder.unmade()) is not None:
        difference = Difference(f"event {left.seq}", _shown(left.model_dump_json()), "no such event is made")
    if difference is None and finished:
        difference = _end_difference(store, record, kept)
    return Replayed(
        run=record.run,
        status=record.status,
        steps=len(recorder.told),
        events=len(past.events),
        seconds=round(time.perf_counter() - begun, 6),
        difference=difference,
        answer=kept.answer,
    )


@cache
def _graph(name: str) -> Any:
    from deixis import registry

    return registry.graphs.create(name).compile()


def _end_difference(store: Store, record: RunRecord, kept: Any) -> Difference | None:
    """Returns whether the answer or the header on disk is another than the one made."""
    from deixis.store.runs import dumped

    parts: tuple[tuple[Literal["answer", "record"], Any], ...] = (
        ("answer", kept.answer),
        ("record", kept.record),
    )
    for name, made in parts:
        stored = store.runs.stored(record.run, name)
        again = dumped(made) if made is not None else b""
        if stored != again:
            return Difference(f"{name}.json", *_apart(stored.decode("utf-8", "replace"), again.decode()))
    return None


def _event_difference(found: Any) -> Difference:
    line = json.loads(found.recorded or found.made or "{}")
    data = line.get("data", {})
    what = data.get("call") or (f"step {line.get('step')}" if line.get("step") is not None else "")
    place = f"event {found.seq} ({line.get('type', '')}{f' {what}' if what else ''})"
    return Difference(place, *_apart(found.recorded, found.made))


def _apart(one: str, other: str) -> tuple[str, str]:
    """Returns two texts from shortly before the place where they part."""
    at = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    start = max(0, at - 40)
    return _shown(one[start:]), _shown(other[start:])


def _shown(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:159]}…"

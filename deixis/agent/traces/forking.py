"""Fork: a new run takes over the beginning of another one, corrected by a person, and goes on from there."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from deixis.answer import GroundedAnswer
from deixis.trace import Event, RunRecord

if TYPE_CHECKING:
    from deixis.agent.agent import Agent
    from deixis.graphs.corrections import Correction


async def fork(
    agent: Agent,
    run: str,
    *,
    step: int | None = None,
    corrections: Sequence[Correction] = (),
    on_event: Callable[[Event], None] | None = None,
    pause_before: str | None = None,
) -> GroundedAnswer:
    """Returns the answer of a new run, whose header names the run that it comes from.

    What planner and tools gave up to and including `step` is taken from the record of the other run, with the
    corrections; what comes after is decided and called anew. The other run stays as it is.

    Args:
        agent: whose tools and planner make what comes after.
        run: the id of a run, or the beginning of it; it may be finished or not.
        step: the last step that is taken over; None takes the last one that is corrected, and without
            corrections all there is.
        corrections: what a person changes.
        on_event: called with each event, after it is on record.
        pause_before: where the new run is to wait.

    Raises:
        InputFault: there is no such run or step, its record is damaged, or a correction cannot be made.
        RunStopped: the new run waits for a person.
    """
    from deixis.agent.agent import new_run_id
    from deixis.agent.conversation import place_of
    from deixis.agent.running import carry_out, setup_of
    from deixis.agent.traces.resuming import check_corrections, kept_corrections, no_step, on_record
    from deixis.graphs.context import RunContext
    from deixis.graphs.pausing import Pause
    from deixis.graphs.recorder import Recorder

    pause = Pause(pause_before) if pause_before else None
    record, past = on_record(agent.store, run)
    at = step if step is not None else max((one.step_index for one in corrections), default=past.last_step)
    if not 0 <= at <= past.last_step:
        raise no_step(at, past)
    late = next((one for one in corrections if one.step_index > at), None)
    kept = past.upto(at)
    if late is not None:
        raise no_step(late.step_index, kept)
    check_corrections(kept, corrections)
    header = RunRecord(
        run=new_run_id(),
        question=record.question,
        profile=agent.profile.name,
        graph=past.setup["graph"],
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        status="running",
        parent=record.run,
        parent_step=at,
    )
    place = place_of(agent.store, record)
    context = RunContext(
        toolbox=agent.toolbox,
        media=agent.store,
        recorder=Recorder(
            agent.store.runs, header, on_event, past=kept, pending=[*kept_corrections(kept), *corrections]
        ),
        settings=agent.settings(),
        planner=agent.planner() if header.graph != "pipeline" else None,
        earlier=place.earlier if place is not None else (),
    )
    context.recorder.start(setup_of(agent, context))
    return await carry_out(agent, context, pause)

"""Resume: a run that was killed, failed or paused goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from deixis.answer import GroundedAnswer
from deixis.errors import DeixisError, InputFault
from deixis.trace import Event, RunRecord

if TYPE_CHECKING:
    from deixis.agent.agent import Agent
    from deixis.graphs.corrections import Correction
    from deixis.graphs.past import Past
    from deixis.store import Store

FINISHED = frozenset({"complete", "degraded", "partial", "needs_mllm"})


async def resume(
    agent: Agent,
    run: str,
    *,
    corrections: Sequence[Correction] = (),
    image: Any = None,
    audio: Any = None,
    on_event: Callable[[Event], None] | None = None,
    pause_before: str | None = None,
) -> GroundedAnswer:
    """Returns the answer of a run that had not come to one.

    It goes on from its newest checkpoint; what its record holds beyond that (a call that was answered, a
    reply of the planner) is not asked for again. Without checkpoints it goes on from its record alone.

    Args:
        agent: whose tools and planner make what is left.
        run: the id of a run, or the beginning of it.
        corrections: what a person changes before it goes on; kept in the record.
        image, audio: the media, where the run ended before it took them in and they were no files.
        on_event: called with each new event, after it is on record.
        pause_before: where it is to wait again.

    Raises:
        InputFault: there is no such run, it has ended, it is still going on, or its record or checkpoints are
            damaged; a correction cannot be made.
        RunStopped: it waits for a person.
    """
    from deixis.agent.conversation import place_of
    from deixis.agent.running import carry_out, config_of, saver_of, settings_of
    from deixis.graphs.context import RunContext
    from deixis.graphs.pausing import Pause
    from deixis.graphs.recorder import Recorder

    pause = Pause(pause_before) if pause_before else None
    record, past = unfinished(agent.store, run)
    settings = settings_of(past.setup)
    recorder = Recorder(agent.store.runs, record, on_event, past=past, on_record=True)
    taken = past.data("ingested", None) is not None
    place = place_of(agent.store, record)
    context = RunContext(
        toolbox=agent.toolbox,
        media=agent.store,
        recorder=recorder,
        settings=settings,
        images=() if taken else _sources(past, "image", image),
        audios=() if taken else _sources(past, "audio", audio),
        planner=agent.planner() if record.graph != "pipeline" else None,
        earlier=place.earlier if place is not None else (),
    )
    async with saver_of(agent) as saver:
        state = await _newest(saver, config_of(record.run, settings))
        begun = state is not None and _fits(record, state, past)
        if begun:
            recorder.restore()
            recorder.expert = (state or {}).get("expert", "none")
        else:
            recorder.pending = kept_corrections(past)
            recorder.continue_behind()
        check_corrections(past, corrections)
        if state is not None and not begun:  # it speaks of what the record does not hold
            await saver.adelete_thread(record.run)
        agent.store.runs.start(record)
        recorder.emit(
            "resumed", data={"after": len(past.events), "from": "checkpoint" if begun else "record"}
        )
        if begun:
            for one in corrections:
                recorder.correct(one)
        else:
            recorder.pending += corrections
        return await carry_out(agent, context, pause, saver, begun)


def unfinished(store: Store, run: str) -> tuple[RunRecord, Past]:
    """Returns the header and the past of a run that can go on.

    Raises:
        InputFault: it has ended, it is still going on, or its record is damaged.
    """
    record, past = on_record(store, run)
    if record.status in FINISHED:
        raise InputFault(
            "trace.resume.finished",
            f"The run {record.run} has ended ({record.status}); there is nothing to go on with.",
            f"See it: deixis trace show {record.run}. Change it: deixis trace fork {record.run} --step N ...",
        )
    if store.runs.is_held(record.run):
        raise InputFault(
            "trace.run.busy", f"The run {record.run} is going on in another process.", "Wait for its end."
        )
    return record.model_copy(update={"status": "running", "error": None}), past


def on_record(store: Store, run: str) -> tuple[RunRecord, Past]:
    """Returns header and past of a run; a damaged header is made again from the events.

    Raises:
        InputFault: there is no such run, or its events are damaged.
    """
    from deixis.graphs.past import Past

    found = store.runs.find(run)
    past = Past(store.runs.events(found), found)
    record = store.runs.record(found)
    if record.error is not None and record.error.get("code") == "trace.record.damaged":
        told = past.data("run_started", None) or {}
        facts = {"question": told.get("question", ""), "profile": told.get("profile", "")}
        record = record.model_copy(update={**facts, "graph": past.setup["graph"], "status": "failed"})
    return record, past


def kept_corrections(past: Past) -> list[Correction]:
    """Returns the corrections that are on record."""
    from deixis.graphs.corrections import Correction

    return [Correction.model_validate(event.data["correction"]) for event in past.corrections]


def check_corrections(past: Past, corrections: Sequence[Correction]) -> None:
    """Passes where all corrections can be made.

    Raises:
        InputFault: one cannot.
    """
    from deixis.graphs.corrections import corrected
    from deixis.graphs.recorder import Recorder

    if not corrections:
        return
    header = RunRecord(run="-", question="", profile="", graph="", started="", status="running")
    copy = Recorder(_Nowhere(), header, past=past)
    copy.restore()
    for one in corrections:
        if one.step_index > past.last_step + 1:
            raise no_step(one.step_index, past)
        if one.text is None:
            changed = corrected(one, copy.actions, copy.observations)
            copy.observations[changed.call] = changed
        elif past.setup["graph"] == "pipeline":
            raise InputFault(
                "trace.correction.words",
                "The words of the pipeline's steps come from its rules.",
                "Correct what a tool gave; or ask with --graph stepwise, whose words can be corrected.",
            )


def no_step(step: int, past: Past) -> InputFault:
    """Returns the fault of a step that a run does not have."""
    return InputFault(
        "trace.step.unknown",
        f"The run has no step {step}.",
        f"Its steps are 0 to {past.last_step}." if past.last_step >= 0 else "It ended before its first step.",
    )


class _Nowhere:
    def start(self, record: RunRecord) -> None: ...
    def append(self, event: Event) -> None: ...
    def finish(self, record: RunRecord, answer: GroundedAnswer | None) -> None: ...


def _sources(past: Past, kind: str, given: Any) -> list[Any]:
    from deixis.agent.agent import _many

    if given is not None:
        return _many(given, pair_is_one=kind == "audio")
    told: list[str | None] = past.setup.get("sources", {}).get(kind, [])
    if any(path is None for path in told):
        raise InputFault(
            "trace.resume.media",
            f"The run ended before it took in its {kind}, which was no file.",
            f"Give it again: --{kind} FILE, or {kind}=... in Python.",
        )
    return list(told)


async def _newest(saver: Any, config: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the state of the newest checkpoint; None where there is none.

    Raises:
        InputFault: it cannot be read.
    """
    from deixis.graphs.checkpoints import damaged

    try:
        found = await saver.aget_tuple(config)
    except DeixisError:
        raise
    except Exception as error:
        raise damaged("the database", error) from error
    return dict(found.checkpoint["channel_values"]) if found is not None else None


def _fits(record: RunRecord, state: dict[str, Any], past: Past) -> bool:
    """Returns whether the record holds all that the checkpoint speaks of.

    A record that lost its end (a disk that failed) does not; then the run goes on from the record.
    """
    calls = {str(call) for call in state.get("calls", {}).values()}
    known = {key[1] for key in past.by_key if key[0] == "observation"}
    asked = {f"{number}" for number in range(int(state.get("asked", 0)))}
    replies = {key[1] for key in past.by_key if key[0] == "planned"}
    media = bool(state.get("images") or state.get("audios"))
    return calls <= known and asked <= replies and (not media or past.data("ingested", None) is not None)

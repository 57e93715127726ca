"""Carrying a run out: its graph with its checkpoints, to an answer, a pause, or a failure on record."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.answer import GroundedAnswer
from deixis.errors import DeixisError, RunStopped, ToolFault
from deixis.media.refs import AudioRef, ImageRef

if TYPE_CHECKING:
    from deixis.agent.agent import Agent
    from deixis.graphs.context import RunContext, Settings
    from deixis.graphs.pausing import Pause


def setup_of(agent: Agent, context: RunContext) -> dict[str, Any]:
    """Returns what it takes to go on with a run, or to replay it, as JSON."""
    settings: dict[str, Any] = {**vars(context.settings)}
    settings["budget"] = context.settings.budget.model_dump(mode="json")
    return {
        "graph": context.recorder.record.graph,
        "tools": {role: context.toolbox.name(role) for role in context.toolbox.roles()},
        "planner": context.planner.name if context.planner is not None else "rules",
        "settings": settings,
        "made_of": agent.made_of,
        "sources": {"image": _paths(context.images), "audio": _paths(context.audios)},
    }


def settings_of(setup: dict[str, Any]) -> Settings:
    """Returns the limits that a run was begun with."""
    from deixis.graphs.context import Settings
    from deixis.graphs.planning.protocol import Budget

    told = dict(setup.get("settings", {}))
    return Settings(**{**told, "budget": Budget.model_validate(told.get("budget", {}))})


def _paths(sources: Any) -> list[str | None]:
    """Returns the files that sources are, absolute; None for what only this process has."""
    from deixis.media.fetch import is_address

    rows: list[str | None] = []
    for source in sources:
        local = isinstance(source, str | Path) and not (isinstance(source, str) and is_address(source))
        rows.append(str(Path(source).absolute()).encode("utf-8", "replace").decode() if local else None)
    return rows


def saver_of(agent: Agent) -> Any:
    """Returns the context in which the agent's checkpoints can be written."""
    from deixis.graphs.checkpoints import saver_at

    return saver_at(agent.checkpoints or agent.store.root / "checkpoints.sqlite")


def config_of(run: str, settings: Settings) -> dict[str, Any]:
    """Returns LangGraph's configuration of a run; its limit of rounds is far above the budget of steps."""
    rounds = 40 + 2 * (settings.budget.steps + 2) * (settings.patience + 1)
    return {"configurable": {"thread_id": run}, "recursion_limit": rounds}


async def carry_out(
    agent: Agent, context: RunContext, pause: Pause | None = None, saver: Any = None, begun: bool = False
) -> GroundedAnswer:
    """Returns the answer of a run whose beginning is on record.

    Args:
        agent: whose graph and checkpoints are used.
        context: of the run.
        pause: where it is to wait.
        saver: an open saver; None opens the agent's own.
        begun: the saver holds checkpoints of the run, and it goes on from the newest.

    Raises:
        RunStopped: it waits for a person.
        DeixisError: it failed; that is on record.
    """
    recorder = context.recorder
    run = recorder.record.run
    try:
        if saver is not None:
            answer = await _through(agent, context, pause, saver, begun)
        else:
            async with saver_of(agent) as opened:
                answer = await _through(agent, context, pause, opened, begun)
    except RunStopped as stop:
        stop.details["run"] = run
        recorder.finish("paused", None)
        raise
    except DeixisError as error:
        error.details["run"] = run
        recorder.finish("failed", None, error)
        raise
    except (Exception, asyncio.CancelledError, KeyboardInterrupt) as error:
        fault = DeixisError("run.failed", f"The run failed: {type(error).__name__}: {error}", run=run)
        recorder.finish("failed", None, fault)
        raise
    answer = answer.model_copy(update={"seconds": recorder.answered_s})
    recorder.finish(answer.status, answer)
    return answer


async def _through(
    agent: Agent, context: RunContext, pause: Pause | None, saver: Any, begun: bool
) -> GroundedAnswer:
    record = context.recorder.record
    graph = agent.compiled(record.graph).copy({"checkpointer": saver})
    config = config_of(record.run, context.settings)
    given: Any = None if begun else {"run": record.run, "question": record.question}
    options: dict[str, Any] = {"interrupt_before": list(graph.nodes)} if pause is not None else {}
    while True:
        values = await graph.ainvoke(given, config, context=context, durability="sync", **options)
        if pause is None:
            break
        state = await graph.aget_state(config)
        if not state.next:
            break
        if pause.here(record.graph, state.next, state.values, context.recorder):
            raise _paused(context, pause)
        given = None
    if context.answer is None and (values or {}).get("answer"):  # it had been made before the process ended
        context.answer = with_masks(context, GroundedAnswer.model_validate(values["answer"]))
    if context.answer is None:
        raise ToolFault("run.no_answer", "The graph ended without an answer.")
    return context.answer


def _paused(context: RunContext, pause: Pause) -> RunStopped:
    run = context.recorder.record.run
    context.recorder.emit("paused", data={"before": pause.before})
    return RunStopped(
        "run.paused",
        f"The run {run} waits before {pause.before}.",
        f"Look: deixis trace show {run}. Correct and go on: deixis trace resume {run} --remove 1.1#2",
    )


def with_masks(context: RunContext, answer: GroundedAnswer) -> GroundedAnswer:
    """Returns an answer of the state with its masks, which only the record holds."""
    from deixis.tools.segmentation.protocol import SegmentRequest, SegmentResult

    made: dict[Any, Any] = {}
    for action in context.recorder.actions.values():
        seen = context.recorder.observations.get(action.call)
        if action.role == "segmentation" and seen is not None and seen.output is not None:
            request = SegmentRequest.model_validate(action.input)
            masks = SegmentResult.model_validate(seen.output).masks
            made |= {(request.image.digest, b): one for b, one in zip(request.boxes, masks, strict=False)}
    entities = []
    for entity in answer.entities:
        regions = tuple(
            region.model_copy(update={"mask": made[region.media, region.box].mask})
            if region.mask_score is not None and (region.media, region.box) in made
            else region
            for region in entity.regions
        )
        entities.append(entity.model_copy(update={"regions": regions}))
    return answer.model_copy(update={"entities": tuple(entities)})


def refs_only(sources: Any) -> bool:
    """Returns whether all sources are media that the store holds already."""
    return all(isinstance(source, ImageRef | AudioRef) for source in sources)

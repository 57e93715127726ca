"""``deixis trace resume | fork | replay``: runs that go on, and runs made again from their record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from deixis.cli.output import print_json
from deixis.cli.trace_corrections import ADD, BOX, LABEL, REMOVE, TEXT, TIMES, corrections

if TYPE_CHECKING:
    from deixis.agent.agent import Agent
    from deixis.answer import GroundedAnswer

RUN = typer.Argument(help="A run's id, or the beginning of it.")
HOME = typer.Option("", "--home", help="Folder of the store [DEIXIS_HOME].")
JSON = typer.Option(False, "--json", help="Print JSON.")
PAUSE = typer.Option("", "--pause-before", help="Wait before a step (its number or kind) or a tool.")
PROFILE = typer.Option("", "--profile", "-p", help="Another profile than the run's.")
PLANNER = typer.Option("", "--planner", help="Another planner than the run's.")


def resume(
    run: str = RUN,
    box: list[str] = BOX,
    times: list[str] = TIMES,
    remove: list[str] = REMOVE,
    label: list[str] = LABEL,
    add: list[str] = ADD,
    text: list[str] = TEXT,
    image: list[str] = typer.Option([], "--image", "-i", help="The picture again, if it was no file."),
    audio: list[str] = typer.Option([], "--audio", "-a", help="The sound again, if it was no file."),
    pause_before: str = PAUSE,
    profile: str = PROFILE,
    planner: str = PLANNER,
    home: str = HOME,
    as_json: bool = JSON,
) -> None:
    """Go on with a run that was killed, failed or paused, corrected or as it is."""
    changes = corrections(box, times, remove, label, add, text)
    agent = agent_of(run, home, profile, planner)
    answer = agent.resume(
        run,
        corrections=changes,
        image=list(image) or None,
        audio=list(audio) or None,
        pause_before=pause_before or None,
    )
    _tell(agent, answer, as_json)


def fork(
    run: str = RUN,
    step: int | None = typer.Option(
        None, "--step", min=0, help="The last step to take over [the corrected]."
    ),
    box: list[str] = BOX,
    times: list[str] = TIMES,
    remove: list[str] = REMOVE,
    label: list[str] = LABEL,
    add: list[str] = ADD,
    text: list[str] = TEXT,
    pause_before: str = PAUSE,
    profile: str = PROFILE,
    planner: str = PLANNER,
    home: str = HOME,
    as_json: bool = JSON,
) -> None:
    """Begin a new run with the first steps of another one, corrected, and go on from there."""
    changes = corrections(box, times, remove, label, add, text)
    agent = agent_of(run, home, profile, planner)
    answer = agent.fork(run, step=step, corrections=changes, pause_before=pause_before or None)
    _tell(agent, answer, as_json)
    if not as_json:
        record = agent.store.runs.record(answer.run)
        typer.echo(f"Run {answer.run}, forked from {record.parent} after step {record.parent_step}.")


def replay(run: str = RUN, home: str = HOME, as_json: bool = JSON) -> None:
    """Rebuild a run from its record, without any model or tool; exit code 1 where a byte differs."""
    import asyncio

    from deixis.agent.traces.replaying import replay as again
    from deixis.store import Store

    done = asyncio.run(again(Store(Path(home) if home else None), run))
    if as_json:
        found = done.difference
        told = {"place": found.place, "recorded": found.recorded, "made": found.made} if found else None
        facts = {"run": done.run, "status": done.status, "steps": done.steps, "events": done.events}
        print_json({**facts, "seconds": done.seconds, "same": done.same, "difference": told})
    elif done.same:
        typer.echo(f"Run {done.run}: {done.steps} steps, {done.events} events, byte for byte the same.")
    else:
        found = done.difference
        typer.echo(f"Run {done.run} differs first at {found.place if found else ''}.")
        typer.echo(f"  on record  {found.recorded if found else ''}")
        typer.echo(f"  made now   {found.made if found else ''}")
    if not done.same:
        raise typer.Exit(1)


def agent_of(run: str, home: str, profile: str = "", planner: str = "") -> Agent:
    """Returns an agent like the one that began a run; what is named replaces its parts.

    Raises:
        InputFault: there is no such run, or it was made of objects that only its process had.
    """
    from deixis.agent.agent import Agent
    from deixis.agent.traces.resuming import on_record
    from deixis.errors import InputFault
    from deixis.store import Store

    store = Store(Path(home) if home else None)
    record, past = on_record(store, run)
    made: dict[str, Any] = past.setup.get("made_of", {})
    if not profile and "profile" not in made:
        raise InputFault(
            "trace.resume.profile",
            f"The profile of the run {record.run} was made in Python, and is known only there.",
            "Name one: --profile light; or go on in Python: agent.resume(run).",
        )
    told = made.get("planner")
    return Agent(
        profile or made["profile"],
        home=home or None,
        tools=made.get("tools"),
        tool_timeout_s=made.get("tool_timeout_s", 60.0),
        graph=past.setup["graph"],
        planner=planner or (tuple(told) if told else None),
        budget=made.get("budget"),
    )


def _tell(agent: Agent, answer: GroundedAnswer, as_json: bool) -> None:
    if as_json:
        typer.echo(answer.model_dump_json(indent=2))
        return
    from deixis.cli.ask import show

    show(agent, answer, trace=True)

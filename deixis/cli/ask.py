"""``deixis ask``: a question about pictures and sounds, answered in the terminal or in a folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from deixis.agent.agent import Agent
    from deixis.agent.conversation import Conversation
    from deixis.answer import GroundedAnswer
    from deixis.trace import Event

app = typer.Typer(help="Ask a question about a picture, a sound, or both.")


@app.command()
def ask(
    question: str = typer.Argument("", help="The question, in English; without it: describe."),
    image: list[str] = typer.Option([], "--image", "-i", help="A picture: path or address. Repeatable."),
    audio: list[str] = typer.Option([], "--audio", "-a", help="A sound: path or address. Repeatable."),
    out: str = typer.Option("", "--out", "-o", help="Folder for the page, pictures, COCO JSON and answer."),
    profile: str = typer.Option(
        "auto", "--profile", "-p", help="auto, light, pocket, sketch, or a .toml file."
    ),
    tool: list[str] = typer.Option([], "--tool", help="ROLE=NAME, e.g. detection=detection/yolox-nano."),
    graph: str = typer.Option("", "--graph", help="pipeline or stepwise [the profile's]."),
    planner: str = typer.Option(
        "", "--planner", help="Who decides the steps of stepwise: rules, pocket, openai, hf."
    ),
    planner_option: list[str] = typer.Option([], "--planner-option", help="KEY=VALUE for the planner."),
    budget: list[str] = typer.Option([], "--budget", help="steps=, calls=, seconds= or tokens=NUMBER."),
    conversation: str = typer.Option(
        "",
        "--conversation",
        "-c",
        help="Ask as the next turn of this conversation; a new one where there is none.",
    ),
    pause_before: str = typer.Option(
        "", "--pause-before", help="Wait for a person before a step (its number or kind) or a tool."
    ),
    trace: bool = typer.Option(False, "--trace", "-t", help="Show the steps while they happen."),
    as_json: bool = typer.Option(False, "--json", help="Print the answer as JSON."),
    timeout: float = typer.Option(60.0, "--timeout", min=0.01, help="Seconds for one tool call."),
    allow_network: bool = typer.Option(False, "--allow-network", help="Let media be fetched by address."),
    home: str = typer.Option("", "--home", help="Folder of the store [DEIXIS_HOME]."),
) -> None:
    """Answer a question and point at what the answer says.

    The answer's phrases are numbered and coloured; --out writes a page to click on, an overlay, one tile
    per thing, answer.json and coco.json. What is not there is said to be not there.
    """
    from deixis.agent.agent import Agent

    agent = Agent(
        profile,
        home=home or None,
        tools=chosen_tools(tool),
        tool_timeout_s=timeout,
        graph=graph or None,
        planner=chosen_planner(planner, planner_option),
        budget=chosen_budget(budget),
        allow_network=allow_network,
    )
    asked = agent.conversation(conversation) if conversation else agent
    if pause_before and conversation:
        raise typer.BadParameter("turns of a conversation do not pause", param_hint="--pause-before")
    answer = answered(asked, question, image, audio, quiet=as_json, steps=trace, pause_before=pause_before)
    files = [str(path) for path in answer.save(out, store=agent.store)] if out else []
    if as_json:
        typer.echo(answer.model_dump_json(indent=2))
        return
    show(agent, answer, trace=trace)
    if files:
        typer.echo(f"Written to {out}: {', '.join(path.removeprefix(out).lstrip('/') for path in files)}")


def chosen_tools(pairs: list[str]) -> dict[str, str]:
    """Returns ROLE=NAME options as a mapping.

    Raises:
        typer.BadParameter: an option has no ``=``.
    """
    return _pairs(pairs, "--tool", "ROLE=NAME")


def chosen_planner(name: str, options: list[str]) -> tuple[str, dict[str, Any]] | None:
    """Returns the planner's name and its options, numbers and truth values read as such; None for no name.

    Raises:
        typer.BadParameter: an option has no ``=``, or there is no planner that it is for.
    """
    read = {key: _value(text) for key, text in _pairs(options, "--planner-option", "KEY=VALUE").items()}
    if not name and read:
        raise typer.BadParameter("name the planner, too: --planner", param_hint="--planner-option")
    return (name, read) if name else None


def chosen_budget(pairs: list[str]) -> dict[str, float]:
    """Returns a budget of KEY=NUMBER options.

    Raises:
        typer.BadParameter: one is not KEY=NUMBER.
    """
    chosen = {key: _value(text) for key, text in _pairs(pairs, "--budget", "KEY=NUMBER").items()}
    for key, value in chosen.items():
        if isinstance(value, (str, bool)):
            raise typer.BadParameter(f"{key}={value} is not KEY=NUMBER", param_hint="--budget")
    return chosen


def _value(text: str) -> Any:
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _pairs(pairs: list[str], option: str, form: str) -> dict[str, str]:
    chosen = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"{pair!r} is not {form}", param_hint=option)
        chosen[key.strip()] = value.strip()
    return chosen


def answered(
    agent: Agent | Conversation,
    question: str,
    image: list[str],
    audio: list[str],
    *,
    quiet: bool,
    steps: bool,
    pause_before: str = "",
) -> GroundedAnswer:
    """Returns the answer, with a line of progress on a terminal, or the steps as they end."""
    options: dict[str, Any] = {"pause_before": pause_before} if pause_before else {}
    with progress(quiet=quiet and not steps, steps=steps) as tell:
        options |= {"image": list(image) or None, "audio": list(audio) or None, "on_event": tell}
        return agent.ask(question, **options)


@contextmanager
def progress(*, quiet: bool, steps: bool) -> Iterator[Callable[[Event], None] | None]:
    """Yields what tells the person at the terminal how a run gets on; None where nobody is to be told."""
    if quiet or not (steps or sys.stderr.isatty()):
        yield None
        return
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    if steps:

        def tell(event: Event) -> None:
            if event.type == "step_ended":
                words = str(event.data.get("text", ""))
                seconds = float(event.data.get("seconds", 0.0))
                console.print(f"{event.step:>2}  {seconds:5.2f} s  {escape(words)}", highlight=False)

        yield tell
        return
    with console.status("Starting …") as status:

        def update(event: Event) -> None:
            if event.type == "step_started":
                status.update(escape(str(event.data.get("text", ""))))

        yield update


def show(agent: Agent, answer: GroundedAnswer, *, trace: bool) -> None:
    """Prints the answer, its entities and, with `trace`, its steps."""
    from rich.console import Console

    from deixis.agent.render import terminal

    if agent.profile.why:
        typer.echo(f"Profile {agent.profile.name}: {agent.profile.why}.", err=True)
    steps = agent.trace(answer.run) if trace else None
    terminal.show(answer, Console(), trace=steps)

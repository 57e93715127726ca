"""``deixis chat``: several questions about the same media, in which 'it' means what was named before."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from deixis.agent.agent import Agent
    from deixis.agent.conversation import Conversation

app = typer.Typer(help="Ask several questions about the same media, one after another.")

HELP = """Type a question and press Enter. Speak of what was named before as it, as the other one, or as #2.
  /add FILE...      more pictures or sounds        /replace FILE...  instead of those of their kind
  /media            what there is to ask about     /turns            what was asked and answered
  /steps            show or hide the steps         /save FOLDER      a page with all turns
  /help             these lines                    /quit             leave (also Ctrl-D)
"""


@app.command()
def chat(
    media: list[str] = typer.Argument(None, help="Pictures and sounds: paths or addresses, told by content."),
    name: str = typer.Option("", "--name", "-n", help="Go on with this conversation, or begin it."),
    resume: bool = typer.Option(False, "--resume", "-r", help="Go on with the latest, or with --name only."),
    listing: bool = typer.Option(
        False, "--list", help="List the conversations, the latest first, and leave."
    ),
    remove: bool = typer.Option(False, "--rm", help="Delete the conversation --name; its runs stay."),
    out: str = typer.Option("", "--out", "-o", help="Folder for a page with all turns, written at the end."),
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
    trace: bool = typer.Option(False, "--trace", "-t", help="Show the steps while they happen."),
    as_json: bool = typer.Option(False, "--json", help="Print each answer as one line of JSON."),
    timeout: float = typer.Option(60.0, "--timeout", min=0.01, help="Seconds for one tool call."),
    allow_network: bool = typer.Option(False, "--allow-network", help="Let media be fetched by address."),
    home: str = typer.Option("", "--home", help="Folder of the store [DEIXIS_HOME]."),
) -> None:
    """Hold a conversation about pictures and sounds; things keep their numbers and colours in all turns.

    Questions are read from the terminal, or one a line from a pipe. Every turn is kept as it is answered:
    go on any time, in another process too, with --name or --resume. /help lists what else can be typed.
    """
    if listing or remove:
        _list_or_remove(name, remove, home, as_json)
        return
    from deixis.agent.agent import Agent
    from deixis.cli.ask import chosen_budget, chosen_planner, chosen_tools

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
    log = agent.store.conversations
    if resume and not name:
        name = next(iter(log.names()), "")
    if resume and not (name and log.has(name)):
        raise log.unknown(name or "latest")
    Session(agent, agent.conversation(name), as_json=as_json, steps=trace).run(media or [], out)


def _list_or_remove(name: str, remove: bool, home: str, as_json: bool) -> None:
    from pathlib import Path

    from deixis.cli.output import print_json, print_table
    from deixis.store import Store

    log = Store(Path(home) if home else None).conversations
    if remove:
        if not name:
            raise typer.BadParameter("say which one: --name NAME", param_hint="--rm")
        log.remove(name)
        typer.echo(f"Removed the conversation {name}; its runs are still in: deixis trace list")
        return
    rows = [(one, log.turns(one)) for one in log.names()]
    if as_json:
        print_json([{"name": one, "turns": len(turns)} for one, turns in rows])
        return
    if not rows:
        typer.echo("No conversations yet. Try: deixis chat photo.jpg")
        return
    lines = [
        [
            one,
            str(len(turns)),
            turns[-1].asked[:16] if turns else "",
            turns[-1].answer.question if turns else "",
        ]
        for one, turns in rows
    ]
    print_table("conversations", ["name", "turns", "last (UTC)", "last question"], lines)


class Session:
    """One sitting of a conversation at a terminal or a pipe."""

    def __init__(self, agent: Agent, talk: Conversation, *, as_json: bool, steps: bool) -> None:
        self.agent, self.talk = agent, talk
        self._as_json, self._steps = as_json, steps
        self._tty = sys.stdin.isatty()
        self._new: dict[str, list[Any]] = {"image": [], "audio": []}
        self._replace = False

    def run(self, media: list[str], out: str) -> None:
        """Asks and answers until the input ends."""
        self._take(media, replace=False)
        self._greet()
        failed: BaseException | None = None
        while (line := self._line()) is not None:
            try:
                if self._does(line):
                    break
            except Exception as error:
                if not self._tty:
                    failed = error
                    break
                self._tell(error)
        if out and self.talk.turns:
            self.save(out)
        if self.talk.turns:
            typer.echo(f"Go on with: deixis chat --name {self.talk.name}", err=True)
        if failed is not None:
            raise failed

    def _greet(self) -> None:
        from deixis.agent.render.plain import plain

        turns = len(self.talk.turns)
        state = f"goes on after {turns} turn{'s' if turns != 1 else ''}" if turns else "begins"
        typer.echo(f"Conversation {self.talk.name} {state}; profile {self.agent.profile.name}.", err=True)
        if self._tty:
            names = [plain(ref.name) or ref.kind for ref in self._refs()]
            typer.echo(f"About: {', '.join(names) or 'nothing yet (/add FILE)'}. /help for more.", err=True)

    def _line(self) -> str | None:
        """Returns the next line; None at the end of the input."""
        try:
            return input("> ") if self._tty else input()
        except EOFError:
            return None

    def _does(self, line: str) -> bool:
        """Does what a line says, and returns whether it ends the sitting."""
        if line.startswith("/"):
            return self._command(line)
        if line.strip() or not self.talk.turns:
            self._ask(line)
        return False

    def _ask(self, question: str) -> None:
        from rich.console import Console

        from deixis.agent.render import terminal
        from deixis.agent.render.plain import plain
        from deixis.cli.ask import progress

        given: dict[str, Any] = {**self._new, "replace": self._replace}
        with progress(quiet=self._as_json and not self._steps, steps=self._steps) as tell:
            answer = self.talk.ask(question, **given, on_event=tell)
        self._new, self._replace = {"image": [], "audio": []}, False
        if self._as_json:
            typer.echo(answer.model_dump_json())
            return
        if answer.read:
            typer.echo(f"({plain(answer.read)})")
        terminal.show(answer, Console())
        typer.echo()

    def _command(self, line: str) -> bool:
        word, _, rest = line.partition(" ")
        files = shlex.split(rest)
        if word in ("/quit", "/exit", "/q"):
            return True
        if word in ("/add", "/replace"):
            if not files:
                raise typer.BadParameter("name a file", param_hint=word)
            self._take(files, replace=word == "/replace")
        elif word == "/media":
            for ref in self._refs():
                typer.echo(f"{ref.kind}: {ref.name or ref.digest}")
        elif word == "/turns":
            for turn in self.talk.turns:
                typer.echo(f"{turn.number}. {turn.answer.question or '(describe)'}\n   {turn.answer.text}")
        elif word == "/steps":
            self._steps = not self._steps
            typer.echo(f"Steps are {'shown' if self._steps else 'hidden'}.", err=True)
        elif word == "/save":
            self.save(rest.strip() or "conversation")
        elif word == "/help":
            typer.echo(HELP, err=True)
        else:
            raise typer.BadParameter(f"{word} is nothing that can be typed here: /help", param_hint="command")
        return False

    def save(self, folder: str) -> None:
        """Writes the page of the conversation."""
        self.talk.save(folder)
        typer.echo(f"Written to {folder}: index.html, conversation.json", err=True)

    def _refs(self) -> list[Any]:
        """Returns the media of the next turn."""
        given = [*self._new["image"], *self._new["audio"]]
        before: list[Any] = [*self.talk.images, *self.talk.audios]
        if self._replace:
            before = [ref for ref in before if ref.kind not in {one.kind for one in given}]
        return list({ref.digest: ref for ref in (*before, *given)}.values())

    def _take(self, files: list[str], *, replace: bool) -> None:
        """Takes media in for the next turn; what they are, their content tells."""
        from deixis.errors import InputFault

        refs = [self.agent.store.add(file) for file in files]
        for ref in refs:
            if ref.kind == "video":
                raise InputFault(
                    "conversation.film",
                    f"{ref.name} is a film.",
                    "Give a picture or its sound track instead.",
                )
        for ref in refs:
            self._new[ref.kind].append(ref)
        self._replace = self._replace or (replace and bool(refs))

    def _tell(self, error: Exception) -> None:
        """Says on the terminal what went wrong; the conversation goes on."""
        from deixis.cli.failure import report

        report(error, as_json=False, debug=False)

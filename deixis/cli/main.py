"""The program `deixis`: knows its commands by name, loads one of them, and reports every error in a line.

A command is a module below `deixis.cli` with a typer app called `app`. An app with one command and no
callback becomes ``deixis NAME``; any other becomes the group ``deixis NAME SUBCOMMAND``. A command raises
`DeixisError` (or `typer.Exit` with a code) and prints its results; errors, exit codes, ``--debug`` and
Ctrl-C are handled here, once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

import typer

from deixis import __version__
from deixis.cli.failure import EXIT_CODES, report

COMMANDS: dict[str, str] = {
    "ask": "Ask a question about a picture, a sound, or both.",
    "chat": "Ask several questions about the same media, one after another.",
    "batch": "Answer the questions of a manifest, resumable.",
    "demo": "Run the main job on the bundled examples.",
    "trace": "Look at stored runs; resume, replay, fork, compare, export them.",
    "models": "List, fetch and verify weight files.",
    "tools": "List, try and serve the tools that a run can call.",
    "mcp": "Offer ask, tag, ground, segment, hear and match to MCP clients.",
    "doctor": "Check this installation, and say how to mend it.",
    "eval": "Measure how good it is on a folder of data.",
    "schemas": "Show or write the JSON schemas of answers, traces and tools.",
    "train": "Train the small networks that this project ships.",
    "scout": "Make, check, count, render and look at SCOUT traces.",
    "twin": "Twin experts of language models: certify, show, bench.",
    "world": "Look at the illustrated world, and write data sets of it.",
}

EPILOGUE = (
    "Exit codes: 0 fine, 2 the input or the command line, 3 a tool, 4 the planner, 5 stopped by a budget, "
    "130 Ctrl-C, 1 anything else. --debug, anywhere, shows the traceback."
)


def _stub() -> None:
    """A command that is listed, not loaded."""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"deixis {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version and leave."
    ),
) -> None:
    """deixis answers questions about pictures and sounds, and points at what it says."""


def available() -> dict[str, str]:
    """Returns the commands whose module is part of this installation, with a line about each."""
    return {name: line for name, line in COMMANDS.items() if find_spec(f"deixis.cli.{name}")}


def application(chosen: str | None) -> typer.Typer:
    """Returns the typer app with all commands listed and only `chosen` loaded."""
    app = typer.Typer(
        name="deixis",
        callback=_root,
        epilog=EPILOGUE,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, line in available().items():
        if name != chosen:
            app.command(name, help=line)(_stub)
            continue
        part: typer.Typer = import_module(f"deixis.cli.{name}").app
        single = len(part.registered_commands) == 1 and not part.registered_groups
        info = part.registered_commands[0] if single and part.registered_callback is None else None
        if info is not None and info.callback is not None:
            app.command(name, help=info.help, context_settings=info.context_settings)(info.callback)
        else:
            app.add_typer(part, name=name, help=line, no_args_is_help=True)
    return app


def run(arguments: Sequence[str]) -> int:
    """Returns the exit code of one call of the program; nothing escapes but SystemExit.

    ``--debug`` is taken out wherever it stands before a ``--``.
    """
    words = list(arguments)
    end = words.index("--") if "--" in words else len(words)
    debug = "--debug" in words[:end]
    words = [word for word in words[:end] if word != "--debug"] + words[end:]
    chosen = next((word for word in words if not word.startswith("-")), None)
    # `eval --json FILE` names a file; everywhere else the flag asks for JSON on standard output.
    as_json = "--json" in words[:end] and chosen != "eval"
    try:
        code = application(chosen)(args=words, prog_name="deixis", standalone_mode=False)
    except BaseException as error:
        if isinstance(error, SystemExit):
            if not isinstance(error.__context__, BrokenPipeError):
                raise
            error = error.__context__  # typer has made an exit of it
        return report(error, as_json=as_json, debug=debug)
    if code == EXIT_CODES["interrupted"]:  # typer has made an exit code of Ctrl-C
        return report(KeyboardInterrupt(), as_json=as_json, debug=debug)
    return code if isinstance(code, int) else EXIT_CODES["fine"]


def main() -> None:
    """Runs the program on this process's arguments and ends the process with its exit code."""
    sys.exit(run(sys.argv[1:]))

"""How an error reaches the person at the terminal: one line with its code and its cure, and an exit code."""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

import typer

from deixis.errors import DeixisError

EXIT_CODES = {
    "fine": 0,
    "error": 1,
    "input": 2,
    "tool": 3,
    "planner": 4,
    "stopped": 5,
    "interrupted": 130,
    "pipe": 141,
}
"""Exit code by error family; 130 and 141 are what a shell reports for SIGINT and SIGPIPE."""


def _facts(error: BaseException) -> dict[str, Any]:
    """Returns family, code, message, cure and details of any error."""
    if isinstance(error, DeixisError):
        return error.as_dict()
    if hasattr(error, "format_message"):  # typer's usage errors; their class is not public in every version
        message = " ".join(str(error.format_message()).split())
        context = getattr(error, "ctx", None)
        command = getattr(context, "command_path", "deixis")
        cure = f"See: {command} --help"
        return {"family": "input", "code": "cli.usage", "message": message, "cure": cure, "details": {}}
    if isinstance(error, PermissionError):
        where = error.filename or "a file"
        message, cure = f"No permission for {where}.", "Choose another place, or change its permissions."
        return {
            "family": "input",
            "code": "input.permission",
            "message": message,
            "cure": cure,
            "details": {},
        }
    message = f"{type(error).__name__}: {error}".rstrip(": ")
    return {
        "family": "error",
        "code": "unexpected",
        "message": " ".join(message.split()),
        "cure": "This is a defect of deixis; --debug shows the traceback.",
        "details": {},
    }


def report(error: BaseException, *, as_json: bool, debug: bool) -> int:
    """Returns the exit code for `error`, after a line on standard error.

    With `as_json` the error is also printed to standard output as ``{"error": {...}}``; with `debug`
    the traceback comes before the line.
    """
    if isinstance(error, KeyboardInterrupt):
        print("deixis: interrupted", file=sys.stderr)
        return EXIT_CODES["interrupted"]
    if isinstance(error, typer.Abort):
        print("deixis: aborted", file=sys.stderr)
        return EXIT_CODES["error"]
    if isinstance(error, BrokenPipeError):
        # The reader has gone; without this Python complains again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_CODES["pipe"]
    if type(error).__name__ == "NoArgsIsHelpError":  # a group without a subcommand: its help is the message
        print(error.format_message(), file=sys.stderr)  # type: ignore[attr-defined]
        return EXIT_CODES["input"]
    if debug:
        traceback.print_exception(error)
    facts = _facts(error)
    line = f"deixis: {facts['message']} [{facts['code']}]"
    print(f"{line} {facts['cure']}".rstrip(), file=sys.stderr)
    if as_json:
        print(json.dumps({"error": facts}, ensure_ascii=False))
    return EXIT_CODES.get(facts["family"], EXIT_CODES["error"])

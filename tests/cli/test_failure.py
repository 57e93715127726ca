"""Whatever goes wrong, a person gets one line with the code and the cure, and a program an exit code."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from importlib.machinery import ModuleSpec

import pytest
import typer

from deixis.cli import main as program
from deixis.errors import DeixisError, InputFault, MissingExtra, PlannerFault, RunStopped, ToolFault


@pytest.fixture
def failing(monkeypatch):
    """Returns a function that makes `deixis ask` raise an error, runs it, and returns the exit code."""

    def run(error: BaseException, *words: str) -> int:
        app = typer.Typer()

        @app.command()
        def ask(as_json: bool = typer.Option(False, "--json")) -> None:
            """Fails."""
            raise error

        module = type(sys)("deixis.cli.ask")
        module.app, module.__spec__ = app, ModuleSpec("deixis.cli.ask", None)
        monkeypatch.setitem(sys.modules, "deixis.cli.ask", module)
        return program.run(["ask", *words])

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputFault("input.x", "Bad.", "Do better."), 2),
        (MissingExtra("video", "av", "Reading films"), 2),
        (ToolFault("tool.x", "Bad.", "Do better."), 3),
        (PlannerFault("planner.x", "Bad.", "Do better."), 4),
        (RunStopped("stopped.x", "Bad.", "Do better."), 5),
        (DeixisError("x", "Bad.", "Do better."), 1),
        (ValueError("surprise\nin two lines"), 1),
        (PermissionError(13, "Permission denied", "/etc/shadow"), 2),
        (KeyboardInterrupt(), 130),
        (typer.Exit(7), 7),
    ],
)
def test_exit_code_and_a_single_line(failing, capsys, error, code):
    assert failing(error) == code
    out, err = capsys.readouterr()
    assert out == "" and "Traceback" not in err
    if not isinstance(error, typer.Exit):
        assert len(err.strip().splitlines()) == 1 and err.startswith("deixis: ")
    if isinstance(error, DeixisError):
        assert f"[{error.code}]" in err and error.cure in err and error.message in err


def test_json_prints_the_error_too(failing, capsys):
    assert failing(ToolFault("tool.x", "Bad.", "Do better.", path="a"), "--json") == 3
    out, err = capsys.readouterr()
    assert json.loads(out)["error"] == {
        "family": "tool",
        "code": "tool.x",
        "message": "Bad.",
        "cure": "Do better.",
        "details": {"path": "a"},
    }
    assert "[tool.x]" in err


@pytest.mark.parametrize("words", [["--debug"], ["--json", "--debug"]])
def test_debug_shows_the_traceback(failing, capsys, words):
    assert failing(ValueError("surprise"), *words) == 1
    assert "Traceback" in capsys.readouterr().err


def test_unexpected_errors_say_how_to_see_more(failing, capsys):
    failing(ZeroDivisionError("division by zero"))
    err = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in err and "--debug" in err


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["--nonsense"],
        ["models", "nonsense"],
        ["models", "list", "--nonsense"],
        ["models", "pull"],
    ],
)
def test_wrong_command_lines(deixis, words):
    done = deixis(*words)
    assert done.returncode == 2 and "[cli.usage]" in done.stderr and "--help" in done.stderr
    assert "Traceback" not in done.stderr


def test_group_without_subcommand_shows_its_help(deixis):
    done = deixis("models")
    assert done.returncode == 2 and "pull" in done.stderr and "[cli" not in done.stderr


def test_reader_that_goes_away():
    words = f"{shlex.quote(sys.executable)} -m deixis models list --json"
    line = f"(sleep 0.3; exec {words}) | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "141" and done.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_interrupt_of_a_real_process():
    code = (
        "import signal, sys, time, typer\n"
        # Whoever runs the tests in the background may have interrupts ignored, and children inherit that.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "app = typer.Typer()\n"
        "@app.command()\n"
        "def ask():\n"
        "    print('here', flush=True); time.sleep(30)\n"
        "from importlib.machinery import ModuleSpec\n"
        "module = type(sys)('deixis.cli.ask')\n"
        "module.app, module.__spec__ = app, ModuleSpec('deixis.cli.ask', None)\n"
        "sys.modules['deixis.cli.ask'] = module\n"
        "from deixis.cli.main import main\n"
        "sys.argv = ['deixis', 'ask']; main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "here\n"
    start = time.perf_counter()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and time.perf_counter() - start < 3
    assert "Traceback" not in err

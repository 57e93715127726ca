"""Starting is quick, loads nothing heavy, and knows its commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deixis import __version__
from deixis.cli.main import COMMANDS, available

HEAVY = (
    "torch",
    "transformers",
    "langgraph",
    "langchain_core",
    "onnxruntime",
    "ai_edge_litert",
    "numpy",
    "PIL",
)


def loaded_by(code: str) -> set[str]:
    """Returns the heavy modules that `code` loads in a fresh process."""
    tail = f"\nimport sys\nprint('LOADED', *(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize(
    "words", [["--help"], [], ["--version"], ["models", "--help"], ["trace", "--help"], ["ask", "--help"],
              ["doctor", "--help"], ["eval", "--help"], ["tools", "--help"]]
)  # fmt: skip
def test_help_loads_nothing_heavy(words):
    assert loaded_by(f"from deixis.cli.main import run\nrun({words!r})") == set()


def test_import_loads_nothing_heavy_and_the_probe_would_notice():
    assert loaded_by("import deixis") == set()
    assert loaded_by("import deixis.geometry") == {"numpy"}


def test_help_takes_less_than_400_ms():
    """Processor time: the wall clock of a busy machine says little, and on an idle one they are the same."""

    def seconds() -> float:
        before = os.times()
        subprocess.run([sys.executable, "-m", "deixis", "--help"], capture_output=True, check=True)
        after = os.times()
        return sum(after[2:4]) - sum(before[2:4])

    assert min(seconds() for _ in range(4)) <= 0.4


def test_version(deixis):
    done = deixis("--version")
    assert (done.returncode, done.stdout) == (0, f"deixis {__version__}\n")


def test_help_lists_every_command_with_its_line_and_the_exit_codes(deixis):
    text = " ".join(deixis("--help").stdout.split())
    assert available(), "some commands must be there"
    for name, line in available().items():
        assert f" {name} " in text and line in text
    assert re.search("2 the input.*3 a tool.*4 the planner.*5 stopped", text)


def test_each_module_of_a_command_has_an_app():
    folder = Path(sys.modules["deixis.cli.main"].__file__ or "").parent
    apps = {
        path.stem
        for path in folder.glob("*.py")
        if re.search(r"^app = typer.Typer\(", path.read_text(), re.M)
    }
    assert apps == set(available()), "a command file is not in COMMANDS, or has no app"
    assert set(available()) <= set(COMMANDS)


@pytest.mark.parametrize("name", sorted(available()))
def test_help_of_every_command(deixis, name):
    done = deixis(name, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: deixis {name}")
    assert done.stderr == ""

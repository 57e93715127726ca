"""``deixis chat`` on a pipe: turns, commands, taking up, errors."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from deixis import examples
from deixis.cli.main import run

SHAPES = str(examples.path("shapes.png"))


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Returns a function that types lines into ``deixis chat WORDS...`` and gives (code, out, err)."""

    def typed(lines: list[str], *words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        code = run(["chat", *words, "--profile", "sketch"])
        out, err = capsys.readouterr()
        return code, out, err

    return typed


def test_holds_a_conversation_and_goes_on_with_it(chat: Any, tmp_path: Path) -> None:
    code, out, err = chat(
        ["Where is the triangle?", "What colour is it?", "/turns"],
        SHAPES,
        "-n",
        "shapes",
        "-o",
        str(tmp_path),
    )
    assert code == 0 and "(What colour is the triangle?)" in out
    assert "2. What colour is it?\n   The triangle is green." in out
    assert "Conversation shapes begins" in err and "deixis chat --name shapes" in err
    assert (tmp_path / "index.html").is_file() and (tmp_path / "conversation.json").is_file()
    code, out, err = chat(["Where is it?"], "--resume", "--json")
    answer = json.loads(out)
    assert code == 0 and "goes on after 2 turns" in err
    assert (answer["turn"], answer["read"]) == (3, "Where is the triangle?")
    assert run(["chat", "--list"]) == 0


def test_media_come_in_by_command_and_are_told_by_content(chat: Any) -> None:
    lines = [
        f"/add {SHAPES}",
        "/media",
        "Where is the triangle?",
        f"/replace {SHAPES}",
        "/media",
        "/quit",
        "no",
    ]
    code, out, _ = chat(lines)
    assert code == 0 and out.count("image: shapes.png") == 2 and "triangle" in out


@pytest.mark.parametrize(
    ("lines", "words", "code", "said"),
    [
        (["/nonsense"], (), 2, "/nonsense is nothing that can be typed here"),
        (["/add nowhere.png"], (), 2, "nowhere.png"),
        ([], ("nowhere.png",), 2, "nowhere.png"),
        ([], ("--name", "a/b"), 2, "conversation.name"),
        ([], ("--resume", "--name", "nope"), 2, "conversation.unknown"),
        ([], ("--rm",), 2, "--name"),
        ([], ("--rm", "--name", "nope"), 2, "conversation.unknown"),
    ],
)
def test_says_what_is_wrong(chat: Any, lines: Any, words: Any, code: int, said: str) -> None:
    got, _, err = chat(lines, *words)
    assert got == code and said in err and "Traceback" not in err


def test_ask_takes_a_turn(capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--profile", "sketch", "--json", "--conversation", "one"]
    assert run(["ask", "Where is the triangle?", "-i", SHAPES, *common]) == 0
    first = json.loads(capsys.readouterr().out)
    assert run(["ask", "What colour is it?", *common]) == 0
    second = json.loads(capsys.readouterr().out)
    assert (second["turn"], second["text"]) == (2, "The triangle is green.")
    assert second["entities"][0]["id"] == first["entities"][0]["id"]

"""The answer in the terminal."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from rich.console import Console

from deixis.agent.render import terminal
from deixis.answer import Mention, NotFound, Problem, Relation
from deixis.geometry import Box
from deixis.trace import Action, Observation, RunRecord, Step, Trace
from tests.agent.render.samples import answer_of, evidence, sound, thing, yard

CODES = re.compile(r"\x1b\[[0-9;]*m")


def shown(answer, *, trace=None, width=100, tty=False, encoding="utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="strict", newline="")
    console = Console(file=file, width=width, force_terminal=tty, color_system="truecolor" if tty else None)
    terminal.show(answer, console, trace=trace)
    file.flush()
    return raw.getvalue().decode(encoding)


def trace_of(*steps: Step) -> Trace:
    record = RunRecord(
        run="run-1",
        question="?",
        profile="light",
        graph="pipeline",
        started="now",
        status="degraded",
        seconds=1.5,
    )
    return Trace(record=record, steps=steps)


def test_everything_an_answer_holds_is_told(store) -> None:
    text = " ".join(shown(yard(store)).split())
    for part in (
        "barking[3]; it comes from the dog[1] beside a ball[2], not a unicorn[4]. 🐕",
        "x 60–260, y 80–400 px",
        "x 520–630, y 300–470 px",
        "0.00–0.40 s",
        "detector 0.90",
        "hearing 0.70",
        "nothing saw or heard it",
        "matched: barking[3] comes from the dog[1] (a dog barks)",
        "not found: unicorn – no tool of this profile knows it",
        "The tagger took longer than 60 s. [tool.timeout] Ask again with --timeout 120.",
        "degraded",
    ):
        assert part in text, part


def test_a_plural_is_followed_by_all_its_numbers(store) -> None:
    image = store.add_image(np.zeros((20, 20, 3), "uint8"))
    pair = [thing(number, "dog", image, Box(x1=0, y1=0, x2=9, y2=9)) for number in (1, 2)]
    both = Mention(start=4, end=8, phrase="dogs", entities=("thing-1", "thing-2"))
    answer = answer_of("Two dogs.", pair, [image]).model_copy(update={"mentions": (both,)})
    assert shown(answer).splitlines()[0].strip() == "Two dogs[1][2]."


def test_plain_without_a_terminal_and_coloured_with_one(store, monkeypatch) -> None:
    answer = yard(store)
    assert "\x1b" not in shown(answer)
    coloured = shown(answer, tty=True)
    assert "\x1b[" in coloured
    assert "48;2;29;153;254" in coloured  # the fill of number 1, #1d99fe
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    terminal.show(answer, console)
    assert not re.search(r"\x1b\[[0-9;]*[34]8;", console.file.getvalue())


def test_colours_change_nothing_in_the_text(store) -> None:
    answer = yard(store)
    assert CODES.sub("", shown(answer, tty=True)) == shown(answer)


HOSTILE = "[red]x[/red] \x1b[31mESC\x1b[0m \x1b]0;t\x07 [link=http://a]b[/link] :smile: \u202e"


def test_nothing_from_outside_is_taken_as_markup_or_code(store) -> None:
    image = store.add_image(np.zeros((20, 20, 3), "uint8"))
    entity = thing(1, HOSTILE, image, Box(x1=0, y1=0, x2=10, y2=10)).model_copy(
        update={"evidence": (evidence(f"tool{HOSTILE}", 0.5, "detector", note=HOSTILE),)}
    )
    answer = answer_of(
        HOSTILE,
        [entity],
        [image],
        relation="unknown",
        relations=(Relation(sound=None, verdict="unknown", reason=HOSTILE),),
        not_found=(NotFound(phrase=HOSTILE, medium="image", reason="absent", note=HOSTILE),),
        problems=(Problem(code=HOSTILE, message=HOSTILE, cure=HOSTILE),),
    )
    step = Step(
        index=0,
        kind="find",
        text=HOSTILE,
        actions=(Action(call="0.1", role="detection", tool=HOSTILE),),
        observations=(Observation(call="0.1", status="fault", fault={"message": HOSTILE}),),
    )
    text = shown(answer, trace=trace_of(step), width=400)
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
    assert text.count("[red]x[/red] ESC") >= 9
    assert "[link=http://a]b[/link] :smile:" in text
    assert "31mESC" not in shown(answer, trace=trace_of(step), width=400, tty=True)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_console(store, width) -> None:
    lines = shown(yard(store), width=width).split("\n")
    assert max(len(line) for line in lines) <= width


def test_a_console_that_knows_no_unicode(store) -> None:
    image = store.add_image(np.zeros((20, 20, 3), "uint8"))
    audio = store.add_audio((np.zeros(16000, "float32"), 16000))
    heard = sound(1, "bark", audio, (0.5, 1.0))
    bar = next(line for line in shown(answer_of("bark", [heard], [image, audio])).split("\n") if "━" in line)
    assert bar.strip() == "─" * 12 + "━" * 12
    spans = [region for region in heard.regions if region.span]
    assert terminal._cells(spans, 1.0) == set(range(12, 24))
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii", errors="replace")
    terminal.show(answer_of("bark", [heard], [image, audio]), Console(file=file, width=100))
    file.flush()
    assert b"-" * 12 + b"#" * 12 in raw.getvalue()


def test_the_steps_of_a_run_are_told() -> None:
    file = io.StringIO()
    steps = [
        Step(index=0, kind="ingest", text="Take in a picture.", seconds=0.25),
        Step(
            index=1,
            kind="locate",
            text="Look for dogs.",
            actions=(Action(call="1.1", role="detection", tool="detection/x"),),
            observations=(Observation(call="1.1", status="ok"),),
        ),
        Step(
            index=2,
            kind="outline",
            actions=(Action(call="2.1", role="segmentation", tool="segmentation/x"),),
            observations=(Observation(call="2.1", status="timeout", fault={"message": "took too long"}),),
        ),
        Step(index=3, kind="listen", actions=(Action(call="3.1", role="hearing", tool="hearing/x"),)),
    ]
    terminal.show_trace(trace_of(*steps), Console(file=file, width=100))
    lines = [" ".join(line.split()) for line in file.getvalue().splitlines()]
    assert "Run run-1: degraded, 1.50 s, profile light" in lines
    assert "0 ingest Take in a picture. 0.25 s ok" in lines
    assert "1 locate Look for dogs. detection/x 0.00 s ok" in lines
    assert any(line.startswith("2 outline") and line.endswith("timeout") for line in lines)
    assert "took too long" in lines
    assert "3 listen hearing/x 0.00 s open" in lines


def test_the_marked_text_is_exactly_the_answer(store) -> None:
    answer = yard(store)
    text = terminal.answer_text(answer).plain
    assert re.sub(r"\[\d+\]", "", text) == answer.text

"""Runs on record: paused, corrected, resumed, replayed, forked, compared, exported; damage, wrong names."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from deixis.agent.traces.comparing import differences, readable
from deixis.agent.traces.removing import remove
from deixis.agent.traces.samples import export_scout
from deixis.errors import DeixisError, InputFault, RunStopped
from deixis.graphs.checkpoints import saver_at
from deixis.graphs.corrections import Correction
from deixis.learned.scout.reading import samples
from deixis.trace import Trace
from tests.graphs import fakes
from tests.graphs.stepwise.runs import DOG, LOOK, ask
from tests.graphs.stepwise.runs import agent as stepwise
from tests.services import postgres

BARK = "What is making this sound?"
MOVED = Correction(ref="1.1#1", box={"x1": 1, "y1": 2, "x2": 30, "y2": 40})
SECOND = {"kind": "find", "reading": "#1 is a dog.", "calls": [{"do": "tag"}]}
THEN = {**DOG, "claims": [{"phrase": "dog", "refs": ["1.1#1"]}]}
ROOT = Path(__file__).parents[3]


def piped(home: Path, **changed: Any) -> Agent:
    return Agent(Profile(name="fakes", tools={}), home=home, tools=fakes.tools(**changed))


def paused(made: Agent, before: str, question: str = "Where is the dog?", sound: bool = False) -> str:
    with pytest.raises(RunStopped) as caught:
        heard = fakes.sound() if sound else None
        made.ask(question, image=fakes.picture(), audio=heard, pause_before=before)
    assert caught.value.code == "run.paused"
    return str(caught.value.details["run"])


def code(caught: pytest.ExceptionInfo[DeixisError]) -> str:
    assert caught.value.cure, "every fault says what to do"
    return caught.value.code


@pytest.mark.parametrize("graph", ["stepwise", "pipeline"])
def test_replay_is_byte_equal_and_asks_nobody(tmp_path: Path, graph: str) -> None:
    tools = fakes.tools()
    made = stepwise(tmp_path, None, tools=tools) if graph == "stepwise" else piped(tmp_path)
    answer = ask(made, BARK, sound=True)
    before = [len(tool.calls) for tool in tools.values()]
    for digest in answer.media:
        made.store.path(digest.digest).unlink()  # nor is a medium opened
    replayed = made.replay(answer.run)
    assert replayed.same, replayed.difference
    assert replayed.answer == answer and replayed.steps == made.store.runs.record(answer.run).steps
    assert [len(tool.calls) for tool in tools.values()] == before


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"x1":10.0', '"x1":12.0', "step_ended"),  # a box in what the detector gave
        ("The dog is on", "The cat is on", "answer"),  # what the planner said
        ('"expert":"none"', '"expert":"learn"', "step_ended"),
    ],
)
def test_replay_names_the_first_difference(tmp_path: Path, old: str, new: str, place: str) -> None:
    made = stepwise(tmp_path, [LOOK, DOG])
    run = ask(made).run
    path = made.store.runs.root / run / "events.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    kind = {"answer": '"planned"', "step_ended": '"observation"' if "x1" in old else '"step_ended"'}[place]
    at = next(n for n, line in enumerate(lines) if kind in line and old in line)
    lines[at] = lines[at].replace(old, new, 1)
    path.write_text("".join(lines))
    replayed = made.replay(run)
    assert not replayed.same and replayed.difference is not None
    assert replayed.difference.recorded != replayed.difference.made
    assert replayed.difference.place.startswith("event "), replayed.difference


@pytest.mark.parametrize("before", ["1", "ground", "detection", "locate", "answer", "verify"])
def test_pause_waits_and_resume_goes_on(tmp_path: Path, before: str) -> None:
    tools = fakes.tools()
    made = stepwise(tmp_path, [LOOK, DOG], tools=tools)
    run = paused(made, before)
    assert made.store.runs.record(run).status == "paused"
    assert len(tools["detection"].calls) == (1 if before in ("answer", "verify") else 0)
    answer = made.resume(run)
    assert (answer.run, answer.text, answer.status) == (run, DOG["text"], "complete")
    assert len(tools["detection"].calls) == 1
    assert made.replay(run).same
    with pytest.raises(InputFault) as caught:
        made.resume(run)
    assert code(caught) == "trace.resume.finished"


def test_pause_before_nothing_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputFault) as caught:
        stepwise(tmp_path, [DOG]).ask("?", pause_before="dance")
    assert code(caught) == "run.pause.unknown"


def test_correction_at_a_pause_is_kept_and_seen_by_all_that_follows(tmp_path: Path) -> None:
    made = piped(tmp_path)
    run = paused(made, "match", BARK, sound=True)
    answer = made.resume(run, corrections=[Correction(ref="2.1~1", label="siren")])
    assert answer.relation == "unmatched" and "siren" in answer.text
    events = made.store.runs.events(run)
    assert [event.type for event in events if event.type in ("paused", "resumed", "corrected")] == [
        "paused", "resumed", "corrected",
    ]  # fmt: skip
    heard = made.trace(run).steps[2].observations[0]
    assert heard.corrected and heard.output["events"][0]["label"] == "siren"
    assert made.replay(run).same


def test_fork_goes_on_from_a_moved_box(tmp_path: Path) -> None:
    tools = fakes.tools()
    made = stepwise(tmp_path, [LOOK, SECOND, THEN], tools=tools)
    first = ask(made)
    again = stepwise(tmp_path, [SECOND, THEN], tools=tools)  # what comes after step 1 is decided anew
    forked = again.fork(first.run, corrections=[MOVED])
    assert forked.entities[0].regions[0].box == MOVED.box != first.entities[0].regions[0].box
    assert "corrected by a person" in forked.entities[0].evidence[0].note
    record = made.store.runs.record(forked.run)
    assert (record.parent, record.parent_step) == (first.run, 1) and forked.run != first.run
    assert len(tools["detection"].calls) == 1 and len(tools["tagging"].calls) == 2
    assert made.store.runs.answer(first.run) == first, "the other run stays as it is"
    assert made.replay(forked.run).same
    rows = differences(*(readable(made.store, run)[0] for run in (first.run, forked.run)))
    gave = next(row for row in rows if row.place == "step 1 call 1.1 gave")
    assert "#1 dog [10, 20, 60, 80]" in gave.first and "#1 dog [1, 2, 30, 40]" in gave.second


def test_fork_with_other_words(tmp_path: Path) -> None:
    made = stepwise(tmp_path, [LOOK, DOG])
    first = ask(made)
    forked = made.fork(first.run, corrections=[Correction(step=2, text="A dog lies there.")])
    assert forked.text == "A dog lies there." and forked.entities[0].label == "dog"
    assert made.replay(forked.run).same


def test_removed_box_is_absent(tmp_path: Path) -> None:
    made = piped(tmp_path)
    first = made.ask("Is there a dog?", image=fakes.picture())
    forked = made.fork(first.run, corrections=[Correction(ref="3.1#1", remove=True)])
    assert first.text.startswith("Yes") and forked.text.startswith("No")
    assert [gone.phrase for gone in forked.not_found] == ["dog"]


def test_every_step_keeps_its_own_expert(tmp_path: Path) -> None:
    from deixis.graphs.planning.scripted import ScriptedPlanner

    made = stepwise(tmp_path, ScriptedPlanner([LOOK, RuntimeError("gone")], expert="learn"))
    run = ask(made).run
    experts = {step.kind: step.expert for step in made.trace(run).steps}
    assert experts["locate"] in ("learn", "none") and experts["find"] == "none"
    first = next(step for step in made.trace(run).steps if step.index == 1)
    assert first.expert == "learn", "the pipeline that stepped in later speaks for itself only"


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"step": 99}, "trace.step.unknown"),
        ({"corrections": [Correction(ref="9.1#1", remove=True)]}, "trace.step.unknown"),
        ({"step": 1, "corrections": [Correction(step=2, text="x")]}, "trace.step.unknown"),
        ({"corrections": [Correction(ref="1.1#7", remove=True)]}, "trace.correction.invalid"),
        ({"corrections": [Correction(ref="1.1~1", remove=True)]}, "trace.correction.invalid"),
        ({"corrections": [Correction(ref="1.5#1", remove=True)]}, "trace.correction.invalid"),
    ],
)
def test_fork_of_what_is_not_there(tmp_path: Path, options: dict[str, Any], wanted: str) -> None:
    made = stepwise(tmp_path, [LOOK, DOG])
    run = ask(made).run
    with pytest.raises(InputFault) as caught:
        made.fork(run, **options)
    assert code(caught) == wanted
    assert len(made.store.runs.records()) == 1, "nothing is begun"


def test_unknown_runs(tmp_path: Path) -> None:
    made = piped(tmp_path)
    for call in (made.resume, made.fork, made.replay):
        with pytest.raises(InputFault) as caught:
            call("1999")
        assert code(caught) == "trace.run.unknown"


def test_damaged_checkpoints_are_told_and_moved_away_the_record_goes_on(tmp_path: Path) -> None:
    made = stepwise(tmp_path, [LOOK, DOG])
    run = paused(made, "answer")
    for path in tmp_path.glob("checkpoints.sqlite*"):
        path.unlink()
    (tmp_path / "checkpoints.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(InputFault) as caught:
        made.resume(run)
    assert code(caught) == "trace.checkpoint.damaged"
    (tmp_path / "checkpoints.sqlite").unlink()
    tools = fakes.tools()
    answer = stepwise(tmp_path, [DOG], tools=tools).resume(run)
    assert answer.text == DOG["text"] and not tools["detection"].calls
    assert made.replay(run).same


def test_damaged_records(tmp_path: Path) -> None:
    made = stepwise(tmp_path, [LOOK, DOG])
    run = paused(made, "answer")
    path = made.store.runs.root / run / "events.jsonl"
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for damaged in (lines[:3] + lines[4:], [*lines[:3], b"{torn\n", *lines[4:]]):
        path.write_bytes(b"".join(damaged))
        for call in (made.resume, made.fork, made.replay):
            with pytest.raises(InputFault) as caught:
                call(run)
            assert code(caught) == "trace.events.damaged"
    path.write_bytes(whole)
    (path.parent / "record.json").write_text("{")
    assert made.resume(run).text == DOG["text"], "the header is made again from the events"


def test_record_that_lost_its_end_goes_on_without_the_checkpoint(tmp_path: Path) -> None:
    made = stepwise(tmp_path, [LOOK, DOG, DOG])
    run = paused(made, "answer")
    path = made.store.runs.root / run / "events.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    cut = next(n for n, line in enumerate(lines) if b'"observation"' in line)
    path.write_bytes(b"".join(lines[:cut]))
    answer = made.resume(run)
    assert answer.text == DOG["text"] and made.replay(run).same


def test_sound_that_was_no_file_has_to_be_given_again(tmp_path: Path) -> None:
    made = piped(tmp_path)
    run = paused(made, "ingest")
    with pytest.raises(InputFault) as caught:
        made.resume(run)
    assert code(caught) == "trace.resume.media"
    assert made.resume(run, image=fakes.picture()).status == "complete"


def test_corrected_runs_become_samples_that_the_checks_and_the_tokens_take(tmp_path: Path) -> None:
    from deixis.cli.main import run as program
    from deixis.learned.mllm.dialogue import encode
    from deixis.learned.mllm.tokenizer import build_tokenizer

    made = stepwise(tmp_path / "home", [LOOK, DOG])
    first = ask(made)
    forked = stepwise(tmp_path / "home", [{**DOG, "reading": "#1 is a dog."}]).fork(
        first.run, corrections=[MOVED]
    )
    done = export_scout(made.store, tmp_path / "out")
    assert [one.versions["run"] for one in done.samples] == [forked.run]
    assert "nobody corrected it" in done.left_out[first.run]
    (sample,) = samples(tmp_path / "out", strict=True)
    assert [step.kind for step in sample.steps] == ["locate", "answer"]
    assert sample.boxes == (MOVED.box,) and sample.answer == DOG["text"]
    assert isinstance(sample.trace(), Trace)
    assert (tmp_path / "out" / sample.media[0].source).is_file()
    assert program(["scout", "check", str(tmp_path / "out"), "--data", str(tmp_path / "out")]) == 0
    assert len(encode(sample, build_tokenizer())) > 20


def test_remove_takes_record_and_checkpoints(tmp_path: Path) -> None:
    made = piped(tmp_path)
    kept, gone = (made.ask("Is there a dog?", image=fakes.picture()).run for _ in range(2))
    asyncio.run(remove(made.store, gone))
    assert [record.run for record in made.store.runs.records()] == [kept]

    async def checkpoints(run: str) -> int:
        async with saver_at(tmp_path / "checkpoints.sqlite") as saver:
            return len([one async for one in saver.alist({"configurable": {"thread_id": run}})])

    assert asyncio.run(checkpoints(gone)) == 0 < asyncio.run(checkpoints(kept))


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("saver", ["sqlite", "postgres"])
def test_killed_runs_end_with_the_same_answer(saver: str, tmp_path: Path) -> None:
    if saver == "postgres" and not postgres.address():
        pytest.skip(f"needs PostgreSQL: make test-services ({postgres.CURE})")
    kills = "5" if saver == "sqlite" else "2"
    figures = tmp_path / "kills.json"
    command = ["tests.bench.agent_kill", str(figures), "--kills", kills, "--savers", saver]
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(figures.read_text())[saver]
    assert told["right"] == told["runs_killed"] == int(kills)
    assert told["steps_lost_or_doubled"] == 0 and told["replays_byte_equal"] == int(kills)

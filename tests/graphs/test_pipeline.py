"""The pipeline graph with scripted tools: what it says, what it survives, what it keeps."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from deixis.agent.render.terminal import answer_text
from deixis.answer import Score
from deixis.errors import InputFault, ToolFault
from deixis.tools.detection import GroundResult
from deixis.tools.linking import Link, LinkRequest, LinkResult
from tests.graphs import fakes


def agent(tmp_path: Path, timeout: float = 5.0, **changed: Any) -> Agent:
    made = fakes.tools(**changed)
    profile = Profile(name="fakes", tools={})
    return Agent(profile, home=tmp_path, tools=made, tool_timeout_s=timeout)


def test_picture_and_sound_give_a_source(tmp_path: Path) -> None:
    made = agent(tmp_path)
    answer = made.ask("What is making this sound?", image=fakes.picture(), audio=fakes.sound())
    assert answer.status == "complete"
    assert answer.relation == "matched"
    relation = answer.relations[0]
    assert answer.entity(relation.sound).label == "bark"
    assert answer.entity(relation.thing).label == "dog"
    assert {m.phrase for m in answer.mentions} == {"bark", "dog"}
    dog = answer.entity(relation.thing)
    assert dog.regions[0].box == fakes.DOG
    assert dog.regions[0].mask is not None
    assert "".join(piece for piece, _ in answer.pieces()) == answer.text
    assert dog.evidence[0].tool == "detection/fake"
    assert not any(entity.label == "cat" for entity in answer.entities)


@pytest.mark.parametrize("stray", [(), ("thing-99",)])
def test_a_plural_tied_to_several_names_them_all(tmp_path: Path, stray: tuple[str, ...]) -> None:
    def linking(request: LinkRequest) -> LinkResult:
        """Says that the first word, which the writer has tied to nothing, names every label."""
        word = request.text.split()[0]
        ids = (*(item.id for item in request.labels), *stray)
        score = Score(value=0.9, kind="lexical")
        link = Link(phrase=word, start=0, end=len(word), id=ids[0], ids=ids, confidence=score)
        return LinkResult(links=(link,))

    answer = agent(tmp_path, linking=linking).ask("What is here?", image=fakes.picture())
    assert answer.status == "complete", answer.problems
    first, *others = answer.mentions
    assert first.start == 0 and len(first.entities) >= 2
    assert set(first.entities) == {entity.id for entity in answer.entities}
    assert all(len(mention.entities) == 1 for mention in others)
    assert answer_text(answer).plain.count("[") == len(first.entities) + len(others)


def test_sound_alone_draws_nothing_and_links_nothing(tmp_path: Path) -> None:
    made = agent(tmp_path)
    answer = made.ask("What do you hear?", audio=fakes.sound())
    assert "bark" in answer.text
    assert all(region.box is None for entity in answer.entities for region in entity.regions)
    for role in ("linking", "detection", "segmentation", "tagging", "matching"):
        assert made.toolbox.get(role).calls == [], role


def test_off_screen_sound_gets_no_box(tmp_path: Path) -> None:
    made = agent(tmp_path, detection=lambda request: GroundResult())
    answer = made.ask("What makes the sound?", image=fakes.picture(), audio=fakes.sound())
    assert answer.relation == "unmatched"
    assert all(entity.kind == "sound" for entity in answer.entities)
    assert answer.relations[0].thing is None


@pytest.mark.parametrize(
    ("question", "start", "absent", "not_covered"),
    [
        ("Is there a dog?", "Yes", [], []),
        ("Is there a zebra?", "No", ["zebra"], []),
        ("Is there a unicorn?", "I cannot tell", [], ["unicorn"]),
        ("How many dogs are there?", "There is one dog", [], []),
        ("Where is the dog?", "The dog is", [], []),
    ],
)
def test_questions_about_the_picture(
    tmp_path: Path, question: str, start: str, absent: list[str], not_covered: list[str]
) -> None:
    answer = agent(tmp_path).ask(question, image=fakes.picture())
    assert answer.text.startswith(start)
    reasons = {"absent": absent, "not_covered": not_covered}
    for reason, phrases in reasons.items():
        assert [gone.phrase for gone in answer.not_found if gone.reason == reason] == phrases


def test_open_question_says_it_needs_a_language_model(tmp_path: Path) -> None:
    answer = agent(tmp_path).ask("Why is the dog so happy?", image=fakes.picture())
    assert answer.status == "needs_mllm"
    assert any(entity.label in ("dog", "the dog") for entity in answer.entities)


def raising(request: Any) -> Any:
    raise RuntimeError("the lens is broken")


def faulting(request: Any) -> Any:
    raise ToolFault("tool.own", "out of film")


def hanging(request: Any) -> Any:
    time.sleep(3)


def nonsense(request: Any) -> Any:
    return {"boxes": "many"}


FAILURES = [
    (raising, "tool.raised"),
    (faulting, "tool.own"),
    (hanging, "tool.timeout"),
    (nonsense, "tool.output.nonsense"),
]


@pytest.mark.parametrize(("failure", "code"), FAILURES)
@pytest.mark.parametrize("role", ["tagging", "detection", "hearing", "segmentation", "matching", "linking"])
def test_a_failing_tool_degrades_the_answer(tmp_path: Path, role: str, failure: Any, code: str) -> None:
    made = agent(tmp_path, timeout=0.3, **{role: failure})
    answer = made.ask("", image=fakes.picture(), audio=fakes.sound())
    assert answer.status == "degraded"
    assert [problem.code for problem in answer.problems] == [code]
    assert answer.problems[0].tool == f"{role}/fake"
    assert made.store.runs.record(answer.run).status == "degraded"
    if role != "hearing":
        assert "bark" in answer.text
    if role != "detection":
        assert "dog" in answer.text


def test_wrong_phrases_are_nonsense(tmp_path: Path) -> None:
    def melted(request: Any) -> Any:
        result = fakes.detection(request)
        phrases = [entry.model_copy(update={"phrase": entry.phrase + "x"}) for entry in result.phrases]
        return result.model_copy(update={"phrases": tuple(phrases)})

    answer = agent(tmp_path, detection=melted).ask("Is there a dog?", image=fakes.picture())
    assert answer.problems[0].code == "tool.output.nonsense"


def test_a_failed_run_stays_on_record(tmp_path: Path) -> None:
    made = agent(tmp_path)
    with pytest.raises(InputFault) as caught:
        made.ask("What is here?", image=fakes.picture(), audio=b"this is no sound")
    record = made.store.runs.records()[0]
    assert record.status == "failed"
    assert record.error["code"] == caught.value.code
    assert caught.value.details["run"] == record.run


def test_the_trace_names_every_step_and_call(tmp_path: Path) -> None:
    made = agent(tmp_path)
    answer = made.ask("What is making this sound?", image=fakes.picture(), audio=fakes.sound())
    trace = made.trace(answer.run)
    kinds = [step.kind for step in sorted(trace.steps, key=lambda step: step.index)]
    assert kinds == [
        "ingest", "find", "listen", "locate", "relate", "answer", "link", "outline", "verify",
    ]  # fmt: skip
    calls = [action.tool for step in trace.steps for action in step.actions]
    assert sorted(calls) == sorted(f"{role}/fake" for role in fakes.tools())
    for entity in answer.entities:
        for evidence in entity.evidence:
            step = next(step for step in trace.steps if step.index == evidence.step)
            assert evidence.tool in [action.tool for action in step.actions]


def test_each_tool_is_called_once_for_many_phrases(tmp_path: Path) -> None:
    made = agent(tmp_path)
    made.ask("Are there a dog, a cat and a zebra?", image=fakes.picture())
    for role in ("tagging", "detection", "segmentation"):
        assert len(made.toolbox.get(role).calls) == 1


def test_stream_gives_events_in_order_and_the_answer_last(tmp_path: Path) -> None:
    items = list(agent(tmp_path).stream("What is here?", image=fakes.picture()))
    assert [item.seq for item in items[:-1]] == list(range(len(items) - 1))
    assert items[0].type == "run_started"
    assert items[-2].type == "answered"
    assert items[-1].text


async def test_ask_works_inside_an_event_loop(tmp_path: Path) -> None:
    answer = agent(tmp_path).ask("What is here?", image=fakes.picture())
    assert "dog" in answer.text


def test_no_media_in_the_state(tmp_path: Path) -> None:
    """Checkpoints stay small: at most 10 kB a step, whatever the media."""
    made = agent(tmp_path)
    made.ask("What is making this sound?", image=fakes.picture(), audio=fakes.sound(30.0))
    with sqlite3.connect(tmp_path / "checkpoints.sqlite") as connection:
        rows = connection.execute("select length(checkpoint) + length(metadata) from checkpoints").fetchall()
        writes = connection.execute("select sum(length(value)) from writes").fetchone()[0]
    sizes = [row[0] for row in rows]
    assert max(sizes) <= 10_000
    assert (sum(sizes) + writes) / len(sizes) <= 10_000


def test_several_pictures_each_keep_their_boxes(tmp_path: Path) -> None:
    other = fakes.picture()[::-1].copy()
    answer = agent(tmp_path).ask("Where are the dogs?", image=[fakes.picture(), other])
    digests = {region.media for entity in answer.entities for region in entity.regions}
    assert digests == {ref.digest for ref in answer.media}


def test_answer_is_stored_as_it_was_given(tmp_path: Path) -> None:
    made = agent(tmp_path)
    answer = made.ask("What is here?", image=fakes.picture())
    stored = made.store.runs.answer(answer.run)
    assert json.loads(stored.model_dump_json()) == json.loads(answer.model_dump_json())


def test_the_detector_is_told_the_tags(tmp_path: Path) -> None:
    tools = fakes.tools()
    made = Agent(Profile(name="fakes", tools={}), home=tmp_path, tools=tools, graph="pipeline")
    made.ask("What do you see?", image=fakes.picture())
    assert tools["detection"].calls[0].names == ("lawn",)

"""Conversations: ids over turns, media that come and go, turns without media, taking up from the store."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from deixis.errors import InputFault
from deixis.graphs.planning.scripted import ScriptedPlanner
from tests.graphs import fakes
from tests.graphs.stepwise.runs import whole

GRAPHS = ("pipeline", "stepwise")


def agent(home: Path, graph: str = "pipeline", planner: Any = None, **changed: Any) -> Agent:
    rules = "rules" if graph == "stepwise" else None
    made = fakes.tools(**changed)
    return Agent(
        Profile(name="fakes", tools={}), home=home, tools=made, graph=graph, planner=planner or rules
    )


def other_picture() -> np.ndarray:
    """Another picture of the same size, in which the fakes see the same boxes."""
    return np.random.default_rng(2).integers(90, 160, (120, 160, 3), dtype=np.uint8)


def called(made: Agent) -> int:
    return sum(len(made.toolbox.need(role).calls) for role in made.toolbox.roles())


def names(answer: Any) -> dict[str, tuple[str, int]]:
    return {entity.label: (entity.id, entity.number) for entity in answer.entities}


@pytest.mark.parametrize("graph", GRAPHS)
def test_turns_about_one_picture(tmp_path: Path, graph: str) -> None:
    """B08: the same ids in every turn; pronouns, sides, numbers and coordinates mean the same things."""
    made = agent(tmp_path, graph)
    with made.conversation("yard") as talk:
        first = talk.ask("What is in the picture?", image=fakes.picture())
        dog, cat = names(first)["dog"], names(first)["cat"]
        said = [
            ("What is to the right of it?", "To the right of the dog is a cat.", {"dog": dog, "cat": cat}),
            ("Where is it?", "The cat is on the right of the picture.", {"cat": cat}),
            ("And the dog?", "The dog is on the left of the picture.", {"dog": dog}),
            ("Is it left of the cat?", "Yes, the dog is to the left of the cat.", {"dog": dog, "cat": cat}),
            ("Where is #2?", "The cat is on the right of the picture.", {"cat": cat}),
            ("What is this [80, 30, 120, 90]?", "It is a cat on the right of the picture.", {"cat": cat}),
            ("Is there a dog next to it?", "Yes: next to the cat is a dog.", {"dog": dog, "cat": cat}),
            ("Is there a zebra next to it?", "No: I see no zebra next to the cat.", {"cat": cat}),
        ]
        for question, text, entities in said:
            answer = talk.ask(question)
            assert (answer.text, names(answer)) == (text, entities), question
            assert answer.status == "complete"
            whole(answer)
    assert [turn.number for turn in talk.turns] == list(range(1, 10))
    assert {gone.phrase for gone in answer.not_found} == {"zebra"}
    record = made.store.runs.record(answer.run)
    assert (record.conversation, record.turn) == ("yard", 9) == (answer.conversation, answer.turn)
    assert record.question == answer.question == "Is there a zebra next to it?"
    assert answer.read == "Is there a zebra next to the cat?"
    assert "'it' is the cat [2]" in made.trace(answer.run).steps[0].text.casefold()


@pytest.mark.parametrize("graph", GRAPHS)
def test_coordinates_choose_one_of_two_and_are_not_believed_blindly(tmp_path: Path, graph: str) -> None:
    """G05: the box is bound to its noun; what no tool sees there is said to be not there."""

    def two_dogs(request: Any) -> Any:
        found = fakes.detection(request)
        cat = next((one for one in found.everything if one.name == "cat"), None)
        second = [cat.model_copy(update={"name": "dog"})] if cat else []
        phrases = tuple(
            entry.model_copy(update={"detections": (*entry.detections, *second)})
            if entry.detections and entry.phrase == "dog"
            else entry
            for entry in found.phrases
        )
        return found.model_copy(update={"phrases": phrases, "everything": ()})

    made = agent(tmp_path, graph, detection=two_dogs)
    for box, expected in ((fakes.DOG, fakes.DOG), (fakes.CAT, fakes.CAT)):
        place = ", ".join(f"{value:.0f}" for value in box.xyxy_px)
        answer = made.ask(f"Where is the dog [{place}]?", image=fakes.picture())
        assert [region.box for entity in answer.entities for region in entity.regions] == [expected]
        assert (answer.read, answer.conversation) == ("Where is the dog?", "")
    nowhere = made.ask("What is the zebra [80, 30, 120, 90] doing?", image=fakes.picture())
    assert nowhere.text == "No tool sees a zebra at x 80–120, y 30–90 px."
    assert nowhere.entities == () and nowhere.not_found[0].phrase == "zebra"
    outside = made.ask("Where is the dog [900, 900, 950, 950]?", image=fakes.picture())
    assert outside.status == "degraded" and outside.problems[0].code == "question.place.unusable"


@pytest.mark.parametrize("graph", GRAPHS)
def test_media_are_added_and_replaced_without_losing_history(tmp_path: Path, graph: str) -> None:
    """G19: what lies in another picture is another thing; a picture that comes back brings its ids along."""
    made = agent(tmp_path, graph)
    talk = made.conversation()
    first = names(talk.ask("What is in the picture?", image=fakes.picture()))
    talk.ask("What do you hear?", audio=fakes.sound())
    assert (len(talk.images), len(talk.audios)) == (1, 1)
    second = names(talk.ask("What is in the picture?", image=other_picture(), replace=True))
    assert (len(talk.images), len(talk.audios)) == (1, 1), "replacing a picture leaves the sound"
    assert not {one[0] for one in first.values()} & {one[0] for one in second.values() if one != "bark"}
    third = talk.ask("Where is the dog?", image=fakes.picture(), replace=True)
    assert names(third)["dog"] == first["dog"]
    talk.ask("What is in the second picture?", image=other_picture())
    assert len(talk.images) == 2 and names(talk.turns[-1].answer)["dog"] == second["dog"]
    talk.ask("Where is the cat in the first picture?", image=fakes.picture())
    assert len(talk.images) == 2, "the same picture is not there twice"
    assert names(talk.turns[-1].answer)["cat"] == first["cat"]
    summary = talk.ask("What have we found so far?")
    assert {one.id for turn in talk.turns for one in turn.answer.entities} == {e.id for e in summary.entities}


@pytest.mark.parametrize("graph", GRAPHS)
def test_turns_without_media_call_no_tool(tmp_path: Path, graph: str) -> None:
    """B07: thanks, questions about the conversation, and questions that only a language model answers."""
    made = agent(tmp_path, graph)
    talk = made.conversation()
    assert talk.ask("Hello").text.startswith("Hello.")
    plain = talk.ask("What is the capital of France?")
    assert plain.status == "needs_mllm" and "needs a language model" in plain.text and plain.entities == ()
    assert called(made) == 0
    talk.ask("Where is the dog?", image=fakes.picture())
    before = called(made)
    assert talk.ask("thanks").text == "You are welcome."
    assert "“Where is the dog?”" in talk.ask("What did I ask?").text
    why = talk.ask("How do you know?")
    assert why.text == "The dog: detection/fake saw it (detector 0.90)."
    assert why.entities[0].id == "thing-1" and why.entities[0].evidence[0].note == "seen in turn 3"
    again = talk.ask("say that again")
    assert (again.text, again.mentions) == (why.text, why.mentions)
    assert called(made) == before
    whole(why)


def test_language_model_gets_the_turns_and_claims_what_it_remembers(tmp_path: Path) -> None:
    remember = {"kind": "find", "text": "I remember.", "calls": [{"do": "recall", "phrases": ["dog"]}]}
    said = {"kind": "answer", "text": "The dog, as before.", "claims": [{"phrase": "dog", "refs": ["1.1#1"]}]}
    planner = ScriptedPlanner([remember, said])
    made = agent(tmp_path, "stepwise")
    talk = made.conversation("x")
    first = talk.ask("Where is the dog?", image=fakes.picture())
    taken_up = agent(tmp_path, "stepwise", planner).conversation("x")
    answer = taken_up.ask("What is it [10, 20, 60, 80] doing?")
    request = planner.requests[0]
    assert request.question == "What is it doing?" and "[10, 20, 60, 80]" in request.said
    assert request.pins[0].box == fakes.DOG
    assert [(turn.question, turn.things) for turn in request.turns] == [("Where is the dog?", ("#1 dog",))]
    assert names(answer) == names(first) and answer.status == "complete"
    assert answer.entities[0].evidence[0].tool == "detection/fake"
    assert answer.entities[0].evidence[0].note == "seen in turn 1"
    assert called(taken_up.agent) <= 1, "only the mask was made"
    thanks = agent(tmp_path, "stepwise", ScriptedPlanner([{"kind": "answer", "text": "My pleasure."}]))
    assert thanks.conversation("x").ask("thanks").text == "My pleasure."


def test_taken_up_by_name_in_another_process(tmp_path: Path) -> None:
    talk = agent(tmp_path).conversation("yard")
    talk.ask("Where is the dog?", image=fakes.picture())
    other = agent(tmp_path, "stepwise").conversation("yard")
    assert other.ask("What is next to it?").text == "Next to the dog is a cat."
    with pytest.raises(InputFault) as caught:
        talk.ask("Where is it?")
    assert caught.value.code == "conversation.changed"
    assert [turn.answer.question for turn in agent(tmp_path).conversation("yard").turns] == [
        "Where is the dog?",
        "What is next to it?",
    ]


def test_failed_turn_is_no_turn(tmp_path: Path) -> None:
    talk = agent(tmp_path).conversation("x")
    with pytest.raises(InputFault):
        talk.ask("What is this?", image=b"nothing")
    assert talk.turns == () and talk.images == ()
    assert talk.ask("Where is the dog?", image=fakes.picture()).turn == 1


def test_torn_turn_is_left_out_and_a_damaged_one_told(tmp_path: Path) -> None:
    made = agent(tmp_path)
    talk = made.conversation("x")
    talk.ask("Where is the dog?", image=fakes.picture())
    path = tmp_path / "conversations" / "x.jsonl"
    line = path.read_bytes()
    path.write_bytes(line + line[:100])
    taken_up = made.conversation("x")
    assert len(taken_up.turns) == 1
    taken_up.ask("And the cat?")
    assert len(made.conversation("x").turns) == 2
    path.write_bytes(line[:100] + b"\n" + line)
    with pytest.raises(InputFault) as caught:
        made.conversation("x")
    assert caught.value.code == "conversation.damaged"


@pytest.mark.parametrize("name", ["../x", "a/b", "-x", "x" * 65, "ä b"])
def test_names_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputFault) as caught:
        agent(tmp_path).conversation(name)
    assert caught.value.code == "conversation.name"


def test_stored_turns_have_no_masks_and_stay_small(tmp_path: Path) -> None:
    talk = agent(tmp_path).conversation("x")
    answer = talk.ask("What is in the picture?", image=fakes.picture())
    assert answer.entities[0].regions[0].mask is not None
    stored = (tmp_path / "conversations" / "x.jsonl").read_bytes()
    assert b'"mask":{' not in stored and len(stored) < 6000
    assert talk.answers()[0].entities[0].regions[0].mask is not None, "the run has them"


def test_page_shows_all_turns_in_the_same_colours(tmp_path: Path) -> None:
    talk = agent(tmp_path / "home").conversation("x")
    talk.ask("What is in the picture? <b>", image=fakes.picture())
    talk.ask("What is next to it?")
    page, data = talk.save(tmp_path / "out")
    text = page.read_text("utf-8")
    assert text.count('<article class="answer turn"') == 2 and text.count("<figure") == 1
    assert "read as: What is next to the dog?" in text and "What is in the picture? &lt;b&gt;" in text
    shades = {
        re.search(r'style="([^"]+)"', tag)[1]  # type: ignore[index]
        for tag in re.findall(r'<button[^>]*class="phrase"[^>]*>', text)
        if 'data-entity="thing-1"' in tag
    }
    assert len(shades) == 1
    told = json.loads(data.read_text("utf-8"))
    assert [turn["turn"] for turn in told["turns"]] == [1, 2]
    with pytest.raises(InputFault) as caught:
        agent(tmp_path / "home").conversation("empty").save(tmp_path / "none")
    assert caught.value.code == "conversation.empty"


async def test_streams_a_turn(tmp_path: Path) -> None:
    talk = agent(tmp_path).conversation("x")
    items = [item async for item in talk.astream("Where is the dog?", image=fakes.picture())]
    assert items[-1] == talk.agent.store.runs.answer(items[-1].run) and len(items) > 5
    assert talk.turns[0].run == items[-1].run

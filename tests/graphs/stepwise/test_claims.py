"""What verify does with claims: evidence or a mark, boxes that agree, one chance more; any claims at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deixis.answer import Score
from deixis.graphs.planning.scripted import ScriptedPlanner
from deixis.tools.detection import Detection, GroundResult, PhraseBoxes
from tests.graphs import fakes
from tests.graphs.stepwise.runs import DOG, LOOK, agent, ask, whole

ELSEWHERE = {"x1": 100, "y1": 100, "x2": 150, "y2": 118}
NEAR_DOG = {"x1": 12, "y1": 22, "x2": 60, "y2": 80}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"text": "The dog.", "claims": [{"phrase": "dog"}]}, "nothing says where 'dog' is"),
        ({"text": "The dog.", "claims": [{"phrase": "dog", "refs": ["#7"]}]}, "stands for nothing"),
        ({"text": "The dog.", "claims": [{"phrase": "dog", "boxes": [ELSEWHERE]}]}, "no tool saw 'dog'"),
        ({"text": "A dog.", "claims": [{"phrase": "wolf", "refs": ["#1"]}]}, "does not stand in the text"),
        ({"text": "A cat.", "claims": [{"phrase": "cat", "refs": ["#1"]}]}, "the tool calls 'dog'"),
        ({"text": "A dog and a cat.", "claims": [{"phrase": "dog", "refs": ["#1"]}]}, "'cat' is named"),
        ({"text": "There is no horse.", "denials": [{"phrase": "horse"}]}, "nobody looked for 'horse'"),
        ({"text": "There is no dog.", "denials": [{"phrase": "dog"}]}, "but a tool found it"),
        ({"text": "It is silent.", "denials": [{"phrase": "bark", "medium": "audio"}]}, "nobody listened"),
        ({"text": "A dog.", "claims": [{"phrase": "dog", "times": [{"start_s": 0, "end_s": 1}]}]}, "sound 1"),
    ],
)
def test_planner_is_sent_back_once_with_the_reason(tmp_path: Path, answer: Any, reason: str) -> None:
    bad = {"kind": "answer", **answer}
    planner = ScriptedPlanner([LOOK, bad, bad])
    made = agent(tmp_path, planner)
    result = ask(made)
    assert [reason in request.complaint for request in planner.requests] == [False, False, True]
    kinds = [step.kind for step in made.trace(result.run).steps]
    assert kinds.count("verify") == 2 and kinds.count("answer") == 2
    whole(result)
    if bad.get("claims") and "dog and" not in bad["text"]:
        assert not any(entity.supported for entity in result.entities)


def test_what_is_claimed_and_denied_at_once_is_sent_back(tmp_path: Path) -> None:
    claims = [{"phrase": "dog", "refs": ["#1"]}]
    both = {"kind": "answer", "text": "No dog. A dog.", "claims": claims, "denials": [{"phrase": "dog"}]}
    unheard = {**DOG, "denials": [{"phrase": "dog", "medium": "audio"}]}
    for said, told in ((both, True), (unheard, False)):
        planner = ScriptedPlanner([{**LOOK, "calls": [*LOOK["calls"], {"do": "hear"}]}, said, DOG])
        ask(agent(tmp_path / str(told), planner), sound=True)
        complaints = [one.complaint for one in planner.requests]
        assert any("'dog' is said to be there, and not to be there" in one for one in complaints) is told


def test_planner_that_mends_its_answer_is_believed(tmp_path: Path) -> None:
    bad = {"kind": "answer", "text": "The unicorn.", "claims": [{"phrase": "unicorn"}]}
    result = ask(agent(tmp_path, [LOOK, bad, DOG]))
    assert result.text == DOG["text"] and all(entity.supported for entity in result.entities)


@pytest.mark.parametrize(
    ("phrase", "ref", "stands"),
    [("police car", "#2", False), ("The hand bag", "#1", False), ("hand bag", "#2", True),
     ("bag", "#2", True), ("policeman's coach", "#1", True), ("police cars", "#2", False)],
)  # fmt: skip
def test_name_of_another_thing_of_the_same_look_is_told(
    tmp_path: Path, phrase: str, ref: str, stands: bool
) -> None:
    def look(request: Any) -> GroundResult:
        boxes = {"police car": fakes.DOG, "hand bag": fakes.CAT}
        rows = [
            PhraseBoxes(
                phrase=name,
                status="found",
                detections=(Detection(box=boxes[name], score=Score(value=0.9, kind="detector"), name=name),),
            )
            for name in request.phrases
        ]
        return GroundResult(phrases=tuple(rows))

    both = {"kind": "locate", "calls": [{"do": "ground", "phrases": ["police car", "hand bag"]}]}
    said = {"kind": "answer", "text": f"{phrase}.", "claims": [{"phrase": phrase, "refs": [ref]}]}
    tools = {**fakes.tools(), "detection": fakes.Fake("detection", GroundResult, look)}
    (entity,) = ask(agent(tmp_path, [both, said, said], tools)).entities
    assert entity.supported is stands


@pytest.mark.parametrize("words", ["Yes.", "A dog."])
def test_answer_that_rests_on_nothing_goes_to_the_other_expert(tmp_path: Path, words: str) -> None:
    bare = {"kind": "answer", "text": words}
    planner = ScriptedPlanner([bare, LOOK, DOG], expert="frozen", then="learn")
    made = agent(tmp_path, planner)
    result = ask(made)
    assert [request.expert for request in planner.requests] == ["frozen", "learn", "learn"]
    assert result.text == DOG["text"] and all(entity.supported for entity in result.entities)
    steps = [step for step in made.trace(result.run).steps if step.index > 0]
    assert [step.expert for step in steps][:3] == ["frozen", "frozen", "learn"]
    assert "the expert 'learn' is asked" in steps[1].text


def test_other_expert_is_asked_once_and_has_its_own_second_chance(tmp_path: Path) -> None:
    bare = {"kind": "answer", "text": "Yes."}
    bad = {"kind": "answer", "text": "The unicorn.", "claims": [{"phrase": "unicorn"}]}
    planner = ScriptedPlanner([bare, bad, bad], expert="frozen", then="learn")
    ask(agent(tmp_path, planner))
    assert [request.expert for request in planner.requests] == ["frozen", "learn", "learn"]


def test_answer_that_a_tool_bears_out_stays_with_its_expert(tmp_path: Path) -> None:
    planner = ScriptedPlanner([LOOK, DOG], expert="frozen", then="learn")
    ask(agent(tmp_path, planner))
    assert [request.expert for request in planner.requests] == ["frozen", "frozen"]


def test_own_box_that_agrees_with_a_tool_is_borne_out(tmp_path: Path) -> None:
    own = {"kind": "answer", "text": "The dog.", "claims": [{"phrase": "dog", "boxes": [NEAR_DOG]}]}
    (dog,) = ask(agent(tmp_path, [LOOK, own])).entities
    assert dog.supported and dog.regions[0].box == fakes.DOG
    assert "own box agrees (IoU 0.9" in dog.evidence[0].note


def test_own_box_that_no_tool_saw_is_kept_and_marked(tmp_path: Path) -> None:
    own = {"kind": "answer", "text": "The ghost.", "claims": [{"phrase": "ghost", "boxes": [ELSEWHERE]}]}
    (ghost,) = ask(agent(tmp_path, [LOOK, own, own])).entities
    assert not ghost.supported and not ghost.evidence
    assert ghost.regions[0].score.kind == "none" and ghost.regions[0].box is not None


def test_relation_is_the_matching_tools(tmp_path: Path) -> None:
    both = {"kind": "find", "calls": [{"do": "ground", "everything": True}, {"do": "hear"}]}
    match = {"kind": "relate", "calls": [{"do": "match"}]}
    said = {
        "kind": "answer",
        "text": "The cat makes the bark.",
        "claims": [{"phrase": "cat", "refs": ["#2"]}, {"phrase": "bark", "refs": ["~1"]}],
        "linked": [{"sound": "~1", "thing": "#2", "verdict": "matched"}],
    }
    planner = ScriptedPlanner([both, match, said, said])
    result = ask(agent(tmp_path, planner), sound=True)
    assert "made by 1.1#1 as the matching tool says" in planner.requests[-1].complaint
    assert result.relation == "matched"
    assert result.relations[0].thing is None and result.relations[0].verdict == "unknown"


REFS = st.sampled_from(["#1", "#2", "#9", "1.1#1", "1.1#2", "~1", "^1", "0.0#1", "#", "dog", "1.1", "[#1]"])
BOXES = st.sampled_from([ELSEWHERE, NEAR_DOG, {"x1": 900, "y1": 900, "x2": 950, "y2": 950}])
TIMES = st.sampled_from([{"start_s": 0.5, "end_s": 1.0}, {"start_s": 1.5, "end_s": 9.0}])
WORDS = ["dog", "cat", "the dog", "bark", "unicorn", "two", "🐶", "zebra", "no", "."]
CLAIMS = st.fixed_dictionaries(
    {"phrase": st.sampled_from(WORDS)},
    optional={
        "refs": st.lists(REFS, max_size=3),
        "boxes": st.lists(BOXES, max_size=2),
        "times": st.lists(TIMES, max_size=2),
        "medium": st.integers(1, 3),
    },
)
DENIALS = st.fixed_dictionaries(
    {"phrase": st.sampled_from(WORDS)}, optional={"medium": st.sampled_from(["image", "audio"])}
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=8),
    claims=st.lists(CLAIMS, max_size=5),
    denials=st.lists(DENIALS, max_size=3),
)
def test_any_claims_give_an_answer_that_is_whole(
    tmp_path: Path, words: list[str], claims: list[Any], denials: list[Any]
) -> None:
    first = {
        "kind": "find",
        "calls": [{"do": "ground", "phrases": ["dog", "zebra"]}, {"do": "hear"}, {"do": "tag"}],
    }
    said = {"kind": "answer", "text": " ".join(words), "claims": claims, "denials": denials}
    result = ask(agent(tmp_path, [first, said, said]), sound=True)
    assert result.text == " ".join(words)
    whole(result)
    mentioned = {mention.phrase.casefold() for mention in result.mentions}
    for claim in claims:
        placed = claim["phrase"].casefold() in mentioned
        assert placed or any(gone.phrase == claim["phrase"] for gone in result.unplaced)
    for gone in result.not_found:
        assert gone.evidence or gone.reason == "not_looked"

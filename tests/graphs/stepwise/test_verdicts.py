"""Verdicts on sounds where the matching tool cannot tell, and things that are not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from deixis.answer import Score
from deixis.graphs.planning.scripted import ScriptedPlanner
from deixis.tools.detection import Detection, GroundRequest, GroundResult
from deixis.tools.hearing import HearRequest, HearResult
from deixis.tools.matching import MatchRequest, MatchResult, PairVerdict
from tests.graphs import fakes
from tests.graphs.stepwise.runs import agent, ask, whole

LOOK = {"kind": "find", "text": "Look.", "calls": [{"do": "ground", "phrases": ["dog"]}, {"do": "hear"}]}
MATCH = {"kind": "relate", "calls": [{"do": "match"}]}


def answering(verdict: str, thing: str = "") -> dict[str, Any]:
    return {
        "kind": "answer",
        "text": "The dog makes the bark.",
        "claims": [{"phrase": "dog", "refs": ["1.1#1"]}, {"phrase": "bark", "refs": ["1.2~1"]}],
        "linked": [{"sound": "1.2~1", "thing": thing, "verdict": verdict}],
    }


def undecided(request: MatchRequest) -> MatchResult:
    none = Score(value=0.0, kind="none")
    return MatchResult(
        pairs=tuple(
            PairVerdict(sound=one.id, verdict="unknown", score=none, reason="it cannot be told")
            for one in request.heard
        )
    )


@pytest.mark.parametrize(("verdict", "thing"), [("matched", "1.1#1"), ("unmatched", "")])
def test_planners_verdict_is_kept_where_the_tool_cannot_tell(
    tmp_path: Path, verdict: str, thing: str
) -> None:
    tools = fakes.tools(matching=undecided)
    answer = ask(agent(tmp_path, [LOOK, MATCH, answering(verdict, thing)], tools), sound=True)
    (relation,) = answer.relations
    assert (relation.verdict, answer.relation) == (verdict, verdict)
    assert relation.thing == ("thing-1" if thing else None)
    assert "the planner says so" in relation.reason and relation.evidence[0].score.kind == "none"
    whole(answer)


def test_a_tool_that_can_tell_is_not_overruled(tmp_path: Path) -> None:
    answer = ask(agent(tmp_path, [LOOK, MATCH, answering("unmatched")]), sound=True)
    (relation,) = answer.relations
    assert (relation.verdict, answer.relation) == ("matched", "matched")


@pytest.mark.parametrize(
    ("looked", "seen", "verdict"),
    [
        (["dog"], [], "unmatched"), (["dog", "wolf"], [], "unmatched"), (["zebra"], [], "unknown"),
        (["unicorn"], [], "unknown"), ([], [], "unknown"), (["wolf"], ["dog"], "unknown"),
        (["dog", "cat"], ["cat"], "unmatched"),
    ],
)  # fmt: skip
def test_a_sound_whose_maker_was_looked_for_in_vain_needs_no_matching_call(
    tmp_path: Path, looked: list[str], seen: list[str], verdict: str
) -> None:
    def look(request: GroundRequest) -> GroundResult:
        everything = fakes.detection(request)
        gone = [
            row.model_copy(update={"status": "absent", "detections": ()})
            if row.status == "found" and row.phrase not in seen
            else row
            for row in everything.phrases
        ]
        dog = Detection(box=fakes.DOG, score=Score(value=0.9, kind="detector"), name="dog")
        return GroundResult(phrases=tuple(gone), everything=(dog,) if "dog" in seen else ())

    calls: list[dict[str, Any]] = [{"do": "hear"}]
    calls += [{"do": "ground", "phrases": looked}] if looked else []
    said = {
        "kind": "answer",
        "text": "Nothing in the picture makes the bark.",
        "claims": [{"phrase": "bark", "refs": ["1.1~1"]}],
        "linked": [{"sound": "1.1~1", "verdict": "unmatched"}],
    }
    planner = ScriptedPlanner([{"kind": "find", "text": "Look.", "calls": calls}, said, said])
    made = agent(tmp_path, planner, fakes.tools(detection=look))
    answer = ask(made, "What makes the sound?", sound=True)
    (relation,) = answer.relations
    assert (relation.verdict, answer.relation, relation.thing) == (verdict, verdict, None)
    assert ("call match first" in planner.requests[-1].complaint) is (verdict == "unknown")
    if verdict == "unmatched":
        assert [(one.tool, one.note) for one in relation.evidence] == [("detection/fake", "no dog was found")]
        assert "was looked for, and nothing was found" in relation.reason
    whole(answer)


def test_a_second_sound_that_nothing_was_said_of_leaves_the_whole_open(tmp_path: Path) -> None:
    def hearing(request: HearRequest) -> HearResult:
        (bark,) = fakes.hearing(request).events
        return HearResult(
            events=(bark, bark.model_copy(update={"label": "meow", "parents": ("cat", "animal")}))
        )

    def look(request: GroundRequest) -> GroundResult:
        rows = [
            row.model_copy(update={"status": "absent", "detections": ()})
            for row in fakes.detection(request).phrases
        ]
        return GroundResult(phrases=tuple(rows))

    calls = [{"do": "hear"}, {"do": "ground", "phrases": ["dog"]}]
    said = {
        "kind": "answer",
        "text": "Nothing in the picture makes the bark.",
        "claims": [{"phrase": "bark", "refs": ["1.1~1"]}],
        "linked": [{"sound": "1.1~1", "verdict": "unmatched"}],
    }
    tools = fakes.tools(detection=look, hearing=hearing)
    script = [{"kind": "find", "text": "Look.", "calls": calls}, said, said]
    answer = ask(agent(tmp_path, script, tools), "What barks?", sound=True)
    assert [one.verdict for one in answer.relations] == ["unmatched"] and answer.relation == "unknown"


def test_nothing_else_is_meant_by_what_is_not_there(tmp_path: Path) -> None:
    made = Agent(Profile(name="fakes", tools={}), home=tmp_path, tools=fakes.tools())
    answer = made.ask("Outline the zebra.", image=fakes.picture())
    assert not answer.entities and [one.phrase for one in answer.not_found] == ["zebra"], answer.text


def test_what_several_pictures_lack_is_said_once(tmp_path: Path) -> None:
    made = Agent(Profile(name="fakes", tools={}), home=tmp_path, tools=fakes.tools())
    other = fakes.picture()[:, ::-1].copy()
    answer = made.ask("Where is the zebra?", image=[fakes.picture(), other])
    assert answer.text.casefold().count("zebra") == 1 and len(answer.not_found) == 1

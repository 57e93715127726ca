"""Every entity of every answer has mention, place and evidence, or is marked: whatever planners say."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from deixis.answer import GroundedAnswer
from deixis.errors import ToolFault
from deixis.graphs.planning.scripted import ScriptedPlanner
from tests.graphs import fakes

NOISE = st.sampled_from(
    ["dog", "the cat", "unicorn", "", " ", "🐶", "#1", "1.1#1", "~1", "^1", "x" * 90, "\u202e", "0"]
)
SMALL = st.one_of(st.integers(-3, 400), st.floats(-5, 400), st.none(), NOISE)
BOXES = st.fixed_dictionaries({"x1": SMALL, "y1": SMALL, "x2": SMALL, "y2": SMALL}) | st.sampled_from(
    [{"x1": 12, "y1": 22, "x2": 60, "y2": 80}, {"x1": 100, "y1": 90, "x2": 159, "y2": 119}]
)
CLAIMS = st.fixed_dictionaries(
    {"phrase": NOISE},
    optional={"refs": st.lists(NOISE, max_size=3), "boxes": st.lists(BOXES, max_size=2), "medium": SMALL},
)
CALLS = st.fixed_dictionaries(
    {"do": st.sampled_from(["tag", "ground", "segment", "hear", "look", "match", "recall", "fly"])},
    optional={
        "phrases": st.lists(NOISE, max_size=3), "refs": st.lists(NOISE, max_size=2), "medium": SMALL,
        "everything": st.booleans(), "box": BOXES,
    },
)  # fmt: skip
STEPS = st.fixed_dictionaries(
    {"kind": st.sampled_from(["find", "locate", "listen", "select", "answer", "answer", "sing"])},
    optional={
        "text": st.lists(NOISE, min_size=1, max_size=6).map(" ".join),
        "claims": st.lists(CLAIMS, max_size=4),
        "calls": st.lists(CALLS, max_size=3),
        "denials": st.lists(st.fixed_dictionaries({"phrase": NOISE}), max_size=2),
        "linked": st.lists(st.fixed_dictionaries({"sound": NOISE, "thing": NOISE}), max_size=2),
        "reading": NOISE,
    },
)
LINES = STEPS | st.sampled_from([None, "no step at all", 7, [], {}, RuntimeError("boom")])
QUESTIONS = st.lists(
    st.sampled_from(["Where is", "the dog", "it", "#1", "[10, 20, 60, 80]", "and the other one?", "What is",
                     "next to", "unicorn", "Describe.", "what have we found so far?", "why?", "how many",
                     "cats", "🐶"]),
    max_size=5,
).map(" ".join)  # fmt: skip


def whole(answer: GroundedAnswer) -> None:
    """Passes where an answer keeps the promise."""
    mentioned = {named for mention in answer.mentions for named in mention.entities}
    digests = {ref.digest for ref in answer.media}
    for entity in answer.entities:
        assert entity.id in mentioned, f"{entity.id} is nowhere in the text"
        if not entity.supported:
            continue
        assert entity.regions and entity.evidence, entity
        assert all(region.media in digests and (region.box or region.span) for region in entity.regions)
        assert all(seen.tool and seen.step >= 0 for seen in entity.evidence)
    assert "".join(piece for piece, _ in answer.pieces()) == answer.text
    assert GroundedAnswer.model_validate_json(answer.model_dump_json()) == answer


def tools(broken: list[str]) -> dict[str, Any]:
    """Returns the fakes, of which some fail: by a fault, an exception, or nonsense in place of an output."""

    def fault(request: Any) -> Any:
        raise ToolFault("tool.fake", "It fails.")

    def crash(request: Any) -> Any:
        raise ZeroDivisionError("boom")

    ways = [fault, crash, lambda request: {"nonsense": 1}]
    return fakes.tools(**{role: ways[len(role) % 3] for role in broken})


@settings(max_examples=10)
@given(
    script=st.lists(LINES, min_size=1, max_size=4),
    questions=st.lists(QUESTIONS, min_size=1, max_size=2),
    graph=st.sampled_from(["stepwise", "stepwise", "pipeline"]),
    broken=st.lists(
        st.sampled_from(["detection", "hearing", "tagging", "segmentation", "matching"]), max_size=1
    ),
)
def test_whatever_a_planner_says_the_answer_is_whole(
    script: list[Any], questions: list[str], graph: str, broken: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as home:
        planner = ScriptedPlanner(script) if graph == "stepwise" else None
        agent = Agent(
            Profile(name="fakes", tools={}), home=Path(home), tools=tools(broken), graph=graph,
            planner=planner, tool_timeout_s=5.0, budget={"steps": 5},
        )  # fmt: skip
        talk = agent.conversation("x")
        owner: dict[str, int] = {}
        for number, question in enumerate(questions):
            media = {"image": fakes.picture(), "audio": fakes.sound(0.5)} if number == 0 else {}
            answer = talk.ask(question, **media)
            whole(answer)
            for entity in answer.entities:
                assert owner.setdefault(entity.id, entity.number) == entity.number
        assert len(set(owner.values())) == len(owner)

"""The stepwise graph with scripted planners: steps, records, budgets, ends."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from deixis import graphs
from deixis.errors import InputFault, PlannerFault
from deixis.graphs.planning.scripted import ScriptedPlanner
from deixis.tools.detection import GroundResult
from tests.graphs import fakes
from tests.graphs.stepwise.runs import DOG, LOOK, agent, ask, statuses, whole


def test_script_of_two_steps_gives_a_grounded_answer(tmp_path: Path) -> None:
    made = agent(tmp_path, [LOOK, {**DOG, "reading": "#1 is a dog.", "denials": [{"phrase": "zebra"}]}])
    answer = ask(made)
    assert answer.status == "complete"
    (dog,) = answer.entities
    assert dog.regions[0].box == fakes.DOG and dog.regions[0].mask is not None
    assert dog.supported and dog.evidence[0].tool == "detection/fake" and dog.evidence[0].step == 1
    assert [(gone.phrase, gone.reason) for gone in answer.not_found] == [("zebra", "absent")]
    assert answer.not_found[0].evidence[0].step == 1
    steps = made.trace(answer.run).steps
    assert [step.kind for step in steps] == ["ingest", "locate", "answer", "verify", "outline"]
    located = steps[1]
    assert located.text == "#1 is a dog."
    assert [(span.phrase, span.boxes) for span in located.spans] == [("#1", (fakes.DOG,))]
    assert [span.phrase for span in steps[2].spans] == ["dog"]
    whole(answer)


def test_calls_of_one_step_run_side_by_side(tmp_path: Path) -> None:
    def slow(role: str) -> Any:
        def answer(request: Any) -> Any:
            time.sleep(0.4)
            return getattr(fakes, role)(request)

        return answer

    tools = fakes.tools(**{role: slow(role) for role in ("detection", "tagging", "hearing")})
    both = {
        "kind": "find",
        "calls": [
            {"do": "ground", "phrases": ["dog"]}, {"do": "ground", "phrases": ["cat"]},
            {"do": "tag"}, {"do": "hear"},
        ],
    }  # fmt: skip
    made = agent(tmp_path, [both, DOG], tools=tools)
    answer = ask(made, sound=True)
    step = made.trace(answer.run).steps[1]
    assert [one.status for one in step.observations] == ["ok"] * 4
    assert 0.4 <= step.seconds < 1.0


def test_repeated_call_is_served_from_the_record(tmp_path: Path) -> None:
    tools = fakes.tools()
    once = {"kind": "locate", "calls": [{"do": "ground", "phrases": ["dog"]}]}
    made = agent(
        tmp_path, [once, once, {"kind": "find", "calls": [{"do": "tag"}, {"do": "tag"}]}, DOG], tools=tools
    )
    answer = ask(made)
    assert answer.status == "complete"
    assert [status for _, role, status in statuses(made, answer) if role == "detection"] == ["ok", "cached"]
    assert len(tools["detection"].calls) == 1
    assert answer.entities[0].supported, "what the record serves can be pointed at"


def test_phrase_that_gave_nothing_is_not_tried_again(tmp_path: Path) -> None:
    tools = fakes.tools()
    again = {"kind": "locate", "calls": [{"do": "ground", "phrases": ["a Zebra", "cat"]}]}
    only = {"kind": "locate", "calls": [{"do": "ground", "phrases": ["the zebra"]}]}
    planner = ScriptedPlanner([LOOK, again, only, {**DOG, "claims": [{"phrase": "dog", "refs": ["1.1#1"]}]}])
    made = agent(tmp_path, planner, tools=tools)
    answer = ask(made)
    asked = [request.phrases for request in tools["detection"].calls]
    assert asked == [("dog", "zebra"), ("cat",)]
    assert [one.again for one in planner.requests[-1].seen] == [(), ("a Zebra",), ("the zebra",)]
    assert answer.entities[0].supported


def test_faint_look_may_find_what_a_usual_one_did_not(tmp_path: Path) -> None:
    tools = fakes.tools()
    faint = {"kind": "locate", "calls": [{"do": "ground", "phrases": ["zebra"], "faint": True}]}
    ask(agent(tmp_path, [LOOK, faint, faint, DOG], tools=tools))
    assert [request.threshold for request in tools["detection"].calls] == [None, 0.2]


@pytest.mark.parametrize(
    ("budget", "script", "said"),
    [
        ({"steps": 2}, [LOOK], "2 steps"),
        ({"calls": 1}, [LOOK, {"kind": "find", "calls": [{"do": "tag"}]}], "1 tool calls"),
        ({"seconds": 1.0}, [LOOK], "1 s"),
        ({"tokens": 150}, [LOOK], "150 tokens"),
    ],
)
def test_budget_ends_in_a_partial_answer_that_says_so(
    tmp_path: Path, budget: dict[str, float], script: list[Any], said: str
) -> None:
    planner = ScriptedPlanner(script, delay_s=0.4 if "seconds" in budget else 0.0, tokens=100)
    made = agent(tmp_path, planner, budget=budget)
    answer = ask(made)
    assert answer.status == "partial"
    assert f"the run ended after {said}, its budget" in answer.text
    assert made.store.runs.record(answer.run).status == "partial"
    assert any(entity.label == "dog" for entity in answer.entities), "what was found is kept"
    whole(answer)


def test_last_step_of_a_budget_may_answer(tmp_path: Path) -> None:
    answer = ask(agent(tmp_path, [LOOK, DOG], budget={"steps": 2, "calls": 2}))
    assert answer.status == "complete"


def test_budget_that_is_none_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputFault) as caught:
        agent(tmp_path, [DOG], budget={"steps": 0})
    assert caught.value.code == "agent.budget.invalid" and "steps" in caught.value.message
    with pytest.raises(InputFault):
        agent(tmp_path, [DOG], budget={"money": 3})


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (RuntimeError("out of ink"), "planner.raised"),
        (PlannerFault("planner.own", "no idea"), "planner.own"),
        ({"kind": "answer", "text": " "}, "planner.raised"),
        ({"kind": "dance"}, "planner.raised"),
        (
            {"kind": "locate", "calls": [{"do": "ground", "medium": 7, "phrases": ["dog"]}]},
            "planner.call.invalid",
        ),
        ({"kind": "locate", "calls": [{"do": "ground"}]}, "planner.call.invalid"),
        ({"kind": "listen", "calls": [{"do": "hear"}]}, "planner.call.impossible"),
        ({"kind": "outline", "calls": [{"do": "segment", "refs": ["#9"]}]}, "planner.call.invalid"),
        (
            {"kind": "locate", "calls": [{"do": "look", "phrases": ["dog"], "refs": []}]},
            "planner.call.invalid",
        ),
    ],
)
def test_planner_that_keeps_failing_gives_way_to_the_pipeline(tmp_path: Path, line: Any, code: str) -> None:
    planner = ScriptedPlanner([LOOK, line])
    made = agent(tmp_path, planner)
    answer = ask(made)
    assert len(planner.requests) == 4, "three chances"
    assert all(request.complaint for request in planner.requests[2:])
    assert answer.status == "degraded"
    assert [problem.code for problem in answer.problems] == [code]
    assert answer.text.endswith("The planner scripted failed; rules answered instead.")
    assert answer.text.startswith("The dog is on the left")
    steps = made.trace(answer.run).steps
    assert [step.index for step in steps] == sorted({step.index for step in steps})
    assert all(evidence.step in {s.index for s in steps} for e in answer.entities for evidence in e.evidence)
    whole(answer)


def test_one_bad_reply_is_asked_again_with_the_reason(tmp_path: Path) -> None:
    planner = ScriptedPlanner([{"kind": "locate", "calls": [{"do": "ground"}]}, LOOK, DOG])
    answer = ask(agent(tmp_path, planner))
    assert answer.status == "complete" and not answer.problems
    assert "ground needs phrases" in planner.requests[1].complaint
    assert planner.requests[2].complaint == ""


def test_planner_that_hangs_is_given_up(tmp_path: Path) -> None:
    planner = ScriptedPlanner([LOOK], delay_s=30)
    begun = time.monotonic()
    answer = ask(agent(tmp_path, planner, budget={"seconds": 0.5}))
    assert time.monotonic() - begun < 5
    assert answer.status in {"partial", "degraded"} and answer.text


def test_gate_decides_the_expert_of_every_step(tmp_path: Path) -> None:
    made = agent(tmp_path, ScriptedPlanner([LOOK, DOG], expert="learn"))
    steps = made.trace(ask(made).run).steps
    assert [step.expert for step in steps] == ["none", *["learn"] * (len(steps) - 1)]


def test_look_closer_puts_boxes_back_in_their_place(tmp_path: Path) -> None:
    def detection(request: Any) -> GroundResult:
        if request.image.format != "part":
            return fakes.detection(request)
        width, height = request.image.size.width, request.image.size.height
        found = fakes.detection(request.model_copy(update={"phrases": ("dog",)})).phrases[0]
        box = fakes.DOG.model_copy(update={"x1": 0, "y1": 0, "x2": width / 2, "y2": height / 2})
        one = found.detections[0].model_copy(update={"box": box})
        entry = found.model_copy(update={"phrase": request.phrases[0], "detections": (one,)})
        return GroundResult(phrases=(entry,))

    part = {"x1": 40, "y1": 20, "x2": 120, "y2": 100}
    look = {"kind": "locate", "calls": [{"do": "look", "phrases": ["dog"], "box": part}]}
    answer = ask(agent(tmp_path, [look, DOG], tools=fakes.tools(detection=detection)))
    box = answer.entities[0].regions[0].box
    assert box is not None
    assert box.xyxy_px == pytest.approx((40, 20, 80, 60), abs=1)
    assert "closer look" in answer.entities[0].evidence[0].note


def test_recall_tells_what_was_found_without_a_call(tmp_path: Path) -> None:
    planner = ScriptedPlanner([LOOK, {"kind": "find", "calls": [{"do": "recall", "phrases": ["dogs"]}]}, DOG])
    made = agent(tmp_path, planner)
    answer = ask(made)
    remembered = planner.requests[-1].steps[-1].seen[0]
    assert remembered.status == "cached" and "ref 1.1#1" in remembered.remembered[0]
    assert answer.status == "complete" and planner.requests[-1].left.calls == 31


def test_checkpoints_stay_small_whatever_was_found(tmp_path: Path) -> None:
    many = {
        "kind": "find",
        "text": "w" * 3000,
        "calls": [{"do": "ground", "everything": True}, {"do": "tag"}],
    }
    made = agent(tmp_path, [many, LOOK, many, LOOK, {**DOG, "text": "The dog is here. " * 100}])
    ask(made)
    with sqlite3.connect(tmp_path / "checkpoints.sqlite") as connection:
        rows = connection.execute("select length(checkpoint) + length(metadata) from checkpoints").fetchall()
        writes = connection.execute("select sum(length(value)) from writes").fetchone()[0]
    sizes = [row[0] for row in rows]
    assert max(sizes) <= 10_000
    assert (sum(sizes) + writes) / len(sizes) <= 10_000


async def test_graph_is_an_ordinary_subgraph(tmp_path: Path) -> None:
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import END, START, StateGraph

    from deixis.graphs.context import RunContext
    from deixis.graphs.stepwise.state import StepState

    made = agent(tmp_path, [LOOK, DOG])
    inner = graphs.build("stepwise").compile()
    outer = StateGraph(StepState, context_schema=RunContext)
    outer.add_node("deixis", inner)
    outer.add_node("after", lambda state: {"question": state["answer"]["text"].upper()})
    outer.add_edge(START, "deixis")
    outer.add_edge("deixis", "after")
    outer.add_edge("after", END)
    graph = outer.compile(checkpointer=InMemorySaver())
    context = made.context("Where is the dog?", image=fakes.picture())
    config: Any = {"configurable": {"thread_id": "mine"}}
    modes = [
        mode
        async for mode, _ in graph.astream(
            {"run": context.recorder.record.run, "question": "Where is the dog?"},
            config,
            context=context,
            stream_mode=["updates", "values"],
        )
    ]
    assert {"updates", "values"} <= set(modes)
    assert (await graph.aget_state(config)).values["question"] == "THE DOG IS ON THE LEFT."
    assert context.answer is not None and context.answer.entities[0].supported


def test_unknown_graph_is_an_input_fault() -> None:
    with pytest.raises(InputFault) as caught:
        graphs.build("stairs")
    assert "stepwise" in caught.value.cure


def test_answer_is_stored_as_it_was_given(tmp_path: Path) -> None:
    made = agent(tmp_path, [LOOK, DOG])
    answer = ask(made)
    stored = made.store.runs.answer(answer.run)
    assert stored is not None
    assert json.loads(stored.model_dump_json()) == json.loads(answer.model_dump_json())


def test_rules_compare_a_sound_with_what_all_looks_gave(tmp_path: Path) -> None:
    def lawn(request: Any) -> GroundResult:
        """The tag has a box as well, which only a second look gives."""
        found = fakes.detection(request)
        if "lawn" not in request.phrases:
            return found
        below = fakes.Box(x1=5, y1=95, x2=150, y2=119)
        box = fakes.Detection(box=below, score=fakes.Score(value=0.4, kind="detector"), name="lawn")
        entry = fakes.PhraseBoxes(phrase="lawn", status="found", detections=(box,))
        return found.model_copy(update={"phrases": (entry,)})

    tools = fakes.tools(detection=lawn)
    answer = ask(agent(tmp_path, None, tools=tools), "What is making this sound?", sound=True)
    assert len(tools["detection"].calls) == 2
    visible = tools["matching"].calls[0].visible
    assert {"dog", "cat", "lawn"} <= {name for one in visible if one.box is not None for name in one.names}
    whole(answer)

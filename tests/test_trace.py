"""Steps, events and records: what is stored of a run."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from deixis.trace import Action, Event, EventType, Observation, RunRecord, RunStatus, Step, StepKind, Trace

RECORD = RunRecord(
    run="20261121-070312-3f9a", question="Who?", profile="light", graph="pipeline",
    started="2026-11-21T07:03:12.000+00:00", status="complete", media=("sha256:" + "0" * 64,),
    names=("a.png",),
)  # fmt: skip
ACTION = Action(call="2.1", role="detection", tool="detection/scripted", input={"phrases": ["dog"]})
SEEN = Observation(call="2.1", status="ok", output={"boxes": []}, seconds=0.1)
STEP = Step(index=2, kind="locate", text="Locating", actions=(ACTION,), observations=(SEEN,), seconds=0.2)


@pytest.mark.parametrize("exclude_none", [True, False])
@pytest.mark.parametrize(
    "stored",
    [
        RECORD,
        RECORD.model_copy(update={"status": "failed", "error": {"code": "run.failed"}}),
        ACTION,
        SEEN,
        Observation(call="2.1", status="fault", fault={"code": "tool.timeout"}),
        STEP,
        Event(run="r", seq=0, type="action", at_s=0.5, step=2, data=ACTION.model_dump(mode="json")),
        Trace(record=RECORD, steps=(STEP,)),
    ],
    ids=lambda stored: type(stored).__name__,
)
def test_everything_that_is_stored_survives_json(stored: BaseModel, exclude_none: bool) -> None:
    assert type(stored).model_validate_json(stored.model_dump_json(exclude_none=exclude_none)) == stored


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (Step, {"index": -1, "kind": "find"}),
        (Step, {"index": 0, "kind": "think"}),
        (Step, {"index": 0, "kind": "find", "expert": "both"}),
        (Step, {"index": 0, "kind": "find", "seconds": -1}),
        (Event, {"run": "r", "seq": 0, "type": "thought", "at_s": 0}),
        (Event, {"run": "r", "seq": -1, "type": "action", "at_s": 0}),
        (Event, {"run": "r", "seq": 0, "type": "action", "at_s": -1}),
        (Event, {"run": "r", "seq": 0, "type": "action", "at_s": 0, "version": 2}),
        (Observation, {"call": "1.1", "status": "done"}),
        (RunRecord, RECORD.model_dump() | {"status": "cancelled"}),
        (RunRecord, RECORD.model_dump() | {"pixels": [0]}),
    ],
)
def test_what_the_grammar_does_not_know_is_refused(model: type[BaseModel], data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(data)


def test_the_grammar_has_the_words_that_the_graphs_and_the_data_share() -> None:
    assert get_args(StepKind) == (
        "ingest", "find", "locate", "outline", "listen", "relate", "select", "answer", "link", "verify",
    )  # fmt: skip
    assert set(get_args(EventType)) >= {"step_started", "action", "observation", "step_ended"}
    assert set(get_args(RunStatus)) >= {"running", "complete", "failed"}


def test_steps_are_frozen() -> None:
    with pytest.raises(ValidationError):
        STEP.text = "else"  # type: ignore[misc]

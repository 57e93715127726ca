"""What every planner must hold to, whatever it is made of; other people's planners can run it too.

``check_planner`` asks for steps as a run does, with calls that give something, nothing, or fail.
"""

from __future__ import annotations

import asyncio
from typing import Any

from deixis.errors import PlannerFault
from deixis.graphs.planning.protocol import (
    Budget,
    Call,
    Gating,
    Medium,
    NextStep,
    PastStep,
    Planner,
    PlanReply,
    PlanRequest,
)
from deixis.graphs.planning.seen import Seen, SeenBox, SeenSound
from deixis.media.refs import AudioRef, ImageRef, MediaSource
from deixis.trace import Action, Observation, Step

MOST_STEPS = 12


def requests(image: ImageRef, audio: AudioRef | None, question: str) -> PlanRequest:
    """Returns the first request of a run."""
    media = [Medium(number=1, ref=image)] + ([Medium(number=1, ref=audio)] if audio else [])
    can: Any = ("tag", "ground", "segment", "look", "recall") + (("hear", "match") if audio else ())
    return PlanRequest(question=question, media=tuple(media), can=can, left=Budget(steps=MOST_STEPS))


def answered(call: Call, number: str, image: ImageRef, way: str) -> Seen:
    """Returns what a call gives: ``found``, ``nothing`` or ``fault``."""
    base: dict[str, Any] = {"call": number, "do": call.do, "medium": call.medium, "status": "ok"}
    if way == "fault":
        return Seen(**{**base, "status": "fault"}, fault="the lens is broken")
    if call.do in ("ground", "look"):
        if way == "nothing":
            return Seen(**base, phrases=call.phrases, absent=call.phrases)
        size = image.size
        boxes = tuple(
            SeenBox(
                number=place,
                phrase=phrase,
                name=phrase,
                box=(0, 0, size.width // 2, size.height // 2),
                score=0.8,
                asked=True,
            )
            for place, phrase in enumerate(call.phrases, 1)
        )
        return Seen(**base, phrases=call.phrases, boxes=boxes)
    if call.do == "hear" and way == "found":
        return Seen(**base, sounds=(SeenSound(number=1, label="bark", start_s=0.1, end_s=0.5, score=0.9),))
    return Seen(**base)


def traced(
    index: int, step: NextStep, given: tuple[Seen, ...], image: ImageRef, audio: AudioRef | None
) -> Step:
    """Returns a step in full, as a run records it, with what its calls gave."""
    roles = {"ground": "detection", "look": "detection", "tag": "tagging", "hear": "hearing",
             "segment": "segmentation", "match": "matching", "recall": "recall"}  # fmt: skip
    actions, observations = [], []
    for call, seen in zip(step.calls, given, strict=True):
        medium: Any = audio if call.do == "hear" else image
        asked: dict[str, Any] = {} if medium is None else {medium.kind: medium.model_dump(mode="json")}
        asked |= {"phrases": list(call.phrases), "everything": call.everything}
        actions.append(Action(call=seen.call, role=roles[call.do], tool="fake", input=asked))
        status = "fault" if seen.fault else "ok"
        output = None if seen.fault else _output(seen)
        observations.append(Observation(call=seen.call, status=status, output=output))
    text = "" if step.calls else step.text
    return Step(
        index=index, kind=step.kind, text=text, actions=tuple(actions), observations=tuple(observations)
    )


def _output(seen: Seen) -> dict[str, Any]:
    if seen.do == "hear":
        return {
            "events": [
                {
                    "label": one.label,
                    "span": {"start_s": one.start_s, "end_s": one.end_s},
                    "score": {"value": one.score, "kind": "hearing"},
                }
                for one in seen.sounds
            ]
        }
    if seen.do not in ("ground", "look"):
        return {}
    boxes = {one.phrase: dict(zip(("x1", "y1", "x2", "y2"), one.box, strict=True)) for one in seen.boxes}
    score = {"value": 0.8, "kind": "detector"}
    return {
        "phrases": [
            {
                "phrase": phrase,
                "status": "found" if phrase in boxes else "absent",
                "detections": [{"box": boxes[phrase], "score": score, "name": phrase}]
                if phrase in boxes
                else [],
            }
            for phrase in seen.phrases
        ]
    }


def check_planner(
    planner: Planner, media: MediaSource, image: ImageRef, audio: AudioRef | None, question: str
) -> list[NextStep]:
    """Returns the steps of a run in which everything is found; checks runs that find nothing, or fail, too.

    Raises:
        AssertionError: the planner broke a rule; the message names it.
    """
    assert isinstance(planner, Planner) and planner.name and planner.version
    assert isinstance(asyncio.run(planner.gate(question)), Gating)
    runs = [_run(planner, media, image, audio, question, way) for way in ("found", "nothing", "fault")]
    return runs[0]


def _run(
    planner: Planner, media: MediaSource, image: ImageRef, audio: AudioRef | None, question: str, way: str
) -> list[NextStep]:
    request = requests(image, audio, question)
    steps: list[NextStep] = []
    past: list[PastStep] = []
    trace: list[Step] = []
    for index in range(1, MOST_STEPS + 1):
        before = request.model_dump_json()
        try:
            reply = asyncio.run(planner(request, media))
        except PlannerFault as fault:
            assert fault.code and fault.message, "a fault tells its code and what happened"
            return steps
        assert isinstance(reply, PlanReply), "a reply is a PlanReply"
        assert reply.tokens >= 0 and reply.attempts >= 1
        assert request.model_dump_json() == before, "a request is not changed"
        step = NextStep.model_validate_json(reply.step.model_dump_json())
        assert step == reply.step, "a step can be stored and read again"
        steps.append(step)
        if step.kind == "answer":
            assert step.text.strip(), "an answer has a text"
            for claim in step.claims:
                assert claim.phrase in step.text, "a claim's words stand in the text"
            return steps
        assert all(call.do in request.can for call in step.calls), "only what can be called is called"
        given = tuple(
            answered(call, f"{index}.{place}", image, way) for place, call in enumerate(step.calls, 1)
        )
        past.append(PastStep(index=index, kind=step.kind, text=step.text, seen=given))
        if trace and step.reading:
            trace[-1] = trace[-1].model_copy(update={"text": step.reading})
        trace.append(traced(index, step, given, image, audio))
        left = Budget(steps=max(1, MOST_STEPS - index))
        request = request.model_copy(
            update={"steps": tuple(past), "trace": tuple(trace), "reads": bool(given), "left": left}
        )
    raise AssertionError(f"no answer after {MOST_STEPS} steps")

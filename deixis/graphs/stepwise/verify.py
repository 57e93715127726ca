"""Verify: each claim of the answer against what tools gave; once, the planner is sent back with a reason."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from deixis.graphs.context import RunContext
from deixis.graphs.planning.protocol import BOTH
from deixis.graphs.stepwise.answering import answering
from deixis.graphs.stepwise.denying import deny, unclaimed
from deixis.graphs.stepwise.findings import Findings
from deixis.graphs.stepwise.pointing import span_of
from deixis.graphs.stepwise.relating import relate
from deixis.graphs.stepwise.requests import plain
from deixis.graphs.stepwise.settling import settle
from deixis.graphs.stepwise.standing import misplaced
from deixis.graphs.stepwise.state import StepState
from deixis.graphs.stepwise.view import exhausted

MOST_ISSUES = 6


async def verify(state: StepState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns whether the answer stands, or what the planner is told about it."""
    context = runtime.context
    index = state["step"]
    step = answering(context, state, index)
    findings = Findings(context)
    settled = settle(state, step.text, step.claims, findings)
    told = context.recorder.open(index, "answer", step.text)
    told.spans = tuple(span_of(pointed) for pointed in settled.pointed)
    context.recorder.close(told)
    issues = [*settled.issues, *deny(context, step.denials).issues]
    issues += misplaced(step.text, settled.pointed)
    claimed = {(pointed.kind == "sound", plain(pointed.phrase)) for pointed in settled.pointed}
    issues += [
        f"{one.phrase!r} {BOTH}"
        for one in step.denials
        if (one.medium == "audio", plain(one.phrase)) in claimed
    ]
    issues += relate(context, state, step, settled, findings).issues
    issues += [
        f"{step.text[start:end]!r} is named, but points at nothing: claim it, or leave it out"
        for start, end in unclaimed(context, step.text, settled, step.denials)
    ]
    supported = sum(pointed.supported for pointed in settled.pointed)
    over = bool(state.get("ended")) or bool(exhausted(context, state))
    then = "" if supported or step.denials or over else state.get("then", "")
    if then:
        issues.insert(0, f"nothing of it is borne out by a tool, so the expert {then!r} is asked")
    again = bool(then) or (bool(issues) and not state.get("sent_back") and not over)
    checked = context.recorder.open(index + 1, "verify", "Check each claim against the evidence.")
    reasons = "; ".join(issues[:MOST_ISSUES])
    checked.text = f"{supported} of {len(settled.pointed)} claims have evidence."
    if issues:
        checked.text += f" {'Sent back' if again else 'Kept and marked'}: {reasons}."
    context.recorder.close(checked)
    if again:
        return {
            "step": index + 1,
            **({"expert": then, "then": ""} if then else {"sent_back": True}),
            "reply": {},
            "complaint": f"The answer does not stand: {reasons}."[:900],
        }
    return {"step": index + 1, "sent_back": state.get("sent_back", False), "complaint": ""}


async def after_verify(state: StepState) -> str:
    """Returns the next node: the planner once more, or the answer."""
    return "think" if state.get("complaint") else "answer"

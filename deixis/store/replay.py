"""The steps of a run, rebuilt from the events that were written while it went on."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from deixis.errors import InputFault
from deixis.trace import Action, Event, Observation, Step


def steps_of(events: list[Event]) -> tuple[Step, ...]:
    """Returns the steps that events tell of, by index; a step without an end is there as far as it got.

    Raises:
        InputFault: the events are not those of a run, e.g. a step has no beginning.
    """
    steps: dict[int, dict[str, Any]] = {}
    try:
        for event in events:
            if event.step is not None:
                _apply(event, steps.setdefault(event.step, {"index": event.step}))
        # What was planned or corrected may belong to a step that never began.
        begun = {
            index: told for index, told in steps.items() if {"kind", "actions", "observations"} & {*told}
        }
        return tuple(_step(begun[index]) for index in sorted(begun))
    except ValidationError as error:
        raise InputFault(
            "trace.events.damaged",
            f"The events of {events[0].run} do not tell of whole steps ({error.error_count()} faults).",
            "They were written by another version of deixis, or changed.",
        ) from error


def _step(told: dict[str, Any]) -> Step:
    """Returns a step, its calls in the order of their numbers: side by side, they end in any order."""
    for key in ("actions", "observations"):
        if key in told:
            told[key] = tuple(sorted(told[key], key=lambda one: int(one.call.rpartition(".")[2])))
    return Step.model_validate(told)


def _apply(event: Event, step: dict[str, Any]) -> None:
    """Puts what an event tells into the step it belongs to."""
    told = event.data
    if event.type == "step_started":
        step.update({key: told[key] for key in ("kind", "text") if key in told})
    elif event.type == "action":
        step["actions"] = (*step.get("actions", ()), Action.model_validate(told))
    elif event.type == "observation":
        step["observations"] = (*step.get("observations", ()), Observation.model_validate(told))
    elif event.type == "corrected":
        _correct(told, step)
    elif event.type == "step_ended":
        step.update({key: told[key] for key in ("text", "spans", "seconds", "expert") if key in told})


def _correct(told: dict[str, Any], step: dict[str, Any]) -> None:
    """Puts what a person changed in the place of what was there."""
    if "observation" in told:
        made = Observation.model_validate(told["observation"])
        kept = (one for one in step.get("observations", ()) if one.call != made.call)
        step["observations"] = (*kept, made)
    elif "text" in told.get("correction", {}):
        step["text"] = told["correction"]["text"]

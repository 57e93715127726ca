"""Runs as training samples: what a person corrected, and the checks passed, is learned from.

A run's steps have the sample's form already. Left out are the taking in of the media, answers that were sent
back, the checking, outlines drawn behind the answer, and calls that failed; calls are numbered anew. A closer
look counts as a detection, with its boxes in pixels of the whole picture.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.agent.traces.resuming import on_record
from deixis.answer import GroundedAnswer
from deixis.errors import InputFault
from deixis.graphs.rules.questions import parse
from deixis.learned.scout.checks.form import FORMS, form_rules
from deixis.learned.scout.sample import Absence, Sample, SampleMedium
from deixis.media.refs import AudioRef, ImageRef
from deixis.trace import Action, Observation, Span, Step, Trace

if TYPE_CHECKING:
    from deixis.store import Store

MAKER = "runs/1"
_TASKS = {
    "presence": "presence",
    "where": "where",
    "which": "select",
    "count": "count",
    "attribute": "attribute",
}


@dataclass
class Exported:
    """What an export came to: the samples, and why other runs gave none."""

    samples: list[Sample] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def export_scout(store: Store, out: Path, runs: Sequence[str] = ()) -> Exported:
    """Returns the samples written to ``out/samples.jsonl``, with their media beside it.

    Args:
        store: where the runs are.
        out: a folder; what ``samples.jsonl`` held before is replaced.
        runs: ids. Without any, all that a person corrected, or that came of a fork with corrections.

    Raises:
        InputFault: there is no such run, or the folder cannot be written.
    """
    from deixis.store.blobs import writable, write_whole

    done = Exported()
    wanted = [store.runs.find(run) for run in runs] or [record.run for record in store.runs.records()][::-1]
    with writable(out):
        (out / "media").mkdir(parents=True, exist_ok=True)
    known: set[str] = set()
    for run in wanted:
        try:
            sample = sample_of(store, run, needs_correction=not runs)
        except InputFault as fault:
            done.left_out[run] = fault.message
            continue
        if sample.id in known:
            done.left_out[run] = "the same sample is there already"
            continue
        known.add(sample.id)
        for medium in sample.media:
            with writable(out):
                shutil.copyfile(store.path(medium.digest), out / medium.source)
        done.samples.append(sample)
    write_whole(out / "samples.jsonl", b"".join(f"{one.line()}\n".encode("ascii") for one in done.samples))
    return done


def sample_of(store: Store, run: str, needs_correction: bool = False) -> Sample:
    """Returns a run as a sample.

    Raises:
        InputFault: the run did not end well, its answer claims what nobody saw, nobody corrected it though
            that is asked for, or the sample would not pass the checks of form.
    """
    record, past = on_record(store, run)
    answer = store.runs.answer(record.run)
    if answer is None or record.status != "complete":
        raise _unfit(record.run, f"it is {record.status}, and only complete runs are learned from")
    if any(not entity.supported for entity in answer.entities) or answer.unplaced:
        raise _unfit(record.run, "its answer claims what no tool saw")
    if needs_correction and not past.corrections:
        raise _unfit(record.run, "nobody corrected it (name it, if it is to be learned from as it is)")
    trace = store.runs.trace(record.run)
    steps = tuple(_steps(trace, answer))
    if not steps or steps[-1].kind != "answer":
        raise _unfit(record.run, "it has no step that answers")
    versions = {
        action.tool: seen.version
        for step in trace.steps
        for action, seen in _pairs(step)
        if seen.version and action.role in FORMS
    }
    sample = Sample(
        media=tuple(map(_medium, answer.media)),
        question=record.question or "Describe it.",
        task=_TASKS.get(parse(record.question).intent, "sound_source" if answer.relations else "describe"),
        steps=steps,
        value=_value(answer),
        absence=_absence(answer),
        maker=MAKER,
        versions={"run": record.run, **versions},
    )
    faults = [f"{rule.name}: {why}" for rule in form_rules() if (why := rule.fault(sample))]
    if faults:
        raise _unfit(record.run, f"as a sample it would not pass ({faults[0]})")
    return sample


def _unfit(run: str, why: str) -> InputFault:
    return InputFault(
        "trace.export.unfit", f"The run {run} gives no sample: {why}.", "Correct it: deixis trace fork."
    )


def _medium(ref: Any) -> SampleMedium:
    source = f"media/{ref.digest.removeprefix('sha256:')[:24]}.{str(ref.format).lower()}"
    if isinstance(ref, ImageRef):
        size = ref.size
        return SampleMedium(
            kind="image", digest=ref.digest, source=source, width=size.width, height=size.height
        )
    if isinstance(ref, AudioRef):
        seconds = round(ref.duration_s, 4)
        return SampleMedium(
            kind="audio", digest=ref.digest, source=source, seconds=seconds, rate_hz=ref.rate_hz
        )
    raise InputFault(
        "trace.export.film", "Runs about films give no samples yet.", "Export pictures and sounds."
    )


def _pairs(step: Step) -> Iterator[tuple[Action, Observation]]:
    given = {one.call: one for one in step.observations}
    return ((action, given[action.call]) for action in step.actions if action.call in given)


def _steps(trace: Trace, answer: GroundedAnswer) -> Iterator[Step]:
    """Yields the steps of a sample, numbered from 0, the answer last."""
    final = max((step.index for step in trace.steps if step.kind == "answer"), default=-1)
    number = 0
    for step in trace.steps:
        if step.kind in ("ingest", "verify", "link") or step.index > final:
            continue
        if step.kind == "answer" and step.index != final:
            continue
        actions, observations = _calls(step, number)
        if step.kind != "answer" and not actions and not step.text.strip():
            continue
        if step.kind == "answer":
            text, spans = answer.text, tuple(_answer_spans(answer))
        else:
            text, spans = step.text, step.spans
        yield Step(
            index=number, kind=step.kind, text=text, spans=spans, actions=actions, observations=observations,
        )  # fmt: skip
        number += 1


def _calls(step: Step, number: int) -> tuple[tuple[Action, ...], tuple[Observation, ...]]:
    actions: list[Action] = []
    observations: list[Observation] = []
    for action, seen in _pairs(step):
        if action.role not in FORMS or seen.output is None:
            continue
        request, result = FORMS[action.role]
        asked: dict[str, Any] = {
            key: value for key, value in action.input.items() if key in request.model_fields
        }
        call = f"{number}.{len(actions) + 1}"
        told = request.model_validate(asked).model_dump(mode="json", exclude_defaults=True)
        given = result.model_validate(seen.output).model_dump(mode="json", exclude_defaults=True)
        actions.append(Action(call=call, role=action.role, tool=action.tool, input=told))
        observations.append(Observation(call=call, status="ok", output=given, corrected=seen.corrected))
    return tuple(actions), tuple(observations)


def _answer_spans(answer: GroundedAnswer) -> Iterator[Span]:
    """Yields where the answer points, and the words of what it says is not there."""
    places = []
    for mention in answer.mentions:
        regions = [region for named in mention.entities for region in answer.entity(named).regions]
        media = {region.media for region in regions}
        places.append(
            Span(
                start=mention.start,
                end=mention.end,
                phrase=mention.phrase,
                boxes=tuple(region.box for region in regions if region.box is not None),
                times=tuple(region.span for region in regions if region.span is not None),
                media=next(iter(media)) if len(media) == 1 else "",
            )
        )
    for gone in answer.not_found:
        at = answer.text.casefold().find(gone.phrase.casefold())
        end = at + len(gone.phrase)
        if at >= 0 and all(end <= one.start or at >= one.end for one in places):
            places.append(Span(start=at, end=end, phrase=answer.text[at:end]))
    yield from sorted(places, key=lambda one: one.start)


def _value(answer: GroundedAnswer) -> str:
    first = answer.text.split(",")[0].split(".")[0].strip().casefold()
    return first if first in ("yes", "no") else ""


def _absence(answer: GroundedAnswer) -> Absence:
    if answer.relation == "unmatched" and any(entity.kind == "sound" for entity in answer.entities):
        return "unrelated_sound"
    if any(gone.reason == "absent" for gone in answer.not_found) and not answer.entities:
        return "absent"
    return ""

"""Ingest: media go into the store; from here on the run speaks of digests."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from deixis.graphs.context import RunContext
from deixis.graphs.recorder import header_of
from deixis.graphs.state import RunState
from deixis.graphs.turns.asked import Asked
from deixis.graphs.turns.finishing import told_by_ingest
from deixis.graphs.turns.reading import read_turn
from deixis.media.refs import AudioRef, ImageRef
from deixis.tools.protocol import in_thread


async def ingest(state: RunState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the references of the run's media.

    Raises:
        InputFault: a medium cannot be used; the run is over, and on record.
    """
    context = runtime.context
    with context.recorder.step(0, "ingest", "Take in the media.") as step:
        images, audios = await _taken(context)
        taken: dict[str, Any] = {
            "images": [ref.model_dump(mode="json") for ref in images],
            "audios": [ref.model_dump(mode="json") for ref in audios],
        }
        asked = read_turn(state.get("question", ""), images, audios, context.earlier)
        asked = _for_planner(asked, context)
        context.recorder.emit("ingested", data={**taken, "talk": asked.talk} if asked.talk else taken)
        words = [f"a picture of {i.size.width} × {i.size.height} pixels" for i in images]
        words += [f"a sound of {a.duration_s:.2f} s at {a.rate_hz} Hz" for a in audios]
        step.text = f"Take in {', '.join(words)}." if words else "No media were given."
        step.text += "".join(f" {note[:1].upper()}{note[1:]}." for note in asked.notes)
    context.recorder.record = context.recorder.record.model_copy(update=header_of(taken))
    shown = [taken["images"][number - 1] for number in asked.pictures]
    update = {**taken, "images": shown or taken["images"], "problems": told_by_ingest(asked.problems)}
    if asked != Asked(text=state.get("question", "")):
        update["reading"] = asked.model_dump(mode="json", exclude_defaults=True)
    return update


def _for_planner(asked: Asked, context: RunContext) -> Asked:
    """Returns the reading; a planner that is no rules answers a turn without media in its own words."""
    before = context.recorder.fact("ingested", None)
    if before is not None:
        return asked.model_copy(update={"talk": before.get("talk", "")})
    if context.planner is not None and context.planner.name != "rules":
        return asked.model_copy(update={"talk": ""})
    return asked


async def _taken(context: RunContext) -> tuple[list[ImageRef], list[AudioRef]]:
    """Returns the references of the media, from the record where they had been taken in before."""
    before = context.recorder.fact("ingested", None)
    if before is not None:
        return (
            [ImageRef.model_validate(ref) for ref in before["images"]],
            [AudioRef.model_validate(ref) for ref in before["audios"]],
        )
    images = [
        source if isinstance(source, ImageRef) else await in_thread(context.media.add_image, source)
        for source in context.images
    ]
    audios = [
        source if isinstance(source, AudioRef) else await in_thread(context.media.add_audio, source)
        for source in context.audios
    ]
    return images, audios

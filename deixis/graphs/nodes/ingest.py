"""Ingest: media go into the store; from here on the run speaks of digests."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from deixis.graphs.context import RunContext
from deixis.graphs.state import RunState
from deixis.tools.protocol import in_thread


async def ingest(state: RunState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the references of the run's media.

    Raises:
        InputFault: a medium cannot be used; the run is over, and on record.
    """
    context = runtime.context
    with context.recorder.step(0, "ingest", "Take in the media.") as step:
        images = [await in_thread(context.media.add_image, source) for source in context.images]
        audios = [await in_thread(context.media.add_audio, source) for source in context.audios]
        words = [f"a picture of {i.size.width} × {i.size.height} pixels" for i in images]
        words += [f"a sound of {a.duration_s:.2f} s at {a.rate_hz} Hz" for a in audios]
        step.text = f"Take in {', '.join(words)}." if words else "No media were given."
    refs = [*images, *audios]
    context.recorder.record = context.recorder.record.model_copy(
        update={
            "media": tuple(ref.digest for ref in refs),
            "names": tuple(ref.name for ref in refs),
        }
    )
    return {
        "images": [ref.model_dump(mode="json") for ref in images],
        "audios": [ref.model_dump(mode="json") for ref in audios],
    }

"""deixis behind FastAPI: one route that streams the events of a run, with limits on what is sent to it.

    pip install 'deixis[serve]'
    python examples/stream_over_http.py          # serves on 127.0.0.1:8008
    curl -N --data-binary @photo.jpg -H 'Content-Type: image/jpeg' \
        'http://127.0.0.1:8008/ask?question=Where+is+the+dog%3F'

The body is the picture or the sound itself. The answer comes as NDJSON, one JSON object a line, or as
server-sent events where the client accepts ``text/event-stream``: first the events, as they happen, and
last ``answer`` or ``error``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import StreamingResponse

from deixis import Agent
from deixis.answer import GroundedAnswer
from deixis.errors import DeixisError, InputFault


@dataclass(frozen=True)
class Limits:
    """What strangers may ask for."""

    body_bytes: int = 20_000_000
    question_letters: int = 500
    runs_at_once: int = 2
    waiting_s: float = 5.0
    """How long a request waits for its turn before it is told to come back later."""
    body_s: float = 30.0
    """How long a body may take to arrive."""


def make_app(agent: Agent, limits: Limits | None = None) -> FastAPI:
    """Returns the application. One agent serves all requests; its networks are loaded once."""
    bounds = limits or Limits()
    turns = asyncio.Semaphore(bounds.runs_at_once)
    app = FastAPI(title="deixis, streamed")

    @app.post("/ask")
    async def ask(
        request: Request,
        question: str = Query("", max_length=bounds.question_letters),
    ) -> StreamingResponse:
        body = await _body(request, bounds)
        ref = await _taken_in(agent, body)
        try:
            async with asyncio.timeout(bounds.waiting_s):
                await turns.acquire()
        except TimeoutError as error:
            raise HTTPException(503, "All places are taken.", {"Retry-After": "5"}) from error
        as_events = "text/event-stream" in request.headers.get("accept", "")
        media = {"image": ref} if ref is not None and ref.kind == "image" else {"audio": ref}
        lines = _lines(agent, question, media, turns, as_events)
        kind = "text/event-stream" if as_events else "application/x-ndjson"
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(lines, media_type=kind, headers=headers)

    return app


async def _body(request: Request, limits: Limits) -> bytes:
    """Returns the body, of which no more is read than allowed, whatever its header promises."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_s):
            async for part in request.stream():
                size += len(part)
                if size > limits.body_bytes:
                    raise HTTPException(413, f"At most {limits.body_bytes} bytes.")
                parts.append(part)
    except TimeoutError as error:
        raise HTTPException(408, f"The body took longer than {limits.body_s:g} s.") from error
    return b"".join(parts)


async def _taken_in(agent: Agent, body: bytes) -> Any:
    """Returns the reference of the medium; None for an empty body. Bytes only: no path, no address."""
    if not body:
        return None
    try:
        ref = await asyncio.to_thread(agent.store.add, body)
    except InputFault as fault:
        raise HTTPException(
            422, {"code": fault.code, "message": fault.message, "cure": fault.cure}
        ) from fault
    if ref.kind == "video":
        raise HTTPException(415, "Pictures and sounds only.")
    return ref


async def _lines(
    agent: Agent, question: str, media: dict[str, Any], turns: asyncio.Semaphore, as_events: bool
) -> AsyncIterator[str]:
    """Yields the events and the answer. When the client goes away, the run is ended and the place is free."""
    try:
        async for item in agent.astream(question, **media):
            last = isinstance(item, GroundedAnswer)
            yield _line(
                "answer" if last else "event", item.model_dump(mode="json", exclude_none=True), as_events
            )
    except DeixisError as fault:
        yield _line("error", fault.as_dict(), as_events)
    finally:
        turns.release()


def _line(kind: str, data: dict[str, Any], as_events: bool) -> str:
    if as_events:
        return f"event: {kind}\ndata: {json.dumps(data)}\n\n"
    return json.dumps({kind: data}) + "\n"


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(make_app(Agent()), host="127.0.0.1", port=8008)

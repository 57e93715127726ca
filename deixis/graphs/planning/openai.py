"""The planner that asks any OpenAI-compatible endpoint, under a JSON schema, with bounded retries."""

from __future__ import annotations

import asyncio
import math
import os
import random
from typing import Any

from pydantic import SecretStr

from deixis.errors import InputFault, PlannerFault
from deixis.graphs.planning.endpoint import Busy, Endpoint, Said, Unsupported
from deixis.graphs.planning.pictures import data_url, in_pixels, told
from deixis.graphs.planning.prompt import orders, situation
from deixis.graphs.planning.protocol import Gating, NextStep, PlanReply, PlanRequest, schema
from deixis.graphs.planning.replies import read_reply, strict_schema
from deixis.graphs.planning.seen import clean
from deixis.learned.formats.frame import INPUT_PIXELS, NAMED
from deixis.media.refs import MediaSource
from deixis.tools.protocol import in_thread

FORMATS = ("json_schema", "json_object", "none")
LONGEST_WAIT_S = 20.0
LETTERS_A_TOKEN = 4
"""For endpoints that do not tell their usage; English text has about four letters a token."""


class OpenAIPlanner:
    """Asks for the next step; a reply that is none is shown to the model with what is wrong about it.

    Retries and backoff are bounded here; the run's own patience comes on top.
    """

    name = "openai"
    version = "1"

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        retries: int,
        backoff_s: float,
        side_px: int,
        space: str,
        response_format: str,
        most_tokens: int,
        temperature: float,
    ) -> None:
        self._endpoint = endpoint
        self._retries = retries
        self._backoff_s = backoff_s
        self._side_px = side_px
        self._space = space
        self._format = response_format
        self._options = {"temperature": temperature, "max_tokens": most_tokens}

    async def gate(self, question: str) -> Gating:
        """Returns that there are no experts that could be chosen from here."""
        return Gating()

    async def __call__(self, request: PlanRequest, media: MediaSource) -> PlanReply:
        """Returns the next step.

        Raises:
            PlannerFault: ``planner.openai.*`` or ``planner.reply.*``; its details hold the tokens spent.
        """
        dialogue = await in_thread(self._messages, request, media)
        fault = PlannerFault("planner.openai.busy", "The endpoint gave nothing.")
        tokens, attempt = 0, 0
        while attempt <= self._retries:
            wait_s: float | None = 0.0
            try:
                said = await self._endpoint.ask(dialogue, **self._options, **self._formatted())
                tokens += said.tokens or _estimate(dialogue, said.text)
                step = self._read(said, request)
                return PlanReply(step=step, tokens=tokens, attempts=attempt + 1)
            except Unsupported:
                self._format = FORMATS[FORMATS.index(self._format) + 1]
                continue
            except Busy as busy:
                fault, wait_s = busy.fault, busy.wait_s
            except PlannerFault as error:
                if error.details.get("final") or not error.code.startswith("planner.reply"):
                    error.details["tokens"] = tokens
                    raise
                fault = error
                dialogue = [*dialogue[:2], *_mended(said.text, error)]
            attempt += 1
            if attempt <= self._retries:
                await asyncio.sleep(self._pause(attempt, wait_s))
        fault.details["tokens"] = tokens
        raise fault

    def _pause(self, attempt: int, asked_s: float | None) -> float:
        """Returns the seconds to wait: what the endpoint asked for, else doubling, with jitter on top."""
        if asked_s == 0.0:
            return 0.0
        wait_s = asked_s if asked_s is not None else self._backoff_s * 2 ** (attempt - 1)
        return min(LONGEST_WAIT_S, wait_s * (1 + 0.5 * random.random()))

    def _formatted(self) -> dict[str, Any]:
        if self._format == "none":
            return {}
        if self._format == "json_object":
            return {"response_format": {"type": "json_object"}}
        form = {"name": "next_step", "strict": True, "schema": strict_schema(schema())}
        return {"response_format": {"type": "json_schema", "json_schema": form}}

    def _messages(self, request: PlanRequest, media: MediaSource) -> list[dict[str, Any]]:
        words = {"type": "text", "text": situation(request)}
        pictures = [
            {"type": "image_url", "image_url": {"url": data_url(image, media, self._side_px)}}
            for image in (request.images if self._side_px else ())
        ]
        return [
            {"role": "system", "content": orders(told(self._space))},
            {"role": "user", "content": [words, *pictures] if pictures else words["text"]},
        ]

    def _read(self, said: Said, request: PlanRequest) -> NextStep:
        if said.cut_off:
            message = "The reply was cut off at the limit of tokens: write a shorter step."
            raise PlannerFault("planner.reply.cut", message)
        return in_pixels(read_reply(said.text), request, self._space, self._input_size)

    def _input_size(self, image: Any) -> Any:
        """Returns the size of the picture as it was sent."""
        from deixis.geometry import Size

        longer = max(image.size.width, image.size.height)
        factor = min(1.0, self._side_px / longer)
        return Size(
            width=max(1, round(image.size.width * factor)), height=max(1, round(image.size.height * factor))
        )


def _mended(reply: str, fault: PlannerFault) -> list[dict[str, Any]]:
    """Returns the reply and what is wrong with it, so that the model can write it anew."""
    shown = clean(reply, 4000) or "(nothing)"
    told_again = f"{fault.message} {fault.cure} Reply again with one whole JSON object."
    return [{"role": "assistant", "content": shown}, {"role": "user", "content": told_again}]


def _estimate(dialogue: list[dict[str, Any]], reply: str) -> int:
    letters = len(reply)
    for message in dialogue:
        content = message["content"]
        parts = content if isinstance(content, list) else [{"text": content}]
        letters += sum(len(part.get("text", "")) for part in parts)
    return letters // LETTERS_A_TOKEN


def openai(
    base_url: str | None = None,
    model: str | None = None,
    api_key: str | None = None,
    *,
    timeout_s: float = 60.0,
    retries: int = 2,
    backoff_s: float = 0.5,
    side_px: int = 768,
    space: str = "",
    response_format: str = "json_schema",
    most_tokens: int = 1200,
    temperature: float = 0.0,
) -> OpenAIPlanner:
    """Returns the planner over an OpenAI-compatible endpoint.

    Args:
        base_url: ends before ``/chat/completions``; without it DEIXIS_CHAT_URL.
        model: name of the model; without it DEIXIS_CHAT_MODEL.
        api_key: without it DEIXIS_CHAT_KEY; a local endpoint needs none.
        timeout_s: for one request.
        retries: further requests where the endpoint is busy or a reply is no step.
        backoff_s: the first pause; it doubles, with jitter.
        side_px: longer side of the pictures that are sent; 0 sends none.
        space: coordinate space of boxes that the model writes itself (`deixis.spaces`, ``input-pixels``);
            without it the model is told to point by references only.
        response_format: ``json_schema``, ``json_object`` or ``none``; an endpoint that does not know one is
            asked with the next.
        most_tokens: of one reply.
        temperature: of the sampling.

    Raises:
        InputFault: ``planner.openai.unset`` without address or model, ``planner.openai.option`` for an option
            that is out of range.
    """
    url = base_url or os.environ.get("DEIXIS_CHAT_URL", "")
    named = model or os.environ.get("DEIXIS_CHAT_MODEL", "")
    if not url or not named:
        raise InputFault(
            "planner.openai.unset",
            "The planner openai needs the address and the name of a model.",
            "Set DEIXIS_CHAT_URL and DEIXIS_CHAT_MODEL, or choose the planner rules.",
        )
    wrong = ""
    if not url.startswith(("http://", "https://")):
        wrong = "base_url begins with http:// or https://"
    elif not (timeout_s > 0 and retries >= 0 and backoff_s >= 0 and side_px >= 0 and most_tokens > 0):
        wrong = "timeout_s and most_tokens are above 0; retries, backoff_s and side_px at least 0"
    elif not math.isfinite(temperature) or temperature < 0:
        wrong = "temperature is a number from 0 on"
    elif response_format not in FORMATS:
        wrong = f"response_format is one of {', '.join(FORMATS)}"
    elif space and space not in NAMED and space != INPUT_PIXELS:
        wrong = f"space is one of {', '.join(sorted([*NAMED, INPUT_PIXELS]))}"
    if wrong:
        raise InputFault("planner.openai.option", f"An option does not fit: {wrong}.", "Change the option.")
    key = api_key or os.environ.get("DEIXIS_CHAT_KEY", "")
    return OpenAIPlanner(
        Endpoint(url, named, SecretStr(key) if key else None, timeout_s),
        retries=retries,
        backoff_s=backoff_s,
        side_px=side_px,
        space=space,
        response_format=response_format,
        most_tokens=most_tokens,
        temperature=temperature,
    )

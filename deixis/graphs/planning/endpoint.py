"""Requests to an OpenAI-compatible chat endpoint, bounded, with their usage; the key reaches no error."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from deixis.errors import PlannerFault

MOST_BYTES = 4_000_000
_COME_AGAIN = frozenset({408, 409, 425, 429})


class Busy(Exception):
    """The endpoint may answer when asked again; `fault` says what it is if it does not."""

    def __init__(self, fault: PlannerFault, wait_s: float | None = None) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.wait_s = wait_s


class Unsupported(Exception):
    """The endpoint does not know the response format that it was asked for."""


@dataclass(frozen=True)
class Said:
    """A completion: its text, the tokens that it took, whether it was cut off at the limit."""

    text: str
    tokens: int
    cut_off: bool = False


class Endpoint:
    """A chat model by address, name and key."""

    def __init__(self, base_url: str, model: str, key: SecretStr | None, timeout_s: float) -> None:
        base = base_url.rstrip("/")
        self._url = base if base.endswith("/chat/completions") else f"{base}/chat/completions"
        self._model = model
        self._key = key
        self._timeout_s = timeout_s

    @property
    def host(self) -> str:
        """Returns the host, without user, password, path or query, for messages."""
        return urlsplit(self._url).hostname or "the endpoint"

    async def ask(self, messages: list[dict[str, Any]], **options: Any) -> Said:
        """Returns the first choice.

        Raises:
            Busy: it could not be reached, was too slow, or asked to come again.
            Unsupported: it refused the response format.
            PlannerFault: it refused, or answered with something else than a chat completion.
        """
        headers = {"Authorization": f"Bearer {self._key.get_secret_value()}"} if self._key else {}
        body = {"model": self._model, "messages": messages, **options}
        try:
            async with (
                httpx.AsyncClient(timeout=self._timeout_s, follow_redirects=False) as client,
                client.stream("POST", self._url, json=body, headers=headers) as answer,
            ):
                raw = await self._limited(answer)
        except httpx.TimeoutException as error:
            message = f"{self.host} did not answer within {self._timeout_s:g} s."
            raise Busy(PlannerFault("planner.openai.timeout", message)) from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            message = f"{self.host} could not be reached ({type(error).__name__})."
            fault = PlannerFault("planner.openai.unreachable", message, "Check DEIXIS_CHAT_URL.")
            raise Busy(fault) from None  # the cause's message may name the whole address
        self._check(answer, raw, "response_format" in options)
        return self._said(raw)

    async def _limited(self, answer: httpx.Response) -> bytes:
        body = b""
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > MOST_BYTES:
                message = f"The reply of {self.host} is longer than {MOST_BYTES} bytes."
                raise PlannerFault("planner.openai.oversized", message, final=True)
        return body

    def _check(self, answer: httpx.Response, raw: bytes, formatted: bool) -> None:
        status = answer.status_code
        if status in {401, 403}:
            cure = "Check DEIXIS_CHAT_KEY." if self._key else "Set DEIXIS_CHAT_KEY."
            message = f"{self.host} refused the key ({status})."
            raise PlannerFault("planner.openai.denied", message, cure, final=True)
        if status in _COME_AGAIN or status >= 500:
            fault = PlannerFault("planner.openai.busy", f"{self.host} answered with status {status}.")
            raise Busy(fault, _seconds(answer.headers.get("retry-after", "")))
        if status in {400, 404, 415, 422} and formatted and b"response_format" in raw:
            raise Unsupported
        if status != 200:
            message = f"{self.host} answered with status {status}."
            cure = "Check DEIXIS_CHAT_URL and DEIXIS_CHAT_MODEL."
            raise PlannerFault("planner.openai.status", message, cure, final=True)

    def _said(self, raw: bytes) -> Said:
        try:
            data: Any = json.loads(raw)
            choice = data["choices"][0]
            content = choice["message"].get("content")
            usage = data.get("usage") or {}
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            message = f"The reply of {self.host} is no chat completion."
            raise PlannerFault("planner.openai.foreign", message) from error
        if isinstance(content, list):  # the form with content parts
            content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
        text = content if isinstance(content, str) else ""
        total = usage.get("total_tokens") if isinstance(usage, dict) else None
        tokens = total if isinstance(total, int) and total > 0 else 0
        return Said(text, tokens, choice.get("finish_reason") == "length")


def _seconds(value: str) -> float | None:
    try:
        return max(0.0, float(value))
    except ValueError:
        return None

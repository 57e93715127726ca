"""One request to an OpenAI-compatible chat endpoint; the key never reaches an error or a log."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from deixis.errors import ToolFault

_MOST_BYTES = 2_000_000


class Busy(Exception):
    """The endpoint may answer when asked again; `fault` says what it is if it does not."""

    def __init__(self, fault: ToolFault, wait_s: float | None = None) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.wait_s = wait_s


class ChatEndpoint:
    """A chat model by address, name and key."""

    def __init__(self, base_url: str, model: str, api_key: SecretStr | None, timeout_s: float) -> None:
        base = base_url.rstrip("/")
        self._url = base if base.endswith("/chat/completions") else f"{base}/chat/completions"
        self.model = model
        self._key = api_key
        self._timeout_s = timeout_s

    @property
    def host(self) -> str:
        """Returns the host, without user, password, path or query, for messages."""
        return urlsplit(self._url).hostname or "the chat endpoint"

    async def ask(self, messages: list[dict[str, str]]) -> str:
        """Returns the text of the first choice.

        Raises:
            Busy: it could not be reached, was too slow, or asked to come again.
            ToolFault: it refused, or answered with something else than a chat completion.
        """
        headers = {"Authorization": f"Bearer {self._key.get_secret_value()}"} if self._key else {}
        body = {"model": self.model, "messages": messages, "temperature": 0}
        try:
            async with (
                httpx.AsyncClient(timeout=self._timeout_s, follow_redirects=False) as client,
                client.stream("POST", self._url, json=body, headers=headers) as answer,
            ):
                self._check(answer)
                return _text(await _limited(answer))
        except httpx.TimeoutException as error:
            message = f"{self.host} did not answer within {self._timeout_s:g} s."
            raise Busy(ToolFault("tool.linking.timeout", message)) from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            message = f"{self.host} could not be reached ({type(error).__name__})."
            raise Busy(ToolFault("tool.linking.unreachable", message, "Check DEIXIS_CHAT_URL.")) from None

    def _check(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status in {401, 403}:
            cure = "Check DEIXIS_CHAT_KEY." if self._key else "Set DEIXIS_CHAT_KEY."
            raise ToolFault("tool.linking.denied", f"{self.host} refused the key ({status}).", cure)
        if status in {408, 409, 425, 429} or status >= 500:
            fault = ToolFault("tool.linking.busy", f"{self.host} answered with status {status}.")
            raise Busy(fault, _seconds(answer.headers.get("retry-after", "")))
        if status != 200:
            message = f"{self.host} answered with status {status}."
            raise ToolFault("tool.linking.status", message, "Check DEIXIS_CHAT_URL and DEIXIS_CHAT_MODEL.")


async def _limited(answer: httpx.Response) -> bytes:
    body = b""
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > _MOST_BYTES:
            raise ToolFault("tool.linking.oversized", f"The reply is longer than {_MOST_BYTES} bytes.")
    return body


def _text(body: bytes) -> str:
    import json

    try:
        data: Any = json.loads(body)
        content = data["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ToolFault("tool.linking.foreign", "The endpoint's reply is no chat completion.") from error
    if isinstance(content, list):  # the form with content parts
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _seconds(value: str) -> float | None:
    try:
        return max(0.0, float(value))
    except ValueError:
        return None

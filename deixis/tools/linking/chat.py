"""The linker that asks a chat model, under a JSON contract that is checked against the text."""

from __future__ import annotations

import asyncio
import os
from typing import ClassVar

from pydantic import SecretStr

from deixis.answer import Score
from deixis.errors import InputFault, ToolFault
from deixis.geometry import Frozen
from deixis.media.refs import Digest, MediaSource
from deixis.tools.linking.contract import again, messages
from deixis.tools.linking.endpoint import Busy, ChatEndpoint
from deixis.tools.linking.placing import place
from deixis.tools.linking.protocol import LinkRequest, LinkResult
from deixis.tools.linking.reading import Unreadable, read_reply
from deixis.tools.protocol import Role

_LONGEST_WAIT_S = 20.0
_UNSAID = Score(value=1.0, kind="none")
"""A model's own confidence is kept as a number of no known kind."""


class ChatLinker:
    """Asks once, and again up to `retries` times where the endpoint is busy or the reply unreadable."""

    name = "linking/chat"
    version = "1"
    role: Role = "linking"
    Input: ClassVar[type[Frozen]] = LinkRequest
    Output: ClassVar[type[Frozen]] = LinkResult

    def __init__(self, endpoint: ChatEndpoint, retries: int, backoff_s: float) -> None:
        self._endpoint = endpoint
        self._retries = retries
        self._backoff_s = backoff_s

    @property
    def weights_digest(self) -> Digest | None:
        """Returns None: the weights are elsewhere."""
        return None

    async def __call__(self, request: LinkRequest, media: MediaSource | None = None) -> LinkResult:
        """Returns the links that stand the check; asks nobody where there are no labels or no text.

        Raises:
            ToolFault: ``tool.linking.*``: timeout, unreachable, busy, denied, status, foreign,
                oversized, unreadable.
        """
        if not any(item.label.strip() for item in request.labels) or not request.text.strip():
            return LinkResult()
        dialogue = messages(request)
        fault = ToolFault("tool.linking.unreadable", "No reply could be read.")
        for attempt in range(self._retries + 1):
            wait_s: float | None = None
            try:
                reply = await self._endpoint.ask(dialogue)
                return place(request, read_reply(reply), _UNSAID)
            except Busy as busy:
                fault, wait_s = busy.fault, busy.wait_s
            except Unreadable as error:
                message = f"{self._endpoint.host} gave no usable list of pairs: {error}"
                fault, wait_s = ToolFault("tool.linking.unreadable", message), 0.0
                dialogue = messages(request) + again(reply, str(error))
            if attempt < self._retries:
                pause = self._backoff_s * 2**attempt if wait_s is None else wait_s
                await asyncio.sleep(min(pause, _LONGEST_WAIT_S))
        raise fault


def chat(
    base_url: str | None = None,
    model: str | None = None,
    api_key: str | None = None,
    timeout_s: float = 20.0,
    retries: int = 2,
    backoff_s: float = 0.5,
) -> ChatLinker:
    """Returns the linker over an OpenAI-compatible endpoint.

    What is not given comes from DEIXIS_CHAT_URL (ending before ``/chat/completions``),
    DEIXIS_CHAT_MODEL and DEIXIS_CHAT_KEY; a local endpoint needs no key.

    Raises:
        InputFault: ``linking.chat.unset`` without address or model, ``linking.chat.url`` for an
            address that is not http(s), ``linking.chat.option`` for a negative number.
    """
    url = base_url or os.environ.get("DEIXIS_CHAT_URL", "")
    named = model or os.environ.get("DEIXIS_CHAT_MODEL", "")
    if not url or not named:
        raise InputFault(
            "linking.chat.unset",
            "The chat linker needs the address and the name of a model.",
            "Set DEIXIS_CHAT_URL and DEIXIS_CHAT_MODEL, or choose linking/rules.",
        )
    if not url.startswith(("http://", "https://")):
        raise InputFault(
            "linking.chat.url",
            "The chat address must begin with http:// or https://.",
            "Mend DEIXIS_CHAT_URL, or the option url in the profile.",
        )
    if timeout_s <= 0 or retries < 0 or backoff_s < 0:
        raise InputFault(
            "linking.chat.option",
            "timeout_s must be above 0, retries and backoff_s at least 0.",
            "Change the options of linking/chat in the profile.",
        )
    key = api_key or os.environ.get("DEIXIS_CHAT_KEY", "")
    return ChatLinker(
        ChatEndpoint(url, named, SecretStr(key) if key else None, timeout_s), retries, backoff_s
    )

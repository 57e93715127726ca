"""What a tool server refuses, with the status that goes with each code."""

from __future__ import annotations

import json
import math

from deixis.errors import DeixisError, InputFault, ToolFault

STATUS = {
    "serve.token.missing": 401,
    "serve.token.wrong": 401,
    "serve.host.foreign": 421,
    "serve.path.unknown": 404,
    "serve.method.wrong": 405,
    "serve.role.unknown": 404,
    "tools.role.empty": 404,
    "serve.type.wrong": 415,
    "serve.encoding.unsupported": 415,
    "serve.body.too_large": 413,
    "serve.body.slow": 408,
    "serve.body.broken": 400,
    "serve.request.invalid": 422,
    "serve.request.too_many": 422,
    "serve.digest.mismatch": 422,
    "store.digest.invalid": 400,
    "store.digest.missing": 404,
    "serve.media.facts": 409,
    "input.media.too_big_file": 413,
    "input.url.not_allowed": 403,
    "input.url.private": 403,
    "serve.queue.full": 429,
    "serve.uploads.full": 429,
    "serve.draining": 503,
    "serve.starting": 503,
    "serve.tool.stuck": 503,
    "serve.disk.full": 507,
    "serve.defect": 500,
    "tool.timeout": 504,
    "store.unwritable": 507,
    "weights.missing": 503,
    "install.extra.missing": 503,
}
AGAIN = frozenset({429, 503})
"""Statuses that carry Retry-After: the same request may work later."""


def status_of(error: DeixisError) -> int:
    """Returns the HTTP status of an error: by its code, else 422 for input and 502 for a tool's own."""
    if error.code in STATUS:
        return STATUS[error.code]
    return 422 if isinstance(error, InputFault) else 502


def body_of(error: DeixisError) -> bytes:
    """Returns ``{"error": {...}}`` as JSON; nothing of the server's own disk is in it."""
    facts = error.as_dict()
    if error.code == "store.unwritable":
        facts |= {"message": "The server cannot keep media.", "cure": "Tell who runs it.", "details": {}}
    elif error.code == "weights.missing":
        facts |= {"message": "The server lacks the weights of this tool.", "cure": "Tell who runs it."}
    return json.dumps({"error": facts}, ensure_ascii=False).encode("utf-8", "replace")


def headers_of(error: DeixisError, status: int) -> list[tuple[bytes, bytes]]:
    """Returns the header fields of an error's reply."""
    headers = [(b"content-type", b"application/json")]
    if status in AGAIN:
        wait_s = float(error.details.get("retry_after_s", 1.0))
        headers.append((b"retry-after", str(max(1, math.ceil(wait_s))).encode()))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    return headers


def too_large(what: str, limit: int) -> InputFault:
    """Returns the error for a body above its limit."""
    return InputFault(
        "serve.body.too_large",
        f"{what} is larger than {limit / 1e6:g} MB.",
        "Send less in one request, or ask who runs the server to raise the limit.",
        limit=limit,
    )


def slow(what: str, limit_s: float) -> InputFault:
    """Returns the error for a body that takes too long."""
    return InputFault(
        "serve.body.slow", f"{what} did not arrive within {limit_s:g} s.", "Send it again over a better line."
    )


def full(name: str, waiting: int, retry_after_s: float) -> ToolFault:
    """Returns the error for a queue with no room."""
    return ToolFault(
        "serve.queue.full",
        f"{waiting} requests are waiting for {name}; there is no room for more.",
        "Send it again later, after the time that Retry-After says.",
        retry_after_s=retry_after_s,
    )


def draining() -> ToolFault:
    """Returns the error for a request that comes while the server is stopping."""
    return ToolFault(
        "serve.draining",
        "This tool server is stopping and takes nothing new.",
        "Send it again: another one may have taken its place.",
        retry_after_s=2.0,
    )

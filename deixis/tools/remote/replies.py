"""What a tool server's reply means: an output, come again, send the medium, or a fault with its cure."""

from __future__ import annotations

import json
from typing import Any

from deixis.errors import DeixisError, InputFault, ToolFault

DENIED = frozenset({401, 403, 421})


class Again(Exception):
    """The same request may work later; `fault` is what it is if it does not."""

    def __init__(self, fault: ToolFault, wait_s: float | None = None, *, counts: bool = True) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.wait_s = wait_s
        self.counts = counts
        """Whether the server is to be taken for broken: a full queue is not, a dead line is."""


class Absent(Exception):
    """The server does not have a medium of the request (any more)."""


def unreachable(host: str, what: str) -> ToolFault:
    """Returns the fault for a server that cannot be reached."""
    return ToolFault(
        "tool.remote.unreachable",
        f"The tool server {host} could not be reached ({what}).",
        "Start it with deixis tools serve, check DEIXIS_TOOLS_URL, or choose another profile.",
        host=host,
    )


def foreign(host: str, what: str) -> ToolFault:
    """Returns the fault for something that is no deixis tool server, or another version of it."""
    return ToolFault(
        "tool.remote.foreign",
        f"{host} answered with something else than a tool server would ({what}).",
        "Check DEIXIS_TOOLS_URL, and that both sides have the same version of deixis.",
        host=host,
    )


def slow(host: str, limit_s: float) -> ToolFault:
    """Returns the fault for a server that takes too long."""
    return ToolFault(
        "tool.remote.timeout",
        f"The tool server {host} gave no answer within {limit_s:g} s.",
        "Give the option timeout_s of the profile more seconds, or the server less to do.",
        host=host,
    )


def check(host: str, status: int, headers: Any, body: bytes) -> None:
    """Passes where the status is one of success.

    Raises:
        Again: the server is busy, starting or stopping, or something between it and us is.
        Absent: it lacks a medium.
        ToolFault: it refuses the token, or has no such tool.
        DeixisError: what its tool raised, as if it had raised it here.
    """
    if 200 <= status < 300:
        return
    error = _error(body)
    code = str(error.get("code", ""))
    message, cure = str(error.get("message", ""))[:1000], str(error.get("cure", ""))[:1000]
    if code == "store.digest.missing":
        raise Absent
    if status in (429, 502, 503, 504) and not code.startswith(("tool.", "weights.", "install.")):
        told = f"status {status}{f', {code}' if code else ''}"
        fault = ToolFault(
            "tool.remote.busy",
            f"The tool server {host} has no room or is not ready ({told}).",
            "Try again later, or run another server.",
            host=host,
        )
        raise Again(fault, _seconds(headers.get("retry-after", "")), counts=status != 429)
    if status in DENIED and (not code or code.startswith("serve.")):
        raise ToolFault(
            "tool.remote.denied",
            f"The tool server {host} refuses this client: {message}",
            "Set DEIXIS_TOOLS_TOKEN to the token of the server.",
            host=host,
        )
    if not code:
        raise foreign(host, f"status {status}")
    if code == "tools.role.empty":
        raise ToolFault("tool.remote.role", f"The tool server {host}: {message}", cure, host=host)
    raise _rebuilt(host, code, message, cure, str(error.get("family", "")))


def _rebuilt(host: str, code: str, message: str, cure: str, family: str) -> DeixisError:
    if family == "input" and not code.startswith(("serve.", "weights.", "install.")):
        return InputFault(code, message, cure, host=host)
    return ToolFault(code, message, cure, host=host)


def _error(body: bytes) -> dict[str, Any]:
    try:
        error = json.loads(body)["error"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    return error if isinstance(error, dict) else {}


def _seconds(value: str) -> float | None:
    try:
        return max(0.0, float(value))
    except ValueError:
        return None

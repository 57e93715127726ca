"""The back ends `ROLE/remote`: the tool of a role, called on another machine."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from deixis.errors import DeixisError, InputFault, ToolFault
from deixis.geometry import Frozen
from deixis.media.refs import AudioRef, Digest, ImageRef, MediaSource, VideoRef
from deixis.tools.protocol import Role, in_thread
from deixis.tools.remote.line import Line, LineOptions, Reply
from deixis.tools.remote.replies import foreign
from deixis.tools.roles import forms

FACTS_S = 3.0
_lines: dict[tuple[str, str, LineOptions], Line] = {}
_lines_lock = threading.Lock()


class RemoteTool:
    """Calls one role of a tool server. Several roles of one server share a line, so a medium travels once.

    `version` and `weights_digest` are those of the tool on the other side, as its last reply said.
    """

    def __init__(self, role: Role, line: Line) -> None:
        self.name = f"{role}/remote"
        self.role: Role = role
        self.Input, self.Output = forms(role)
        self._line = line
        self._facts: tuple[str, Digest | None] | None = None

    @property
    def version(self) -> str:
        """Returns the name and version of the tool on the other side; empty while it is not known."""
        return self._known()[0]

    @property
    def weights_digest(self) -> Digest | None:
        """Returns the digest of the weights on the other side; None for rules, or while it is not known."""
        return self._known()[1]

    async def __call__(self, request: Any, media: MediaSource) -> Frozen:
        """Returns the role's output; the media of the request are sent where the server lacks them.

        Raises:
            ToolFault: ``tool.remote.*``: unreachable, open, timeout, busy, denied, foreign, role, originals.
            DeixisError: what the tool on the other side raised.
        """
        result: Frozen = await in_thread(self.run, request, media)
        return result

    def run(self, request: Frozen, media: MediaSource) -> Frozen:
        """Returns the role's output; blocking. See `__call__`."""
        digests = tuple(dict.fromkeys(_digests(request)))
        if digests and not hasattr(media, "open"):
            raise ToolFault(
                "tool.remote.originals",
                f"{self.name} needs the original files, and this media source has none.",
                "Call it with a deixis.store.Store.",
            )
        reply = self._line.call(
            f"/tools/{self.role}",
            request.model_dump_json().encode(),
            digests,
            media,  # type: ignore[arg-type]
        )
        self._facts = _facts(reply)
        try:
            return self.Output.model_validate_json(reply.body)
        except ValidationError as error:
            raise foreign(self._line.host, f"no {self.Output.__name__}") from error

    def _known(self) -> tuple[str, Digest | None]:
        if self._facts is None:
            try:
                rows = json.loads(self._line.get("/tools", FACTS_S).body)["tools"]
                row = next(row for row in rows if row["role"] == self.role and row["state"] == "ready")
                self._facts = f"{row['name']} {row['version']}", row["weights_digest"]
            except (DeixisError, ValueError, LookupError, TypeError, StopIteration):
                return "", None  # not known yet; whoever calls the tool learns why
        return self._facts


def _facts(reply: Reply) -> tuple[str, Digest | None]:
    told = reply.headers
    name = f"{told.get('deixis-tool', '')} {told.get('deixis-version', '')}".strip()
    return name, told.get("deixis-weights") or None


def _digests(value: Any) -> Iterator[Digest]:
    """Yields the digests of all media that a request names."""
    if isinstance(value, ImageRef | AudioRef | VideoRef):
        yield value.digest
    elif isinstance(value, Frozen):
        for field in type(value).model_fields:
            yield from _digests(getattr(value, field))
    elif isinstance(value, tuple):
        for item in value:
            yield from _digests(item)


def remote(
    role: Role,
    url: str | None = None,
    token: str | None = None,
    timeout_s: float = 50.0,
    connect_s: float = 3.0,
    attempts: int = 4,
) -> RemoteTool:
    """Returns the tool of a role on a server.

    What is not given comes from DEIXIS_TOOLS_URL and DEIXIS_TOOLS_TOKEN.

    Raises:
        InputFault: ``tools.remote.unset`` without an address, ``tools.remote.url`` for one that is not
            http(s), ``tools.remote.option`` for a number that makes no sense.
    """
    address = (url or os.environ.get("DEIXIS_TOOLS_URL", "")).rstrip("/")
    if not address:
        raise InputFault(
            "tools.remote.unset",
            "No tool server is named.",
            "Set DEIXIS_TOOLS_URL, e.g. http://127.0.0.1:8460, or the option url in the profile.",
        )
    if not _usable(address):
        raise InputFault(
            "tools.remote.url",
            "The address of the tool server must be http(s)://HOST[:PORT], without a password in it.",
            "Mend DEIXIS_TOOLS_URL, or the option url in the profile.",
        )
    if timeout_s <= 0 or connect_s <= 0 or attempts < 1:
        raise InputFault(
            "tools.remote.option",
            "timeout_s and connect_s must be above 0, attempts at least 1.",
            "Change the options of the remote tool in the profile.",
        )
    secret = token or os.environ.get("DEIXIS_TOOLS_TOKEN", "")
    options = LineOptions(timeout_s=timeout_s, connect_s=connect_s, attempts=attempts)
    with _lines_lock:
        key = (address, secret, options)
        if key not in _lines:
            _lines[key] = Line(address, SecretStr(secret) if secret else None, options)
        return RemoteTool(role, _lines[key])


def _usable(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.password is None
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        return False


def _factory(role: Role) -> Callable[..., RemoteTool]:
    def make(**options: Any) -> RemoteTool:
        return remote(role, **options)

    make.__doc__ = f"Returns {role} on a tool server; see `remote` for the options."
    make.__name__ = role
    return make


tagging = _factory("tagging")
detection = _factory("detection")
segmentation = _factory("segmentation")
embedding = _factory("embedding")
hearing = _factory("hearing")
linking = _factory("linking")
matching = _factory("matching")

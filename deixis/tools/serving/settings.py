"""How much a tool server takes on; one place for all its limits."""

from __future__ import annotations

import ipaddress

from pydantic import Field, SecretStr

from deixis.geometry import Frozen
from deixis.media.limits import Limits

MB = 1_000_000
MEDIA = Limits(max_file_bytes=64 * MB, max_pixels=50_000_000, max_decode_bytes=256 * MB, max_audio_s=1800.0)
"""Strangers' media: tighter than what one takes from one's own disk."""


class Batching(Frozen):
    """How the requests of one tool are put together."""

    window_s: float = Field(default=0.004, ge=0, description="how long a first request waits for company")
    max_batch: int = Field(default=32, ge=1, description="most requests in one call of the tool")
    max_queue: int = Field(default=256, ge=1, description="most requests waiting for one tool; more: 429")
    timeout_s: float = Field(default=60.0, gt=0, description="for one request, its waiting included")
    workers: int = Field(default=1, ge=1, description="calls of one tool at the same time")
    max_abandoned: int = Field(default=3, ge=1, description="hung calls after which a tool is given up")


class ServeSettings(Frozen):
    """Limits of a tool server. Sizes in bytes, times in seconds."""

    token: SecretStr | None = Field(default=None, description="bearer token; None lets everybody in")
    batching: Batching = Batching()
    media: Limits = MEDIA
    allow_network: bool = Field(default=False, description="media may be given by public address")
    max_body_bytes: int = Field(default=4 * MB, ge=1, description="of a request that is not a medium")
    max_items: int = Field(default=2000, ge=1, description="phrases, boxes, texts … in one list")
    max_text: int = Field(default=20_000, ge=1, description="signs in one text")
    max_media_bytes: int = Field(default=4000 * MB, ge=1, description="all media kept; the oldest go first")
    uploads: int = Field(default=8, ge=1, description="media on their way in at the same time; more: 429")
    decodes: int = Field(default=2, ge=1, description="media being looked at, at the same time")
    body_s: float = Field(default=20.0, gt=0, description="for a request's body to arrive")
    upload_s: float = Field(default=120.0, gt=0, description="for a medium to arrive")
    write_s: float = Field(default=30.0, gt=0, description="for a reply to be taken")
    idle_s: float = Field(default=30.0, gt=0, description="for a request's head to arrive; idle connections")
    max_head_bytes: int = Field(default=64 * 1024, ge=1024, description="request line and header fields")
    max_connections: int = Field(default=2048, ge=1)
    drain_s: float = Field(default=60.0, gt=0, description="for requests under way after SIGTERM")


def is_loopback(host: str) -> bool:
    """Returns whether a host name or address is this machine's own and can be reached from it alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # 127.0.0.1.example.org is somebody else's

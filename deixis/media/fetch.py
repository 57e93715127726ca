"""Media by address: opt-in, within limits, and never from inside the reader's own network."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urljoin, urlsplit

from deixis.errors import InputFault
from deixis.media.limits import DEFAULT, Limits


def is_address(text: str) -> bool:
    """Returns whether `text` is an http(s) address rather than a path."""
    return text.lower().startswith(("http://", "https://"))


def _public_host(url: str) -> str:
    """Returns the first IP address of the host, all of whose addresses are public.

    Raises:
        InputFault: the host is unknown, or resolves into a private, loopback or link-local network.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputFault("input.url.invalid", f"{url} is not an http(s) address.", "Check it.")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise InputFault(
            "input.url.unreachable", f"The host of {url} cannot be found ({error}).", "Check the address."
        ) from error
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not ipaddress.ip_address(address.split("%")[0]).is_global:
            raise InputFault(
                "input.url.private",
                f"{parts.hostname} is inside a private network; such addresses are never fetched.",
                "Download the file yourself and give its path.",
            )
    return addresses[0]


def fetch(url: str, limits: Limits = DEFAULT) -> bytes:
    """Returns the bytes at `url`.

    The connection goes to the very address that was checked, so a host cannot change it in between;
    every redirect is checked again.

    Raises:
        InputFault: private address, too large, too slow, not there.
    """
    import httpx

    for _ in range(limits.max_redirects + 1):
        address = _public_host(url)
        parts = urlsplit(url)
        literal = f"[{address}]" if ":" in address else address
        netloc = literal if parts.port is None else f"{literal}:{parts.port}"
        pinned = parts._replace(netloc=netloc).geturl()
        host = parts.hostname or ""
        request = {
            "headers": {"Host": parts.netloc.rpartition("@")[2], "User-Agent": "deixis"},
            "extensions": {"sni_hostname": host},
            "timeout": limits.fetch_timeout_s,
        }
        try:
            with httpx.Client(trust_env=False) as client, client.stream("GET", pinned, **request) as reply:  # type: ignore[arg-type]
                if reply.is_redirect:
                    url = urljoin(url, reply.headers.get("location", ""))
                    continue
                reply.raise_for_status()
                return _limited(reply, url, limits)
        except httpx.HTTPError as error:
            raise InputFault(
                "input.url.failed",
                f"{url} could not be fetched ({type(error).__name__}: {error}).",
                "Download the file yourself and give its path.",
            ) from error
    raise InputFault("input.url.redirects", f"{url} redirects too often.", "Give the final address.")


def _limited(reply: object, url: str, limits: Limits) -> bytes:
    """Returns the body, read no further than the limit."""
    parts: list[bytes] = []
    total = 0
    for block in reply.iter_bytes():  # type: ignore[attr-defined]
        total += len(block)
        if total > limits.max_fetch_bytes:
            raise InputFault(
                "input.url.too_large",
                f"{url} is larger than {limits.max_fetch_bytes / 1e6:.0f} MB.",
                "Download the file yourself and give its path.",
            )
        parts.append(block)
    return b"".join(parts)

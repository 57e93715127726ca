"""Media by address: opt-in, within limits, and never from inside the reader's own network."""

from __future__ import annotations

import ipaddress
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from deixis.errors import InputFault
from deixis.media.limits import DEFAULT, Limits

if TYPE_CHECKING:
    import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 addresses that a gateway turns into the IPv4 address in their last 32 bits (RFC 6052)."""


def is_address(text: str) -> bool:
    """Returns whether `text` is an http(s) address rather than a path."""
    return text.lower().startswith(("http://", "https://"))


def is_public(address: str) -> bool:
    """Returns whether an IP address is one of the open internet.

    Private, loopback, link-local, shared, multicast and reserved ones are not, nor are IPv6 addresses
    that carry such an IPv4 address.
    """
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner: list[ipaddress.IPv4Address | None] = [found.ipv4_mapped, found.sixtofour]
        inner += list(found.teredo or ())
        if found in NAT64:
            inner.append(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
        if not all(_is_open(one) for one in inner if one is not None):
            return False
        if found.ipv4_mapped is not None:
            return True
    return _is_open(found)


def _is_open(address: Address) -> bool:
    return address.is_global and not address.is_multicast


def _split(url: str) -> tuple[SplitResult, str, int]:
    """Returns the parts of an address, its host in ASCII, and its port.

    Raises:
        InputFault: it is not an http(s) address with a host.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        parts, host, port = urlsplit(""), "", 0
    if parts.scheme not in ("http", "https") or not host:
        raise InputFault("input.url.invalid", f"{url!r} is not an http(s) address.", "Check it.", url=url)
    return parts, host, port


def _public_addresses(url: str, host: str, port: int) -> list[str]:
    """Returns the IP addresses of a host, all of which are public.

    Raises:
        InputFault: the host is unknown, or one of its addresses is not public.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise InputFault(
            "input.url.unreachable",
            f"The host of {url} cannot be found ({error}).",
            "Check the address.",
            url=url,
        ) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses or not all(is_public(address) for address in addresses):
        raise InputFault(
            "input.url.private",
            f"{host} is inside a private network; such addresses are never fetched.",
            "Download the file yourself and give its path.",
            url=url,
        )
    return addresses


def fetch(url: str, limits: Limits = DEFAULT, transport: httpx.BaseTransport | None = None) -> bytes:
    """Returns the bytes at `url`.

    The connection goes to the very IP address that was checked, so a host name cannot change its
    meaning in between; every redirect is checked again. Proxies of the environment are not used:
    they would resolve the name once more.

    Args:
        transport: replaces the network, for tests.

    Raises:
        InputFault: private address, too large, too slow, not there.
    """
    import httpx

    deadline = time.monotonic() + limits.fetch_timeout_s
    for _ in range(limits.max_redirects + 1):
        parts, host, port = _split(url)
        try:
            with httpx.Client(trust_env=False, timeout=limits.fetch_timeout_s, transport=transport) as client:
                reply = _reply(client, url, (parts, host, port))
                try:
                    if reply.is_redirect:
                        url = urljoin(url, reply.headers.get("location", ""))
                        continue
                    reply.raise_for_status()
                    return _limited(reply, url, limits, deadline)
                finally:
                    reply.close()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
            raise InputFault(
                "input.url.failed",
                f"{url} could not be fetched ({type(error).__name__}: {error}).",
                "Check the address, or download the file yourself and give its path.",
                url=url,
            ) from error
    raise InputFault("input.url.redirects", f"{url} redirects too often.", "Give the final address.", url=url)


def _reply(client: httpx.Client, url: str, target: tuple[SplitResult, str, int]) -> httpx.Response:
    """Returns the opened reply of the first of the host's addresses that takes the connection."""
    import httpx

    parts, host, port = target
    refused: httpx.HTTPError | None = None
    shown = f"[{host}]" if ":" in host else host
    for address in _public_addresses(url, host, port):
        literal = f"[{address}]" if ":" in address else address
        pinned = parts._replace(netloc=f"{literal}:{port}", fragment="").geturl()
        request = client.build_request(
            "GET",
            pinned,
            headers={
                "Host": shown if parts.port is None else f"{shown}:{port}",
                "User-Agent": "deixis",
                "Accept-Encoding": "identity",  # media are compressed already; nothing to unpack
            },
            extensions={"sni_hostname": host},
        )
        try:
            return client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            refused = error
    raise refused or httpx.ConnectError("no address answers")


def _limited(reply: httpx.Response, url: str, limits: Limits, deadline: float) -> bytes:
    """Returns the body, read no further than the limits of size and time.

    Raises:
        InputFault: it is above one of them.
    """
    promised = reply.headers.get("content-length", "")
    total = int(promised) if promised.isdigit() else 0
    parts: list[bytes] = []
    if total <= limits.max_fetch_bytes:
        total = 0
        for block in reply.iter_bytes(1 << 16):
            total += len(block)
            if total > limits.max_fetch_bytes:
                break
            if time.monotonic() > deadline:
                raise InputFault(
                    "input.url.slow",
                    f"{url} did not arrive within {limits.fetch_timeout_s:.0f} s.",
                    "Download the file yourself and give its path.",
                    url=url,
                )
            parts.append(block)
        else:
            return b"".join(parts)
    raise InputFault(
        "input.url.too_large",
        f"{url} is larger than {limits.max_fetch_bytes / 1e6:.0f} MB.",
        "Download the file yourself and give its path.",
        url=url,
    )

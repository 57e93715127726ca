"""Nothing leaves this machine unless it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.samples import child, painted, tone, written

GUARDED = """
import ipaddress, sys

left = []

def is_local(host):
    if host is None or isinstance(host, bytes | str) and host in (b"", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:
        return False

def guard(event, arguments):
    # A socket that is bound to this machine itself talks to nobody: urllib3 asks so for IPv6 when it is
    # imported, event loops wake themselves up so.
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
    else:
        return
    if not is_local(host):
        left.append(f"{event} {host}")
        raise RuntimeError(f"the network is touched: {event} {arguments!r:.80}")

sys.addaudithook(guard)
"""
ASKING = """
home, profile, *words = sys.argv[1:]
from deixis.cli.main import run
code = run(["ask", *words, "--profile", profile, "--home", home, "--out", home + "/out"])
print("exit", code, "left", left)
"""
TOUCHING = """
import socket
for call in sys.argv[1:]:
    try:
        eval(call)
    except (OSError, RuntimeError):
        pass
print("left", [what.partition(" ")[0] for what in left])
"""


def media_words(tmp_path: Path) -> list[str]:
    picture = written(tmp_path, "a.png", lambda: painted("RGB", "PNG"))
    sound = written(tmp_path, "a.wav", lambda: tone(1.0))
    return ["What is making this sound?", "--image", str(picture), "--audio", str(sound)]


def test_no_network_is_used_unless_asked(tmp_path: Path) -> None:
    words = str(tmp_path / "home"), "sketch", *media_words(tmp_path)
    out, _ = child(GUARDED + ASKING, *words).communicate(timeout=60)
    assert out.splitlines()[-1] == "exit 0 left []", out
    assert "beep" in out


@pytest.mark.shared
def test_the_networks_of_light_use_no_network(tmp_path: Path) -> None:
    words = str(tmp_path / "home"), "light", *media_words(tmp_path)
    out, _ = child(GUARDED + ASKING, *words).communicate(timeout=90)
    assert out.splitlines()[-1] == "exit 0 left []", out


@pytest.mark.parametrize("allowed", [False, True])
def test_the_guard_sees_an_address_that_is_asked_for(tmp_path: Path, allowed: bool) -> None:
    """192.0.2.1 is nobody's (RFC 5737); the guard stops the program before it asks for it."""
    words = ["What is here?", "--image", "http://192.0.2.1/dog.jpg", *["--allow-network"] * allowed]
    out, _ = child(GUARDED + ASKING, str(tmp_path / "home"), "sketch", *words).communicate(timeout=60)
    left = out.splitlines()[-1].partition("left ")[2]
    if allowed:
        assert left == "['socket.getaddrinfo 192.0.2.1']", out
    else:
        assert left == "[]" and "[input.url.not_allowed]" in out, out


def test_the_guard_tells_this_machine_from_others() -> None:
    made = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
    own = ["socket.socket().bind(('127.0.0.1', 0))", "socket.getaddrinfo('localhost', 80)"]
    others = [
        "socket.socket().bind(('0.0.0.0', 0))",
        "socket.socket().connect(('192.0.2.1', 80))",
        f"{made}.sendto(b'x', ('192.0.2.1', 53))",
        "socket.getaddrinfo('dog.invalid', 80)",
        "socket.gethostbyname('dog.invalid')",
    ]
    out, _ = child(GUARDED + TOUCHING, *own, *others).communicate(timeout=60)
    events = ["bind", "connect", "sendto", "getaddrinfo", "gethostbyname"]
    assert out.strip() == f"left {[f'socket.{event}' for event in events]}"

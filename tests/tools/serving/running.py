"""Real tool servers on loopback: in a thread of this process, or as a process of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from pydantic import SecretStr

from deixis.tools.serving.server import address_of, made
from deixis.tools.serving.settings import Batching, ServeSettings
from deixis.tools.toolbox import Toolbox

FAKES = {
    "tagging": ("tagging/scripted", {"table": {"dog": 0.9, "yard": 0.6}}),
    "detection": ("detection/scripted", {"table": {"dog": [[4, 5, 40, 50]]}}),
    "segmentation": "segmentation/scripted",
    "embedding": "embedding/scripted",
    "hearing": ("hearing/scripted", {"table": {"bark": [[0.1, 0.4]]}}),
    "linking": "linking/scripted",
    "matching": ("matching/scripted", {"table": {"bark": "dog"}}),
}
TOKEN = "a-token-of-the-tests"


def settings(**changes) -> ServeSettings:
    """Settings that let tests be quick."""
    return ServeSettings(**{"batching": Batching(timeout_s=10), "drain_s": 5.0, **changes})


def guarded(**changes) -> ServeSettings:
    """Settings with a token."""
    return settings(token=SecretStr(TOKEN), **changes)


class Here:
    """A server in this process: its address, its toolbox, and the folder of its media."""

    def __init__(self, url: str, toolbox: Toolbox, root: Path) -> None:
        self.url = url
        self.toolbox = toolbox
        self.root = root


@contextlib.contextmanager
def server(root: Path, box: dict | None = None, options: ServeSettings | None = None) -> Iterator[Here]:
    """Yields a server that is ready, or has at least said what is wrong."""
    toolbox = Toolbox(FAKES if box is None else box)
    one, bound = made(toolbox, root, options or settings())
    thread = threading.Thread(target=one.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    here = Here(address_of(bound), toolbox, root)
    wait_until(here.url, "starting", [])
    try:
        yield here
    finally:
        one.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def wait_until(url: str, key: str, value: object, seconds: float = 40.0) -> None:
    """Passes when ``GET /ready`` tells that `key` is `value`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/ready", trust_env=False).json()[key] == value:
                return
        time.sleep(0.05)
    raise AssertionError(f"{url} never said {key} = {value}")


PROFILE = """
name = "fakes"
tools.tagging = {{ name = "tagging/scripted", options = {{ delay_s = {0}, table.dog = 0.9 }} }}
tools.detection = {{ name = "detection/scripted", options = {{ delay_s = {0}, table.dog = [[4,5,40,50]] }} }}
tools.segmentation = {{ name = "segmentation/scripted", options = {{ delay_s = {0} }} }}
"""


def process(
    folder: Path, port: int = 0, delay: float = 0.02, *more: str
) -> tuple[subprocess.Popen[str], str]:
    """Returns a server of its own, with fakes that take `delay` seconds, and its address."""
    folder.mkdir(parents=True, exist_ok=True)
    profile = folder / "fakes.toml"
    profile.write_text(PROFILE.format(delay), "utf-8")
    command = [sys.executable, "-m", "deixis", "tools", "serve", "-p", str(profile), "--port", str(port)]
    command += ["--media", str(folder / "media"), *more]
    child = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert child.stderr is not None
    line = child.stderr.readline()
    assert line.startswith("deixis tools: http://"), line + child.stderr.read()
    url = line.split()[2].rstrip(",")
    wait_until(url, "ready", True)
    return child, url

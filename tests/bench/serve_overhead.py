"""What the line costs: the same tool here and on a server, with a picture of 1 MB, call by call in one run.

    python -m tests.bench.serve_overhead [docs/numbers/serve-overhead.json] [--calls 200]

Local and remote calls take turns; the first call of each (upload, connection) is left out. Exits 1 where the
median difference is over the bar.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

from deixis.store import Store
from deixis.tools.detection import GroundRequest
from deixis.tools.detection.scripted import scripted
from deixis.tools.remote.tool import remote
from tests.bench.serve_load import cpu_seconds
from tests.tools.serving.running import process

BAR_MS = 8.0
WORK_S = 0.0


def noise(megabytes: float) -> bytes:
    """Returns a JPEG of noise of about so many MB."""
    import numpy as np
    from PIL import Image

    side = 640
    while True:
        pixels = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
        made = io.BytesIO()
        Image.fromarray(pixels).save(made, "JPEG", quality=90)
        if made.tell() >= 1e6 * megabytes:
            return made.getvalue()
        side = int(side * 1.15)


def measured(calls: int) -> dict:
    """Returns medians in ms, local and remote, and the first remote call with its upload."""
    data = noise(1.0)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "mine")
        image = store.add_image(data)
        request = GroundRequest(image=image, phrases=("dog", "cat", "yard"))
        near = scripted({"dog": [[4, 5, 40, 50]]})
        child, url = process(Path(folder) / "far", 0, WORK_S, "--window-ms", "0")
        try:
            far = remote("detection", url)

            async def turns() -> tuple[list[float], list[float]]:
                here, there = [], []
                for _ in range(calls + 1):
                    begun = time.perf_counter()
                    local = await near(request, store)
                    between = time.perf_counter()
                    distant = await far(request, store)
                    there.append(time.perf_counter() - between)
                    here.append(between - begun)
                    if local != distant:
                        raise SystemExit("the two answers differ")
                return here, there

            before = time.process_time() + cpu_seconds(child.pid)
            here, there = asyncio.run(turns())
            cpu_s = time.process_time() + cpu_seconds(child.pid) - before
        finally:
            child.terminate()
            child.wait(20)
    local_ms, remote_ms = (1000 * statistics.median(one[1:]) for one in (here, there))
    return {
        "picture_mb": round(len(data) / 1e6, 2),
        "calls": calls,
        "local_ms": round(local_ms, 2),
        "remote_ms": round(remote_ms, 2),
        "overhead_ms": round(remote_ms - local_ms, 2),
        "least_overhead_ms": round(1000 * (min(there[1:]) - min(here[1:])), 2),
        "client_and_server_cpu_ms": round(1000 * cpu_s / (calls + 1), 2),
        "bar_ms": BAR_MS,
        "first_remote_call_ms": round(1000 * there[0], 1),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("json", nargs="?", type=Path)
    parser.add_argument("--calls", type=int, default=200)
    given = parser.parse_args()
    figures = measured(given.calls)
    text = json.dumps(figures, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", "utf-8")
    return 1 if figures["overhead_ms"] > BAR_MS else 0


if __name__ == "__main__":
    raise SystemExit(main())

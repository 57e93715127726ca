"""Measures the core install in a fresh environment: its size, its parts, and that `light` needs no torch.

    python tests/bench/install.py [docs/numbers/install.json]

Exits 1 where the install is over the cap or loads what it must not.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CAP_MB = 350

PARTS = """
import json, pathlib, sys
from importlib.metadata import distributions
rows = {}
for dist in distributions():
    files = [pathlib.Path(dist.locate_file(f)) for f in dist.files or ()]
    rows[f"{dist.name} {dist.version}"] = sum(p.stat().st_size for p in files if p.is_file())
print(json.dumps(rows))
"""

LIGHT = """
import json, sys
from deixis.agent.profile import load_profile
box = load_profile("light").toolbox()
states = {}
for role in box.roles():
    try:
        states[role] = type(box.need(role)).__module__
    except Exception as error:
        states[role] = getattr(error, "code", type(error).__name__)
heavy = sorted({"torch", "transformers"} & set(sys.modules))
print(json.dumps({"roles": states, "heavy": heavy}))
"""


def megabytes(folder: Path) -> tuple[float, float]:
    """Returns the size of all files, and the disk space they take, both in 10^6 bytes; links count once."""
    size = blocks = 0
    seen = set()
    for path in folder.rglob("*"):
        stat = path.lstat()
        if (stat.st_dev, stat.st_ino) in seen:
            continue
        seen.add((stat.st_dev, stat.st_ino))
        size += 0 if path.is_dir() else stat.st_size
        blocks += stat.st_blocks * 512
    return size / 1e6, blocks / 1e6


def ask(python: Path, code: str) -> dict:
    """Returns the JSON that `code` prints in that environment, run away from the checkout."""
    done = subprocess.run(
        [python, "-c", code], cwd=tempfile.gettempdir(), text=True, capture_output=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure() -> dict:
    """Returns the figures of one fresh install."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "venv"
        venv.create(home, with_pip=True)
        python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
        before = megabytes(home)
        pip = [python, "-m", "pip", "--disable-pip-version-check", "-qq", "install"]
        subprocess.run([*pip, str(ROOT)], check=True, stdout=sys.stderr)
        after = megabytes(home)
        parts = ask(python, PARTS)
        light = ask(python, LIGHT)
        largest = sorted(parts.items(), key=lambda row: -row[1])[:15]
        return {
            "cap_mb": CAP_MB,
            "installed_mb": round(after[0] - before[0], 1),
            "installed_on_disk_mb": round(after[1] - before[1], 1),
            "whole_environment_mb": round(after[0], 1),
            "whole_environment_on_disk_mb": round(after[1], 1),
            "packages": len(parts),
            "largest_mb": {name: round(size / 1e6, 1) for name, size in largest},
            "light": light["roles"],
            "heavy_modules": light["heavy"],
            "python": platform.python_version(),
            "platform": f"{sys.platform} {platform.machine()}",
        }


def main() -> int:
    found = measure()
    text = json.dumps(found, indent=1) + "\n"
    print(text, end="")
    if len(sys.argv) > 1:
        target = Path(sys.argv[1])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    return 0 if found["installed_on_disk_mb"] < CAP_MB and not found["heavy_modules"] else 1


if __name__ == "__main__":
    sys.exit(main())

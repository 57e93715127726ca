"""What `deixis doctor` looks at: each check gives lines that say ok, warn or fail, and the cure."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One line of the examination; `cure` says what to do where it is not ok."""

    name: str
    state: State
    text: str
    cure: str = ""


def version_of(package: str) -> str | None:
    """Returns the installed version of a distribution; None where it is absent. Nothing is imported."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def imports(module: str, code: str = "", timeout_s: float = 60) -> str:
    """Returns the last line of the error of importing `module` in a process of its own; empty if it works.

    A broken binary package can end the process that imports it, so it is not done in this one.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", f"import {module}\n{code}"],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the import took more than {timeout_s:.0f} s"
    if done.returncode == 0:
        return ""
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"the process ended with {done.returncode}"


def machine() -> Iterator[Finding]:
    """Yields python, platform, processors, memory and deixis itself."""
    from deixis import __version__

    yield Finding("deixis", "ok", f"{__version__} in {Path(__file__).parents[1]}")
    yield Finding("python", "ok", f"{platform.python_version()} ({sys.executable})")
    yield Finding("platform", "ok", f"{platform.system()} {platform.release()} {platform.machine()}")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("processors", "ok", f"{cores} usable")
    if (memory := memory_bytes()) is not None:
        small = memory < 1.5e9  # the whole pipeline of light peaks below 900 MB
        cure = "Close other programs: a run takes up to 0.9 GB." if small else ""
        yield Finding("memory", "warn" if small else "ok", f"{memory / 1e9:.1f} GB in all", cure)


def memory_bytes() -> int | None:
    """Returns the machine's memory; None where it cannot be asked."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def runtimes() -> Iterator[Finding]:
    """Yields the packages that run the light networks; without them nothing real works."""
    for package, module in (
        ("onnxruntime", "onnxruntime"),
        ("ai-edge-litert", "ai_edge_litert.interpreter"),
        ("langgraph", "langgraph.graph"),
        ("soundfile", "soundfile"),
        ("pillow", "PIL.Image"),
    ):
        version = version_of(package)
        trouble = "not installed" if version is None else imports(module)
        if trouble:
            cure = f"Install it again: pip install --force-reinstall {package}"
            yield Finding(package, "fail", f"{version or ''} {trouble}".strip(), cure)
        else:
            yield Finding(package, "ok", version or "")


def codecs() -> Iterator[Finding]:
    """Yields what sounds and films can be decoded."""
    trouble = imports(
        "soundfile", "missing = {'WAV', 'FLAC', 'OGG', 'MP3'} - set(soundfile.available_formats())\n"
        "if missing: raise SystemExit('no ' + ' '.join(sorted(missing)))"
    )  # fmt: skip
    if trouble:
        cure = "Install it again: pip install --force-reinstall soundfile"
        yield Finding("sound files", "warn", trouble, cure)
    else:
        yield Finding("sound files", "ok", "WAV, FLAC, OGG, MP3")
    version = version_of("av")
    trouble = "not installed" if version is None else imports("av")
    if trouble:
        cure = "For films and M4A or MP4 sound: pip install 'deixis[video]'"
        yield Finding("films (av)", "warn", trouble, cure)
    else:
        yield Finding("films (av)", "ok", version or "")


def optional() -> Iterator[Finding]:
    """Yields torch and what hangs on it, and the extra word vectors; all may be absent."""
    torch = version_of("torch")
    if torch is None:
        yield Finding("torch", "ok", "absent; only training needs it: pip install 'deixis[learned]'")
    elif trouble := imports("torch"):
        cure = "Install it again, or remove it: light runs without it."
        yield Finding("torch", "warn", f"{torch}: {trouble}", cure)
    else:
        yield Finding("torch", "ok", torch)
    vision = version_of("torchvision")
    if vision is None:
        yield Finding("torchvision", "ok", "absent; nothing here needs it")
    elif trouble := imports("torchvision"):
        cure = "Remove it: pip uninstall torchvision. A broken one breaks transformers' picture processors."
        yield Finding("torchvision", "warn", f"{vision}: {trouble}", cure)
    else:
        yield Finding("torchvision", "ok", vision)
    for package in ("transformers", "wordllama", "spacy"):
        yield Finding(package, "ok", version_of(package) or "absent; optional")


def weights() -> Iterator[Finding]:
    """Yields, per profile of the manifest, whether its files are here; the large ones have their own."""
    from deixis.tools.weights.locate import find
    from deixis.tools.weights.manifest import entries, manifest

    for profile in sorted({e.profile for e in manifest() if not e.profile.startswith("full")}):
        wanted = entries(profile)
        missing = [entry for entry in wanted if find(entry) is None]
        name = f"weights: {profile}"
        if missing:
            text = (
                f"{len(missing)} of {len(wanted)} files missing ({sum(e.size for e in missing) / 1e6:.1f} MB)"
            )
            yield Finding(name, "warn", text, f"Fetch them with: deixis models pull {profile}")
        else:
            yield Finding(name, "ok", f"{len(wanted)} files, {sum(e.size for e in wanted) / 1e6:.1f} MB")


def folders() -> Iterator[Finding]:
    """Yields whether the store and the weights cache can be written, and the room that is left."""
    from deixis.store.store import default_root
    from deixis.tools.weights.pull import destination

    for name, folder, variable in (
        ("store", default_root(), "DEIXIS_HOME"),
        ("weights folder", destination(None), "DEIXIS_WEIGHTS"),
    ):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        cure = f"Name another folder with {variable}."
        if not there.is_dir() or not os.access(there, os.W_OK):
            yield Finding(name, "fail", f"{folder} cannot be written", cure)
            continue
        free = shutil.disk_usage(there).free
        text = f"{folder}, {free / 1e9:.1f} GB free"
        yield Finding(name, "warn" if free < 200e6 else "ok", text, cure if free < 200e6 else "")


def network() -> Iterator[Finding]:
    """Yields when deixis uses the network at all; nothing is tried."""
    yield Finding("network", "ok", "used only by `models pull` and by addresses given with --allow-network")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        if os.environ.get(name) or os.environ.get(name.lower()):
            yield Finding(name.lower(), "ok", "set; downloads go through it")


def full_weights() -> Iterator[Finding]:
    """Yields what `full_checks` finds of the large networks."""
    from deixis.cli.full_checks import full

    yield from full()


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    machine,
    runtimes,
    codecs,
    optional,
    weights,
    full_weights,
    folders,
    network,
)

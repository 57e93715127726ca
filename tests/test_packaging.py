"""What the package promises as a package: its two commands, its entry points, its rooms, its files."""

from __future__ import annotations

import configparser
import importlib
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import deixis

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ROOMS = ("tools", "learned", "graphs", "agent", "eval", "cli")


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def declared() -> list[tuple[str, str, str]]:
    points = PROJECT["project"]["entry-points"]
    return [(group, name, value) for group, entries in points.items() for name, value in entries.items()]


@pytest.mark.parametrize(("group", "name", "value"), declared(), ids=str)
def test_entry_point_names_a_factory_that_is_there(group, name, value):
    module, _, attribute = value.partition(":")
    assert callable(getattr(importlib.import_module(module), attribute))
    assert name in {point.name for point in entry_points(group=group)}, "install again: pip install -e ."


def test_core_needs_no_torch_and_no_heavy_framework():
    core = " ".join(PROJECT["project"]["dependencies"]).lower()
    for word in (
        "torch",
        "transformers",
        "spacy",
        "scipy",
        "opencv",
        "scikit",
        "pandas",
        "matplotlib",
        "gradio",
    ):
        assert word not in core


def test_extras():
    extras = PROJECT["project"]["optional-dependencies"]
    assert {"video", "words", "learned", "all", "dev"} <= set(extras)
    assert any(line.startswith("torch") for line in extras["learned"])
    assert re.search(r"deixis\[.*learned", extras["all"][0])


def test_version_is_the_packages_own():
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "deixis/__init__.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", deixis.__version__)


def test_extras_named_in_errors_exist():
    extras = set(PROJECT["project"]["optional-dependencies"])
    named = {
        name
        for path in sources("deixis")
        for name in re.findall(
            r"MissingExtra\(\s*\"(\w+)\"|pip install '?deixis\[(\w+)\]", path.read_text("utf-8")
        )
        for name in name
        if name
    }
    assert named and named <= extras


def test_vocabulary_modules_are_all_under_contract():
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    listed = set(contracts["importlinter:contract:vocabulary"]["source_modules"].split())
    folder = ROOT / "deixis"
    names = {path.stem for path in folder.glob("*.py")} | {
        path.parent.name for path in folder.glob("*/__init__.py")
    }
    names -= {*ROOMS, "__init__", "__main__"}
    assert listed == {f"deixis.{name}" for name in names}
    light = contracts["importlinter:contract:light-vocabulary"]
    assert set(light["source_modules"].split()) == listed


@pytest.mark.parametrize("path", sources("deixis", "tests"), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short_and_finished(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    assert path.stem not in {"utils", "helpers", "misc", "common", "stuff"}
    unfinished = "TO" + "DO|FIX" + "ME|XX" + "X"
    assert not re.search(rf"\b({unfinished})\b", text)


def tracked() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def test_nothing_large_is_committed():
    home = ROOT / "deixis"
    shipped = {home / name for name in ("tools/pocket", "tools/segmentation", "learned/world/atlas")}
    shipped |= {home / "learned" / "pocket" / name for name in ("mllm", "twin")}
    large = [
        path.name for path in tracked() if path.stat().st_size > 1_000_000 and path.parent not in shipped
    ]
    assert large == [], "weights come from the manifest or from a committed recipe"


def test_no_paths_of_somebodys_machine():
    place = re.compile(r"(?<![\w.])/(?:root|home/\w+|tmp/\w+|Users/\w+)/[\w./-]+")
    texts = [p for p in tracked() if p.suffix in {".py", ".md", ".toml", ".json", ".yml", ".html", ""}]
    hits = {
        p.name: place.findall(p.read_text("utf-8", "replace")) for p in texts if p.name != Path(__file__).name
    }
    assert {name: found for name, found in hits.items() if found} == {}


def test_two_commands_are_in_the_readme_and_in_the_makefile():
    readme, makefile = (ROOT / "README.md").read_text("utf-8"), (ROOT / "Makefile").read_text("utf-8")
    for command in ("demo", "test"):
        assert f"make {command}" in readme
        assert re.search(rf"^{command}:", makefile, re.M)
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")
    assert "Unreleased" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_makefile_sets_up_once(tmp_path):
    """With the stamps in place `make -n test` plans the tests and no installation."""
    if shutil.which("make") is None:
        pytest.skip("needs make")
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)

    def plan() -> str:
        done = subprocess.run(
            ["make", "-n", "test"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert "venv" in plan() and "install -e '.[dev]'" in plan()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("bin/python", ".test-installed"):
        (tmp_path / ".venv" / name).touch()
    assert "install" not in plan().replace("installed", "") and "pytest" in plan()


def test_py_typed_and_data_files_are_part_of_the_package():
    folder = Path(deixis.__file__).parent
    assert (folder / "py.typed").is_file()
    assert (folder / "tools" / "weights" / "manifest.json").is_file()
    assert list((folder / "agent" / "profiles").glob("*.toml"))

"""Profiles: which tools a run uses. A profile is a small TOML file; users write their own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from deixis.errors import InputFault
from deixis.geometry import Frozen
from deixis.tools.toolbox import Toolbox
from deixis.tools.weights import present


class ToolChoice(Frozen):
    """A tool by its registry name, with options for its factory."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class Profile(Frozen):
    """The parts of a run."""

    name: str
    about: str = ""
    graph: str = Field(default="pipeline", description="a name of the registry deixis.graphs")
    planner: str | ToolChoice = Field(default="rules", description="who decides the steps of stepwise")
    budget: dict[str, float] = Field(
        default_factory=dict, description="steps, calls, seconds, tokens that a stepwise run may use"
    )
    weights: str | None = Field(default=None, description="profile of the weights manifest it needs")
    tools: dict[str, str | ToolChoice] = Field(default_factory=dict)
    why: str = Field(default="", description="why `auto` chose it")

    def toolbox(self, overrides: Mapping[str, Any] | None = None) -> Toolbox:
        """Returns the tools of this profile; `overrides` replaces roles by names or tool objects."""
        choices: dict[str, Any] = {}
        for role, choice in self.tools.items():
            choices[role] = choice if isinstance(choice, str) else (choice.name, choice.options)
        return Toolbox({**choices, **(overrides or {})})


def built_in() -> list[str]:
    """Returns the names of the profiles in the package, sorted."""
    folder = files("deixis.agent").joinpath("profiles")
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))


def load_profile(name: str = "auto") -> Profile:
    """Returns a profile by its name or by the path of its TOML file.

    `auto` is ``light`` where its weights are present and ``pocket`` otherwise; `Profile.why` says so.

    Raises:
        InputFault: there is no such profile, or its file is not valid.
    """
    if name == "auto":
        if present("light"):
            return load_profile("light").model_copy(update={"why": "the weights of light are here"})
        why = (
            "the weights of light are not here (deixis models pull light), so only illustrated scenes and "
            "everyday sounds are understood"
        )
        return load_profile("pocket").model_copy(update={"why": why})
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise InputFault("profile.missing", f"There is no profile file {name}.", "Check the path.")
        return _read(path.read_text("utf-8"), name)
    if name not in built_in():
        raise InputFault(
            "profile.unknown",
            f"There is no profile {name!r}.",
            f"Profiles: auto, {', '.join(built_in())}, or the path of a .toml file.",
        )
    return _read(files("deixis.agent").joinpath("profiles", f"{name}.toml").read_text("utf-8"), name)


def _read(text: str, source: str) -> Profile:
    try:
        return Profile.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise InputFault(
            "profile.invalid", f"The profile {source} is not valid: {error}", "Mend the file."
        ) from error

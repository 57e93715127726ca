"""What an agent was made of, as it is put on record, so that another process can make the same again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deixis.agent.profile import Profile

_SECRET = ("key", "token", "secret", "password")


def made_of(
    profile: str | Profile,
    tools: Mapping[str, Any] | None,
    planner: Any,
    budget: Mapping[str, float] | None,
    tool_timeout_s: float,
) -> dict[str, Any]:
    """Returns the arguments of an agent as JSON; objects, and options that may be secrets, are left out."""
    told: dict[str, Any] = {"tool_timeout_s": tool_timeout_s}
    if isinstance(profile, str):
        told["profile"] = str(Path(profile).resolve()) if profile.endswith(".toml") else profile
    named = {role: tool for role, tool in (tools or {}).items() if isinstance(tool, str)}
    if named:
        told["tools"] = named
    if isinstance(planner, str):
        told["planner"] = [planner, {}]
    elif isinstance(planner, tuple):
        told["planner"] = [planner[0], _open(planner[1])]
    if budget:
        told["budget"] = dict(budget)
    return told


def _open(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in options.items()
        if isinstance(value, str | int | float | bool) and not any(part in key.lower() for part in _SECRET)
    }

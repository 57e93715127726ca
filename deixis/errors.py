"""One root error and its four families. Every error carries a stable code and the cure.

* `ToolFault`: told to the planner as an observation; the run goes on with less.
* `PlannerFault`: the planner's output was unusable; it is asked again.
* `RunStopped`: a budget, a person or a signal ended the run; what was found is kept.
* `InputFault`: the caller's mistake; the message says what to do about it.
"""

from __future__ import annotations

from typing import Any


class DeixisError(Exception):
    """The root of every error that deixis raises on purpose.

    Attributes:
        code: stable dotted name, e.g. ``input.image.truncated``; safe to match on.
        message: what happened, in one sentence.
        cure: what the reader can do about it, or an empty string.
        details: JSON-like facts (paths, sizes, limits); never secrets.
    """

    family = "error"

    def __init__(self, code: str, message: str, cure: str = "", **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.cure = cure
        self.details = details

    def __str__(self) -> str:
        return f"{self.message} {self.cure}".strip()

    def as_dict(self) -> dict[str, Any]:
        """Returns the error as JSON-like data: family, code, message, cure, details."""
        return {
            "family": self.family,
            "code": self.code,
            "message": self.message,
            "cure": self.cure,
            "details": {key: str(value) for key, value in self.details.items()},
        }


class ToolFault(DeixisError):
    """A tool failed, hung, or returned nonsense. The run continues and the answer says so."""

    family = "tool"


class PlannerFault(DeixisError):
    """A planner gave something that is not a valid next step. It is asked again."""

    family = "planner"


class RunStopped(DeixisError):
    """The run ended early on purpose: a budget, a cancel, a pause. What was found is kept."""

    family = "stopped"


class InputFault(DeixisError, ValueError):
    """The caller's input cannot be used. `cure` says what to change."""

    family = "input"


class MissingExtra(InputFault):
    """An optional dependency is not installed; the cure is the install line."""

    def __init__(self, extra: str, package: str, purpose: str) -> None:
        super().__init__(
            "install.extra.missing",
            f"{purpose} needs the package {package!r}, which is not installed.",
            f"Install it with: pip install 'deixis[{extra}]'",
            extra=extra,
            package=package,
        )


class WeightsMissing(InputFault):
    """A weight file is not on this machine; the cure is the pull command."""

    def __init__(self, name: str, profile: str, looked_in: str) -> None:
        super().__init__(
            "weights.missing",
            f"The weight file {name!r} of profile {profile!r} is not here (looked in {looked_in}).",
            f"Fetch it with: deixis models pull {profile}; or point DEIXIS_WEIGHTS at a folder that has it.",
            name=name,
            profile=profile,
        )

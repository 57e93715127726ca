"""The tools of a run, one per role, made on first use from their registry names."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any, cast

from deixis import registry
from deixis.errors import InputFault
from deixis.tools.protocol import ROLES, Role, Tool


class Toolbox:
    """Holds one tool per role; a role may be empty, and a tool may be given ready made.

    `choices` maps a role to a registry name (``detection/deimv2-femto``), to a pair of name and
    options, or to a tool object.
    """

    def __init__(self, choices: Mapping[str, str | tuple[str, Mapping[str, Any]] | Tool]) -> None:
        unknown = set(choices) - set(ROLES)
        if unknown:
            raise InputFault(
                "tools.role.unknown",
                f"Unknown roles: {', '.join(sorted(unknown))}.",
                f"Roles are {', '.join(ROLES)}.",
            )
        self._choices = dict(choices)
        self._made: dict[str, Tool] = {}
        self._lock = threading.Lock()

    def only(self, roles: Iterable[str]) -> Toolbox:
        """Returns a toolbox with the same choices for some of the roles, and no others.

        Raises:
            InputFault: there is no such role, or it is empty here.
        """
        wanted = list(roles)
        for role in wanted:
            if role not in self._choices:
                raise InputFault(
                    "tools.role.empty", f"This profile has no tool for {role}.", "Choose another profile."
                )
        return Toolbox({role: self._choices[role] for role in wanted})

    def roles(self) -> tuple[Role, ...]:
        """Returns the roles that are filled, in the order of `ROLES`."""
        return tuple(role for role in ROLES if role in self._choices)

    def name(self, role: Role) -> str:
        """Returns the registry name chosen for `role`, without making the tool."""
        choice = self._choices[role]
        if isinstance(choice, str):
            return choice
        if isinstance(choice, tuple):
            return choice[0]
        return choice.name

    def get(self, role: Role) -> Tool | None:
        """Returns the tool of `role`, made now if need be; None where the role is empty.

        Raises:
            InputFault: the name is unknown, its weights or its extra are missing.
        """
        if role not in self._choices:
            return None
        with self._lock:
            if role not in self._made:
                choice = self._choices[role]
                if isinstance(choice, str):
                    made = registry.tools.create(choice)
                elif isinstance(choice, tuple):
                    made = registry.tools.create(choice[0], **choice[1])
                else:
                    made = choice
                self._made[role] = cast("Tool", made)
            return self._made[role]

    def need(self, role: Role) -> Tool:
        """Returns the tool of `role`.

        Raises:
            InputFault: the role is empty.
        """
        tool = self.get(role)
        if tool is None:
            raise InputFault(
                "tools.role.empty", f"This profile has no tool for {role}.", "Choose another profile."
            )
        return tool

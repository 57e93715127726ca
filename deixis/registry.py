"""The five seams: tools, planners, graphs, tasks, exporters.

An entry is a factory under a name. Built-ins and strangers come in by the same door: an entry point
of the group ``deixis.<kind>``, or the decorator at run time. Registration imports nothing heavy; a
factory imports what it needs when it is called.

    from deixis.registry import exporters

    @exporters.register("labelme")
    def labelme(): ...
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from deixis.errors import InputFault

Factory = Callable[..., Any]


class Registry:
    """Factories by name; entry points are looked up on first use and loaded on demand."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._factories: dict[str, Factory] = {}
        self._points: dict[str, EntryPoint] | None = None

    def register(self, name: str) -> Callable[[Factory], Factory]:
        """Returns a decorator that stores the factory under `name`, replacing an earlier one."""

        def keep(factory: Factory) -> Factory:
            self._factories[name] = factory
            return factory

        return keep

    def names(self) -> list[str]:
        """Returns all names, sorted; nothing is imported."""
        return sorted({*self._factories, *self._entry_points()})

    def factory(self, name: str) -> Factory:
        """Returns the factory stored under `name`.

        Raises:
            InputFault: there is none; the message lists the names there are.
        """
        if name not in self._factories:
            point = self._entry_points().get(name)
            if point is None:
                raise InputFault(
                    f"registry.{self.kind}.unknown",
                    f"There is no entry {name!r} among the {self.kind}.",
                    f"Known: {', '.join(self.names()) or 'none'}.",
                )
            self._factories[name] = point.load()
        return self._factories[name]

    def create(self, name: str, **options: Any) -> Any:
        """Returns what the factory of `name` makes of `options`."""
        return self.factory(name)(**options)

    def _entry_points(self) -> dict[str, EntryPoint]:
        if self._points is None:
            self._points = {p.name: p for p in entry_points(group=f"deixis.{self.kind}")}
        return self._points


tools = Registry("tools")
planners = Registry("planners")
graphs = Registry("graphs")
tasks = Registry("tasks")
exporters = Registry("exporters")

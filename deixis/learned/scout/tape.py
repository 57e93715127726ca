"""Writing traces: words that point, calls that are put down together with what they gave.

Within a step the order is: its kind, its calls, what they gave, its words; so the words of a step may rest on
its own observations, as those of a running pipeline do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from deixis.errors import DeixisError, ToolFault
from deixis.geometry import Box, Frozen, TimeSpan
from deixis.media.refs import MediaSource
from deixis.tools.protocol import Role
from deixis.tools.toolbox import Toolbox
from deixis.trace import Action, Observation, Span, Step, StepKind

Out = TypeVar("Out", bound=Frozen)


class Caller(Protocol):
    """Who answers the calls of a trace: tools that are run, or the world's truth with stated noise."""

    def name(self, role: Role) -> str:
        """Returns the name of what answers for `role`; empty where nothing does."""
        ...

    def version(self, role: Role) -> str:
        """Returns the version of what answers for `role`."""
        ...

    def call(self, role: Role, request: Any) -> Any:
        """Returns the role's output.

        Raises:
            ToolFault: there is none; the trace goes on and says so.
        """
        ...


class ToolCaller:
    """Calls the tools of a toolbox on the media of a source."""

    def __init__(self, toolbox: Toolbox, media: MediaSource) -> None:
        self._toolbox, self._media = toolbox, media

    def name(self, role: Role) -> str:
        """Returns the registry name of the tool."""
        return self._toolbox.name(role) if role in self._toolbox.roles() else ""

    def version(self, role: Role) -> str:
        """Returns the tool's version."""
        return self._toolbox.need(role).version

    def call(self, role: Role, request: Any) -> Any:
        """Returns what the tool gave, as its protocol's output.

        Raises:
            ToolFault: the tool failed, or gave something else than its output.
        """
        tool = self._toolbox.need(role)
        try:
            run = getattr(tool, "run", None)
            given = run(request, self._media) if run is not None else _awaited(tool, request, self._media)
            return given if isinstance(given, tool.Output) else tool.Output.model_validate(given)
        except DeixisError:
            raise
        except Exception as error:  # a stranger's tool may raise anything; the trace keeps that it did
            why = f"{tool.name} raised {type(error).__name__}: {error}"
            raise ToolFault("tool.raised", why, tool=tool.name) from error


def _awaited(tool: Any, request: Any, media: MediaSource) -> Any:
    import asyncio

    return asyncio.run(tool(request, media))


@dataclass
class Words:
    """A text under way, with its spans."""

    text: str = ""
    spans: list[Span] = field(default_factory=list)

    def say(self, text: str) -> Words:
        """Adds plain words."""
        self.text += text
        return self

    def point(
        self, phrase: str, boxes: Sequence[Box] = (), times: Sequence[TimeSpan] = (), media: str = ""
    ) -> Words:
        """Adds words that point; with neither boxes nor times they name what is not there."""
        start = len(self.text)
        self.text += phrase
        self.spans.append(
            Span(
                start=start,
                end=len(self.text),
                phrase=phrase,
                boxes=tuple(boxes),
                times=tuple(times),
                media=media,
            )
        )
        return self

    def fill(self, template: str, **parts: Words | str) -> Words:
        """Adds `template` with each ``{name}`` replaced by plain words or by words that point."""
        rest = template
        while "{" in rest:
            before, _, rest = rest.partition("{")
            name, _, rest = rest.partition("}")
            self.say(before)
            part = parts[name]
            self.add(part) if isinstance(part, Words) else self.say(part)
        return self.say(rest)

    def add(self, other: Words) -> Words:
        """Adds another text with its spans."""
        at = len(self.text)
        self.text += other.text
        self.spans += [
            span.model_copy(update={"start": span.start + at, "end": span.end + at}) for span in other.spans
        ]
        return self

    def capital(self) -> Words:
        """Returns this text with its first letter in upper case, in its first span as well."""
        if not self.text or not self.text[0].islower():
            return self
        upper = self.text[0].upper()
        self.text = upper + self.text[1:]
        if self.spans and self.spans[0].start == 0:
            first = self.spans[0]
            self.spans[0] = first.model_copy(update={"phrase": upper + first.phrase[1:]})
        return self


def pointing(
    phrase: str, boxes: Sequence[Box] = (), times: Sequence[TimeSpan] = (), media: str = ""
) -> Words:
    """Returns words that point."""
    return Words().point(phrase, boxes, times, media)


@dataclass
class OpenStep:
    """A step that is being written."""

    index: int
    kind: StepKind
    words: Words = field(default_factory=Words)
    actions: list[Action] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)


class Tape:
    """The steps of one trace under way, with the versions of all that was asked."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.versions: dict[str, str] = {}
        self._open: list[OpenStep] = []

    def step(self, kind: StepKind) -> OpenStep:
        """Returns a new step, the next of the trace."""
        self._open.append(OpenStep(len(self._open), kind))
        return self._open[-1]

    def call(self, step: OpenStep, role: Role, request: Frozen, output: type[Out]) -> Out | None:
        """Returns what the tool of `role` gave, put down in `step`; None where it failed or there is none."""
        name = self.caller.name(role)
        if not name:
            return None
        call = f"{step.index}.{len(step.actions) + 1}"
        asked = request.model_dump(mode="json", exclude_defaults=True)
        step.actions.append(Action(call=call, role=role, tool=name, input=asked))
        self.versions[name] = self.caller.version(role)
        try:
            given = self.caller.call(role, request)
        except DeixisError as fault:
            step.observations.append(Observation(call=call, status="fault", fault=fault.as_dict()))
            return None
        result = given if isinstance(given, output) else output.model_validate(given)
        step.observations.append(
            Observation(call=call, status="ok", output=result.model_dump(mode="json", exclude_defaults=True))
        )
        return result

    def steps(self) -> tuple[Step, ...]:
        """Returns the steps, finished."""
        return tuple(
            Step(
                index=step.index,
                kind=step.kind,
                text=step.words.text,
                spans=tuple(step.words.spans),
                actions=tuple(step.actions),
                observations=tuple(step.observations),
            )
            for step in self._open
        )

"""`Agent`: ask a question about pictures and sounds, get an answer that points at what it says."""

from __future__ import annotations

import asyncio
import datetime
import os
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from deixis import registry
from deixis.agent.profile import Profile, ToolChoice, load_profile
from deixis.agent.setup import made_of
from deixis.answer import GroundedAnswer
from deixis.errors import InputFault, WeightsMissing
from deixis.trace import Event, RunRecord, Trace

if TYPE_CHECKING:
    from deixis.agent.conversation import Conversation, Place
    from deixis.agent.traces.replaying import Replayed
    from deixis.graphs.context import RunContext, Settings
    from deixis.store import Store
    from deixis.tools.toolbox import Toolbox

T = TypeVar("T")
Source = Any
"""A path, an address, bytes, a PIL picture, a uint8 array (h, w, 3), or (samples, rate) for sound."""


class Agent:
    """Holds a profile's tools and a store; every `ask` is a run with a trace.

    Args:
        profile: a name (`auto`, `light`, `pocket`, `sketch`), the path of a TOML file, or a `Profile`.
        home: folder of the store; None takes DEIXIS_HOME or the user's data folder.
        tools: replaces roles of the profile: ``{"detection": "detection/yolox-nano"}`` or a tool object.
        tool_timeout_s: a tool call that takes longer is given up, and the answer says so.
        graph: ``pipeline`` or ``stepwise``, or another graph of the registry; None takes the profile's. With
            a planner named and no graph it is ``stepwise``.
        planner: who decides the steps of ``stepwise``: a name, a pair of name and options, or a planner.
        budget: what a stepwise run may use: ``{"steps": 8, "seconds": 30}`` (also ``calls``, ``tokens``).
        allow_network: lets media be given as http(s) addresses.
        checkpoints: where the steps' checkpoints are kept: ``postgresql://…``; None takes DEIXIS_CHECKPOINTS,
            and without that SQLite in the store.

    Raises:
        InputFault: no such profile, or its weights are missing (the cure is in the message).
    """

    def __init__(
        self,
        profile: str | Profile = "auto",
        *,
        home: str | Path | None = None,
        tools: Mapping[str, Any] | None = None,
        tool_timeout_s: float = 60.0,
        graph: str | None = None,
        planner: Any = None,
        budget: Mapping[str, float] | None = None,
        allow_network: bool = False,
        checkpoints: str | None = None,
    ) -> None:
        from deixis.store import Store

        self.made_of = made_of(profile, tools, planner, budget, tool_timeout_s)
        self.profile = load_profile(profile) if isinstance(profile, str) else profile
        self._require_weights()
        self.store: Store = Store(Path(home) if home else None, allow_network=allow_network)
        self.toolbox: Toolbox = self.profile.toolbox(tools)
        self._tool_timeout_s = tool_timeout_s
        self.graph = graph or ("stepwise" if planner is not None else self.profile.graph)
        self._planner = planner
        self._budget = {**self.profile.budget, **(budget or {})}
        self.settings()  # a budget that is none is told now, not in the first run
        self.checkpoints = checkpoints or os.environ.get("DEIXIS_CHECKPOINTS") or ""
        self._graphs: dict[str, Any] = {}

    def _require_weights(self) -> None:
        """Passes where at least one weight file of the profile is here; single ones may be missing,
        then their tools fail and the answers say so."""
        from deixis.tools.weights.locate import locate
        from deixis.tools.weights.manifest import entries

        missing: list[WeightsMissing] = []
        wanted = entries(self.profile.weights) if self.profile.weights else ()
        for file in wanted:
            try:
                locate(file.name)
            except WeightsMissing as error:
                missing.append(error)
        if missing and len(missing) == len(wanted):
            raise missing[0]

    def ask(
        self,
        question: str = "",
        *,
        image: Source | Sequence[Source] | None = None,
        audio: Source | Sequence[Source] | None = None,
        on_event: Callable[[Event], None] | None = None,
        pause_before: str | None = None,
    ) -> GroundedAnswer:
        """Returns the grounded answer; see `aask`. Works inside a running event loop, too."""
        asked = self.aask(question, image=image, audio=audio, on_event=on_event, pause_before=pause_before)
        return _wait(asked)

    async def aask(
        self,
        question: str = "",
        *,
        image: Source | Sequence[Source] | None = None,
        audio: Source | Sequence[Source] | None = None,
        on_event: Callable[[Event], None] | None = None,
        turn: Place | None = None,
        pause_before: str | None = None,
    ) -> GroundedAnswer:
        """Returns the answer to `question` about the media, every phrase tied to what was seen or heard.

        Args:
            question: in English; empty means "describe".
            image, audio: one source or a list of them.
            on_event: called with each event of the run, after it is on record.
            turn: the run's place in a conversation; `Conversation.aask` gives it.
            pause_before: a step's number, its kind or a tool: there the run waits for a person.

        Raises:
            InputFault: a medium cannot be used. The run stays on record with the error's code.
            RunStopped: the run waits (code ``run.paused``); `resume` goes on with it.
        """
        from deixis.agent.running import carry_out, setup_of
        from deixis.graphs.pausing import Pause

        pause = Pause(pause_before) if pause_before else None
        context = self.context(question, image=image, audio=audio, on_event=on_event, turn=turn)
        context.recorder.start(setup_of(self, context))
        return await carry_out(self, context, pause)

    def context(
        self,
        question: str = "",
        *,
        image: Source | Sequence[Source] | None = None,
        audio: Source | Sequence[Source] | None = None,
        on_event: Callable[[Event], None] | None = None,
        turn: Place | None = None,
    ) -> RunContext:
        """Returns the surroundings of a new run, to give to a graph of `deixis.graphs.build` as its context.

        The run is on record once ``context.recorder.start()`` is called; its id and its question, which the
        graph's input needs, are ``context.recorder.record.run`` and ``.question``.
        """
        from deixis.graphs.context import RunContext
        from deixis.graphs.recorder import Recorder

        # Bytes of a command line that are no text (lone surrogates) can be neither stored nor shown.
        question = question.encode("utf-8", "replace").decode("utf-8")
        record = RunRecord(
            run=new_run_id(),
            question=question,
            profile=self.profile.name,
            graph=self.graph,
            started=datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            status="running",
            conversation=turn.conversation if turn else "",
            turn=turn.number if turn else 0,
        )
        return RunContext(
            toolbox=self.toolbox,
            media=self.store,
            recorder=Recorder(self.store.runs, record, on_event),
            settings=self.settings(),
            images=_many(image, pair_is_one=False),
            audios=_many(audio, pair_is_one=True),
            planner=self.planner() if self.graph != "pipeline" else None,
            earlier=turn.earlier if turn else (),
        )

    def planner(self) -> Any:
        """Returns the planner of the stepwise runs, made on first use.

        Raises:
            InputFault: there is no such planner, or its options are not right.
        """
        choice = self._planner if self._planner is not None else self.profile.planner
        if isinstance(choice, str):
            self._planner = registry.planners.create(choice)
        elif isinstance(choice, ToolChoice):
            self._planner = registry.planners.create(choice.name, **choice.options)
        elif isinstance(choice, tuple):
            self._planner = registry.planners.create(choice[0], **choice[1])
        else:
            self._planner = choice
        return self._planner

    def settings(self) -> Settings:
        """Returns the limits of a run.

        Raises:
            InputFault: the budget cannot be used.
        """
        from pydantic import ValidationError

        from deixis.graphs.context import Settings
        from deixis.graphs.planning.protocol import Budget

        try:
            budget = Budget.model_validate(self._budget)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise InputFault(
                "agent.budget.invalid",
                f"The budget cannot be used: {first['msg']} at {'.'.join(map(str, first['loc']))}.",
                "Give numbers for steps, calls, seconds, tokens.",
            ) from error
        return Settings(tool_timeout_s=self._tool_timeout_s, budget=budget)

    def compiled(self, name: str) -> Any:
        """Returns a graph of the registry, compiled once: that takes longer than all its steps do."""
        if name not in self._graphs:
            self._graphs[name] = registry.graphs.create(name).compile()
        return self._graphs[name]

    async def astream(
        self, question: str = "", *, image: Source | None = None, audio: Source | None = None
    ) -> AsyncIterator[Event | GroundedAnswer]:
        """Yields the events of a run while they happen, and the `GroundedAnswer` last.

        Raises:
            InputFault: as `aask`, after the events that came before.
        """
        async for item in streamed(lambda tell: self.aask(question, image=image, audio=audio, on_event=tell)):
            yield item

    def stream(
        self, question: str = "", *, image: Source | None = None, audio: Source | None = None
    ) -> Iterator[Event | GroundedAnswer]:
        """Yields what `astream` yields, for callers without an event loop."""
        import queue

        box: queue.Queue[Event | GroundedAnswer | BaseException] = queue.Queue()

        def work() -> None:
            try:
                box.put(self.ask(question, image=image, audio=audio, on_event=box.put))
            except BaseException as error:
                box.put(error)

        threading.Thread(target=work, daemon=True, name="deixis-stream").start()
        while True:
            item = box.get()
            if isinstance(item, BaseException):
                raise item
            yield item
            if isinstance(item, GroundedAnswer):
                return

    def conversation(self, name: str = "") -> Conversation:
        """Returns the conversation of that name, with all its turns; a new one where there is none yet.

        Without a name it is a new one, whose name tells when it began.

        Raises:
            InputFault: it cannot be a name, or the conversation's file is damaged.
        """
        from deixis.agent.conversation import Conversation

        return Conversation(self, name or new_run_id())

    def resume(self, run: str, **options: Any) -> GroundedAnswer:
        """Returns the answer of a run that was killed, failed or paused; see `traces.resuming.resume`."""
        return _wait(self.aresume(run, **options))

    async def aresume(self, run: str, **options: Any) -> GroundedAnswer:
        """Returns the answer of a run that was killed, failed or paused; see `traces.resuming.resume`."""
        from deixis.agent.traces.resuming import resume

        return await resume(self, run, **options)

    def fork(self, run: str, **options: Any) -> GroundedAnswer:
        """Returns the answer of a new run that begins as another one did; see `traces.forking.fork`."""
        return _wait(self.afork(run, **options))

    async def afork(self, run: str, **options: Any) -> GroundedAnswer:
        """Returns the answer of a new run that begins as another one did; see `traces.forking.fork`."""
        from deixis.agent.traces.forking import fork

        return await fork(self, run, **options)

    def replay(self, run: str) -> Replayed:
        """Returns whether the run's record makes the same events again; see `traces.replaying.replay`."""
        from deixis.agent.traces.replaying import replay

        return _wait(replay(self.store, run))

    def trace(self, run: str) -> Trace:
        """Returns the trace of a run, by its id or the beginning of it.

        Raises:
            InputFault: there is no such run, or more than one.
        """
        return self.store.runs.trace(run)


async def streamed(
    ask: Callable[[Callable[[Event], None]], Coroutine[Any, Any, GroundedAnswer]],
) -> AsyncIterator[Event | GroundedAnswer]:
    """Yields the events that a run tells its listener while it goes on, and its answer last.

    A reader that goes away ends the run.
    """
    queue: asyncio.Queue[Event | None] = asyncio.Queue()
    task = asyncio.ensure_future(ask(queue.put_nowait))
    task.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (event := await queue.get()) is not None:
            yield event
        yield task.result()
    finally:
        task.cancel()


def new_run_id() -> str:
    """Returns an id that sorts by time and does not repeat."""
    now = datetime.datetime.now(datetime.UTC)
    return f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03x}{secrets.token_hex(2)}"


def _many(source: Any, *, pair_is_one: bool) -> list[Any]:
    """Returns the sources as a list; (samples, rate) is one sound."""
    if source is None:
        return []
    if isinstance(source, list) or (isinstance(source, tuple) and not pair_is_one):
        return list(source)
    return [source]


def _wait(work: Coroutine[Any, Any, T]) -> T:
    """Returns the result of `work`, in a thread of its own where an event loop is already running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(asyncio.run(work))
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, daemon=True, name="deixis-ask")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]

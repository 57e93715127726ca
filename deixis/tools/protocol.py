"""What every tool is: a name, a version, the digest of its weights, a typed input and output.

Tools are batch-first: one request holds all phrases, or all boxes, of one picture. They get media
as references and ask the `MediaSource` for pixels or samples, which are decoded once.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar, runtime_checkable

from deixis.geometry import Frozen
from deixis.media.refs import Digest, MediaSource

Role = Literal["tagging", "detection", "segmentation", "embedding", "hearing", "linking", "matching"]
ROLES: tuple[Role, ...] = (
    "tagging",
    "detection",
    "segmentation",
    "embedding",
    "hearing",
    "linking",
    "matching",
)

In = TypeVar("In", bound=Frozen)
Out = TypeVar("Out", bound=Frozen)


@runtime_checkable
class Tool(Protocol):
    """Anything that can be called in a run. See `deixis.tools.<role>` for each role's in and out.

    Attributes:
        name: registry name, e.g. ``detection/deimv2``.
        version: changes whenever the same weights could give another result.
        role: which protocol it follows.
        weights_digest: ``sha256:...`` over its weight files, or None for rules.
        Input, Output: the role's pydantic models.
    """

    name: str
    version: str
    role: Role

    @property
    def Input(self) -> type[Frozen]: ...  # noqa: N802

    @property
    def Output(self) -> type[Frozen]: ...  # noqa: N802

    @property
    def weights_digest(self) -> Digest | None: ...

    async def __call__(self, request: Any, media: MediaSource) -> Any:
        """Returns the role's output for one request.

        Raises:
            ToolFault: it could not be done; the run goes on without it.
        """
        ...


async def in_thread(work: Callable[..., Any], *args: Any) -> Any:
    """Returns ``work(*args)``, run in a daemon thread of its own.

    A thread pool would be joined when the process ends; a tool that hangs must not hold the
    process, so an abandoned call may go on in its daemon thread and is forgotten.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def settle(setter: Callable[[Any], None], value: Any) -> None:
        if not future.done():
            setter(value)

    def run() -> None:
        try:
            outcome, value = future.set_result, context.run(functools.partial(work, *args))
        except BaseException as error:
            outcome, value = future.set_exception, error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, outcome, value)

    threading.Thread(target=run, daemon=True, name=f"deixis-{work!r:.40}").start()
    return await future


class LocalTool(ABC, Generic[In, Out]):
    """A tool that computes on this machine: subclasses write `run`, callers await the tool."""

    name: str
    version: str
    role: ClassVar[Role]
    Input: ClassVar[type[Frozen]]
    Output: ClassVar[type[Frozen]]

    @property
    def weights_digest(self) -> Digest | None:
        """Returns the digest of the weights; None where there are none."""
        return None

    @abstractmethod
    def run(self, request: In, media: MediaSource) -> Out:
        """Returns the role's output; blocking, called in a worker thread, safe to call from several."""

    def run_many(self, requests: Sequence[In], media: MediaSource) -> list[Out | Exception]:
        """Returns one outcome per request, in the order asked: the output, or the error it ended in.

        A tool that can answer several requests in one forward pass writes this anew; one bad request
        must not spoil the others.
        """
        outcomes: list[Out | Exception] = []
        for request in requests:
            try:
                outcomes.append(self.run(request, media))
            except Exception as error:  # handed to whoever asked for this one
                outcomes.append(error)
        return outcomes

    async def __call__(self, request: In, media: MediaSource) -> Out:
        """Returns `run`'s output without blocking the event loop."""
        result: Out = await in_thread(self.run, request, media)
        return result

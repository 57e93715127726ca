"""A conversation: several questions about the same media, with ids and colours that stay the same.

    with agent.conversation("yard") as talk:
        talk.ask("What is here?", image="yard.jpg")
        talk.ask("What is next to it?")

Every turn is a run of its own, with its trace; the conversation keeps which runs, which media, and what
the answers named. It lies in the store, so another process can take it up under its name.
"""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.answer import GroundedAnswer
from deixis.errors import InputFault
from deixis.media.refs import AudioRef, ImageRef
from deixis.store.conversations import Turn
from deixis.trace import Event, RunRecord

if TYPE_CHECKING:
    from deixis.agent.agent import Agent, Source
    from deixis.store import Store

MOST_MEDIA = 16
"""Pictures and sounds that a conversation has at once; every one of them is looked at in every turn."""


@dataclass(frozen=True)
class Place:
    """Where a run stands in a conversation: its name, which turn it is, the answers before it."""

    conversation: str
    number: int
    earlier: tuple[GroundedAnswer, ...] = ()


def place_of(store: Store, record: RunRecord) -> Place | None:
    """Returns the place of a run that is on record; None where it is no turn of a conversation.

    What it knows of earlier turns is gone where the conversation was removed.
    """
    if not record.conversation:
        return None
    before = store.conversations.turns(record.conversation)[: max(0, record.turn - 1)]
    return Place(record.conversation, record.turn, tuple(turn.answer for turn in before))


class Conversation:
    """The turns about some media. `Agent.conversation` makes one; its name is its id.

    Args:
        agent: whose tools, graph and store it uses.
        name: letters, digits, ``-``, ``_`` and ``.``.

    Raises:
        InputFault: it is no name, or the conversation's file is damaged.
    """

    def __init__(self, agent: Agent, name: str) -> None:
        self.agent = agent
        self.name = name
        self.turns: tuple[Turn, ...] = agent.store.conversations.turns(name)
        self.images: tuple[ImageRef, ...] = self.turns[-1].images if self.turns else ()
        self.audios: tuple[AudioRef, ...] = self.turns[-1].audios if self.turns else ()

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to do: every turn is in the store as soon as it is answered."""

    def ask(
        self,
        question: str = "",
        *,
        image: Source | Sequence[Source] | None = None,
        audio: Source | Sequence[Source] | None = None,
        replace: bool = False,
        on_event: Callable[[Event], None] | None = None,
    ) -> GroundedAnswer:
        """Returns the answer of the next turn; see `aask`. Works inside a running event loop, too."""
        from deixis.agent.agent import _wait

        return _wait(self.aask(question, image=image, audio=audio, replace=replace, on_event=on_event))

    async def aask(
        self,
        question: str = "",
        *,
        image: Source | Sequence[Source] | None = None,
        audio: Source | Sequence[Source] | None = None,
        replace: bool = False,
        on_event: Callable[[Event], None] | None = None,
    ) -> GroundedAnswer:
        """Returns the answer to `question`, in which 'it' and 'the other one' mean what was named before.

        Args:
            question: in English; without one, what the media show is described.
            image, audio: media that come in with this turn, beside those that are there.
            replace: they take the place of those of their kind that are there; the history stays, and what
                lies in media that are gone keeps its id.
            on_event: called with each event of the run, after it is on record.

        Raises:
            InputFault: a medium cannot be used, or the conversation has gone on in another process. The turn
                is not part of the conversation then, and can be asked again.
        """
        images, audios = self._media(image, audio, replace)
        number = len(self.turns) + 1
        turn = Place(self.name, number, tuple(turn.answer for turn in self.turns))
        asked = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        answer = await self.agent.aask(
            question, image=list(images), audio=list(audios), on_event=on_event, turn=turn
        )
        self._keep(
            Turn(
                number=number,
                run=answer.run,
                asked=asked,
                images=images,
                audios=audios,
                answer=without_masks(answer),
            )
        )
        return answer

    async def astream(
        self,
        question: str = "",
        *,
        image: Source | Sequence[Source] | None = None,
        audio: Source | Sequence[Source] | None = None,
        replace: bool = False,
    ) -> AsyncIterator[Event | GroundedAnswer]:
        """Yields the events of the next turn while they happen, and its `GroundedAnswer` last."""
        from deixis.agent.agent import streamed

        asking = lambda tell: self.aask(  # noqa: E731
            question, image=image, audio=audio, replace=replace, on_event=tell
        )
        async for item in streamed(asking):
            yield item

    def answers(self) -> list[GroundedAnswer]:
        """Returns the answers of all turns, with their masks where their runs are still on record."""
        found = []
        for turn in self.turns:
            try:
                found.append(self.agent.store.runs.answer(turn.run) or turn.answer)
            except InputFault:
                found.append(turn.answer)
        return found

    def save(self, folder: str | Path) -> list[Path]:
        """Returns the files of a page with all turns: ``index.html``, media beside it, ``conversation.json``.

        Raises:
            InputFault: there are no turns yet, or the folder cannot be written.
        """
        from deixis.agent.export.conversation import save_conversation

        return save_conversation(self.name, self.answers(), Path(folder), self.agent.store)

    def _media(
        self, image: Any, audio: Any, replace: bool
    ) -> tuple[tuple[ImageRef, ...], tuple[AudioRef, ...]]:
        """Returns the media of the next turn, taken into the store, each once.

        Raises:
            InputFault: one cannot be used, there are too many, or one has gone from the store.
        """
        from deixis.agent.agent import _many

        store = self.agent.store
        pictures = [
            source if isinstance(source, ImageRef) else store.add_image(source)
            for source in _many(image, pair_is_one=False)
        ]
        sounds = [
            source if isinstance(source, AudioRef) else store.add_audio(source)
            for source in _many(audio, pair_is_one=True)
        ]
        before_i = () if replace and pictures else self.images
        before_a = () if replace and sounds else self.audios
        images = tuple({ref.digest: ref for ref in (*before_i, *pictures)}.values())
        audios = tuple({ref.digest: ref for ref in (*before_a, *sounds)}.values())
        if len(images) + len(audios) > MOST_MEDIA:
            raise InputFault(
                "conversation.media.many",
                f"A conversation has {MOST_MEDIA} pictures and sounds at once; these would be "
                f"{len(images) + len(audios)}.",
                "Replace some, or begin another conversation.",
            )
        refs: list[ImageRef | AudioRef] = [*images, *audios]
        gone = [ref.name or ref.digest for ref in refs if not store.has(ref.digest)]
        if gone:
            raise InputFault(
                "conversation.media.gone",
                f"The store no longer has {', '.join(gone)}.",
                "Give it again, with replace.",
            )
        return images, audios

    def _keep(self, turn: Turn) -> None:
        self.agent.store.conversations.append(self.name, turn)
        self.turns = (*self.turns, turn)
        self.images, self.audios = turn.images, turn.audios


def without_masks(answer: GroundedAnswer) -> GroundedAnswer:
    """Returns the answer without its masks, which are large and stay with the run."""
    return answer.model_copy(
        update={
            "entities": tuple(
                entity.model_copy(
                    update={
                        "regions": tuple(
                            region.model_copy(update={"mask": None}) if region.box else region
                            for region in entity.regions
                        )
                    }
                )
                for entity in answer.entities
            )
        }
    )

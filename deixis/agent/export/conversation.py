"""A conversation as one page: its turns, and each picture and sound once, with all that was named in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from deixis.agent.export.embed import Embedder
from deixis.agent.export.html import figures, page
from deixis.agent.export.protocol import MediaFiles
from deixis.answer import Entity, GroundedAnswer
from deixis.errors import InputFault
from deixis.store.blobs import write_whole


def save_conversation(
    name: str, answers: Sequence[GroundedAnswer], folder: Path, store: MediaFiles
) -> list[Path]:
    """Returns ``index.html`` first, then the media beside it, ``conversation.json`` last.

    Raises:
        InputFault: there are no turns, or the folder cannot be written.
    """
    if not answers:
        raise InputFault(
            "conversation.empty", f"The conversation {name!r} has no turns yet.", "Ask something first."
        )
    embedder = Embedder(folder)
    whole = together(name, answers)
    told = {
        "conversation": name,
        "turns": [answer.model_dump(mode="json", exclude_none=True) for answer in answers],
    }
    data = json.dumps(told, ensure_ascii=False)
    text = page(whole, figures(whole, store, embedder), None, turns=answers, data=data)
    write_whole(folder / "index.html", text.encode("utf-8", "replace"))
    write_whole(folder / "conversation.json", json.dumps(told, ensure_ascii=False, indent=1).encode())
    return [folder / "index.html", *embedder.written, folder / "conversation.json"]


def together(name: str, answers: Sequence[GroundedAnswer]) -> GroundedAnswer:
    """Returns all turns as one answer without words: every medium, every entity as it was shown last.

    The ids and numbers of a conversation are those of all its turns, so nothing collides.
    """
    entities: dict[str, Entity] = {}
    for answer in answers:
        for entity in answer.entities:
            before = entities.get(entity.id)
            entities[entity.id] = entity if before is None else _clearer(entity, before)
    media = {ref.digest: ref for answer in answers for ref in answer.media}
    last = answers[-1]
    return GroundedAnswer(
        run=last.run,
        question=f"Conversation {name}",
        text="",
        status=last.status,
        profile=last.profile,
        conversation=name,
        media=tuple(media.values()),
        entities=tuple(entities.values()),
        not_found=tuple(
            {(gone.phrase, gone.medium): gone for answer in answers for gone in answer.not_found}.values()
        ),
        problems=tuple(problem for answer in answers for problem in answer.problems),
        seconds=sum(answer.seconds for answer in answers),
    )


def _clearer(entity: Entity, before: Entity) -> Entity:
    """Returns the later showing of an entity, unless only the earlier one is outlined."""
    outlined = [any(region.mask for region in one.regions) for one in (before, entity)]
    return before if outlined == [True, False] else entity

"""The grounded answer: text whose phrases point at regions, with the evidence for each.

A `GroundedAnswer` is what every surface of deixis returns. Its rules are checked when it is built:
mentions are exact spans of the text and do not overlap, every reference points at something that is
there, and an entity that claims support carries evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from deixis.geometry import Box, Frozen, Mask, TimeSpan, Tube
from deixis.media.refs import Digest, MediaRef

ScoreKind = Literal[
    "detector",  # confidence of a box
    "tagger",  # sigmoid or softmax probability of a tag
    "hearing",  # probability of a sound class
    "mask",  # quality of a mask as its tool estimates it
    "lexical",  # exact, synonym or ontology match between words: 1 exact, less for looser
    "cosine",  # cosine similarity of embeddings
    "token",  # probability of generated tokens
    "agreement",  # share of tools or runs that say the same
    "rule",  # a hand-written rule's confidence
    "none",  # the tool gives no score
]


class Score(Frozen):
    """A number and what it means. Scores of different kinds are not comparable."""

    value: float = Field(allow_inf_nan=False)
    kind: ScoreKind


class Evidence(Frozen):
    """Who saw it: the tool, its version and weights, the step of the run, the score."""

    tool: str
    version: str
    weights_digest: Digest | None = None
    step: int = Field(ge=0, description="index of the step in the run's trace")
    score: Score
    note: str = Field(default="", description="in words, e.g. 'puppy is read as dog (synonym)'")


class Region(Frozen):
    """Where something is: in a picture (box, mask), in time (span), or both (tube)."""

    media: Digest
    box: Box | None = None
    mask: Mask | None = None
    span: TimeSpan | None = None
    tube: Tube | None = None
    score: Score
    mask_score: Score | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not (self.box or self.mask or self.span or self.tube):
            raise ValueError("a region needs a box, a mask, a span or a tube")
        return self


class Entity(Frozen):
    """One thing or one sound that the answer speaks of.

    `id` is stable within a run and over the turns of a conversation (``thing-1``, ``sound-1``);
    `number` is what people see beside the phrase and on the picture, counted from 1.
    """

    id: str
    number: int = Field(ge=1)
    kind: Literal["thing", "sound"]
    label: str = Field(description="the exact phrase or label that was asked of the tool")
    regions: tuple[Region, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    supported: bool = Field(description="false: said in the answer, but no tool saw or heard it")

    @model_validator(mode="after")
    def _grounded(self) -> Self:
        if self.supported and not (self.evidence and self.regions):
            raise ValueError(f"entity {self.id} claims support without region and evidence")
        return self


class Mention(Frozen):
    """A character span of the answer's text that names an entity, or several: ``text[start:end] == phrase``.

    Offsets count Unicode code points, as Python's slices do.
    """

    start: int = Field(ge=0)
    end: int = Field(gt=0)
    phrase: str = Field(min_length=1)
    entities: tuple[str, ...] = Field(
        min_length=1, description="ids, each once; several where a plural ('two dogs') names them together"
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.entities)) != len(self.entities):
            raise ValueError(f"mention {self.phrase!r} names an entity twice")
        return self


Verdict = Literal["matched", "unmatched", "unknown"]


class Relation(Frozen):
    """Whether a heard sound comes from a visible thing.

    matched: `thing` makes `sound`. unmatched: nothing in the picture makes `sound` (`thing` is
    None), or this pair does not belong together. unknown: it cannot be decided.
    """

    sound: str | None = Field(default=None, description="id of a sound entity; None where nothing was heard")
    thing: str | None = Field(default=None, description="id of a thing entity")
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    reason: str = ""


class NotFound(Frozen):
    """Something asked for that is not there, or that could not be looked for."""

    phrase: str
    medium: Literal["image", "audio", "video"]
    reason: Literal["absent", "not_covered", "not_looked"]
    """absent: a tool that knows it looked and saw nothing; not_covered: no tool here knows it;
    not_looked: the tool failed or there was no such medium."""
    evidence: tuple[Evidence, ...] = ()
    note: str = ""


class Unplaced(Frozen):
    """A phrase-to-label link that could not be placed in the text or on a region; never drawn."""

    phrase: str
    label: str = ""
    reason: str


class Problem(Frozen):
    """Something that went wrong on the way and was survived; the answer is worth that much less."""

    code: str
    message: str
    tool: str = ""
    step: int | None = None
    cure: str = ""


class GroundedAnswer(Frozen):
    """An answer that points at what it says."""

    schema_version: Literal[1] = 1
    run: str = Field(description="id of the run whose trace tells how the answer came about")
    question: str
    read: str = Field(
        default="",
        description="the question as it was read, where that differs: pronouns and coordinates replaced",
    )
    text: str
    status: Literal["complete", "degraded", "partial", "needs_mllm"]
    """complete; degraded: a tool failed (see problems); partial: a budget ended the run;
    needs_mllm: an open question that only a language model can answer, observations only."""
    profile: str
    conversation: str = Field(default="", description="name of the conversation that it is a turn of")
    turn: int = Field(default=0, ge=0, description="which turn of it, from 1; 0 outside of conversations")
    media: tuple[MediaRef, ...] = ()
    entities: tuple[Entity, ...] = ()
    mentions: tuple[Mention, ...] = ()
    relations: tuple[Relation, ...] = ()
    relation: Verdict | None = Field(default=None, description="the verdict over picture and sound")
    not_found: tuple[NotFound, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    problems: tuple[Problem, ...] = ()
    seconds: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [entity.id for entity in self.entities]
        if len(set(ids)) != len(ids):
            raise ValueError("entity ids are unique within an answer")
        digests = {ref.digest for ref in self.media}
        for entity in self.entities:
            for region in entity.regions:
                if region.media not in digests:
                    raise ValueError(f"entity {entity.id} points into a medium that is not listed")
        end = 0
        for mention in self.mentions:
            if mention.start < end:
                raise ValueError("mentions are ordered and do not overlap")
            if self.text[mention.start : mention.end] != mention.phrase:
                raise ValueError(f"mention {mention.phrase!r} is not what the text says there")
            if not set(mention.entities) <= set(ids):
                raise ValueError(f"mention {mention.phrase!r} names an entity that is not there")
            end = mention.end
        for relation in self.relations:
            for end_id in (relation.sound, relation.thing):
                if end_id is not None and end_id not in ids:
                    raise ValueError(f"a relation names the unknown entity {end_id}")
        return self

    def entity(self, entity_id: str) -> Entity:
        """Returns the entity with this id.

        Raises:
            KeyError: there is none.
        """
        for entity in self.entities:
            if entity.id == entity_id:
                return entity
        raise KeyError(entity_id)

    def pieces(self) -> list[tuple[str, tuple[Entity, ...]]]:
        """Returns the text cut at its mentions, in order, each piece with the entities that it names.

        The pieces join to exactly `text`; plain words name none, a plural may name several.
        """
        out: list[tuple[str, tuple[Entity, ...]]] = []
        at = 0
        for mention in self.mentions:
            if mention.start > at:
                out.append((self.text[at : mention.start], ()))
            out.append((mention.phrase, tuple(map(self.entity, mention.entities))))
            at = mention.end
        if at < len(self.text):
            out.append((self.text[at:], ()))
        return out

    def save(
        self,
        folder: str | Path,
        store: Any = None,
        exporters: Sequence[str] = ("json", "coco", "png", "vtt", "html"),
    ) -> list[Path]:
        """Returns the files written into `folder`, which is made where it is missing, exporter by exporter.

        Args:
            store: where the media and the trace are; None takes the user's own `deixis.store.Store`.
            exporters: names of the registry ``deixis.exporters``.

        Raises:
            InputFault: there is no such exporter, or the store lacks a medium that one needs.
            OSError: the folder cannot be written.
        """
        from deixis.registry import exporters as registry

        made = [registry.create(name) for name in exporters]
        if store is None:
            from deixis.store import Store

            store = Store()
        return [path for exporter in made for path in exporter.save(self, Path(folder), store)]

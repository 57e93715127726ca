"""The data of stage U: conversations about pictures and sounds of the world, with features kept on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import InputFault
from deixis.geometry import Box
from deixis.learned.mllm.features import FeatureStore, encoder_digest
from deixis.learned.mllm.hearing_turns import PAIR_SKILLS, SOUND_SKILLS
from deixis.learned.mllm.seeing_turns import SKILLS, Rng, Turn
from deixis.learned.scout.proposals import Proposal, proposals_of
from deixis.learned.scout.sample import SampleMedium
from deixis.learned.scout.sources import drawn_medium, world_source
from deixis.learned.scout.world.known import Known
from deixis.learned.scout.world.maker import WorldMaker
from deixis.learned.scout.world.spec import NoiseSpec, WorldSpec
from deixis.learned.world.pairs import PairSpec, pair
from deixis.learned.world.scenes import SceneSpec, scene
from deixis.learned.world.sounds import ClipSpec, clip
from deixis.learned.world.workers import drawn_ahead
from deixis.trace import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.learned.mllm.modeling import PocketForConditionalGeneration
    from deixis.learned.mllm.processing import PocketProcessor

CONVERSATIONS, MADE_BY = "conversations.jsonl", "made_by.json"
LOOKED_AT = 16
"""Pictures that are looked at together."""
FEW = 200
"""Conversations that are drawn sooner than another process is started."""
ABSENT = 0.15
"""The share of questions to be pointed at whose thing is not there."""
POINTED: dict[str, Any] = {
    "picture_tasks": {"where": 2.0, "find": 1.0, "which": 3.0, "relation": 4.0, "attribute": 0.5},
    "picture_absences": {"where": 1.0, "find": 1.0, "which": 0.5, "relation": 1.0},
}
"""The weights of the questions that are to be pointed at."""


@dataclass(frozen=True)
class UnderstandingSpec:
    """What conversations are like: shares of pictures, pairs and sounds, and turns of each.

    `pointing` more turns ask where something is, and are answered with coordinates, `choosing` more with
    numbers of boxes that a tool found: a twin changes what the layers compute at a place, not what they
    attend to, so the base has to know how a box, and the number of one, is copied.
    """

    pictures: float = 0.7
    pairs: float = 0.15
    sounds: float = 0.15
    turns: int = 10
    pointing: int = 0
    choosing: int = 0
    scene: SceneSpec = field(default_factory=SceneSpec)
    clip: ClipSpec = field(default_factory=ClipSpec)


@dataclass(frozen=True)
class Conversation:
    """Independent questions about the same media, with the pixels and samples where they were just drawn."""

    media: tuple[SampleMedium, ...]
    turns: tuple[Turn, ...]
    pixels: NDArray[np.uint8] | None = None
    samples: NDArray[np.float32] | None = None

    def line(self) -> str:
        """Returns media and turns as one line of JSON."""
        media = [medium.model_dump(mode="json", exclude_none=True) for medium in self.media]
        return json.dumps(
            {"media": media, "turns": [_plain(turn) for turn in self.turns]}, separators=(",", ":")
        )


def _plain(turn: Turn) -> list[Any]:
    if turn.spans is None:
        return list(turn[:3])
    row = [*turn[:3], [span.model_dump(mode="json", exclude_defaults=True) for span in turn.spans]]
    boxes = [[one.number, one.phrase, one.box.model_dump(mode="json"), one.score] for one in turn.offered]
    return [*row, boxes] if boxes else row


def _turn(row: Sequence[Any]) -> Turn:
    question, answer, skill, *rest = row
    if not rest:
        return Turn(question, answer, skill)
    spans, boxes = rest[0], rest[1] if len(rest) > 1 else ()
    offered = tuple(
        Proposal(number, phrase, Box.model_validate(box), score) for number, phrase, box, score in boxes
    )
    return Turn(question, answer, skill, tuple(map(Span.model_validate, spans)), offered)


def parsed(line: str) -> Conversation:
    """Returns the conversation of a line of JSON.

    Raises:
        ValueError: it is none.
    """
    data: Any = json.loads(line)
    try:
        media = tuple(SampleMedium.model_validate(one) for one in data["media"])
        return Conversation(media, tuple(_turn(turn) for turn in data["turns"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"no conversation: {error}") from error


def conversation(seed: int, spec: UnderstandingSpec = UnderstandingSpec()) -> Conversation:
    """Returns the conversation of a seed; a pure function of its arguments. Seeds are those of scenes."""
    rng = np.random.default_rng([seed, 21])
    shares = np.array([spec.pictures, spec.pairs, spec.sounds])
    kind = int(rng.choice(3, p=shares / shares.sum()))
    if kind == 0:
        drawn = scene(seed, spec.scene)
        medium = drawn_medium(world_source("scene", seed, spec.scene), drawn.pixels, None)
        turns = _turns(drawn, SKILLS, spec.turns, rng) + pointing(Known((medium,), seed, drawn), spec)
        return Conversation((medium,), turns, pixels=drawn.pixels)
    if kind == 2:
        made = clip(seed, spec.clip)
        medium = drawn_medium(world_source("clip", seed, spec.clip), None, made.samples)
        turns = _turns(made, SOUND_SKILLS, spec.turns, rng) + pointing(
            Known((medium,), seed, None, made), spec
        )
        return Conversation((medium,), turns, samples=made.samples)
    both = pair(seed, PairSpec(spec.scene, spec.clip))
    source = world_source("pair", seed, PairSpec(spec.scene, spec.clip))
    media = (drawn_medium(source, both.scene.pixels, None), drawn_medium(source, None, both.clip.samples))
    turns = _turns(both, PAIR_SKILLS, 4, rng)
    turns += _turns(both.clip, SOUND_SKILLS, (spec.turns - len(turns)) // 2, rng)
    turns += _turns(both.scene, SKILLS, spec.turns - len(turns), rng)
    turns += pointing(Known(media, seed, both.scene, both.clip, both.sources, both.matched), spec)
    return Conversation(media, turns, both.scene.pixels, both.clip.samples)


def pointing(known: Known, spec: UnderstandingSpec) -> tuple[Turn, ...]:
    """Returns different questions whose answers point at once: up to `spec.pointing` by coordinates, up to
    `spec.choosing` by numbers of boxes that an imagined grounder found."""
    maker = WorldMaker(WorldSpec(noise=NoiseSpec().times(0), offered=0, absences=ABSENT, **POINTED))
    found: dict[str, Turn] = {}
    for place in range(2 * spec.pointing):
        if len(found) >= spec.pointing:
            break
        made = maker.sample(known, np.random.default_rng([known.seed, 22, place]))
        if made is not None:
            answer = made.steps[-1]
            found.setdefault(made.question, Turn(made.question, answer.text, "pointing", answer.spans))
    maker = WorldMaker(WorldSpec(absences=ABSENT, **POINTED))
    offering = replace(known, offered=1.0)
    wanted = len(found) + (spec.choosing if known.scene is not None else 0)
    for place in range(2 * spec.choosing):
        if len(found) >= wanted:
            break
        made = maker.sample(offering, np.random.default_rng([known.seed, 23, place]))
        offered = proposals_of(made.steps) if made is not None else ()
        if made is not None and offered:
            answer = made.steps[-1]
            turn = Turn(made.question, answer.text, "choosing", answer.spans, offered)
            found.setdefault(made.question, turn)
    return tuple(found.values())


def _turns(
    of: Any, skills: Sequence[tuple[Callable[[Any, Rng], Turn | None], float]], count: int, rng: Rng
) -> tuple[Turn, ...]:
    """Returns up to `count` different questions."""
    weights = np.array([weight for _, weight in skills])
    found: dict[str, Turn] = {}
    for _ in range(3 * count):
        if len(found) >= count:
            break
        turn = skills[int(rng.choice(len(skills), p=weights / weights.sum()))][0](of, rng)
        if turn is not None:
            found.setdefault(turn.question, turn)
    return tuple(found.values())


class Prepared:
    """Conversations on disk with the features of their media; `prepare` goes on where it was stopped."""

    def __init__(self, folder: Path, model: PocketForConditionalGeneration) -> None:
        from deixis.learned.mllm.rows import picture_width, sound_width

        config = model.config
        self._file = folder / CONVERSATIONS
        self.pictures = FeatureStore(
            folder,
            "pictures",
            encoder_digest(model, "pictures"),
            (config.picture_tokens, picture_width(config.eye or {})),
        )
        self.sounds = FeatureStore(
            folder,
            "sounds",
            encoder_digest(model, "sounds"),
            (config.sound_tokens, sound_width(config.ear or {})),
        )
        self._lines = self._whole_lines()

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, place: int) -> Conversation:
        return parsed(self._lines[place])

    def rows(self, media: Sequence[SampleMedium]) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """Returns the rows of the pictures, and of the sounds."""
        pictures = [self.pictures.get(medium.digest) for medium in media if medium.kind == "image"]
        return pictures, [self.sounds.get(medium.digest) for medium in media if medium.kind == "audio"]

    def prepare(
        self,
        model: PocketForConditionalGeneration,
        processor: PocketProcessor,
        first_seed: int,
        count: int,
        spec: UnderstandingSpec = UnderstandingSpec(),
        watch: Callable[[int, int], None] = lambda done, total: None,
        workers: int = 0,
    ) -> None:
        """Adds the conversations of seeds from `first_seed` on until there are `count`.

        Args:
            model: its encoders look and listen.
            processor: of the model.
            first_seed: of the first conversation of the folder.
            count: how many there are to be.
            spec: what they are like.
            watch: is told how many there are, of how many.
            workers: processes that draw ahead of those who look; 0 draws in this one.

        Raises:
            InputFault: the folder cannot be written, or holds conversations of another kind.
        """
        self._check_same(first_seed, spec)
        drawn = stream(first_seed + len(self), max(0, count - len(self)), spec, workers)
        while several := list(islice(drawn, LOOKED_AT)):
            look(model, processor, several, self)
            lines = [one.line() for one in several]
            try:
                with self._file.open("a", encoding="utf-8") as file:
                    file.write("".join(f"{line}\n" for line in lines))
            except OSError as error:
                raise InputFault(
                    "mllm.prepared.write", f"{self._file.name}: {error}", "Free some space."
                ) from error
            self._lines += lines
            watch(len(self), count)

    def _check_same(self, first_seed: int, spec: UnderstandingSpec) -> None:
        """Writes down what the folder's conversations are like, or compares with what is written."""
        facts = json.dumps({"first_seed": first_seed, **asdict(spec)}, sort_keys=True) + "\n"
        file = self._file.with_name(MADE_BY)
        try:
            if not self._lines:
                file.write_text(facts, "utf-8")
            same = file.is_file() and file.read_text("utf-8") == facts
        except OSError as error:
            raise InputFault("mllm.prepared.write", f"{file.name}: {error}", "Free some space.") from error
        if not same:
            raise InputFault(
                "mllm.prepared.other",
                f"The {len(self)} conversations in {file.parent.name} were drawn with other settings.",
                "Name another folder, or the settings that it was made with.",
            )

    def _whole_lines(self) -> list[str]:
        if not self._file.is_file():
            return []
        text = self._file.read_text("utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self._file.write_text(whole, "utf-8")
        return whole.splitlines()


def look(
    model: PocketForConditionalGeneration,
    processor: PocketProcessor,
    several: Sequence[Conversation],
    into: Prepared,
) -> None:
    """Puts the rows of drawn media into the stores; media that are kept already are not looked at again."""
    seen = [
        (medium.digest, one.pixels)
        for one in several
        for medium in one.media
        if medium.kind == "image" and one.pixels is not None and medium.digest not in into.pictures
    ]
    if seen:
        given = processor.media(images=[pixels for _, pixels in seen])
        rows = model.model.see(given["pixel_values"], given["picture_shares"]).cpu().numpy()
        for (digest, _), row in zip(seen, rows, strict=True):
            into.pictures.put(digest, row)
    heard = [
        (medium.digest, one.samples)
        for one in several
        for medium in one.media
        if medium.kind == "audio" and one.samples is not None and medium.digest not in into.sounds
    ]
    if heard:
        given = processor.media(audio=[samples for _, samples in heard])
        rows = model.model.hear(given["log_mel"], given["sound_seconds"]).cpu().numpy()
        for (digest, _), row in zip(heard, rows, strict=True):
            into.sounds.put(digest, row)


def stream(
    first_seed: int, count: int, spec: UnderstandingSpec = UnderstandingSpec(), workers: int = 0
) -> Iterator[Conversation]:
    """Yields the conversations of `count` seeds from `first_seed` on, in order; workers draw ahead."""
    seeds = range(first_seed, first_seed + count)
    if workers and count > FEW:
        return drawn_ahead(conversation, seeds, spec, workers)
    return (conversation(seed, spec) for seed in seeds)

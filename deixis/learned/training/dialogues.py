"""Dialogues of the pocket MLLM as examples: conversations of stage U, traces of stage G."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deixis.errors import InputFault
from deixis.learned.mllm.dialogue import PICTURE_TOKENS, SOUND_TOKENS, encode, encode_turn, only_answer
from deixis.learned.mllm.packing import Item, Packed, objects, pack
from deixis.learned.mllm.serial import Encoded
from deixis.learned.mllm.tokens import COORDINATES
from deixis.learned.mllm.understanding import (
    LOOKED_AT,
    Conversation,
    Prepared,
    UnderstandingSpec,
    look,
)
from deixis.learned.scout.proposals import proposals_of
from deixis.learned.scout.sample import Sample, SampleMedium
from deixis.learned.scout.sources import SampleMedia
from deixis.learned.training.example import Example

if TYPE_CHECKING:
    from deixis.learned.mllm.modeling import PocketForConditionalGeneration
    from deixis.learned.mllm.processing import PocketProcessor

LETTERS_A_TOKEN, REGION_TOKENS, OFFERED_TOKENS = 5, 6, 2
"""About how many letters a token has, and how many tokens a region and a box on offer take; only for sorting
by length."""
SOUND_RATE = 16_000
Form = Literal["at_once", "offered", "proposals", "coordinates"]
"""How a sample is put: the answer at once, by coordinates and without tools; the answer at once, by numbers,
with everything that its detector saw behind the question; or all steps, by numbers of proposals where one
fits, or by coordinates."""
FORMS: dict[Form, float] = {"at_once": 0.5, "offered": 1.0, "proposals": 1.0, "coordinates": 0.25}
"""The share of the samples that come in each form. Answers at once have few tokens, so all samples come so;
but only where a sample looked at everything can it be offered."""


class Conversations:
    """Conversations about media whose rows are kept on disk; a list of examples, each made when it is asked.

    Each question is a turn behind the media, which it shares with the others, and counts as a sample.
    """

    def __init__(self, kept: Prepared, model: PocketForConditionalGeneration, tokenizer: Any) -> None:
        self._kept, self._config, self._tokenizer = kept, model.config, tokenizer
        self._places = [place for place in range(len(kept)) if kept[place].turns]
        self.lengths = [self._length(kept[place]) for place in self._places]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> Example:
        one = self._kept[self._places[number]]
        sizes = self._config.picture_tokens, self._config.sound_tokens
        turns = [
            encode_turn(
                turn.question, turn.answer, self._tokenizer, one.media, *sizes, turn.spans, turn.offered
            )
            for turn in one.turns
        ]
        pictures, sounds = self._kept.rows(one.media)
        return example_of(pack(turns), turns, pictures, sounds)

    def questions(self) -> list[str]:
        """Returns every plain question, in order."""
        every = (turn for place in self._places for turn in self._kept[place].turns)
        return [turn.question for turn in every if turn.spans is None]

    def _length(self, one: Conversation) -> int:
        words = sum(len(turn.question) + len(turn.answer) for turn in one.turns) // LETTERS_A_TOKEN
        words += sum(REGION_TOKENS * len(turn.spans or ()) for turn in one.turns)
        words += sum(OFFERED_TOKENS * len(turn.offered) for turn in one.turns)
        config = self._config
        media: dict[str, int] = {"image": config.picture_tokens, "audio": config.sound_tokens}
        return words + sum(media[medium.kind] for medium in one.media)


class Traces:
    """SCOUT samples as examples; the samples of the same media stand behind these together.

    Args:
        samples: what is learned.
        kept: where the rows of their media are.
        model: whose encoders made them.
        tokenizer: of the model.
        forms: the share of the samples that come in each form; a sample may come in several.
        together: samples of the same media that share them; 1 gives every sample an example of its own.
        longest: tokens of an example; a sample that is longer alone is left out and counted in `left_out`.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        kept: Prepared,
        model: PocketForConditionalGeneration,
        tokenizer: Any,
        forms: Mapping[Form, float] = FORMS,
        together: int = 8,
        longest: int = 1024,
    ) -> None:
        self._kept, self.left_out = kept, 0
        sizes = model.config.picture_tokens, model.config.sound_tokens
        by_media: dict[Any, list[tuple[Encoded, Sample]]] = {}
        for form, share in forms.items():
            for sample in samples:
                if not comes_in(sample, form, share):
                    continue
                written = put(sample, form, tokenizer, *sizes)
                if written is None:
                    continue
                if len(written) > longest:
                    self.left_out += 1
                    continue
                by_media.setdefault(sample.media, []).append((written, sample))
        self._groups: list[tuple[Sample, list[Encoded]]] = []
        for several in by_media.values():
            for group in _grouped([written for written, _ in several], together, longest):
                self._groups.append((several[0][1], group))
        self.lengths = [
            group[0].prefix + sum(len(one) - one.prefix for one in group) for _, group in self._groups
        ]

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, number: int) -> Example:
        sample, group = self._groups[number]
        pictures, sounds = self._kept.rows(sample.media)
        return example_of(pack(group), group, pictures, sounds)


def put(
    sample: Sample,
    form: Form,
    tokenizer: Any,
    picture_tokens: int = PICTURE_TOKENS,
    sound_tokens: int = SOUND_TOKENS,
) -> Encoded | None:
    """Returns a sample as tokens, in a form; None where it has nothing to offer in the form ``offered``."""
    sizes = picture_tokens, sound_tokens
    if form == "at_once":
        return encode(only_answer(sample), tokenizer, "coordinates", *sizes)
    if form != "offered":
        return encode(sample, tokenizer, form, *sizes)
    boxes, answer = proposals_of(sample.steps, everything=True), sample.steps[-1]
    if not boxes:
        return None
    return encode_turn(sample.question, answer.text, tokenizer, sample.media, *sizes, answer.spans, boxes)


def comes_in(sample: Sample, form: Form, share: float) -> bool:
    """Returns whether a sample comes in a form: the same choice in every run, and for each form another."""
    mark = hashlib.sha256(f"{form} {sample.id}".encode()).digest()
    return int.from_bytes(mark[:4], "big") < share * 2**32


def _grouped(several: Sequence[Encoded], together: int, longest: int) -> Iterable[list[Encoded]]:
    """Yields the dialogues in groups, in their order, of at most so many and so long."""
    group: list[Encoded] = []
    length = 0
    for one in several:
        own = len(one) - one.prefix
        if group and (len(group) == together or length + own > longest):
            yield group
            group = []
        length = length + own if group else len(one)
        group.append(one)
    if group:
        yield group


def example_of(
    packed: Packed, turns: Sequence[Encoded], pictures: Sequence[Any], sounds: Sequence[Any]
) -> Example:
    """Returns dialogues about the same media as an example.

    Args:
        packed: the dialogues `turns`, put together.
        turns: each of them.
        pictures: rows (r, f) of the pictures, in order.
        sounds: likewise.
    """
    media: dict[str, Any] = {}
    if pictures:
        media["picture_rows"] = np.stack(pictures).astype(np.float32)
    if sounds:
        media["sound_rows"] = np.stack(sounds).astype(np.float32)
    media |= {name: value.numpy() for name, value in objects([Item(packed, tuple(pictures))]).items()}
    owner = [number for number, turn in enumerate(turns) for _ in turn.step_kinds]
    return Example(
        np.array(packed.input_ids),
        np.array(packed.labels),
        np.array(packed.step_id),
        packed.step_kinds,
        step_turns=tuple(owner),
        media=media,
        segment=np.array(packed.segment) if len(turns) > 1 else None,
        position_ids=np.array(packed.position) if len(turns) > 1 else None,
    )


def coordinate_ids(tokenizer: Any) -> list[int]:
    """Returns the numbers of the tokens that are coordinates of places and times."""
    return [int(number) for number in tokenizer.convert_tokens_to_ids(list(COORDINATES))]


def conversations(
    folder: Path,
    model: PocketForConditionalGeneration,
    processor: PocketProcessor,
    first_seed: int,
    count: int,
    spec: UnderstandingSpec | None = None,
    watch: Callable[[int, int], None] = lambda done, total: None,
    workers: int = 0,
) -> Conversations:
    """Returns `count` conversations from a folder, drawn and looked at as far as they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = Prepared(folder, model)
    kept.prepare(model, processor, first_seed, count, spec or UnderstandingSpec(), watch, workers)
    return Conversations(kept, model, processor.tokenizer)


def seen(
    samples: Sequence[Sample],
    folder: Path,
    model: PocketForConditionalGeneration,
    processor: PocketProcessor,
    root: Path | None = None,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> Prepared:
    """Returns the store of the rows of all media of the samples, looked at as far as they are not there yet.

    Args:
        samples: whose media.
        folder: of the store.
        model: its encoders look and listen.
        processor: of the model.
        root: where media that are not the world's lie.
        watch: is told how many media are done, of how many.

    Raises:
        InputFault: a medium is not there, or is not what it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = Prepared(folder, model)
    wanted = {medium.digest: medium for sample in samples for medium in sample.media}
    new = [medium for medium in wanted.values() if medium.digest not in kept.pictures]
    new = [medium for medium in new if medium.digest not in kept.sounds]
    source = SampleMedia(new, root)
    done = 0
    # Sounds of one batch would all be as long as the longest.
    for kind, size in (("image", LOOKED_AT), ("audio", 1)):
        own = [medium for medium in new if medium.kind == kind]
        for start in range(0, len(own), size):
            part = own[start : start + size]
            look(model, processor, [_alone(medium, source) for medium in part], kept)
            done += len(part)
            watch(done, len(new))
    return kept


def _alone(medium: SampleMedium, source: SampleMedia) -> Conversation:
    if medium.kind == "image":
        return Conversation((medium,), (), pixels=source.pixels(medium.image))
    return Conversation((medium,), (), samples=source.samples(medium.audio, SOUND_RATE))


def read_samples(paths: Sequence[Path]) -> list[Sample]:
    """Returns the samples of files and folders; broken lines are passed over.

    Raises:
        InputFault: a file is not there, or none holds a sample.
    """
    from deixis.learned.scout.reading import samples

    found = [sample for path in paths for sample in samples(path)]
    if not found:
        raise InputFault(
            "train.samples.none",
            "There are no samples to learn from.",
            "Make some: deixis scout make --out FOLDER.",
        )
    return found

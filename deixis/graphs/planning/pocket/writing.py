"""Writing token by token, with the keys and values of a run kept from step to step, for each expert apart."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from deixis.errors import PlannerFault
from deixis.graphs.planning.pocket.asking import keys
from deixis.graphs.planning.pocket.grammar import Held
from deixis.graphs.planning.pocket.weights import Opened
from deixis.learned.mllm.packing import Item, Packed, objects
from deixis.learned.mllm.serial import Encoded

if TYPE_CHECKING:
    import torch

    from deixis.learned.scout.sample import SampleMedium
    from deixis.media.refs import MediaSource

KEPT = 4
"""Dialogues whose keys and values are kept."""
KEPT_ROWS = 16
MOST_TOKENS = 512
"""Tokens of one piece of writing; a grammar ends it long before."""
SURE = -3.0
"""Least mean of the logarithms of the chances of the tokens written: what is written with a chance of one in
twenty a word is nonsense in the right form."""
ROUND, OF = 24, 3
"""Tokens in a row that are of no more different ones than this are no words: a model that was not trained, or
has lost its thread, writes the same ones over and over."""
Expert = Literal["frozen", "learn"]


@dataclass
class Dialogue:
    """What one expert has read and written of a dialogue.

    Attributes:
        keys: of the tokens that are in the cache.
        last: logits (v,) behind the last of them.
    """

    expert: Expert
    cache: Any
    keys: list[Hashable] = field(default_factory=list)
    last: Any = None


@dataclass
class Written:
    """What was written: its tokens, and the sum of the logarithms of their chances.

    `others` are, of each token, the next likely one that was allowed (−1: none was), and by how much less.
    """

    ids: list[int]
    chance: float
    others: list[tuple[int, float]] = field(default_factory=list)


class Pen:
    """Writes with a model; not to be used by two threads at once.

    Attributes:
        read: tokens that went through the decoder as part of prompts, since the beginning.
        written: tokens that it wrote.
        put_down: tokens that were put into dialogues without being written.
    """

    def __init__(self, given: Opened) -> None:
        self._given = given
        self._dialogues: list[Dialogue] = []
        self._rows: dict[str, Any] = {}
        self.read = self.written = self.put_down = 0

    def begin(
        self, encoded: Encoded, media: Sequence[SampleMedium], source: MediaSource, expert: Expert
    ) -> Dialogue:
        """Returns the dialogue of a prompt, read to its end; what was read before is not read again.

        A dialogue is known by its own tokens alone, so nothing of a run is needed to go on with it.
        """
        import torch

        wanted = [tuple(medium.digest for medium in media), *keys(encoded, self._given.tokenizer)]
        best, same = None, 0
        for one in self._dialogues:
            shared = _shared(one.keys, wanted) if one.expert == expert else 0
            if shared > same:
                best, same = one, shared
        if best is None:
            from transformers import DynamicCache

            best = Dialogue(expert, DynamicCache())
        else:
            self._dialogues.remove(best)
        # The first key stands for the media and for no token; without logits the last token is read again.
        length = max(0, same - 1)
        if length < len(best.keys) - 1 or best.last is None:
            length = min(length, len(wanted) - 2)
            surplus = len(best.keys) - 1 - length
            if surplus > 0:
                best.cache.crop(-surplus)
            best.last = None
        with torch.no_grad(), self._held(expert):
            if length < len(encoded):
                embeds, places = self._embedded(encoded, media, source)
                self._feed(best, embeds[:, length:], places[:, length:])
                self.read += len(encoded) - length
        best.keys = list(wanted)
        self._dialogues = [*self._dialogues, best][-KEPT:]
        return best

    def put(self, dialogue: Dialogue, ids: Iterable[int]) -> None:
        """Lets tokens stand in the dialogue as if they had been written."""
        import torch

        with torch.no_grad(), self._held(dialogue.expert):
            for token in ids:
                self._take(dialogue, token)
                self.put_down += 1

    def forget(self) -> None:
        """Drops what is kept of all dialogues."""
        self._dialogues = []

    def write(self, dialogue: Dialogue, held: Held, opening: Sequence[int] = ()) -> Written:
        """Returns what the model writes, the likeliest token that the grammar allows each time.

        The last token is read with the prompt that it stands in. It begins with `opening`.

        Raises:
            PlannerFault: ``planner.pocket.repeats`` where it goes round in a ring, ``planner.pocket.long``
                where it comes to no end.
        """
        import torch

        made = Written([], 0.0)
        with torch.no_grad(), self._held(dialogue.expert):
            for place in range(MOST_TOKENS):
                token = self._next(dialogue, held, made, opening[place] if place < len(opening) else -1)
                made.ids.append(token)
                if len(made.ids) >= ROUND and len(set(made.ids[-ROUND:])) <= OF:
                    raise PlannerFault(
                        "planner.pocket.repeats", "The model writes the same words over and over.", final=True
                    )
                if held.take(token):
                    self.written += len(made.ids)
                    return made
                self._take(dialogue, token)
        raise PlannerFault(
            "planner.pocket.long", f"The model wrote {MOST_TOKENS} tokens without an end.", final=True
        )

    def _next(self, dialogue: Dialogue, held: Held, made: Written, given: int) -> int:
        import torch

        logits = dialogue.last.float()
        rows = torch.from_numpy(held.allowed())
        best = logits[rows].topk(min(2, len(rows)))
        token = int(rows[best.indices[0]])
        other = int(rows[best.indices[1]]) if len(rows) > 1 else -1
        made.others.append((other, float(best.values[0] - best.values[-1])))
        token = given if given >= 0 else token
        made.chance += float(torch.log_softmax(logits, 0)[token])
        return token

    def _take(self, dialogue: Dialogue, token: int) -> None:
        import torch

        embed = self._given.model.get_input_embeddings()
        self._feed(dialogue, embed(torch.tensor([[token]])))
        dialogue.keys.append(token)

    def _feed(self, dialogue: Dialogue, embeds: torch.Tensor, places: torch.Tensor | None = None) -> None:
        model: Any = self._given.model
        out = model(
            inputs_embeds=embeds,
            places=places,
            past_key_values=dialogue.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        dialogue.last = out.logits[0, -1]

    def _embedded(
        self, encoded: Encoded, media: Sequence[SampleMedium], source: MediaSource
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns the embeddings (1, t, d) of a prompt, media in their places, and where these are."""
        import torch

        looked = [self._looked(medium, source) for medium in media]
        pictures = [rows for rows, medium in zip(looked, media, strict=True) if medium.kind == "image"]
        sounds = [rows for rows, medium in zip(looked, media, strict=True) if medium.kind == "audio"]
        packed = Packed((), (), (), (), tuple(encoded.slots), (), ())
        given: dict[str, Any] = dict(objects([Item(packed, tuple(rows.numpy() for rows in pictures))]))
        if pictures:
            given["picture_rows"] = torch.stack(pictures)
        if sounds:
            given["sound_rows"] = torch.stack(sounds)
        found: tuple[torch.Tensor, torch.Tensor] = self._given.model.model.embedded(
            torch.tensor([encoded.input_ids]), given
        )
        return found

    def _looked(self, medium: SampleMedium, source: MediaSource) -> torch.Tensor:
        """Returns the rows (r, f) of a medium, in the precision that a training keeps them with."""
        if medium.digest not in self._rows:
            from deixis.learned.scout.sources import RATE_HZ

            model, processor = self._given.model.model, self._given.processor
            if medium.kind == "image":
                given = processor.media(images=[source.pixels(medium.image)])
                rows = model.see(given["pixel_values"], given["picture_shares"])
            else:
                given = processor.media(audio=[source.samples(medium.audio, RATE_HZ)])
                rows = model.hear(given["log_mel"], given["sound_seconds"])
            while len(self._rows) >= KEPT_ROWS:
                del self._rows[next(iter(self._rows))]
            self._rows[medium.digest] = rows[0].half().float()
        found: torch.Tensor = self._rows[medium.digest]
        return found

    def _held(self, expert: Expert) -> AbstractContextManager[Any]:
        return nullcontext() if self._given.twin is None else self._given.twin.using(expert)


def _shared(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Returns how many keys two lists begin with alike."""
    for place, (own, its) in enumerate(zip(one, other, strict=False)):
        if own != its:
            return place
    return min(len(one), len(other))

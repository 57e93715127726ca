"""A pocket planner whose model says what it is told to: everything but the model is the real thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

from deixis.graphs.planning.pocket.planner import PocketPlanner
from deixis.graphs.planning.pocket.weights import Opened
from deixis.graphs.planning.pocket.writing import Written
from deixis.learned.mllm.dialogue import PICTURE_TOKENS, SOUND_TOKENS, encode
from deixis.learned.mllm.serial import Encoded
from deixis.learned.scout.sample import Sample


@cache
def tokenizer() -> Any:
    from deixis.learned.mllm import build_tokenizer

    return build_tokenizer()


class Dictation:
    """A pen that writes on from a dialogue's own tokens; keeps every prompt that it was given.

    Where a prompt is no beginning of the dialogue, `strayed` holds the two.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = list(ids)
        self.prompts: list[tuple[int, ...]] = []
        self.strayed: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        self.read = self.written = 0
        self._at = 0

    def begin(self, encoded: Encoded, media: Any, source: Any, expert: str) -> Any:
        self.prompts.append(encoded.input_ids)
        self._at = len(encoded)
        expected = tuple(self._ids[: self._at])
        if encoded.input_ids != expected:
            self.strayed.append((encoded.input_ids, expected))
        return self

    def put(self, dialogue: Any, ids: Iterable[int]) -> None:
        assert list(ids) == self._ids[self._at - 1 : self._at], "only what was just written is put down"

    def write(self, dialogue: Any, held: Any) -> Written:
        start = self._at
        while True:
            token = self._ids[self._at]
            self._at += 1
            if held.take(token):  # raises where the grammar does not let the token come
                self.written += self._at - start
                return Written(self._ids[start : self._at], 0.0)


def dictated(sample: Sample) -> tuple[PocketPlanner, Dictation]:
    """Returns a planner that takes the steps of a sample, and its pen."""
    config = SimpleNamespace(
        picture_tokens=PICTURE_TOKENS,
        sound_tokens=SOUND_TOKENS,
        text_config=SimpleNamespace(max_position_embeddings=2048),
    )
    model: Any = SimpleNamespace(config=config)
    given = Opened(model, SimpleNamespace(tokenizer=tokenizer()), None, "")  # type: ignore[arg-type]
    planner = PocketPlanner(given, expert="frozen")
    pen = Dictation(encode(sample, tokenizer(), "proposals").input_ids)
    planner.pen = pen  # type: ignore[assignment]
    return planner, pen

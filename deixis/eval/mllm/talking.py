"""Real dialogues with a model: it writes with a cache of keys and values, greedily; tools answer its calls.

Nothing of a right answer is ever in the prompt. Dialogues are gone on with in batches, padded on the left;
positions and the mask leave the padding out, so a row is written as it would be alone up to the rounding of
other matrix shapes. What was written stays as it was written: tokens are never read and encoded again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from deixis.eval.mllm.data import Ask
from deixis.eval.mllm.media import Host, Rows
from deixis.learned.mllm.dialogue import prompt
from deixis.learned.mllm.observing import Scene, observe, offer
from deixis.learned.mllm.packing import Item, Packed, objects
from deixis.learned.mllm.reading import read_step
from deixis.learned.mllm.serial import Pointing, Slot, Writer
from deixis.learned.mllm.tokens import CALL, CALLS, END, END_CALL, STEPS
from deixis.learned.scout.proposals import numbered
from deixis.learned.scout.world.looking import OFFERED
from deixis.tools.detection.protocol import GroundResult
from deixis.trace import Action, Observation, Span, Step

MOST_NEW = 96
"""Tokens of one piece of writing, from a prompt or an observation to the next call or the answer's end."""
MOST_PIECES = 8
MOST_TOKENS = 1200
BATCH = 32
EVERYTHING = "everything"


@dataclass(frozen=True)
class Reply:
    """What a system said: the answer's text and where it points; what could not be read; all the steps.

    `whole` says whether there is an answer that was ended. `offered` are the boxes that were on offer last.
    """

    text: str = ""
    spans: tuple[Span, ...] = ()
    whole: bool = False
    diagnostics: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    offered: tuple[Any, ...] = ()
    tokens: int = 0
    first: Any = None
    """Logits (n, vocabulary) of the first piece of writing, where they were asked for."""


@dataclass(frozen=True)
class Way:
    """How questions are put: how regions are asked for, and whether the answer is to come at once.

    With `at_once` the answer's step is begun for the model, so that it calls no tool. With `offer` the
    grounder's ten best boxes of everything in the picture stand behind the question; if the answer is not to
    come at once, as what the model's first call gave.
    """

    pointing: Pointing | None = None
    at_once: bool = False
    offer: bool = False


PLAIN = Way()
CALLING = Way("proposals")
CHOOSING = Way("proposals", at_once=True, offer=True)
STEPPING = Way("proposals", offer=True)
WRITING = Way("coordinates", at_once=True)


@dataclass
class Talk:
    """A dialogue under way."""

    ask: Ask
    ids: list[int]
    slots: list[Slot]
    scene: Scene
    open: list[int] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    done: bool = False
    whole: bool = False
    pieces: int = 0
    tokens: int = 0
    first: Any = None

    def reply(self) -> Reply:
        """Returns what came of it."""
        answer = self.steps[-1] if self.steps and self.steps[-1].kind == "answer" else None
        return Reply(
            "" if answer is None else answer.text,
            () if answer is None else answer.spans,
            self.whole,
            tuple(self.told),
            tuple(self.steps),
            tuple(self.scene.proposals),
            self.tokens,
            self.first,
        )


class Speaker:
    """A model that is talked with.

    Args:
        model: a pocket MLLM, grafted or adapted or neither.
        processor: of the model.
        rows: where the rows of media are.
        host: who runs calls; without one a call ends the dialogue.
        batch: dialogues that are gone on with together.
    """

    def __init__(
        self, model: Any, processor: Any, rows: Rows, host: Host | None = None, batch: int = BATCH
    ) -> None:
        from deixis.learned.mllm.features import encoder_digest

        self.model, self.tokenizer, self._processor = model, processor.tokenizer, processor
        self._rows, self._host, self._batch = rows, host, batch
        self._digest = f"{encoder_digest(model, 'pictures')} {encoder_digest(model, 'sounds')}"
        number = self.tokenizer.convert_tokens_to_ids
        self._end, self._end_call, self._call_of = number(END), number(END_CALL), number(CALL)
        self._locate, self._detection = number(STEPS["locate"]), number(CALLS["detection"])
        self._kinds = {number(token): kind for kind, token in STEPS.items()}
        self._eos = self.tokenizer.eos_token_id

    def replies(
        self,
        asks: Sequence[Ask],
        way: Way,
        held: Callable[[], AbstractContextManager[Any]] = nullcontext,
        told: Callable[[int], None] = lambda done: None,
        logits: bool = False,
    ) -> list[Reply]:
        """Returns the replies, in order.

        Args:
            asks: the questions.
            way: how they are put.
            held: the context of all writing, such as ``twin.using("learn")``.
            told: is told how many dialogues are done.
            logits: whether those of the first piece of writing are kept.
        """
        talks = [self._begun(ask, way) for ask in asks]
        waiting = list(talks)
        while waiting:
            # Dialogues of like lengths together: less padding, and questions of one length have none.
            waiting.sort(key=lambda talk: len(talk.ids))
            part = waiting[: self._batch]
            with held():
                self._go_on(part, logits)
            waiting = [talk for talk in waiting if not talk.done]
            told(len(talks) - len(waiting))
        return [talk.reply() for talk in talks]

    def _begun(self, ask: Ask, way: Way) -> Talk:
        config = self.model.config
        sizes = config.picture_tokens, config.sound_tokens
        start = prompt(ask.question, (), ask.media, self.tokenizer, way.pointing, *sizes)
        talk = Talk(ask, list(start.input_ids), list(start.slots), Scene(ask.media))
        if way.at_once:
            if way.offer and self._host is not None:
                everything = Action(call="", role="detection", tool="", input={EVERYTHING: True})
                seen = self._host.run(everything, ask.media, (), OFFERED)
                boxes = numbered(GroundResult.model_validate(seen.output)) if seen.output is not None else ()
                offer(Writer(self.tokenizer, ids=talk.ids, slots=talk.slots), boxes, talk.scene)
            talk.open = [self.tokenizer.convert_tokens_to_ids(STEPS["answer"])]
            talk.ids += talk.open
        elif way.offer and self._host is not None:
            words = self.tokenizer(EVERYTHING, add_special_tokens=False).input_ids
            talk.open = [self._locate, self._call_of, self._detection, *words, self._end_call]
            talk.ids += talk.open
            self._call(talk, faint=True)
        return talk

    def _go_on(self, talks: Sequence[Talk], logits: bool) -> None:
        """Lets the model write the next piece of each dialogue."""
        import torch

        given = self._inputs(talks)
        stops = _Stops(self, [bool(talk.open) and self._answering(talk) for talk in talks])
        with torch.no_grad():
            out = self.model.generate(
                **given,
                max_new_tokens=MOST_NEW,
                do_sample=False,
                num_beams=1,
                use_cache=True,
                pad_token_id=self.tokenizer.pad_token_id,
                eos_token_id=self._eos,
                stopping_criteria=[stops],
                return_dict_in_generate=True,
                output_logits=logits,
            )
        start = given["input_ids"].shape[1]
        kept = torch.stack(out.logits, 1).float().cpu() if logits else None
        for row, talk in enumerate(talks):
            new = out.sequences[row, start:].tolist()[: stops.lengths[row] or None]
            if kept is not None and talk.first is None:
                talk.first = kept[row, : len(new)].clone()
            self._absorb(talk, new)

    def _answering(self, talk: Talk) -> bool:
        return self._kinds.get(talk.open[0]) == "answer"

    def _inputs(self, talks: Sequence[Talk]) -> dict[str, Any]:
        import numpy as np
        import torch

        device = next(self.model.parameters()).device
        long = max(len(talk.ids) for talk in talks)
        ids = np.full((len(talks), long), self.tokenizer.pad_token_id, np.int64)
        mask = np.zeros_like(ids)
        items, pictures, sounds = [], [], []
        for row, talk in enumerate(talks):
            ids[row, long - len(talk.ids) :] = talk.ids
            mask[row, long - len(talk.ids) :] = 1
            own: dict[str, list[Any]] = {"image": [], "audio": []}
            for medium in talk.ask.media:
                own[medium.kind].append(self._rows.of(self.model, self._processor, self._digest, medium))
            items.append(Item(Packed((), (), (), (), tuple(talk.slots), (), ()), tuple(own["image"])))
            pictures += own["image"]
            sounds += own["audio"]
        given = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        if pictures:
            given["picture_rows"] = torch.from_numpy(np.stack(pictures))
        if sounds:
            given["sound_rows"] = torch.from_numpy(np.stack(sounds))
        given |= objects(items)
        return {name: value.to(device) for name, value in given.items()}

    def _absorb(self, talk: Talk, new: Sequence[int]) -> None:
        """Takes in what was written: whole steps are read, a call is run, the answer ends it all."""
        talk.pieces += 1
        talk.tokens += len(new)
        for token in new:
            talk.ids.append(token)
            talk.open.append(token)
            if token == self._end and self._close(talk):
                return
        if talk.open and talk.open[-1] == self._end_call and self._host is not None:
            self._call(talk)
        else:
            talk.done = True
        talk.done = talk.done or talk.pieces >= MOST_PIECES or len(talk.ids) >= MOST_TOKENS
        if talk.done and talk.open:
            self._close(talk)

    def _close(self, talk: Talk) -> bool:
        """Returns whether the step that ends here, which is read, is the answer."""
        read = self._read(talk)
        talk.told += read.diagnostics
        step = read.step.model_copy(update={"observations": tuple(talk.observations)})
        talk.steps.append(step)
        talk.actions += step.actions
        whole = talk.open[-1] == self._end
        talk.open, talk.observations = [], []
        if step.kind == "answer":
            talk.done, talk.whole = True, whole
        return bool(step.kind == "answer")

    def _read(self, talk: Talk) -> Any:
        return read_step(talk.open, self.tokenizer, talk.ask.media, talk.scene.proposals, len(talk.steps))

    def _call(self, talk: Talk, faint: bool = False) -> None:
        """Runs the call that was just written and writes down what it gave; `faint` asks for weak boxes."""
        host = self._host
        own = self._read(talk).step.actions
        unread = len(own) == len(talk.observations)
        action = Action(call="", role="", tool="") if unread or not own else own[-1]
        seen = Observation(call=action.call, status="fault", fault={"code": "tool.request"})
        if action.role and host is not None:
            level = OFFERED if faint else None
            seen = host.run(action, talk.ask.media, [*talk.actions, *own[:-1]], level)
        talk.observations.append(seen)
        writer = Writer(self.tokenizer, ids=talk.ids, slots=talk.slots)
        before = len(talk.ids)
        observe(writer, action, seen, talk.scene)
        talk.open += talk.ids[before:]


class _Stops:
    """Stops a row at the end of a call or of the answer; other steps are followed by the next one."""

    def __init__(self, speaker: Speaker, answering: Sequence[bool]) -> None:
        self._speaker, self._answering = speaker, list(answering)
        self.lengths = [0] * len(self._answering)
        self._seen = 0

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        """Returns which rows are done (b,), after each token."""
        import torch

        speaker = self._speaker
        self._seen += 1
        for row, token in enumerate(input_ids[:, -1].tolist()):
            if self.lengths[row]:
                continue
            kind = speaker._kinds.get(token)
            if kind is not None:
                self._answering[row] = kind == "answer"
            ended = token == speaker._end and self._answering[row]
            if ended or token in (speaker._end_call, speaker._eos):
                self.lengths[row] = self._seen
        return torch.tensor([bool(length) for length in self.lengths], device=input_ids.device)

"""The planner on the pocket MLLM and its twin: it goes on with the dialogue form that the twin learned.

The run so far is written down by the writer of the training samples (`deixis.learned.mllm.dialogue`), the
next step is written token by token under a grammar, and read back by the reader of that form. Keys and
values of what was read before are kept, for each expert apart.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any, Literal, cast

from deixis.errors import InputFault, PlannerFault
from deixis.graphs.planning.pocket.another import another, misjudged, once
from deixis.graphs.planning.pocket.asking import Situation, allowed, situation
from deixis.graphs.planning.pocket.grammar import Allowed, Grammar
from deixis.graphs.planning.pocket.several import part_of
from deixis.graphs.planning.pocket.steps import next_step, read
from deixis.graphs.planning.pocket.weights import Opened, opened
from deixis.graphs.planning.pocket.writing import SURE, Dialogue, Expert, Pen, Written
from deixis.graphs.planning.protocol import Gating, NextStep, PlanReply, PlanRequest
from deixis.graphs.planning.sides import Placed, contradicted
from deixis.learned.mllm.serial import Pointing
from deixis.learned.mllm.tokens import STEPS
from deixis.media.refs import MediaSource
from deixis.tools.protocol import in_thread
from deixis.trace import Step

EXPERTS = ("", "frozen", "learn")
_NUMBERS = re.compile(r"[\d.]+")
ANEW = 3
"""How often one piece of writing is begun anew at most."""


class PocketPlanner:
    """Writes steps with the pocket MLLM.

    A question that the gate gives to the frozen expert is answered in words, as that expert learned it,
    without tools. With `expert` the gate is passed over, and that expert plans.

    Attributes:
        version: of this code and of the weights.
        marks_all: words of its steps point only where it says so, as in the traces that it was trained on.
        pen: what it writes with; its counts tell what was read.
    """

    name = "pocket"
    marks_all = True

    def __init__(self, given: Opened, *, gate: Any = None, expert: str = "", alone: bool = False) -> None:
        self._given, self._gate, self._expert, self._alone = given, gate, expert, alone
        self.version = f"5-{given.digest}" if given.digest else "5"
        self.pen = Pen(given)
        self._grammar = Grammar(given.tokenizer)
        self._lock = threading.Lock()
        config = given.model.config
        self._sizes = (config.picture_tokens, config.sound_tokens)

    @property
    def experts(self) -> tuple[Expert, ...]:
        """Returns who can speak: the frozen expert, and the twin where there is one."""
        return ("frozen",) if self._given.twin is None else ("frozen", "learn")

    async def gate(self, question: str) -> Gating:
        """Returns which expert is to speak, as the gate beside the twin decides it."""
        if self._expert:
            return Gating(expert=cast("Expert", self._expert), reason="it was named")
        if self._given.twin is None:
            return Gating(expert="frozen", reason="there is no twin")
        if self._gate is None:
            return Gating(expert="learn", reason="the twin has no gate, and was named")
        decision = await in_thread(self._gate.decide, question)
        # An unsure gate keeps a base from forgetting; here it is the tools that would be forgone.
        expert: Expert = "learn" if decision.mode == "learn" or decision.abstained else "frozen"
        score = "" if decision.score is None else f"{decision.score_kind} {decision.score:.3f}"
        then: Expert | Literal["none"] = "learn" if expert == "frozen" else "none"
        reason = ", ".join(one for one in (score, decision.reason) if one)
        return Gating(expert=expert, then=then, reason=reason)

    async def __call__(self, request: PlanRequest, media: MediaSource) -> PlanReply:
        """Returns the next step.

        Raises:
            PlannerFault: ``planner.pocket.unsure`` where the model is not sure of anything that it writes,
                ``planner.pocket.repeats`` where it says the same again, ``planner.pocket.trace`` for steps
                without their trace.
        """
        if request.steps and not request.trace:
            raise PlannerFault(
                "planner.pocket.trace",
                "The pocket planner reads the steps of a run in full, and the request has none.",
                "Fill PlanRequest.trace.",
                final=True,
            )
        reply: PlanReply = await in_thread(self._planned, request, media)
        return reply

    def _planned(self, request: PlanRequest, media: MediaSource) -> PlanReply:
        expert: Expert = "learn" if request.expert == "learn" and self._given.twin is not None else "frozen"
        plain = expert == "frozen" and not self._expert and self._given.twin is not None
        part = part_of(_own(request, expert))
        now = situation(part.request)
        with self._lock:
            begun = self.pen.read + self.pen.written
            if plain or self._alone:
                step = self._at_once(part.request, now, media, expert, None if plain else "coordinates")
            else:
                step = self._stepped(part.request, now, media, expert)
            spent = self.pen.read + self.pen.written - begun
        return PlanReply(step=part.placed(step), tokens=spent, expert=expert)

    def _stepped(self, request: PlanRequest, now: Situation, media: MediaSource, expert: Expert) -> NextStep:
        """Returns the words of the open step, if one is, and what comes next."""
        may = allowed(request, now)
        reading = None
        chance, count, ids = 0.0, 0, list[int]()

        def begun() -> Dialogue:
            dialogue = self._begun(now, media, expert, "proposals")
            if ids:
                self.pen.put(dialogue, ids)
            return dialogue

        dialogue = begun()
        if now.reads:
            dialogue, words = self._written(dialogue, "words", may, begun)
            chance, count, ids = words.chance, len(words.ids), words.ids
            reading = read([self._kind(now.steps[-1].kind), *ids], self._given.tokenizer, now)
            self.pen.put(dialogue, ids[-1:])
        sent_back = bool(request.trace) and request.trace[-1].kind == "verify"
        complaint = request.complaint if sent_back else ""
        dialogue, made = self._written(dialogue, "step", may, begun, complaint, now)
        self._sure((chance + made.chance) / (count + len(made.ids)))
        taken = read(made.ids, self._given.tokenizer, now)
        step = next_step(taken, now, reading)
        if step.kind == "answer" and once(made, self._given.tokenizer):
            raise PlannerFault(
                "planner.pocket.repeats", "The model names the same thing over and over.", final=True
            )
        if complaint and step.kind == "answer" and (_as_before(step, request) or _misplaced(taken)):
            raise PlannerFault(
                "planner.pocket.repeats", "The model gives an answer again that did not stand.", final=True
            )
        if step.kind != "answer" and not step.calls and _said_before(step, now):
            raise PlannerFault(
                "planner.pocket.repeats", "The model takes the same step over and over.", final=True
            )
        return step

    def _written(
        self,
        dialogue: Dialogue,
        what: Literal["words", "step"],
        may: Allowed,
        again: Callable[[], Dialogue],
        complaint: str = "",
        now: Situation | None = None,
    ) -> tuple[Dialogue, Written]:
        """Returns what is written, and the dialogue that it stands in: anew where it is sure to be wrong."""
        tokenizer = self._given.tokenizer
        made = self.pen.write(dialogue, self._grammar.held(what, may))
        for turn in range(ANEW):
            opening = [] if turn else another(made, complaint, tokenizer) or once(made, tokenizer)
            if not opening and now is not None:
                opening = misjudged(made, read(made.ids, tokenizer, now), now.steps, tokenizer)
            if not opening:
                break
            dialogue = again()
            made = self.pen.write(dialogue, self._grammar.held(what, may), opening)
        return dialogue, made

    def _at_once(
        self,
        request: PlanRequest,
        now: Situation,
        media: MediaSource,
        expert: Expert,
        pointing: Pointing | None,
    ) -> NextStep:
        """Returns the answer that the model gives by itself, without any tool."""
        bare = Situation(now.question, now.media, (), False)
        dialogue = self._begun(bare, media, expert, pointing)
        begun = self._kind("answer")
        self.pen.put(dialogue, [begun])
        may = allowed(request, bare, steps=False, points=pointing is not None)
        made = self.pen.write(dialogue, self._grammar.held("words", may))
        self._sure(made.chance / len(made.ids))
        return next_step(read([begun, *made.ids], self._given.tokenizer, bare), bare)

    def _begun(
        self, now: Situation, media: MediaSource, expert: Expert, pointing: Pointing | None
    ) -> Dialogue:
        encoded = now.encoded(self._given.tokenizer, pointing, self._sizes)
        if len(encoded) > self._given.model.config.text_config.max_position_embeddings:
            raise PlannerFault(
                "planner.pocket.length", "The run has grown longer than the model can read.", final=True
            )
        return self.pen.begin(encoded, now.media, media, expert)

    def _kind(self, kind: str) -> int:
        number: int = self._given.tokenizer.convert_tokens_to_ids(STEPS[cast("Any", kind)])
        return number

    def _sure(self, mean: float) -> None:
        if mean < SURE:
            raise PlannerFault(
                "planner.pocket.unsure",
                f"The model is not sure of anything that it writes (mean log chance {mean:.1f} a token).",
                "Name a base and a twin that were trained: base=FOLDER, adapter=FOLDER.",
                final=True,
            )


def _own(request: PlanRequest, expert: Expert) -> PlanRequest:
    """Returns the request without the steps of the other expert, who went about it in another way.

    What is said against the last step is said against who took it.
    """
    own = tuple(step for step in request.trace if step.expert in (expert, "none"))
    if len(own) == len(request.trace):
        return request
    mine = request.trace[-1] is own[-1] if own else False
    return request.model_copy(update={"trace": own, "complaint": request.complaint if mine else ""})


def _misplaced(answer: Step) -> bool:
    """Returns whether an answer says that things stand as, by its own boxes, they do not."""
    things = [
        Placed(span.start, span.end, tuple((box, span.media) for box in span.boxes)) for span in answer.spans
    ]
    return any(contradicted(answer.text, things))


def _as_before(step: NextStep, request: PlanRequest) -> bool:
    """Returns whether the words of an answer are those of the one before, whatever its numbers."""
    before = next((one.text for one in reversed(request.trace) if one.kind == "answer"), None)
    return before is not None and _NUMBERS.sub("", step.text) == _NUMBERS.sub("", before)


def _said_before(step: NextStep, now: Situation) -> bool:
    return any((one.kind, one.text) == (step.kind, step.text) for one in now.steps)


def pocket(
    base: str = "",
    adapter: str = "",
    gate: str = "",
    expert: Literal["", "frozen", "learn"] = "",
    alone: bool = False,
) -> PocketPlanner:
    """Returns the planner.

    Args:
        base: folder of a pocket MLLM; the shipped one, with the shipped twin, if empty.
        adapter: folder of a twin of the base; without one a named base plans alone.
        gate: folder of a twin whose gate is to decide in place of the adapter's own.
        expert: plans whatever the gate would say: ``frozen`` is the planner with its twin switched off.
        alone: answers at once, with the model's own boxes and no tool: to see what the tools are worth.

    Raises:
        WeightsMissing: a folder is not there.
        InputFault: ``planner.pocket.option`` for an option that is none; a folder does not hold what it
            should.
        MissingExtra: torch, transformers or llguidance is not installed.
    """
    if expert not in EXPERTS or not isinstance(alone, bool):
        raise InputFault(
            "planner.pocket.option",
            f"expert={expert!r} or alone={alone!r} is not understood.",
            "expert is frozen or learn, alone is true or false.",
        )
    given = opened(base, adapter)
    own = given.twin.gate if given.twin is not None else None
    return PocketPlanner(given, gate=_gate(gate) if gate else own, expert=expert, alone=alone)


def _gate(folder: str) -> Any:
    """Returns the gate that lies in a twin's folder.

    Raises:
        InputFault: there is none.
    """
    from pathlib import Path

    from deixis.learned.twin import layout
    from deixis.learned.twin.gates.storage import load_gate

    place = Path(folder)
    stored = layout.read_config(place).get("gate")
    if not stored:
        raise InputFault(
            "planner.pocket.gate", f"There is no gate in {folder}.", "Train one: deixis train gate."
        )
    return load_gate(stored, place / layout.GATE)

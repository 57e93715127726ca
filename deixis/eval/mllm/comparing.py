"""The same questions put to system after system."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from deixis.eval.mllm import metric, retention
from deixis.eval.mllm.data import POINTED, Ask, Questions
from deixis.eval.mllm.systems import Expert, System
from deixis.eval.mllm.talking import CALLING, CHOOSING, PLAIN, STEPPING, WRITING, Reply, Way
from deixis.eval.report import Measure

BOXED = (*POINTED, "absent")


class Asked:
    """What was asked and answered: experts of one key are asked once.

    Args:
        total: dialogues that there will be, about.
        progress: is told of those that are done.
    """

    def __init__(self, total: int, progress: Callable[[int, int], None]) -> None:
        self.done = self.unread = 0
        self._total, self._progress = total, progress
        self._kept: dict[tuple[str, Way, tuple[int, ...]], list[Reply]] = {}

    def replies(self, expert: Expert, asks: Sequence[Ask], way: Way, logits: bool = False) -> list[Reply]:
        """Returns the replies, in order."""
        key = (expert.key, way, tuple(id(ask) for ask in asks))
        if key not in self._kept:
            before = self.done

            def told(done: int) -> None:
                self._progress(min(before + done, self._total), self._total)

            found = expert.replies(asks, way, told, logits)
            self._kept[key] = found
            self.done += len(found)
            self.unread += sum(not one.whole or not one.text.strip() for one in found)
        return self._kept[key]


def of_grounding(system: System, every: Questions, asked: Asked) -> list[Measure]:
    """Returns the figures of everything that regions are asked for."""
    boxed, others = pointed(every), told(every)
    external = not system.writes
    chosen = list(zip(boxed, asked.replies(system.learn, boxed, CHOOSING), strict=True))
    found = [*metric.rec(chosen, metric.CHOSEN), *metric.offered(chosen, metric.CHOSEN)]
    called = chosen
    if not external:
        # A grounder behind a switch has one way only; a model can also go on by itself.
        stepped = list(zip(boxed, asked.replies(system.learn, boxed, STEPPING), strict=True))
        found += metric.rec(stepped, metric.STEPPED)
        called = list(zip(boxed, asked.replies(system.learn, boxed, CALLING), strict=True))
        found += [*metric.rec(called, metric.CALLED), *metric.offered(called, metric.CALLED)]
        written = list(zip(boxed, asked.replies(system.learn, boxed, WRITING), strict=True))
        found += metric.rec(written, metric.WRITTEN)
    said = [*called, *zip(others, asked.replies(system.learn, others, CALLING), strict=True)]
    return found + [one for part in metric.PARTS for one in part(said)]


def of_retention(
    system: System, every: Questions, asked: Asked, before: Sequence[Reply], gated: Questions
) -> tuple[list[Measure], list[str]]:
    """Returns the figures of understanding after, and against the base's `before`; and remarks.

    Where a gate chooses, what it sends to the other expert is answered by that one. The gate itself is
    measured on the prompts of `gated`.
    """
    asks = every.understanding
    after = asked.replies(system.frozen, asks, PLAIN, logits=True)
    found = [*retention.understanding(asks, after), *retention.changes(asks, before, after)]
    found += retention.kept(asks, before, after)
    if system.gate is None or system.learn is system.frozen:
        return found, []
    places = retention.misrouted(system.gate, asks)
    wrong = [asks[place] for place in places]
    mixed = list(after)
    if wrong:
        for place, reply in zip(places, asked.replies(system.learn, wrong, CALLING), strict=True):
            mixed[place] = reply
    change = retention.changes(asks, before, mixed)[0]
    found.append(change.model_copy(update={"name": "understanding through the gate, change, all"}))
    prompts, left_out = retention.prompts(gated.grounding, gated.understanding)
    remark = (
        f"{system.name}: the gate sends {len(places)} of {len(asks)} understanding questions to the twin; "
        f"of {len(prompts) + left_out} prompts {left_out} are worded as questions of both kinds, and are "
        "neither right nor wrong"
    )
    return found + retention.gating(system.gate, prompts), [remark]


def pointed(every: Questions) -> list[Ask]:
    """Returns the questions that ask for the box of one thing."""
    return [ask for ask in every.grounding if ask.group in BOXED]


def told(every: Questions) -> list[Ask]:
    """Returns the other questions that are answered with tools."""
    return [ask for ask in every.grounding if ask.group not in BOXED]


def dialogues(systems: Sequence[System], every: Questions) -> int:
    """Returns how many dialogues there will be at most, misrouted ones aside."""
    boxed, others = len(pointed(every)), len(told(every))
    learn: dict[str, Any] = {one.learn.key: one for one in systems}
    asked = sum((4 if one.writes else 1) * boxed + others for one in learn.values())
    frozen = {key for one in systems for key in (one.frozen.key,)}
    return asked + len(frozen) * len(every.understanding)

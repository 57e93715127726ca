"""Runs about several pictures: the model, which learned to look at one, looks at one after the other.

What it says of a picture is put down as a step that begins with the picture's number; when all are done, the
answer is put together of what it said. So the trace alone tells how far a run has come.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from deixis.graphs.planning.pocket.asking import Situation, situation
from deixis.graphs.planning.pocket.steps import claims
from deixis.graphs.planning.protocol import Claim, Denial, Medium, NextStep, PlanRequest
from deixis.media.refs import ImageRef
from deixis.trace import Span, Step

_MARK = re.compile(r"Picture (\d+): ")
OF_PICTURES = frozenset({"ground", "tag", "segment", "look"})


@dataclass(frozen=True)
class Part:
    """The part of a run that is about one picture.

    Attributes:
        request: as if that picture were the only one.
        number: of the picture, from 1.
        last: no picture comes after it.
        done: what was said of the earlier ones.
        whole: the run's request.
    """

    request: PlanRequest
    number: int
    last: bool
    done: tuple[Step, ...]
    whole: PlanRequest

    def placed(self, step: NextStep) -> NextStep:
        """Returns a step about the one picture as one of the run."""
        if len(self.whole.images) < 2:
            return step
        told = {
            "calls": tuple(
                call.model_copy(update={"medium": self.number}) if call.do in OF_PICTURES else call
                for call in step.calls
            ),
            "claims": self._claims(step.claims),
            "reading_claims": self._claims(step.reading_claims),
        }
        step = step.model_copy(update=told)
        if step.kind != "answer":
            return step
        if self.last:
            return self._joined(step)
        mark = f"Picture {self.number}: "
        gone = tuple(Claim(phrase=one.phrase) for one in step.denials)
        return NextStep(
            reading=step.reading,
            reading_claims=step.reading_claims,
            kind="relate",
            text=mark + step.text,
            claims=(*step.claims, *gone),
        )

    def _claims(self, several: tuple[Claim, ...]) -> tuple[Claim, ...]:
        return tuple(
            claim.model_copy(update={"medium": self.number}) if claim.boxes else claim for claim in several
        )

    def _joined(self, step: NextStep) -> NextStep:
        """Returns the answer over all pictures: what shows somewhere, or else that it shows nowhere."""
        now = situation(self.whole)
        said = [_said(number, one, now) for number, one in enumerate(self.done, 1)]
        said.append((self.number, step.text, step.claims, step.denials))
        shown = [one for one in said if one[2] or not one[3]]
        if not shown:
            return step
        texts = [f"{text.strip()} That is picture {number}." for number, text, _, _ in shown]
        return step.model_copy(
            update={
                "text": " ".join(texts),
                "claims": tuple(claim for one in shown for claim in one[2]),
                "denials": tuple(denial for one in shown for denial in one[3]),
            }
        )


def part_of(request: PlanRequest) -> Part:
    """Returns the part of a request that is to be gone on with."""
    images = request.images
    if len(images) < 2:
        return Part(request, 1, True, (), request)
    done: list[Step] = []
    own: list[Step] = []
    for step in request.trace:
        found = _MARK.match(step.text)
        if found is not None and not step.actions and int(found[1]) == len(done) + 1 < len(images):
            done.append(step)
            own = []
        else:
            own.append(step)
    number = len(done) + 1
    media = [Medium(number=1, ref=images[number - 1])]
    media += [medium for medium in request.media if not isinstance(medium.ref, ImageRef)]
    narrowed = request.model_copy(update={"media": tuple(media), "trace": tuple(own)})
    return Part(narrowed, number, number == len(images), tuple(done), request)


def _said(number: int, step: Step, now: Situation) -> tuple[int, str, tuple[Claim, ...], tuple[Denial, ...]]:
    """Returns what was said of a picture: words, claims, denials."""
    found = _MARK.match(step.text)
    cut = found.end() if found else 0
    text = step.text[cut:]
    spans = [
        Span.model_validate({**span.model_dump(), "start": span.start - cut, "end": span.end - cut})
        for span in step.spans
        if span.start >= cut
    ]
    placed = [span for span in spans if span.boxes or span.times]
    gone = [span for span in spans if not span.boxes and not span.times]
    return (
        number,
        text,
        tuple(
            claim.model_copy(update={"medium": number}) if claim.boxes else claim
            for claim in claims(text, placed, now)
        ),
        tuple(Denial(phrase=span.phrase[:300]) for span in gone),
    )
